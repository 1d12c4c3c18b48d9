internal import Core
internal import Foundation

/// Bytes of the host's that change no more, and begin where a line of a processor's memory does:
/// vectors that are stored there touch one line each. Arrays begin anywhere.
public final class HostBlock: Sendable {
    public let byteCount: Int
    private let addressBits: UInt

    private static let alignmentBytes = 64

    /// Holds anything until somebody has written all of it.
    ///
    /// - Throws: ``Failure`` `memory` when there is none.
    init(byteCount: Int) throws(Failure) {
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, Self.alignmentBytes, max(byteCount, 1)) == 0, let address
        else {
            throw Failure(
                .memory, "no \(byteCount >> 20) MiB of memory for a result\(AddressSpace.note)")
        }
        self.byteCount = byteCount
        addressBits = UInt(bitPattern: address)
    }

    deinit { free(UnsafeMutableRawPointer(bitPattern: addressBits)) }

    /// For whom the block was made, until others have it.
    var writableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(bitPattern: addressBits), count: byteCount)
    }

    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withExtendedLifetime(self) { body(UnsafeRawBufferPointer(writableBytes)) }
    }
}
