import Core
import Testing

@Suite struct CBORTests {
    @Test(arguments: [
        (CBOR(0), "00"), (CBOR(23), "17"), (CBOR(24), "1818"), (CBOR(1_000_000), "1a000f4240"),
        (CBOR(-1), "20"), (CBOR(-1000), "3903e7"), (.text("IETF"), "6449455446"),
        (.array([CBOR(1), .array([CBOR(2)])]), "82018102"), (.bool(true), "f5"), (.null, "f6"),
        (.map(["a": CBOR(1), "b": .array([CBOR(2), CBOR(3)])]), "a26161016162820203"),
    ])
    func examplesOfTheStandard(_ value: CBOR, _ hex: String) throws {
        #expect(value.encoded.hex == hex)
        #expect(try CBOR(decoding: value.encoded) == value)
    }

    @Test(arguments: [
        "", "18", "1817", "190001", "0000", "5f", "9f01ff", "a2616201616101", "a2616101616101",
        "61ff", "c000", "f90000", "a10101", "9bffffffffffffffff", "5bffffffffffffffff",
        String(repeating: "81", count: 40) + "00",
    ])
    func refusesWhatIsNotDeterministic(_ hex: String) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(throws: Failure.self) { try CBOR(decoding: bytes) }
    }
}
