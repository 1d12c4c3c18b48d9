internal import CLibCrypto
public import Core

/// How a password becomes a key, with the limits within which a stranger's parameters are taken.
public enum KeyDerivation: Hashable, Sendable {
    /// RFC 7914. Memory is 128·n·r bytes, work grows with n·r·p.
    case scrypt(n: Int, r: Int, p: Int, salt: Bytes)
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018).
    case pbkdf2(iterations: Int, salt: Bytes)

    /// Bytes of every derived key here.
    public static let keyBytes = 32
    static let memoryBytesMax = 512 << 20
    /// Eight times what wallets use.
    static let workMax = 8 * (262_144 * 8)
    static let iterationsMax = 10_000_000
    static let saltBytesMax = 1024

    /// - Throws: ``Failure`` (limit, unsupported or malformed) for parameters outside the limits.
    func check() throws(Failure) {
        switch self {
        case .scrypt(let n, let r, let p, let salt):
            try Self.checkSalt(salt)
            guard n > 1, n & (n - 1) == 0, (1...256).contains(r), (1...256).contains(p) else {
                throw Failure(
                    .malformed,
                    "scrypt: n a power of two, r and p 1 to 256 expected, not n=\(n) r=\(r) p=\(p)")
            }
            // RFC 7914 section 2: n < 2^(128·r/8). OpenSSL holds to it, other libraries do not.
            guard r >= 4 || n < 1 << (16 * r) else {
                throw Failure(
                    .unsupported,
                    "scrypt: n=\(n) with r=\(r) is outside RFC 7914 (n below 2^\(16 * r) "
                        + "expected); write the keystore again with r=8")
            }
            let (memory, overflow) = n.multipliedReportingOverflow(by: 128 * r)
            guard !overflow, memory <= Self.memoryBytesMax, n * r * p <= Self.workMax else {
                throw Failure(
                    .limit,
                    "scrypt: n=\(n) r=\(r) p=\(p) asks for more than "
                        + "\(Self.memoryBytesMax >> 20) MiB or 8 times the usual work")
            }
        case .pbkdf2(let iterations, let salt):
            try Self.checkSalt(salt)
            guard (1...Self.iterationsMax).contains(iterations) else {
                throw Failure(
                    .limit,
                    "pbkdf2: 1 to \(Self.iterationsMax) iterations expected, not \(iterations)")
            }
        }
    }

    private static func checkSalt(_ salt: Bytes) throws(Failure) {
        guard salt.count <= saltBytesMax else {
            throw Failure(.limit, "salt of \(salt.count) bytes, at most \(saltBytesMax) expected")
        }
    }

    /// The key, 32 bytes.
    func derive(_ password: String) throws(Failure) -> SecretBytes {
        try check()
        var password = Bytes(password.utf8)
        defer { wipe(&password) }
        return try SecretBytes(count: Self.keyBytes) { (out) throws(Failure) in
            let key = out.assumingMemoryBound(to: UInt8.self).baseAddress
            let status = password.withUnsafeBytes { secret in
                let characters = secret.assumingMemoryBound(to: CChar.self).baseAddress
                switch self {
                case .scrypt(let n, let r, let p, let salt):
                    // OpenSSL refuses n=262144 under its default limit, so the limit is said.
                    let memory = 128 * n * r + 128 * r * p + 32 << 20
                    return EVP_PBE_scrypt(
                        characters, secret.count, salt, salt.count, UInt64(n), UInt64(r),
                        UInt64(p), UInt64(memory), key, Self.keyBytes)
                case .pbkdf2(let iterations, let salt):
                    return PKCS5_PBKDF2_HMAC(
                        characters, Int32(secret.count), salt, Int32(salt.count),
                        Int32(iterations), EVP_sha256(), Int32(Self.keyBytes), key)
                }
            }
            guard status == 1 else {
                throw Failure(.unsupported, "OpenSSL refuses the key derivation's parameters")
            }
        }
    }
}
