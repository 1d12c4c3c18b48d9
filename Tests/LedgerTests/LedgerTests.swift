import Contribution
import Core
import Ethereum
import Foundation
import Ledger
import MarketTestKit
import Testing
import Wallet

/// A new folder for one test, removed at its end.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "rigor-ledger-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var ledger: String { path + "/market.sqlite" }
}

/// Signs with the next nonce and submits.
struct Sender {
    let ledger: MarketLedger

    @discardableResult
    func send(
        _ call: Call, by key: PrivateKey, atSeconds: Int = 1_800_000_000
    ) throws -> Submission {
        try ledger.submit(try envelope(call, by: key).encoded, atSeconds: atSeconds)
    }

    func envelope(_ call: Call, by key: PrivateKey, nonce: Int? = nil) throws -> Envelope {
        Envelope(
            call, from: key.address, nonce: try nonce ?? ledger.nextNonce(of: key.address),
            in: ledger.settings, sign: key.sign)
    }
}

@Suite struct LedgerTests {
    @Test func aTaskGoesFromOrderToPayment() throws {
        let folder = try TemporaryFolder()
        var market = try TestMarket(workers: 2)
        let ledger = try MarketLedger.found(market.hub.settings, at: folder.ledger)
        let sender = Sender(ledger: ledger)
        for call in market.foundingCalls { try sender.send(call, by: market.owner) }
        try sender.send(
            .createApp(
                name: "render", kind: "RIGOR", location: "store:app",
                version: try #require(market.hub.app(market.app)?.version)),
            by: market.appOwner)
        try sender.send(.createWorkerpool(description: "pool"), by: market.poolOwner)
        let orders = market.orders(price: 1_000_000_007, trust: 3)
        let deal = try #require(
            try sender.send(.matchOrders(orders, sponsored: false), by: market.requester)
                .outcome.dealID)
        let task = try #require(
            try sender.send(.initialize(dealID: deal, index: 0), by: market.poolOwner)
                .outcome.taskID)
        for worker in market.workers {
            let claim = Call.Claim(
                worker: worker.address, taskID: task, digest: TestMarket.digestA,
                permission: market.permission(worker, task))
            try sender.send(.contribute(taskID: task, claim), by: worker)
        }
        for worker in market.workers {
            try sender.send(.reveal(taskID: task, digest: TestMarket.digestA), by: worker)
        }
        try sender.send(
            .finalize(taskID: task, results: [], resultsCallback: []), by: market.poolOwner)
        let hub = try MarketLedger.open(folder.ledger).hub()
        #expect(hub.contribution(task, by: market.workers[0].address)?.paid == 495_000_003)
        #expect(try ledger.verifyHistory().calls == 14)
    }
}
