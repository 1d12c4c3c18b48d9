import Core
import Digest
import Ethereum
import MarketTestKit
import Testing
import Wallet

@Suite struct PrivateKeyTests {
    static func key(_ number: UInt64) throws -> PrivateKey {
        try PrivateKey(bytes: UInt256(number).bytes)
    }

    @Test func theAddressOfKeyOne() throws {
        #expect(
            try Self.key(1).address.description == "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf")
    }

    @Test func whatIsNoKey() throws {
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        let tooLarge = try #require(Hex.decode(order))
        let (zero, short) = (Bytes(repeating: 0, count: 32), Bytes(repeating: 1, count: 31))
        for bytes in [[], zero, short, tooLarge] {
            #expect(throws: Failure.self) { try PrivateKey(bytes: bytes) }
        }
    }

    @Test func signaturesAreDeterministicAndRecover() throws {
        let entropy = SeededEntropy(seed: 3)
        for number in 0..<50 {
            let key = PrivateKey(entropy: entropy)
            let digest = Keccak256.hash(number.bigEndianBytes)
            let signature = key.sign(digest)
            #expect(signature == key.sign(digest))
            #expect(try signature.signer(of: digest) == key.address)
            // `Signature` refuses a high s, so its being there says that s is low.
            #expect(signature.bytes.count == 65)
            #expect(
                try key.signPersonal(digest).signer(of: PersonalMessage.hash(digest))
                    == key.address)
        }
    }

    @Test func newKeysDiffer() {
        let entropy = SystemEntropy()
        #expect(PrivateKey(entropy: entropy).address != PrivateKey(entropy: entropy).address)
        #expect(entropy.bytes(32) != entropy.bytes(32))
    }
}
