internal import Core
internal import OpenCL

/// Device memory of an ``OpenCLDevice``.
final class OpenCLBuffer: ComputeBuffer {
    let byteCount: Int
    let core: DeviceCore
    let memory: Buffer
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
        if core.isInPlace {
            let zeros = try core.call { () throws(OpenCLError) in
                try HostMemory(byteCount: roundedCount)
            }
            memory = try core.call { () throws(OpenCLError) in
                try Buffer(core.context, using: zeros)
            }
            host = zeros
            address = Self.address(of: UnsafeRawBufferPointer(zeros.bytes))
        } else {
            host = nil
            address = nil
            memory = try core.call { () throws(OpenCLError) in
                try Buffer(core.context, byteCount: roundedCount)
            }
            try zero()
        }
    }

    /// The host's memory, which is not the device's to change.
    init(_ core: DeviceCore, reading bytes: UnsafeRawBufferPointer) throws(Failure) {
        self.core = core
        byteCount = bytes.count
        isScrubbed = false
        host = nil
        address = core.isInPlace ? Self.address(of: bytes) : nil
        memory = try core.call { () throws(OpenCLError) in
            try Buffer(core.context, reading: bytes)
        }
    }

    /// The host's memory, for a device that computes there.
    init(_ core: DeviceCore, writing bytes: UnsafeMutableRawBufferPointer) throws(Failure) {
        self.core = core
        byteCount = bytes.count
        isScrubbed = false
        host = nil
        address = Self.address(of: UnsafeRawBufferPointer(bytes))
        memory = try core.call { () throws(OpenCLError) in
            try Buffer(core.context, writing: bytes)
        }
    }

    /// Puts zeros over all of it, in the queue's order.
    private func zero() throws(Failure) {
        let event = try core.call { () throws(OpenCLError) in
            try core.queue.fillZero(memory, offset: 0, byteCount: memory.byteCount)
        }
        try core.launched("fill of \(byteCount) bytes", event)
    }

    deinit {
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
