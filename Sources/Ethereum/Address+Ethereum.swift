public import Core
internal import Digest

extension Address {
    /// The last 20 bytes of the public key's Keccak-256.
    ///
    /// - Precondition: `publicKey` is x ‖ y, 64 bytes.
    public init(publicKey: Bytes) {
        precondition(publicKey.count == 64, "an uncompressed public key is x and y")
        self.init(lastOf: Keccak256.hash(publicKey))
    }

    /// The last 20 bytes of a hash: how contracts and keys get their addresses.
    public init(lastOf hash: Hash256) {
        guard let address = Address(hash.bytes.suffix(Self.byteCount)) else {
            preconditionFailure("20 bytes")
        }
        self = address
    }

    /// EIP-55: `0x` and 40 digits whose letter case is a checksum.
    public var checksummed: String {
        let digits = Array(bytes.hex.utf8)
        let hash = Keccak256.hash(digits).bytes
        let cased = digits.enumerated().map { index, digit in
            let nibble = index % 2 == 0 ? hash[index / 2] >> 4 : hash[index / 2] & 15
            return digit >= 0x61 && nibble >= 8 ? digit - 0x20 : digit
        }
        return "0x" + String(decoding: cased, as: UTF8.self)
    }

    /// Reads an address that a person wrote: `0x` and 40 digits, in one letter case or with a right
    /// EIP-55 checksum.
    ///
    /// - Throws: ``Failure`` (malformed) saying what was expected.
    public init(checking text: String) throws(Failure) {
        guard text.hasPrefix("0x"), let address = Address(hex: text) else {
            throw Failure(.malformed, "address \"\(text)\": 0x and 40 hexadecimal digits expected")
        }
        let digits = text.dropFirst(2)
        guard
            digits == digits.lowercased() || digits == digits.uppercased()
                || text == address.checksummed
        else {
            throw Failure(
                .malformed, "address \(text): its letter case is no EIP-55 checksum; mistyped?")
        }
        self = address
    }
}

/// EIP-191 "personal" messages.
public enum PersonalMessage {
    /// keccak256("\x19Ethereum Signed Message:\n" ‖ byte count ‖ message).
    public static func hash(_ message: Bytes) -> Hash256 {
        Keccak256.hash(Bytes("\u{19}Ethereum Signed Message:\n\(message.count)".utf8) + message)
    }

    /// The same of a 32-byte hash, which is what contracts check.
    public static func hash(_ hash: Hash256) -> Hash256 { self.hash(hash.bytes) }
}
