import Contribution
import Core
import Digest
import Ethereum
import Foundation
import MarketTestKit
import Testing
import Wallet

@Suite struct ReceiptTests {
    /// A settled task, and the receipt of its first worker.
    struct Settled {
        let market: TestMarket
        let signed: SignedReceipt

        init() throws {
            var market = try TestMarket(workers: 2)
            let version = try #require(market.hub.app(market.app)?.version)
            let result = ResultDigest(
                appVersion: version, taskSpec: .zero, leafCount: 3,
                merkleRoot: TestMarket.digestB)
            let task = try market.openTask(price: 1_000_000_007, trust: 3)
            try market.settle(task, workers: market.workers, digest: result.hash)
            let receipt = try Receipt(
                of: task, worker: market.workers[0].address, result: result,
                device: .init(
                    label: "Portable Computing Language: cpu \"x\"\n", verdict: .exact,
                    conformance: TestMarket.digestA),
                in: market.hub)
            self.market = market
            signed = SignedReceipt(
                receipt: receipt, workerSignature: market.workers[0].sign(receipt.digest),
                workerpoolSignature: market.poolOwner.sign(receipt.digest))
        }

        /// The receipt, changed and signed anew by whoever would sign it.
        func edited(_ edit: (inout Receipt) -> Void) -> SignedReceipt {
            var receipt = signed.receipt
            edit(&receipt)
            return SignedReceipt(
                receipt: receipt, workerSignature: market.workers[0].sign(receipt.digest),
                workerpoolSignature: market.poolOwner.sign(receipt.digest))
        }
    }

    @Test func aTrueReceiptHolds() throws {
        let settled = try Settled()
        #expect(settled.signed.receipt.paid == 495_000_003)
        let checks = settled.signed.checks(against: settled.market.hub)
        #expect(checks.count == 25)
        #expect(checks.filter { !$0.holds }.isEmpty)
        try settled.signed.verify(against: settled.market.hub)
    }

    /// Even with both signatures, nothing may differ from what the market knows.
    @Test func everyFieldIsHeldAgainstTheMarket() throws {
        let settled = try Settled()
        let other = TestMarket.digestB
        let edits: [(inout Receipt) -> Void] = [
            { $0.chainID = 1 }, { $0.market = .zero }, { $0.dealID = other },
            { $0.taskID = other }, { $0.index = 1 }, { $0.app = .zero }, { $0.appVersion = other },
            { $0.taskSpec = other }, { $0.leafCount = 4 }, { $0.merkleRoot = .zero },
            { $0.resultDigest = other }, { $0.resultHash = other }, { $0.resultSeal = other },
            { $0.worker = Identifiers.kitty }, { $0.workerpool = .zero },
            { $0.workerpoolOwner = .zero }, { $0.paid = 1 }, { $0.verdict = "good" },
            { $0.requester = .zero }, { $0.trust = 4 },
            { $0.contributedSeconds += 1 }, { $0.finalizedSeconds += 1 },
        ]
        for (number, edit) in edits.enumerated() {
            let forged = settled.edited(edit)
            #expect(throws: Failure.self, "edit \(number)") {
                try forged.verify(against: settled.market.hub)
            }
        }
    }

    @Test func bothMustHaveSigned() throws {
        let settled = try Settled()
        let hub = settled.market.hub
        var forged = settled.signed
        forged.workerSignature = settled.signed.workerpoolSignature
        #expect(throws: Failure.self) { try forged.verify(against: hub) }
        forged = settled.signed
        forged.workerpoolSignature = settled.signed.workerSignature
        #expect(throws: Failure.self) { try forged.verify(against: hub) }
        // The device is the worker's word alone; changing it breaks both signatures.
        forged = settled.signed
        forged.receipt.device = "another"
        #expect(throws: Failure.self) { try forged.verify(against: hub) }
    }

    /// The second worker's receipt cannot be made of the first one's.
    @Test func anotherWorkerNeedsItsOwnSeal() throws {
        let settled = try Settled()
        let second = settled.market.workers[1]
        var receipt = settled.signed.receipt
        receipt.worker = second.address
        let forged = SignedReceipt(
            receipt: receipt, workerSignature: second.sign(receipt.digest),
            workerpoolSignature: settled.market.poolOwner.sign(receipt.digest))
        #expect(throws: Failure.self) { try forged.verify(against: settled.market.hub) }
    }

    @Test func aReceiptNeedsAProof() throws {
        var market = try TestMarket(workers: 2)
        let result = ResultDigest(
            appVersion: .zero, taskSpec: .zero, leafCount: 1, merkleRoot: .zero)
        let task = try market.openTask(price: 100, trust: 3)
        func receipt(_ worker: PrivateKey) throws -> Receipt {
            try Receipt(
                of: task, worker: worker.address, result: result,
                device: .init(label: "", verdict: .exact, conformance: .zero), in: market.hub)
        }
        #expect(throws: Failure.self) { try receipt(market.workers[0]) }
        try market.settle(task, workers: market.workers)
        // Completed, but with another result.
        #expect(throws: Failure.self) { try receipt(market.workers[0]) }
    }

    @Test func theFileComesBack() throws {
        let signed = try Settled().signed
        let bytes = Bytes(signed.json.text.utf8)
        #expect(try SignedReceipt(json: bytes) == signed)
        #expect(try SignedReceipt(try CBOR(decoding: signed.cbor.encoded)) == signed)
    }

    /// Every byte of a receipt file changed in turn: refused, or no longer true, or the same value.
    @Test func aChangedFileIsNeverAnotherTruth() throws {
        let settled = try Settled()
        let bytes = Bytes(settled.signed.json.text.utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            guard let read = try? SignedReceipt(json: changed) else { continue }
            if read != settled.signed {
                #expect(throws: Failure.self, "byte \(index)") {
                    try read.verify(against: settled.market.hub)
                }
            }
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{}", "null", #"{"format":2}"#, #"{"format":"1"}"#,
        String(repeating: "[", count: 10_000), String(repeating: " ", count: 20_000),
    ])
    func filesThatAreNoReceipts(_ text: String) {
        #expect(throws: Failure.self) { try SignedReceipt(json: Bytes(text.utf8)) }
    }

    @Test(arguments: [
        ("leaf_count", "-1"), ("leaf_count", "1e99"), ("leaf_count", "\"3\""), ("paid", "5"),
        ("paid", "\"-5\""), ("paid", "\"1e9\""), ("index", "\"\""), ("contributed_at", "-5"),
        ("worker", "\"0x00\""), ("taskid", "null"), ("worker_signature", "\"0x00\""),
        ("device", "[]"), ("market", "\"" + String(repeating: "f", count: 40) + "\""),
    ])
    func fieldsOfAnotherKind(_ key: String, _ value: String) throws {
        var text = ""
        let pattern = try Regex("\"\(key)\": (\"[^\"]*\"|[0-9]+)")
        text = try Settled().signed.json.text.replacing(pattern, with: "\"\(key)\": \(value)")
        let bytes = Bytes(text.utf8)
        let error = #expect(throws: Failure.self) { try SignedReceipt(json: bytes) }
        #expect(error?.message.contains("\n") == false)
    }
}
