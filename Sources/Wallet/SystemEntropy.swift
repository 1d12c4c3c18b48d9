internal import CLibCrypto
public import Core

/// The operating system's randomness, through OpenSSL's generator.
public struct SystemEntropy: Entropy {
    public init() {}

    public func bytes(_ count: Int) -> Bytes {
        var out = Bytes(repeating: 0, count: count)
        // A process without randomness must not make keys: there is nothing to fall back to.
        precondition(RAND_bytes(&out, Int32(count)) == 1, "OpenSSL gives no random bytes")
        return out
    }
}
