internal import CLibCrypto
internal import Core

/// Bytes in one place in memory, overwritten when they are let go.
final class SecretBytes: @unchecked Sendable {
    // Written only before `init` ends; read-only after, so threads may share it.
    private let storage: UnsafeMutableRawBufferPointer

    /// - Parameter fill: writes the secret; the buffer is zeroed before.
    init<E: Error>(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        storage = .allocate(byteCount: count, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        try fill(storage)
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    func withBytes<T, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> T) throws(E) -> T {
        try body(UnsafeRawBufferPointer(storage))
    }
}

/// Overwrites an array's bytes, where they are not shared.
func wipe(_ bytes: inout Bytes) {
    bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
}
