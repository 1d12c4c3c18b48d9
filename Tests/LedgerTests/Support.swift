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

/// A ledger with everybody registered and funded, and a deal of two tasks.
struct FoundedLedger {
    static let startSeconds = 1_800_000_000
    let folder: TemporaryFolder
    let market: TestMarket
    let ledger: MarketLedger
    let deal: Hash256

    init(workers: Int = 2, trust: UInt256 = 3, seed: UInt64 = 1) throws {
        folder = try TemporaryFolder()
        var market = try TestMarket(workers: workers, seed: seed)
        let ledger = try MarketLedger.found(market.hub.settings, at: folder.ledger)
        for call in market.foundingCalls {
            try Self.send(call, by: market.owner, to: ledger)
        }
        try Self.send(
            .createApp(
                name: "render", kind: "RIGOR", location: "store:app",
                version: try #require(market.hub.app(market.app)?.version)),
            by: market.appOwner, to: ledger)
        try Self.send(.createWorkerpool(description: "pool"), by: market.poolOwner, to: ledger)
        let orders = market.orders(price: 1_000_000_007, trust: trust, volume: 2)
        deal = try #require(
            try Self.send(
                .matchOrders(orders, sponsored: false), by: market.requester, to: ledger
            ).outcome.dealID)
        self.market = market
        self.ledger = ledger
    }

    @discardableResult
    func send(_ call: Call, by key: PrivateKey) throws -> Submission {
        try Self.send(call, by: key, to: ledger)
    }

    func envelope(_ call: Call, by key: PrivateKey, nonce: Int? = nil) throws -> Envelope {
        Envelope(
            call, from: key.address, nonce: try nonce ?? ledger.nextNonce(of: key.address),
            in: ledger.settings, sign: key.sign)
    }

    func openTask(_ index: UInt256 = 0) throws -> Hash256 {
        try #require(
            try send(.initialize(dealID: deal, index: index), by: market.poolOwner)
                .outcome.taskID)
    }

    func claim(_ worker: PrivateKey, _ task: Hash256) -> Call {
        .contribute(
            taskID: task,
            Call.Claim(
                worker: worker.address, taskID: task, digest: TestMarket.digestA,
                permission: market.permission(worker, task)))
    }

    @discardableResult
    private static func send(
        _ call: Call, by key: PrivateKey, to ledger: MarketLedger
    ) throws -> Submission {
        let envelope = Envelope(
            call, from: key.address, nonce: try ledger.nextNonce(of: key.address),
            in: ledger.settings, sign: key.sign)
        return try ledger.submit(envelope.encoded, atSeconds: startSeconds)
    }
}
