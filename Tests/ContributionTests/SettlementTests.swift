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

    @Test func theFloorComesBeforeTheVolume() throws {
        var market = try TestMarket(workers: 0)
        let orders = market.orders(price: Self.price, trust: 1, volume: 5)
        try market.send(.matchOrders(orders, sponsored: false), by: market.requester)
        #expect(market.hub.account(market.poolOwner.address).locked == 1_500_000_010)
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
        #expect(market.spent(market.requester) == Self.price)
    }

    @Test func aLiarPaysTheHonest() throws {
        var market = try TestMarket(workers: 4)
        let task = try market.openTask(price: Self.price, trust: 3)
        let (liar, honest) = (market.workers[0], market.workers.dropFirst())
        try market.contribute(liar, task, digest: TestMarket.digestB)
        for worker in honest { try market.contribute(worker, task, digest: TestMarket.digestA) }
        #expect(market.hub.task(task)?.status == .revealing)
        for worker in honest { try market.reveal(worker, task, digest: TestMarket.digestA) }
        let outcome = try market.finalize(task)
        for worker in honest { #expect(market.earned(worker) == 429_000_002) }
        #expect(market.earned(market.poolOwner) == 13_000_003)
        #expect(market.spent(liar) == 300_000_002)
        #expect(outcome.events.contains(.faultyContribution(worker: liar.address, taskID: task)))
    }

    @Test(arguments: [(16, 10), (20, 13), (1, 0), (0, 0)])
    func slashedScores(_ before: Int, _ after: Int) throws {
        var market = try TestMarket(workers: 2)
        let (liar, honest) = (market.workers[0], market.workers[1])
        market.setScore(before, of: liar)
        market.setScore(300, of: honest)
        let task = try market.openTask(price: Self.price, trust: 12)
        try market.contribute(liar, task, digest: TestMarket.digestB)
        try market.contribute(honest, task, digest: TestMarket.digestA)
        try market.reveal(honest, task, digest: TestMarket.digestA)
        try market.finalize(task)
        #expect(market.hub.score(liar.address) == after)
        #expect(market.hub.score(honest.address) == 301)
    }

    /// Score 15 gives weight 4, log2 2: twice a fresh worker's pay.
    @Test func payFollowsTheLogarithmOfTheWeight() throws {
        var market = try TestMarket(workers: 2)
        market.setScore(15, of: market.workers[1])
        let task = try market.openTask(price: Self.price, trust: 5)
        try market.settle(task, workers: market.workers)
        // floor(1,000,000,007 · 99 / 100) = 990,000,006, in thirds.
        #expect(market.earned(market.workers[0]) == 330_000_002)
        #expect(market.earned(market.workers[1]) == 660_000_004)
        #expect(market.earned(market.poolOwner) == 10_000_001)
        #expect(
            market.hub.contribution(task, by: market.workers[1].address)?.logWeight == 2)
    }

    @Test func aLoneContributorEarnsNoScore() throws {
        var market = try TestMarket(workers: 1)
        let task = try market.openTask(price: Self.price, trust: 1)
        try market.settle(task, workers: market.workers)
        #expect(market.earned(market.workers[0]) == 990_000_006)
        #expect(market.hub.score(market.workers[0].address) == 0)
    }

    @Test func revealedAndNeverFinalizedGivesStakesBack() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: Self.price, trust: 3)
        for worker in market.workers {
            try market.contribute(worker, task, digest: TestMarket.digestA)
        }
        for worker in market.workers {
            try market.reveal(worker, task, digest: TestMarket.digestA)
        }
        market.nowSeconds += 10 * TestMarket.timeReferenceSeconds
        #expect(throws: Rejection.self) { try market.finalize(task) }
        try market.send(.claim(taskID: task), by: market.requester)
        for worker in market.workers {
            #expect(market.earned(worker) == 0)
            #expect(market.hub.account(worker.address).locked == 0)
            #expect(market.hub.score(worker.address) == 0)
        }
        #expect(market.earned(market.requester) == 0)
        #expect(market.spent(market.poolOwner) == 300_000_002)
        #expect(market.hub.kitty == 300_000_002)
        #expect(market.hub.task(task)?.status == .failed)
    }

    /// A wrong worker goes free when a task is claimed: nobody was paid.
    @Test func aClaimPunishesNobody() throws {
        var market = try TestMarket(workers: 2)
        market.setScore(9, of: market.workers[0])
        let task = try market.openTask(price: Self.price, trust: 30)
        try market.contribute(market.workers[0], task, digest: TestMarket.digestA)
        try market.contribute(market.workers[1], task, digest: TestMarket.digestB)
        market.nowSeconds += 10 * TestMarket.timeReferenceSeconds
        try market.send(.claim(taskID: task), by: market.workers[0])
        for worker in market.workers { #expect(market.earned(worker) == 0) }
        #expect(market.hub.score(market.workers[0].address) == 9)
    }

    @Test func theKittyHelpsTheNextPool() throws {
        var market = try TestMarket(workers: 1)
        let lost = try market.openTask(price: 50_000_000_000, trust: 1)
        market.nowSeconds += 10 * TestMarket.timeReferenceSeconds
        try market.send(.claim(taskID: lost), by: market.requester)
        #expect(market.hub.kitty == 15_000_000_000)
        let before = market.hub.account(market.poolOwner.address).available
        let task = try market.openTask(price: 1000, trust: 1)
        try market.settle(task, workers: market.workers)
        // A tenth of the kitty, and 1 % of the price.
        #expect(market.hub.kitty == 13_500_000_000)
        let after = market.hub.account(market.poolOwner.address).available
        #expect(after.subtracting(before) == 1_500_000_010)
        // Never less than 10⁹, and never more than there is.
        for expected: UInt256 in [12_150_000_000, 10_935_000_000, 9_841_500_000, 8_841_500_000] {
            try market.settle(
                try market.openTask(price: 1000, trust: 1), workers: market.workers)
            #expect(market.hub.kitty == expected)
        }
    }

    @Test func appOwnersEarn() throws {
        var market = try TestMarket(workers: 1)
        let task = try market.openTask(price: 1000, appPrice: 77, trust: 1)
        try market.settle(task, workers: market.workers)
        #expect(market.hub.account(market.appOwner.address).available == 77)
        #expect(market.spent(market.requester) == 1077)
    }

    @Test func oneTransactionForTrustOne() throws {
        var market = try TestMarket(workers: 1)
        let worker = market.workers[0]
        let task = try market.openTask(price: Self.price, trust: 1)
        let before = market.hub
        let wrong = Call.contributeAndFinalize(
            taskID: task, digest: TestMarket.digestA, results: [], resultsCallback: [2],
            market.permission(worker, task))
        #expect(market.code(wrong, by: worker) == .callback)
        #expect(market.hub == before)
        let outcome = try market.send(
            .contributeAndFinalize(
                taskID: task, digest: TestMarket.digestA, results: [1], resultsCallback: [],
                market.permission(worker, task)),
            by: worker)
        #expect(market.earned(worker) == 990_000_006)
        #expect(market.earned(market.poolOwner) == 10_000_001)
        #expect(market.hub.score(worker.address) == 0)
        #expect(!outcome.transfers.contains { $0.kind == .lock })
        #expect(
            outcome.events.map(\.name)
                == ["taskContribute", "taskConsensus", "taskReveal", "taskFinalize"])
    }
}
