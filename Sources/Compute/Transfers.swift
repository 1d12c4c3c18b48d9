internal import Core
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
        try launched("unmap", unmapping)
        if isWriting { try finish() }
    }
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
            half.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
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
            part.copyMemory(from: UnsafeRawBufferPointer(half))
            done += count
        }
    }
}
