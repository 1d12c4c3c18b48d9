internal import CLibCrypto
public import Core
internal import Digest
internal import Ethereum

/// A private key under a password: Web3 Secret Storage, version 3.
///
/// AES-128-CTR under the first half of the derived key; the MAC is Keccak-256 of its second half
/// and the ciphertext.
public struct Keystore: Hashable, Sendable {
    /// The account; files of some programs leave it out.
    public var address: Address?
    public var derivation: KeyDerivation
    /// 16 bytes.
    public var initialCounter: Bytes
    /// 32 bytes.
    public var cipherText: Bytes
    public var mac: Hash256
    /// A UUID, lower case.
    public var id: String

    /// How expensive guessing a password is made.
    public enum Strength: Sendable {
        /// n=262144, r=8, p=1: 256 MiB and about a second.
        case standard
        /// n=4096, r=8, p=6: milliseconds; for tests and demonstrations.
        case light
    }

    /// Locks `key` under `password`.
    ///
    /// - Throws: ``Failure`` when OpenSSL refuses, which it has no reason to.
    public init(
        locking key: PrivateKey, password: String, strength: Strength = .standard,
        entropy: any Entropy
    ) throws(Failure) {
        let salt = entropy.bytes(32)
        switch strength {
        case .standard: derivation = .scrypt(n: 262_144, r: 8, p: 1, salt: salt)
        case .light: derivation = .scrypt(n: 4_096, r: 8, p: 6, salt: salt)
        }
        initialCounter = entropy.bytes(16)
        address = key.address
        id = Self.uuid(entropy.bytes(16))
        cipherText = []
        mac = .zero
        let derived = try derivation.derive(password)
        var cipherText = Bytes(repeating: 0, count: PrivateKey.byteCount)
        let isDone = key.withBytes { secret in
            Self.cipher(secret, key: derived, counter: initialCounter, into: &cipherText)
        }
        guard isDone else { throw Self.noCipher }
        self.cipherText = cipherText
        mac = Self.mac(derived, cipherText)
    }

    init(
        address: Address?, derivation: KeyDerivation, initialCounter: Bytes, cipherText: Bytes,
        mac: Hash256, id: String
    ) {
        self.address = address
        self.derivation = derivation
        self.initialCounter = initialCounter
        self.cipherText = cipherText
        self.mac = mac
        self.id = id
    }

    /// The key.
    ///
    /// - Throws: ``Failure`` (untrusted) when the password is wrong or the file was changed.
    public func unlock(password: String) throws(Failure) -> PrivateKey {
        let derived = try derivation.derive(password)
        let found = Self.mac(derived, cipherText)
        guard CRYPTO_memcmp(found.bytes, mac.bytes, Hash256.byteCount) == 0 else {
            throw Failure(.untrusted, "wrong password, or the file was changed (the MAC differs)")
        }
        var plain = Bytes(repeating: 0, count: cipherText.count)
        defer { wipe(&plain) }
        let isDone = cipherText.withUnsafeBytes { text in
            Self.cipher(text, key: derived, counter: initialCounter, into: &plain)
        }
        guard isDone else { throw Self.noCipher }
        let key = try PrivateKey(bytes: plain)
        if let address, address != key.address {
            throw Failure(
                .untrusted,
                "the file says \(address.checksummed), its key is "
                    + key.address.checksummed)
        }
        return key
    }

    private static func mac(_ derived: SecretBytes, _ cipherText: Bytes) -> Hash256 {
        derived.withBytes { bytes in
            var input = Bytes(bytes[16..<32]) + cipherText
            defer { wipe(&input) }
            return Keccak256.hash(input)
        }
    }

    private static let noCipher = Failure(.missing, "OpenSSL has no AES-128-CTR")

    /// AES-128-CTR; encryption and decryption are the same. False when OpenSSL refuses.
    private static func cipher(
        _ text: UnsafeRawBufferPointer, key: SecretBytes, counter: Bytes, into out: inout Bytes
    ) -> Bool {
        precondition(counter.count == 16 && out.count == text.count)
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        var written: Int32 = 0
        return key.withBytes { key in
            EVP_EncryptInit_ex(
                context, EVP_aes_128_ctr(), nil,
                key.assumingMemoryBound(to: UInt8.self).baseAddress, counter) == 1
                && EVP_EncryptUpdate(
                    context, &out, &written,
                    text.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(text.count)) == 1
                && written == text.count
        }
    }

    /// RFC 9562, version 4.
    private static func uuid(_ random: Bytes) -> String {
        var bytes = random
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = bytes.hex
        var parts: [Substring] = []
        var rest = hex[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
