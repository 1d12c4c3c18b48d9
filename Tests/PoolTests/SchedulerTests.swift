import Contribution
import Core
import Ethereum
import MarketTestKit
import Pool
import Testing
import Wallet

@Suite struct SchedulerTests {
    private func duties(_ market: TestMarket, delivered: Set<Hash256> = []) -> [Scheduler.Duty] {
        Scheduler.duties(
            market.hub, workerpool: market.pool, delivered: delivered,
            nowSeconds: market.nowSeconds)
    }

    private func pick(
        _ market: TestMarket, _ worker: PrivateKey, holding: Set<Hash256> = [],
        given: [Hash256: [Scheduler.Given]] = [:]
    ) -> Scheduler.Pick {
        Scheduler.pick(
            for: worker.address, holding: holding, given: given, market.hub,
            workerpool: market.pool, nowSeconds: market.nowSeconds)
    }

    @Test func everyTaskOfADealIsInitializedOnce() throws {
        var market = try TestMarket(workers: 2)
        let orders = market.orders(price: 1000, trust: 3, volume: 3)
        let outcome = try market.send(.matchOrders(orders, sponsored: false), by: market.requester)
        let dealID = try #require(outcome.dealID)
        let expected = (0..<3).map {
            Scheduler.Duty.initialize(dealID: dealID, index: UInt256(UInt64($0)))
        }
        #expect(duties(market) == expected)
        try market.send(.initialize(dealID: dealID, index: 1), by: market.poolOwner)
        #expect(duties(market) == [expected[0], expected[2]])
    }

    @Test func aTaskIsFinalizedWhenAllRevealedAndTheLeavesAreHere() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: 1000, trust: 3)
        for worker in market.workers {
            try market.contribute(worker, task, digest: TestMarket.digestA)
        }
        try market.reveal(market.workers[0], task, digest: TestMarket.digestA)
        #expect(duties(market, delivered: [task]).isEmpty)
        try market.reveal(market.workers[1], task, digest: TestMarket.digestA)
        #expect(duties(market).isEmpty)
        #expect(duties(market, delivered: [task]) == [.finalize(taskID: task)])
        try market.finalize(task)
        #expect(duties(market, delivered: [task]).isEmpty)
    }

    @Test func deadlinesReopenFinalizeAndClaim() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: 1000, trust: 3)
        for worker in market.workers {
            try market.contribute(worker, task, digest: TestMarket.digestA)
        }
        let start = market.nowSeconds
        market.nowSeconds = start + 2 * TestMarket.timeReferenceSeconds - 1
        #expect(duties(market).isEmpty)
        market.nowSeconds += 1
        #expect(duties(market) == [.reopen(taskID: task)])
        market.nowSeconds = start
        try market.reveal(market.workers[0], task, digest: TestMarket.digestA)
        market.nowSeconds = start + 2 * TestMarket.timeReferenceSeconds
        #expect(duties(market).isEmpty)
        #expect(duties(market, delivered: [task]) == [.finalize(taskID: task)])
        market.nowSeconds = start + 10 * TestMarket.timeReferenceSeconds
        #expect(duties(market, delivered: [task]) == [.claim(taskID: task)])
    }

    @Test func replicasFollowTheConsensusInequality() throws {
        var market = try TestMarket(workers: 4)
        let task = try market.openTask(price: 1000, trust: 3)
        let now = market.nowSeconds
        func given(
            _ indices: [Int], atSeconds: Int = 0, isRefused: Bool = false
        )
            -> [Hash256: [Scheduler.Given]]
        {
            [
                task: indices.map {
                    Scheduler.Given(
                        worker: market.workers[$0].address, atSeconds: now + atSeconds,
                        isRefused: isRefused)
                }
            ]
        }
        #expect(pick(market, market.workers[0]) == .task(task))
        #expect(pick(market, market.workers[1], given: given([0])) == .task(task))
        // Two fresh workers settle trust 3; a third is not needed while they work.
        #expect(
            pick(market, market.workers[2], given: given([0, 1]))
                == .idle("the open tasks have all the workers they need"))
        // Those who refuse or take longer than T do not count.
        #expect(
            pick(market, market.workers[2], given: given([0, 1], isRefused: true)) == .task(task))
        let late = -TestMarket.timeReferenceSeconds
        #expect(
            pick(market, market.workers[2], given: given([0, 1], atSeconds: late)) == .task(task))
        // One that was given it and does not hold it lost it on the way.
        #expect(pick(market, market.workers[0], given: given([0, 1])) == .task(task))
        #expect(
            pick(market, market.workers[0], holding: [task], given: given([0, 1]))
                == .idle("the open tasks are in work here"))
        #expect(
            pick(market, market.workers[0], given: given([0], isRefused: true))
                == .idle("refused the open tasks"))
    }

    @Test func disagreementCallsForMoreWorkers() throws {
        var market = try TestMarket(workers: 4)
        let task = try market.openTask(price: 1000, trust: 3)
        try market.contribute(market.workers[0], task, digest: TestMarket.digestA)
        try market.contribute(market.workers[1], task, digest: TestMarket.digestB)
        #expect(pick(market, market.workers[2]) == .task(task))
        #expect(
            pick(market, market.workers[0]) == .idle("contributed to the open tasks"))
    }

    @Test func aWorkerWithoutTheStakeIsToldSo() throws {
        var market = try TestMarket(workers: 1)
        let task = try market.openTask(price: 1_000_000, trust: 3)
        _ = task
        let stranger = PrivateKey(entropy: SeededEntropy(seed: 9))
        guard case .idle(let reason) = pick(market, stranger) else {
            Issue.record("a worker without tokens got a task")
            return
        }
        #expect(reason.contains("stake"))
    }
}
