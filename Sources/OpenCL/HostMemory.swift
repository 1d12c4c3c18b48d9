internal import Foundation

/// Memory of the host's that begins as zeros, for devices that compute in the host's memory.
///
/// Large memory is taken in huge pages where the system allows it: kernels that stream weights
/// otherwise wait for the processor's table of pages.
public final class HostMemory: Sendable {
    public let byteCount: Int
    private let addressBits: UInt
    /// Bytes that were mapped; 0 for memory of the allocator's.
    private let mappedBytes: Int

    /// - Throws: ``OpenCLError`` `memoryAllocationFailure` when the system has no such memory.
    public init(byteCount: Int) throws(OpenCLError) {
        precondition(byteCount > 0, "memory holds at least one byte")
        self.byteCount = byteCount
        let made =
            byteCount < Self.mappedBytesMin
            ? Self.allocated(byteCount).map { ($0, 0) } : Self.mapped(byteCount)
        guard let (address, mappedBytes) = made else {
            throw OpenCLError(
                .memoryAllocationFailure, "mmap",
                "\(byteCount) bytes: \(String(cString: strerror(errno)))")
        }
        addressBits = UInt(bitPattern: address)
        self.mappedBytes = mappedBytes
    }

    deinit {
        if mappedBytes > 0 {
            munmap(bytes.baseAddress, mappedBytes)
        } else {
            free(bytes.baseAddress)
        }
    }

    /// All of it. Whoever writes here sees to it that no kernel runs on it meanwhile.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(bitPattern: addressBits), count: byteCount)
    }

    private static func allocated(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, alignmentBytes, byteCount) == 0, let address else {
            return nil
        }
        memset(address, 0, byteCount)
        return address
    }

    /// Pages that the system gives when they are first touched; from a huge page's start on where
    /// there is one.
    private static func mapped(_ byteCount: Int) -> (UnsafeMutableRawPointer, Int)? {
        let page = Int(getpagesize())
        let wanted = (byteCount + page - 1) & ~(page - 1)
        let slack = byteCount >= hugePageBytes ? hugePageBytes : 0
        guard
            let start = mmap(
                nil, wanted + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        guard slack > 0 else { return (start, wanted) }
        let before = -Int(bitPattern: start) & (hugePageBytes - 1)
        if before > 0 { munmap(start, before) }
        let kept = start + before
        if slack > before { munmap(kept + wanted, slack - before) }
        // Advice: without huge pages it works as well.
        madvise(kept, wanted & ~(hugePageBytes - 1), MADV_HUGEPAGE)
        return (kept, wanted)
    }

    /// OpenCL's largest alignment, of a vector of 16 doubles.
    private static let alignmentBytes = 128
    /// Clearing less than this costs no more than the system's handing out new pages.
    private static let mappedBytesMin = 1 << 17
    private static let hugePageBytes = 2 << 20
}
