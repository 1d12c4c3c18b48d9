internal import CLibCrypto
public import Core

/// SHA-256 (FIPS 180-4) through OpenSSL, which uses the processor's instructions for it.
public enum SHA256 {
    public static func hash(_ bytes: some Collection<UInt8>) -> Hash256 {
        var hasher = Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// A hash over bytes that arrive in pieces.
    public struct Hasher: ~Copyable {
        private let context: OpaquePointer

        public init() {
            guard let context = EVP_MD_CTX_new(),
                EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
            else { preconditionFailure("OpenSSL has no SHA-256") }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        public mutating func update(_ bytes: some Collection<UInt8>) {
            let done: Void? = bytes.withContiguousStorageIfAvailable {
                update(UnsafeRawBufferPointer($0))
            }
            if done == nil {
                Bytes(bytes).withUnsafeBytes { update($0) }
            }
        }

        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
            precondition(status == 1, "EVP_DigestUpdate failed")
        }

        public consuming func finalize() -> Hash256 {
            var out = Bytes(repeating: 0, count: Hash256.byteCount)
            precondition(EVP_DigestFinal_ex(context, &out, nil) == 1, "EVP_DigestFinal_ex failed")
            guard let hash = Hash256(out) else { preconditionFailure("32 bytes") }
            return hash
        }
    }
}
