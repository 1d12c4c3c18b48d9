import Core
import Ethereum
import Testing

/// The hub's authorisation vector: who signed, in which form, and what is refused.
@Suite struct SignatureTests {
    static let h = "54a76d209e8167e1ffa3bde8e3e7b30068423ca9554e1d605d8ee8fd0f165562"
    static let r = "63f2c959ed7dfc11619e1e0b5ba8a4bf56f81ce81d0b6e6e9cdeca538cb85d97"
    static let s = "737747b747bc6c7d42cba859fdd030b1bed8b2513699ba78ac67dab5b785fda5"
    static let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

    func bytes(_ hex: String) throws -> Bytes { try #require(Hex.decode(hex)) }

    func statement() throws -> Hash256 { try #require(Hash256(hex: Self.h)) }

    @Test func recoversThroughThePrefixOnly() throws {
        let signature = try Signature(bytes: try bytes(Self.r + Self.s + "1c"))
        let signer = try signature.signer(of: PersonalMessage.hash(try statement()))
        #expect(signer.checksummed == "0x2D29bfBEc903479fe4Ba991918bAB99B494f2bEf")
        #expect(try signature.signer(of: try statement()) != signer)
    }

    @Test func bothFormsAreOneSignature() throws {
        let long = try Signature(bytes: try bytes(Self.r + Self.s + "1c"))
        #expect(long.bytes.count == 65)
        let short = try Signature(bytes: long.compactBytes)
        #expect(long.compactBytes.count == 64)
        #expect(short == long)
        #expect(short.v == 28)
    }

    @Test(arguments: ["00", "01", "1a", "1d", "ff"])
    func otherVsAreRefused(_ v: String) throws {
        let raw = try bytes(Self.r + Self.s + v)
        #expect(throws: Failure.self) { try Signature(bytes: raw) }
    }

    @Test func highSIsRefused() throws {
        let order = try #require(UInt256(bytes: try bytes(Self.order)))
        let s = try #require(UInt256(bytes: try bytes(Self.s)))
        let high = try #require(order.subtracting(s)).bytes.hex
        // The same signature with its other s: valid for ECDSA, refused here.
        for v in ["1b", "1c"] {
            let raw = try bytes(Self.r + high + v)
            #expect(throws: Failure.self) { try Signature(bytes: raw) }
        }
    }

    @Test func partsOutsideTheOrderAreRefused() throws {
        let zero = String(repeating: "0", count: 64)
        for (r, s) in [(zero, Self.s), (Self.r, zero), (Self.order, Self.s), (Self.r, Self.order)] {
            let raw = try bytes(r + s + "1b")
            #expect(throws: Failure.self) { try Signature(bytes: raw) }
        }
    }

    @Test(arguments: [0, 1, 63, 66, 130]) func otherLengthsAreRefused(_ count: Int) {
        #expect(throws: Failure.self) { try Signature(bytes: Bytes(repeating: 1, count: count)) }
    }

    /// r = 5 is no x of a point on the curve: the library's own refusal, not a crash.
    @Test func anRWithoutAPointIsRefused() throws {
        let five = String(repeating: "0", count: 63) + "5"
        let signature = try Signature(bytes: try bytes(five + Self.s + "1b"))
        #expect(throws: Failure.self) { try signature.signer(of: try statement()) }
    }

    @Test(arguments: [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7", "0xde709f2102306220921060314715629080e2fb77",
    ])
    func checksumAddresses(_ text: String) throws {
        #expect(try Address(checking: text).checksummed == text)
    }

    @Test func mistypedAddressesAreRefused() {
        for bad in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "", "0x",
        ] {
            #expect(throws: Failure.self) { try Address(checking: bad) }
        }
    }
}
