public import Core
internal import Files
internal import Glibc
internal import Synchronization

/// Messages over two file descriptors: 4 bytes of big-endian length, then one deterministic CBOR
/// value.
///
/// One thread may read while others write. Reads and writes have deadlines; a peer that closes
/// its end, or dies, is a ``Failure`` with code `io`, never a signal.
public final class FrameChannel: Sendable {
    /// The most bytes one frame may hold, unless told otherwise.
    public static let frameBytesMaxDefault = 64 << 20

    /// What one frame may hold.
    public let frameBytesMax: Int
    private let input: Int32
    private let output: Int32
    private let name: String
    private let writing = Mutex(())
    private let use = Mutex(Use())

    /// Who is at work on the descriptors. Their numbers are used again, so they are closed by the
    /// last to leave: under a reader they would soon be another peer's.
    private struct Use {
        var userCount = 0
        var isClosed = false
    }

    /// Takes ownership of both descriptors, which may be the same socket.
    ///
    /// - Parameter name: the peer, as failures call it: `device host`.
    public init(
        input: Int32, output: Int32, name: String,
        frameBytesMax: Int = FrameChannel.frameBytesMaxDefault
    ) {
        _ = Self.pipesAreSilent
        self.input = input
        self.output = output
        self.name = name
        self.frameBytesMax = frameBytesMax
        for descriptor in [input, output] {
            let flags = fcntl(descriptor, F_GETFL)
            if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
        }
    }

    deinit { close() }

    /// A write to a broken pipe is an error code here, so the signal for it must not kill us.
    private static let pipesAreSilent: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Closes both ends, as soon as calls in progress have noticed; later calls throw.
    public func close() {
        let isLast = use.withLock { use in
            defer { use.isClosed = true }
            return !use.isClosed && use.userCount == 0
        }
        if isLast { closeDescriptors() }
    }

    private func closeDescriptors() {
        _ = Glibc.close(input)
        if output != input { _ = Glibc.close(output) }
    }

    /// Runs `body`, during which the descriptors stay this channel's.
    private func using<Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        let isOpen = use.withLock { use in
            if !use.isClosed { use.userCount += 1 }
            return !use.isClosed
        }
        guard isOpen else { throw closed }
        defer {
            let isLast = use.withLock { use in
                use.userCount -= 1
                return use.isClosed && use.userCount == 0
            }
            if isLast { closeDescriptors() }
        }
        return try body()
    }

    // MARK: Frames

    /// Sends one value.
    ///
    /// - Throws: ``Failure``: `limit` when it is too large, `timeout`, or `io` when the peer left.
    public func send(_ value: CBOR, secondsMax: Double) throws(Failure) {
        let body = value.encoded
        guard body.count <= frameBytesMax else {
            throw Failure(
                .limit,
                "\(name): a frame of \(body.count) bytes; at most \(frameBytesMax) expected")
        }
        let frame = UInt32(body.count).bigEndianBytes + body
        let deadline = Deadline(secondsMax: secondsMax)
        try using { () throws(Failure) in
            let result = writing.withLock { _ in
                Result { () throws(Failure) in try writeAll(frame, until: deadline) }
            }
            try result.get()
        }
    }

    /// The next value; nil when the peer closed its end between frames.
    ///
    /// - Throws: ``Failure``: `timeout` when no whole frame came in time, `limit` for a length out
    ///   of bounds, `malformed`, or `io` when the peer left within a frame.
    public func receive(secondsMax: Double) throws(Failure) -> CBOR? {
        let deadline = Deadline(secondsMax: secondsMax)
        return try using { () throws(Failure) in try frame(until: deadline) }
    }

    private func frame(until deadline: Deadline) throws(Failure) -> CBOR? {
        guard let head = try readExactly(4, until: deadline, mayEnd: true) else { return nil }
        let count = Int(head.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        guard count > 0, count <= frameBytesMax else {
            throw Failure(
                .limit, "\(name): a frame of \(count) bytes; 1 to \(frameBytesMax) expected")
        }
        guard let body = try readExactly(count, until: deadline, mayEnd: false) else {
            throw Failure(.io, "\(name): closed within a frame")
        }
        do throws(Failure) {
            return try CBOR(decoding: body)
        } catch {
            throw error.at(name)
        }
    }

    // MARK: Bytes

    private func writeAll(_ bytes: Bytes, until deadline: Deadline) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            try checkOpen()
            let count = bytes.withUnsafeBytes { raw in
                Glibc.write(output, raw.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, on: output, until: deadline)
            } else if errno != EINTR {
                throw Failure(.io, "\(name): could not send: \(systemMessage(errno))")
            }
        }
    }

    private func readExactly(
        _ count: Int, until deadline: Deadline, mayEnd: Bool
    ) throws(Failure) -> Bytes? {
        var bytes = Bytes()
        // Memory follows the bytes that came, not the length that was announced.
        let pieceMax = 1 << 20
        while bytes.count < count {
            try checkOpen()
            let want = min(count - bytes.count, pieceMax)
            var failure: Int32 = 0
            let piece = Bytes(unsafeUninitializedCapacity: want) { storage, filled in
                let got = Glibc.read(input, storage.baseAddress, want)
                failure = got < 0 ? errno : 0
                filled = max(got, 0)
            }
            if !piece.isEmpty {
                bytes += piece
            } else if failure == 0 {
                if bytes.isEmpty && mayEnd { return nil }
                throw Failure(.io, "\(name): closed within a frame")
            } else if failure == EAGAIN {
                try wait(for: POLLIN, on: input, until: deadline)
            } else if failure != EINTR {
                throw Failure(.io, "\(name): could not receive: \(systemMessage(failure))")
            }
        }
        return bytes
    }

    private func wait(
        for events: Int32, on descriptor: Int32, until deadline: Deadline
    ) throws(Failure) {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let milliseconds = deadline.millisecondsLeft
        guard milliseconds > 0 else {
            throw Failure(.timeout, "\(name): no answer within \(deadline.label) s")
        }
        let ready = poll(&request, 1, milliseconds)
        if ready < 0 && errno != EINTR {
            throw Failure(.io, "\(name): could not wait: \(systemMessage(errno))")
        }
    }

    private func checkOpen() throws(Failure) {
        if use.withLock({ $0.isClosed }) { throw closed }
    }

    private var closed: Failure { Failure(.io, "\(name): the channel is closed") }
}

/// A moment on the monotonic clock after which a wait is over. It limits waits and reaches nothing
/// else, so it is the system's clock and no port.
struct Deadline: Sendable {
    private let endNanoseconds: Int64
    /// The limit, as a failure says it.
    let label: String

    init(secondsMax: Double) {
        let bounded = min(max(secondsMax, 0), 1e9)
        endNanoseconds = Self.now + Int64(bounded * 1e9)
        label = bounded < 10 ? "\((bounded * 10).rounded() / 10)" : "\(Int(bounded))"
    }

    /// For `poll`: at most a minute, so that clock changes and huge limits do no harm.
    var millisecondsLeft: Int32 {
        Int32(clamping: min((endNanoseconds - Self.now + 999_999) / 1_000_000, 60_000))
    }

    private static var now: Int64 {
        var time = timespec()
        _ = clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
