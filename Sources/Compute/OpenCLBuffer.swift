internal import Core
internal import OpenCL
internal import Synchronization

/// Device memory of an ``OpenCLDevice``.
final class OpenCLBuffer: ComputeBuffer {
    let byteCount: Int
    let core: DeviceCore
    /// What the driver knows of it. Of memory that is lent where it lies nil until the driver is to
    /// know: who goes by its address asks for none.
    private let made: Mutex<Buffer?>
    private let access: Access
    /// The same memory, where the device computes in the host's.
    let host: HostMemory?
    let address: UInt64?
    private let isScrubbed: Bool

    /// Zero-filled, and a little longer than asked: up to a whole number of the fill's patterns,
    /// which are the longest OpenCL allows, since fills go pattern by pattern.
    init(_ core: DeviceCore, byteCount: Int, isScrubbed: Bool) throws(Failure) {
        self.core = core
        self.byteCount = byteCount
        self.isScrubbed = isScrubbed
        let roundedCount = Self.rounded(byteCount)
        access = .own
        if core.isInPlace {
            let zeros = try core.call { () throws(OpenCLError) in
                try HostMemory(byteCount: roundedCount)
            }
            made = Mutex(
                try core.call { () throws(OpenCLError) in try Buffer(core.context, using: zeros) })
            host = zeros
            address = Self.address(of: UnsafeRawBufferPointer(zeros.bytes))
        } else {
            host = nil
            address = nil
            let memory = try core.call { () throws(OpenCLError) in
                try Buffer(core.context, byteCount: roundedCount)
            }
            made = Mutex(memory)
            try zero(memory)
        }
    }

    /// The host's memory, which is not the device's to change.
    init(_ core: DeviceCore, reading bytes: UnsafeRawBufferPointer) throws(Failure) {
        self.core = core
        byteCount = bytes.count
        isScrubbed = false
        host = nil
        access = .reads
        address = core.isInPlace ? Self.address(of: bytes) : nil
        made = Mutex(
            core.isInPlace
                ? nil
                : try core.call { () throws(OpenCLError) in
                    try Buffer(core.context, reading: bytes)
                })
    }

    /// The host's memory, for a device that computes there.
    init(_ core: DeviceCore, writing bytes: UnsafeMutableRawBufferPointer) {
        self.core = core
        byteCount = bytes.count
        isScrubbed = false
        host = nil
        access = .writes
        address = Self.address(of: UnsafeRawBufferPointer(bytes))
        made = Mutex(nil)
    }

    /// What the driver knows of it.
    func memory() throws(Failure) -> Buffer {
        let result: Result<Buffer, Failure> = made.withLock { made in
            Result { () throws(Failure) in
                if let made { return made }
                let lent = UnsafeMutableRawBufferPointer(
                    start: address.flatMap { UnsafeMutableRawPointer(bitPattern: UInt($0)) },
                    count: byteCount)
                let memory = try core.call { () throws(OpenCLError) in
                    access == .reads
                        ? try Buffer(core.context, reading: UnsafeRawBufferPointer(lent))
                        : try Buffer(core.context, writing: lent)
                }
                made = memory
                return memory
            }
        }
        return try result.get()
    }

    /// Whose the memory is, and what the device may do with it.
    private enum Access {
        case own, reads, writes
    }

    /// Puts zeros over all of it, in the queue's order.
    private func zero(_ memory: Buffer) throws(Failure) {
        let event = try core.call { () throws(OpenCLError) in
            try core.queue.fillZero(memory, offset: 0, byteCount: memory.byteCount)
        }
        try core.launched("fill of \(byteCount) bytes", event)
    }

    deinit {
        guard let memory = made.withLock({ $0 }) else { return }
        if core.lost != nil {
            _ = Unmanaged.passRetained(memory)
        } else if isScrubbed,
            let event = try? core.queue.fillZero(memory, offset: 0, byteCount: memory.byteCount)
        {
            // The driver keeps the memory until the fill is done.
            core.remember("scrub of \(byteCount) bytes", event)
        }
    }

    private static func address(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        UInt64(UInt(bitPattern: bytes.baseAddress))
    }

    private static func rounded(_ byteCount: Int) -> Int { (byteCount + 127) & ~127 }
}
