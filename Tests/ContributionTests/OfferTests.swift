import Contribution
import Core
import Ethereum
import Testing

/// Orders in files, as iExec's tools write them.
@Suite struct OfferTests {
    private static let pool = WorkerpoolOrder(
        workerpool: Address(Bytes(repeating: 7, count: 20)) ?? .zero, price: 1_000_000_000,
        volume: 3, category: 2, trust: 5, salt: Hash256(Bytes(repeating: 9, count: 32)) ?? .zero)

    @Test func filesComeBack() throws {
        let json = Signed(Self.pool, signature: [1, 2, 3]).json
        #expect(try Offer(json: Bytes(json.text.utf8)) == .workerpool(Self.pool))
        let app = AppOrder(app: Self.pool.workerpool, price: 5, volume: 1, salt: .zero)
        #expect(try Offer(json: Bytes(Signed(app).json.text.utf8)) == .app(app))
        // Numbers may be numbers, and the signature may be missing.
        let text = Signed(app).json.text.replacing("\"5\"", with: "5")
            .replacing(",\n  \"sign\": \"0x\"", with: "")
        #expect(!text.contains("sign\"") && text.contains("\"appprice\": 5"))
        #expect(try Offer(json: Bytes(text.utf8)).price == 5)
    }

    @Test(arguments: [
        ("\"workerpoolprice\": \"1000000000\"", "\"workerpoolprice\": \"-1\"", "workerpoolprice"),
        ("\"workerpoolprice\": \"1000000000\"", "\"workerpoolprice\": -1", "from 0 expected"),
        ("\"trust\": \"5\"", "\"trust\": \"\"", "trust"),
        ("\"trust\": \"5\",", "", "trust is missing"),
        ("\"volume\"", "\"extra\": 1, \"volume\"", "extra: not a key"),
        ("workerpoolprice", "workerpoolmaxprice", "no order that sells"),
        ("0x0707", "0x07", "workerpool"), ("0x010203", "0x0102g3", "sign"),
    ])
    func whatIsNone(_ old: String, _ new: String, _ said: String) throws {
        let good = Signed(Self.pool, signature: [1, 2, 3]).json.text
        let bad = good.replacing(old, with: new)
        #expect(bad != good, "\(good)")
        let failure = #expect(throws: Failure.self) { _ = try Offer(json: Bytes(bad.utf8)) }
        #expect(failure?.message.contains(said) == true, "\(failure?.message ?? "")")
    }
}
