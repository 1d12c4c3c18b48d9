import Contribution
import Core
import Ethereum
import MarketTestKit
import Testing
import Wallet

/// Amounts seen on the hub's own bytecode.
@Suite struct SettlementTests {
    static let price: UInt256 = 1_000_000_007

    @Test func stakesAreFlooredPercentages() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: Self.price, trust: 3)
        #expect(market.hub.account(market.poolOwner.address).locked == 300_000_002)
        #expect(market.hub.account(market.requester.address).locked == Self.price)
        try market.contribute(market.workers[0], task, digest: TestMarket.digestA)
        #expect(market.hub.account(market.workers[0].address).locked == 300_000_002)
    }

    @Test func twoProvedWorkersShare() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: Self.price, trust: 3)
        try market.settle(task, workers: market.workers)
        for worker in market.workers {
            #expect(market.earned(worker) == 495_000_003)
            #expect(market.hub.contribution(task, by: worker.address)?.paid == 495_000_003)
            #expect(market.hub.score(worker.address) == 1)
        }
        #expect(market.earned(market.poolOwner) == 10_000_001)
        #expect(market.hub.task(task)?.status == .completed)
    }
}
