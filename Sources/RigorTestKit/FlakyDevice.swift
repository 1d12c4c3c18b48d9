public import Compute
public import Core
internal import Synchronization

/// A device that works through another one and goes wrong on purpose: a driver that dies, a card
/// that returns wrong bits, a compiler that is allowed what the rules forbid.
public final class FlakyDevice: ComputeDevice {
    private let base: any ComputeDevice
    private let flaws: [Flaw]
    private let state = Mutex(State())

    private struct State {
        var launches = 0, reads = 0
        var lost: Failure?
        var buffers: [Held] = []
    }

    /// A buffer, as long as somebody else holds it.
    private struct Held {
        weak var buffer: (any ComputeBuffer)?
    }

    /// What goes wrong; counts start at 1.
    public enum Flaw: Sendable {
        /// The nth launch throws, and so does every later call.
        case failLaunch(Int)
        /// The nth wait reports a timeout, and so does every later call.
        case hangAtLaunch(Int)
        /// From the nth read on, one bit of the bytes read is flipped: byte `byte` modulo the
        /// count, bit 0.
        case flipFromRead(Int, byte: Int)
        /// No buffer is made that would take what all have together beyond so many bytes.
        case memory(Int)
        /// Every program passes through this before it is built.
        case rewrite(@Sendable (ProgramSource) -> ProgramSource)
    }

    public init(_ base: any ComputeDevice, _ flaws: [Flaw]) {
        self.base = base
        self.flaws = flaws
    }

    public var description: DeviceDescription { base.description }
    public var tuning: Tuning { base.tuning }

    public func program(_ source: ProgramSource) throws(Failure) -> any ComputeProgram {
        try checkAlive()
        var source = source
        for case .rewrite(let change) in flaws { source = change(source) }
        return try base.program(source)
    }

    public func makeBuffer(byteCount: Int) throws(Failure) -> any ComputeBuffer {
        try checkAlive()
        for case .memory(let most) in flaws {
            let held = state.withLock { state in
                state.buffers.removeAll { $0.buffer == nil }
                return state.buffers.reduce(0) { $0 + ($1.buffer?.byteCount ?? 0) }
            }
            guard held + byteCount <= most else {
                throw Failure(
                    .memory, "\(description.label): out of memory: a buffer of \(byteCount) bytes")
            }
        }
        let buffer = try base.makeBuffer(byteCount: byteCount)
        state.withLock { $0.buffers.append(Held(buffer: buffer)) }
        return buffer
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: any ComputeBuffer, at offset: Int
    ) throws(Failure) {
        try checkAlive()
        try base.write(bytes, to: buffer, at: offset)
    }

    public func read(
        from buffer: any ComputeBuffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws(Failure) {
        try checkAlive()
        try base.read(from: buffer, at: offset, into: bytes)
        let count = state.withLock { state -> Int in
            state.reads += 1
            return state.reads
        }
        for case .flipFromRead(let first, let byte) in flaws where count >= first && !bytes.isEmpty
        {
            bytes[byte % bytes.count] ^= 1
        }
    }

    public func launch(
        _ kernel: String, of program: any ComputeProgram, global: [Int], local: [Int]?,
        arguments: [KernelArgument]
    ) throws(Failure) {
        try checkAlive()
        let count = state.withLock { state -> Int in
            state.launches += 1
            return state.launches
        }
        for flaw in flaws {
            if case .failLaunch(count) = flaw {
                try lose(Failure(.device, "\(description.label): \(kernel): scripted fault"))
            }
            if case .hangAtLaunch(count) = flaw {
                let lost = Failure(.timeout, "\(description.label): \(kernel) did not end in time")
                state.withLock { $0.lost = lost }
                return
            }
        }
        try base.launch(kernel, of: program, global: global, local: local, arguments: arguments)
    }

    public func finish() throws(Failure) {
        try checkAlive()
        try base.finish()
    }

    private func checkAlive() throws(Failure) {
        if let lost = state.withLock({ $0.lost }) { throw lost }
    }

    private func lose(_ failure: Failure) throws(Failure) {
        state.withLock { $0.lost = failure }
        throw failure
    }
}
