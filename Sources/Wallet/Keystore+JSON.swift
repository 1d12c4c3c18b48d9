public import Core
internal import Ethereum
internal import Foundation

extension Keystore {
    /// Files longer than this are not keystores.
    static let fileBytesMax = 65_536

    /// The file's text.
    public var json: String {
        let parameters: JSON
        let name: JSON
        switch derivation {
        case .scrypt(let n, let r, let p, let salt):
            name = "scrypt"
            parameters = [
                "dklen": .int(KeyDerivation.keyBytes), "n": .int(n), "r": .int(r), "p": .int(p),
                "salt": .string(salt.hex),
            ]
        case .pbkdf2(let iterations, let salt):
            name = "pbkdf2"
            parameters = [
                "dklen": .int(KeyDerivation.keyBytes), "c": .int(iterations),
                "prf": "hmac-sha256", "salt": .string(salt.hex),
            ]
        }
        let crypto: JSON = [
            "cipher": "aes-128-ctr",
            "cipherparams": ["iv": .string(initialCounter.hex)],
            "ciphertext": .string(cipherText.hex),
            "kdf": name, "kdfparams": parameters, "mac": .string(mac.bytes.hex),
        ]
        var members: [JSON.Member] = []
        if let address { members.append(.init("address", .string(address.bytes.hex))) }
        members += [.init("crypto", crypto), .init("id", .string(id)), .init("version", 3)]
        return JSON.object(members).text
    }

    /// Reads a file's bytes. Nothing is derived yet, so this costs no memory or time.
    ///
    /// - Throws: ``Failure`` naming the field and what was expected.
    public init(json bytes: Bytes) throws(Failure) {
        guard bytes.count <= Self.fileBytesMax else {
            throw Failure(
                .limit, "\(bytes.count) bytes, a keystore has at most \(Self.fileBytesMax)")
        }
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw Failure(.malformed, "no keystore: \(Self.describe(error))")
        }
        guard document.version == 3 else {
            throw Failure(.unsupported, "version \(document.version), version 3 expected")
        }
        let crypto = document.crypto
        guard crypto.cipher == "aes-128-ctr" else {
            throw Failure(.unsupported, "cipher: aes-128-ctr expected")
        }
        let derivation = try Self.derivation(crypto)
        try derivation.check()
        var address: Address?
        if let text = document.address {
            guard let known = Address(hex: text) else {
                throw Failure(.malformed, "address: 40 hexadecimal digits expected")
            }
            address = known
        }
        guard let mac = Hash256(hex: crypto.mac) else {
            throw Failure(.malformed, "mac: 64 hexadecimal digits expected")
        }
        self.init(
            address: address, derivation: derivation,
            initialCounter: try Self.bytes(crypto.cipherparams.iv, "iv", count: 16),
            cipherText: try Self.bytes(crypto.ciphertext, "ciphertext", count: 32), mac: mac,
            id: String((document.id ?? "").prefix(64)))
    }

    private static func derivation(_ crypto: Document.Crypto) throws(Failure) -> KeyDerivation {
        let parameters = crypto.kdfparams
        guard parameters.dklen == KeyDerivation.keyBytes else {
            throw Failure(.unsupported, "kdfparams: dklen \(KeyDerivation.keyBytes) expected")
        }
        let salt = try bytes(parameters.salt, "salt", count: nil)
        switch crypto.kdf {
        case "scrypt":
            guard let n = parameters.n, let r = parameters.r, let p = parameters.p else {
                throw Failure(.malformed, "kdfparams: n, r and p expected for scrypt")
            }
            return .scrypt(n: n, r: r, p: p, salt: salt)
        case "pbkdf2":
            guard let iterations = parameters.c, parameters.prf == "hmac-sha256" else {
                throw Failure(.malformed, "kdfparams: c and prf hmac-sha256 expected for pbkdf2")
            }
            return .pbkdf2(iterations: iterations, salt: salt)
        default: throw Failure(.unsupported, "kdf: scrypt or pbkdf2 expected")
        }
    }

    private static func bytes(
        _ text: String, _ name: String, count: Int?
    ) throws(Failure) -> Bytes {
        guard let bytes = Hex.decode(text), count == nil || bytes.count == count else {
            throw Failure(
                .malformed,
                "\(name): \(count.map { "\($0 * 2) " } ?? "")hexadecimal digits expected")
        }
        return bytes
    }

    private static func describe(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "the document" : path
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(place(context)): \(key.stringValue) expected"
        case DecodingError.typeMismatch(let type, let context),
            DecodingError.valueNotFound(let type, let context):
            return "\(place(context)): \(type) expected"
        case DecodingError.dataCorrupted(let context):
            return "\(place(context)): not JSON, or a number out of range"
        default: return "not JSON"
        }
    }

    private struct Document: Decodable {
        let address: String?
        let crypto: Crypto
        let id: String?
        let version: Int

        enum CodingKeys: String, CodingKey {
            case address, crypto, id, version
            /// How some wallets spell it.
            case capitalizedCrypto = "Crypto"
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            address = try fields.decodeIfPresent(String.self, forKey: .address)
            id = try fields.decodeIfPresent(String.self, forKey: .id)
            version = try fields.decode(Int.self, forKey: .version)
            crypto =
                try fields.decodeIfPresent(Crypto.self, forKey: .capitalizedCrypto)
                ?? fields.decode(Crypto.self, forKey: .crypto)
        }

        struct Crypto: Decodable {
            let cipher: String
            let cipherparams: CipherParameters
            let ciphertext: String
            let kdf: String
            let kdfparams: Parameters
            let mac: String
        }

        struct CipherParameters: Decodable {
            let iv: String
        }

        struct Parameters: Decodable {
            let dklen: Int
            let salt: String
            let n: Int?
            let r: Int?
            let p: Int?
            let c: Int?
            let prf: String?
        }
    }
}
