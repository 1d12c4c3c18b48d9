internal import Core
internal import Dispatch
internal import Foundation
internal import OpenCL

extension DeviceCore {
    /// Runs `body` on a host view of part of a buffer. For devices that share the host's memory,
    /// where nothing is copied twice.
    func mapped(
        _ buffer: Buffer, _ offset: Int, _ byteCount: Int, isWriting: Bool,
        _ body: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(Failure) {
        let (address, mapping) = try call { () throws(OpenCLError) in
            try queue.map(buffer, offset: offset, byteCount: byteCount, isWriting: isWriting)
        }
        try launched("map", mapping)
        try finish()
        body(UnsafeMutableRawBufferPointer(start: address, count: byteCount))
        let unmapping = try call { () throws(OpenCLError) in
            try queue.unmap(buffer, address: address)
        }
        // Nobody waits for this: what comes after it in the queue finds the bytes there. But Mesa's
        // rusticl (22.3) loses count of a buffer's mappings when the next one is made before.
        try launched(Self.unmapping, unmapping)
        if label.hasPrefix("rusticl") { try finish() }
    }
}

/// A copy of bytes that a driver reads when it comes to it.
final class HeldBytes: Sendable {
    private let addressBits: UInt
    private let count: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyMemory(from: bytes)
        (addressBits, count) = (UInt(bitPattern: copy.baseAddress), bytes.count)
    }

    deinit { UnsafeMutableRawPointer(bitPattern: addressBits)?.deallocate() }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: addressBits), count: count)
    }

    /// Beyond, waiting until the device's memory may be written costs less than another copy.
    static let bytesMax = 1 << 17
}

extension DeviceCore {
    /// Puts a copy of a few bytes on the queue: what comes after finds them in the buffer.
    func write(
        _ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int
    ) throws(Failure) {
        let held = HeldBytes(bytes)
        let event = try call { () throws(OpenCLError) in
            try queue.write(held.bytes, to: buffer, at: offset)
        }
        try launched("write", event, holding: held)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Fills this from `source`, of the same size, with several threads where it is large: one does
    /// not use all of a machine's memory bandwidth.
    ///
    /// - Parameter threadsMax: threads that copy at most.
    package func copyTogether(
        from source: UnsafeRawBufferPointer, threadsMax: Int = Self.threadsMax
    ) {
        precondition(source.count == count, "as many bytes")
        let pieceCount = Swift.min(count / Self.pieceBytesMin, threadsMax)
        guard pieceCount > 1 else { return copyMemory(from: source) }
        // Whole cache lines each, and all of them together no less than there is: an even share
        // rounded down would lose the last bytes.
        let pieceBytes = ((count + pieceCount - 1) / pieceCount + 63) & ~63
        nonisolated(unsafe) let (from, to) = (source, self)
        DispatchQueue.concurrentPerform(iterations: pieceCount) { piece in
            let range = piece * pieceBytes..<Swift.min((piece + 1) * pieceBytes, from.count)
            UnsafeMutableRawBufferPointer(rebasing: to[range])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[range]))
        }
    }

    /// A piece's least size: below, starting threads costs more than it saves.
    private static let pieceBytesMin = 1 << 20
    /// Counted once: the system is asked for a file, which takes as long as many a copy.
    package static let threadsMax = Swift.min(ProcessInfo.processInfo.activeProcessorCount, 8)
}

/// Pinned host memory between callers' bytes and a device that has memory of its own.
///
/// Copies go through here in pieces rather than from the caller's memory, for speed, and so that a
/// driver that hangs holds no pointer to memory its owner will free.
final class Staging: Sendable {
    private let buffer: Buffer
    private let addressBits: UInt
    private let pieceBytes: Int

    init(_ core: DeviceCore, byteCountMax: Int) throws(Failure) {
        let count = min(Self.pieceBytesWanted * 2, byteCountMax) & ~31
        buffer = try core.call { () throws(OpenCLError) in
            try Buffer(core.context, byteCount: count, place: .host)
        }
        let (address, mapping) = try core.call { [buffer] () throws(OpenCLError) in
            try core.queue.map(buffer, offset: 0, byteCount: count, isWriting: true)
        }
        try core.launched("map", mapping)
        try core.finish()
        addressBits = UInt(bitPattern: address)
        pieceBytes = count / 2
    }

    private static let pieceBytesWanted = 8 << 20

    /// One of two halves: one fills while the other travels.
    private func half(_ index: Int, count: Int) -> UnsafeMutableRawBufferPointer {
        let start = UnsafeMutableRawPointer(bitPattern: addressBits + UInt(index % 2 * pieceBytes))
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    func write(
        _ bytes: UnsafeRawBufferPointer, to target: Buffer, at offset: Int, core: DeviceCore
    ) throws(Failure) {
        var done = 0
        var piece = 0
        while done < bytes.count {
            let count = min(pieceBytes, bytes.count - done)
            // The half's earlier piece must have left before it is overwritten.
            if piece >= 2, piece % 2 == 0 { try core.finish() }
            let half = half(piece, count: count)
            half.copyTogether(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
            let event = try core.call { () throws(OpenCLError) in
                try core.queue.write(UnsafeRawBufferPointer(half), to: target, at: offset + done)
            }
            try core.launched("write", event)
            done += count
            piece += 1
        }
        try core.finish()
    }

    func read(
        _ source: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer,
        core: DeviceCore
    ) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = min(pieceBytes, bytes.count - done)
            let half = half(0, count: count)
            let event = try core.call { () throws(OpenCLError) in
                try core.queue.read(from: source, at: offset + done, into: half)
            }
            try core.launched("read", event)
            try core.finish()
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + count])
            part.copyTogether(from: UnsafeRawBufferPointer(half))
            done += count
        }
    }
}
