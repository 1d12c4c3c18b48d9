import Core
import Ethereum
import Foundation
import MarketTestKit
import Testing
import Wallet

@Suite struct KeystoreTests {
    static let entropy = SeededEntropy(seed: 11)

    /// The PBKDF2 example of the Web3 Secret Storage definition.
    static let published = """
        {"crypto":{"cipher":"aes-128-ctr",
        "cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
        "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
        """

    func keystore(_ text: String) throws -> Keystore { try Keystore(json: Bytes(text.utf8)) }

    func light(_ key: PrivateKey, _ password: String) throws -> Keystore {
        try Keystore(
            locking: key, password: password, strength: .light, entropy: Self.entropy)
    }

    @Test func thePublishedVector() throws {
        let key = try keystore(Self.published).unlock(password: "testpassword")
        let expected = try PrivateKey(
            bytes: try #require(
                Hex.decode("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")))
        #expect(key.address == expected.address)
    }

    /// A file that another program wrote, with scrypt: Python's eth_keyfile, version 0.10.
    @Test func anotherProgramsFile() throws {
        let text = """
            {"address": "008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b", "crypto":
            {"cipher": "aes-128-ctr", "cipherparams": {"iv": "1f2ca6dda04a0270ecd0b7d2f1161c7e"},
            "ciphertext": "179cfa077e576637684e96823cb61d533f33f7e2346c1135aa565050bc3c6790",
            "kdf": "scrypt", "kdfparams": {"dklen": 32, "n": 4096, "r": 8, "p": 1,
            "salt": "b64fbbe0fe3570977df75ca8e8676429"},
            "mac": "5ea43cc21e6f101de648dfc0cccf85939e0f3afbd376e501191bf9d8c6f1dcb6"},
            "id": "92c6ef79-387b-46ce-b2c3-5239ccc25707", "version": 3}
            """
        for spelled in [text, text.replacingOccurrences(of: "crypto", with: "Crypto")] {
            let key = try keystore(spelled).unlock(password: "pässword")
            #expect(key.address.checksummed == "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b")
        }
    }

    /// The published scrypt example has r = 1, outside RFC 7914 with its n: refused with a reason.
    @Test func rOfOneIsRefusedWithAReason() throws {
        let text = """
            {"crypto":{"cipher":"aes-128-ctr",
            "cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
            "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,
            "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
            "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
            "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}
            """
        let error = #expect(throws: Failure.self) { try keystore(text) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("RFC 7914") == true)
    }

    @Test func whatIsLockedUnlocks() throws {
        let key = PrivateKey(entropy: Self.entropy)
        let store = try light(key, "päßword 🔑")
        let read = try keystore(store.json)
        #expect(read == store)
        #expect(try read.unlock(password: "päßword 🔑").address == key.address)
        let error = #expect(throws: Failure.self) { try read.unlock(password: "password") }
        #expect(error?.code == .untrusted)
    }

    @Test func theStandardStrengthWorks() throws {
        let key = PrivateKey(entropy: Self.entropy)
        let store = try Keystore(locking: key, password: "", entropy: Self.entropy)
        #expect(store.json.contains("262144"))
        #expect(try store.unlock(password: "").address == key.address)
    }

    @Test func everyChangedPartIsNoticed() throws {
        let key = PrivateKey(entropy: Self.entropy)
        let store = try light(key, "p")
        var changed = [store, store, store, store]
        changed[0].cipherText[3] ^= 1
        changed[1].mac = .zero
        changed[2].initialCounter[0] ^= 1
        changed[3].address = .zero
        for one in changed {
            #expect(throws: Failure.self) { try one.unlock(password: "p") }
        }
    }

    @Test(arguments: [
        ("\"n\": 4096", "\"n\": 1073741824"), ("\"n\": 4096", "\"n\": 9223372036854775807"),
        ("\"n\": 4096", "\"n\": 1e300"), ("\"n\": 4096", "\"n\": 4095"),
        ("\"n\": 4096", "\"n\": -4096"), ("\"n\": 4096", "\"n\": \"4096\""),
        ("\"n\": 4096", "\"n\": null"), ("\"r\": 8", "\"r\": 1000000"), ("\"r\": 8", "\"r\": 0"),
        ("\"p\": 6", "\"p\": 4000000000"), ("\"p\": 6", "\"p\": true"),
        ("\"dklen\": 32", "\"dklen\": 2147483647"), ("\"version\": 3", "\"version\": 1"),
        ("\"version\": 3", "\"version\": \"3\""), ("aes-128-ctr", "aes-256-gcm"),
        ("\"scrypt\"", "\"argon2\""), ("\"ciphertext\": \"", "\"ciphertext\": \"00"),
        ("\"iv\": \"", "\"iv\": \"zz"), ("\"mac\": \"", "\"mac\": \"0"),
        ("\"crypto\": {", "\"crypto\": [{"), ("\"salt\": \"", "\"salt\": \"0"),
        ("\"address\": \"", "\"address\": \"00"),
    ])
    func hostileFilesAreRefusedUnderived(_ part: String, _ other: String) throws {
        let text = try light(PrivateKey(entropy: Self.entropy), "p").json
        #expect(text.contains(part), "\(part)")
        let error = #expect(throws: Failure.self) {
            try keystore(text.replacingOccurrences(of: part, with: other))
        }
        #expect(error?.message.contains("\n") == false)
    }

    @Test(arguments: [
        "", "{}", "[]", "nul", "\u{0}", String(repeating: "{\"crypto\":", count: 5000),
        String(repeating: " ", count: 70_000),
    ])
    func filesThatAreNoKeystores(_ text: String) {
        #expect(throws: Failure.self) { try keystore(text) }
    }

    @Test func cutFilesAreRefused() throws {
        let bytes = Bytes(try light(PrivateKey(entropy: Self.entropy), "p").json.utf8)
        for count in 0..<(bytes.count - 2) {
            #expect(throws: Failure.self) { try Keystore(json: Bytes(bytes[..<count])) }
        }
    }

    @Test func filesAreForTheirOwnerAlone() throws {
        let root = NSTemporaryDirectory() + "rigor-wallet-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = root + "/keys"
        let key = PrivateKey(entropy: Self.entropy)
        let store = try light(key, "p")
        let path = try store.write(in: folder)
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(path) == 0o600)
        #expect(try mode(folder) == 0o700)
        #expect(path == Keystore.path(of: key.address, in: folder))
        #expect(try Keystore.read(path) == store)
        // Never over an existing one, and no draft is left.
        #expect(throws: Failure.self) { try store.write(in: folder) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        let other = try light(PrivateKey(entropy: Self.entropy), "p")
        let error = #expect(throws: Failure.self) { try other.write(in: folder) }
        #expect(error?.message.contains("chmod 700") == true)
        #expect(throws: Failure.self) { try Keystore.read(folder) }
        #expect(throws: Failure.self) { try Keystore.read(folder + "/none.json") }
    }
}
