internal import CLibCrypto
internal import CSecp256k1
public import Core
public import Ethereum

/// A secp256k1 private key. Its bytes stay in one place in memory, overwritten when it is let go.
public final class PrivateKey: Sendable {
    /// The account that the key owns.
    public let address: Address

    private let secret: SecretBytes

    /// A new key.
    public convenience init(entropy: any Entropy) {
        while true {
            var bytes = entropy.bytes(Self.byteCount)
            defer { wipe(&bytes) }
            // All but about 2⁻¹²⁸ of 32-byte strings are keys.
            if let secret = try? Self.secret(bytes) {
                self.init(secret: secret.0, address: secret.1)
                return
            }
        }
    }

    /// - Throws: ``Failure`` (malformed) unless `bytes` are 32 and a number in 1..<n.
    public convenience init(bytes: Bytes) throws(Failure) {
        let (secret, address) = try Self.secret(bytes)
        self.init(secret: secret, address: address)
    }

    private init(secret: SecretBytes, address: Address) {
        self.secret = secret
        self.address = address
    }

    public static let byteCount = 32

    /// Signs a digest: deterministic (RFC 6979), low s, recoverable.
    public func sign(_ digest: Hash256) -> Signature {
        var signature = secp256k1_ecdsa_recoverable_signature()
        var compact = Bytes(repeating: 0, count: 64)
        var parity: Int32 = 0
        let signed = secret.withBytes { bytes in
            guard let key = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else {
                return Int32(0)
            }
            return secp256k1_ecdsa_sign_recoverable(
                SigningContext.shared.pointer, &signature, digest.bytes, key, nil, nil)
        }
        let written = secp256k1_ecdsa_recoverable_signature_serialize_compact(
            SigningContext.shared.pointer, &compact, &parity, &signature)
        // The key was verified when it was made, so neither call has a reason to fail; and with s
        // in the lower half the recovery number is the parity alone, but for one r in 2¹²⁷.
        guard signed == 1, written == 1,
            let result = try? Signature(bytes: compact + [27 + UInt8(truncatingIfNeeded: parity)])
        else { preconditionFailure("libsecp256k1 does not sign with a verified key") }
        return result
    }

    /// Signs a 32-byte statement as a personal message (EIP-191).
    public func signPersonal(_ statement: Hash256) -> Signature {
        sign(PersonalMessage.hash(statement))
    }

    /// Signs an order or another typed struct's hash and gives its 65 bytes.
    public func signatureBytes(_ digest: Hash256) -> Bytes { sign(digest).bytes }

    /// Lends the key's bytes to `body`, which must not keep them.
    func withBytes<T, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> T) throws(E) -> T {
        try secret.withBytes(body)
    }

    private static func secret(_ bytes: Bytes) throws(Failure) -> (SecretBytes, Address) {
        let context = SigningContext.shared.pointer
        guard bytes.count == byteCount, secp256k1_ec_seckey_verify(context, bytes) == 1 else {
            throw Failure(.malformed, "private key: 32 bytes, a number in 1..<n, expected")
        }
        var key = secp256k1_pubkey()
        var out = Bytes(repeating: 0, count: 65)
        var count = out.count
        guard secp256k1_ec_pubkey_create(context, &key, bytes) == 1,
            secp256k1_ec_pubkey_serialize(
                context, &out, &count, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)) == 1, count == 65
        else { throw Failure(.malformed, "private key: it has no public key") }
        let secret = SecretBytes(count: byteCount) { $0.copyBytes(from: bytes) }
        return (secret, Address(publicKey: Bytes(out.dropFirst())))
    }
}

/// A libsecp256k1 context for secrets, blinded against side channels before anyone uses it.
private final class SigningContext: @unchecked Sendable {
    static let shared = SigningContext()
    let pointer: OpaquePointer

    private init() {
        guard let pointer = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
            preconditionFailure("libsecp256k1 gives no context")
        }
        // By default an illegal argument aborts the process; every return code is checked instead.
        secp256k1_context_set_illegal_callback(pointer, { @Sendable _, _ in }, nil)
        var seed = SystemEntropy().bytes(32)
        let blinded = secp256k1_context_randomize(pointer, seed)
        wipe(&seed)
        precondition(blinded == 1, "libsecp256k1 takes no blinding")
        self.pointer = pointer
    }
}
