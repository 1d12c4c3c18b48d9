import Contribution
import Core
import Digest
import Ethereum
import MarketTestKit
import Testing
import Wallet

/// Who may do what to a task, and when.
@Suite struct TaskRuleTests {
    static let t = TestMarket.timeReferenceSeconds

    func reveal(_ task: Hash256, _ digest: Hash256 = TestMarket.digestA) -> Call {
        .reveal(taskID: task, digest: digest)
    }

    func finalize(_ task: Hash256) -> Call {
        .finalize(taskID: task, results: [], resultsCallback: [])
    }

    func contribution(
        _ market: TestMarket, _ worker: PrivateKey, _ task: Hash256
    ) -> Call {
        .contribute(
            taskID: task,
            Call.Claim(
                worker: worker.address, taskID: task, digest: TestMarket.digestA,
                permission: market.permission(worker, task)))
    }

    @Test func initialization() throws {
        var market = try TestMarket(workers: 0)
        let orders = market.orders(price: 10, trust: 1, volume: 3)
        let deal = try #require(
            try market.send(.matchOrders(orders, sponsored: false), by: market.requester).dealID)
        func code(_ deal: Hash256, _ index: UInt256) -> Rejection.Code? {
            market.code(.initialize(dealID: deal, index: index), by: market.requester)
        }
        #expect(code(.zero, 0) == .dealUnknown)
        #expect(code(deal, 3) == .indexRange)
        #expect(code(deal, .max) == .indexRange)
        #expect(code(deal, 2) == nil)
        try market.send(.initialize(dealID: deal, index: 2), by: market.requester)
        #expect(
            market.code(.initialize(dealID: deal, index: 2), by: market.requester) == .taskExists)
    }

    @Test func deadlinesCountFromTheDeal() throws {
        var market = try TestMarket(workers: 2)
        let orders = market.orders(price: 10, trust: 3)
        let deal = try #require(
            try market.send(.matchOrders(orders, sponsored: false), by: market.requester).dealID)
        let start = market.nowSeconds
        market.nowSeconds = start + 7 * Self.t - 1
        let task = try #require(
            try market.send(.initialize(dealID: deal, index: 0), by: market.requester).taskID)
        let worker = market.workers[0]
        #expect(market.code(contribution(market, worker, task), by: worker) == nil)
        market.nowSeconds += 1
        #expect(
            market.code(contribution(market, worker, task), by: worker) == .contributionDeadline)
        market.nowSeconds = start + 10 * Self.t - 1
        #expect(market.code(.claim(taskID: task), by: worker) == .finalDeadlineAhead)
        market.nowSeconds += 1
        #expect(market.code(.claim(taskID: task), by: worker) == nil)
    }

    @Test func revealsEndTwoTAfterConsensus() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: 10, trust: 3)
        #expect(market.code(reveal(task), by: market.workers[0]) == .notRevealing)
        market.nowSeconds += 100
        for worker in market.workers {
            try market.contribute(worker, task, digest: TestMarket.digestA)
        }
        let consensus = market.nowSeconds
        #expect(market.hub.task(task)?.revealDeadlineSeconds == consensus + 2 * Self.t)
        #expect(market.code(reveal(task, TestMarket.digestB), by: market.workers[0]) == .digest)
        #expect(market.code(reveal(task), by: market.requester) == .notContributed)
        market.nowSeconds = consensus + 2 * Self.t - 1
        try market.reveal(market.workers[0], task, digest: TestMarket.digestA)
        #expect(market.code(reveal(task), by: market.workers[0]) == .notContributed)
        // One has not revealed: the scheduler must wait for the deadline, then it may go on.
        #expect(market.code(finalize(task), by: market.poolOwner) == .revealsAhead)
        #expect(market.code(finalize(task), by: market.workers[0]) == .notScheduler)
        market.nowSeconds += 1
        #expect(market.code(reveal(task), by: market.workers[1]) == .revealDeadline)
        #expect(market.code(.reopen(taskID: task), by: market.poolOwner) == .revealed)
        try market.finalize(task)
        #expect(market.hub.account(market.workers[1].address).locked == 0)
        #expect(market.spent(market.workers[1]) == 3)
        #expect(market.code(finalize(task), by: market.poolOwner) == .notRevealing)
        #expect(market.code(.claim(taskID: task), by: market.poolOwner) == .notOpen)
    }

    @Test func aHashThatNobodyRevealsIsReopened() throws {
        var market = try TestMarket(workers: 4)
        let task = try market.openTask(price: 1_000_000_007, trust: 3)
        let (silent, honest) = (market.workers[..<2], market.workers[2...])
        for worker in silent { try market.contribute(worker, task, digest: TestMarket.digestB) }
        #expect(market.code(.reopen(taskID: task), by: market.poolOwner) == .revealsAhead)
        market.nowSeconds += 2 * Self.t
        #expect(market.code(.reopen(taskID: task), by: market.workers[0]) == .notScheduler)
        try market.send(.reopen(taskID: task), by: market.poolOwner)
        let reopened = try #require(market.hub.task(task))
        #expect(reopened.status == .active)
        #expect(reopened.total == 1)
        #expect(reopened.groups.isEmpty)
        #expect(market.hub.contribution(task, by: silent[0].address)?.status == .rejected)
        // The silent may not try again; they pay those who settle it.
        #expect(
            market.code(contribution(market, silent[0], task), by: silent[0]) == .contributedBefore)
        try market.settle(task, workers: Array(honest))
        for worker in silent { #expect(market.spent(worker) == 300_000_002) }
        // (1,000,000,007 + 2 · 300,000,002) · 99 / 100 / 2
        for worker in honest { #expect(market.earned(worker) == 792_000_005) }
    }

    /// The hash that nobody revealed may win after all, with other workers; the silent ones are
    /// not waited for again.
    @Test func aReopenedHashMayWinLater() throws {
        var market = try TestMarket(workers: 4)
        let task = try market.openTask(price: 1_000_000_007, trust: 3)
        let (silent, honest) = (market.workers[..<2], market.workers[2...])
        for worker in silent { try market.contribute(worker, task, digest: TestMarket.digestA) }
        market.nowSeconds += 2 * Self.t
        try market.send(.reopen(taskID: task), by: market.poolOwner)
        try market.contribute(honest[2], task, digest: TestMarket.digestA)
        #expect(market.hub.task(task)?.status == .active)
        try market.contribute(honest[3], task, digest: TestMarket.digestA)
        #expect(market.hub.task(task)?.winnerCount == 2)
        #expect(market.code(reveal(task), by: silent[0]) == .notContributed)
        for worker in honest { try market.reveal(worker, task, digest: TestMarket.digestA) }
        try market.finalize(task)
        for worker in honest { #expect(market.earned(worker) == 792_000_005) }
    }

    /// A copied hash counts; only the maker of the seal can reveal it.
    @Test func aCopierIsSlashed() throws {
        var market = try TestMarket(workers: 2)
        let (honest, copier) = (market.workers[0], market.workers[1])
        let task = try market.openTask(price: 1_000_000_007, trust: 3)
        try market.contribute(honest, task, digest: TestMarket.digestA)
        let seen = try #require(market.hub.contribution(task, by: honest.address)?.resultHash)
        try market.send(
            .contribute(
                taskID: task,
                .init(
                    resultHash: seen, resultSeal: TestMarket.digestB,
                    permission: market.permission(copier, task))),
            by: copier)
        #expect(market.hub.task(task)?.status == .revealing)
        #expect(market.hub.task(task)?.winnerCount == 2)
        try market.reveal(honest, task, digest: TestMarket.digestA)
        // The digest is public now, and the seal still does not fit.
        #expect(market.code(reveal(task), by: copier) == .seal)
        #expect(market.code(finalize(task), by: market.poolOwner) == .revealsAhead)
        market.nowSeconds += 2 * Self.t
        try market.finalize(task)
        #expect(market.spent(copier) == 300_000_002)
        #expect(market.earned(honest) == 1_287_000_008)
    }

    @Test func contributionsNeedTheSchedulersLeave() throws {
        var market = try TestMarket(workers: 2)
        let task = try market.openTask(price: 10, trust: 3)
        let (worker, other) = (market.workers[0], market.workers[1])
        // Leave given to another worker, by another key, in another form, for another enclave.
        func code(_ bytes: Bytes, enclave: Address = .zero) -> Rejection.Code? {
            let claim = Call.Claim(
                worker: worker.address, taskID: task, digest: TestMarket.digestA,
                permission: .init(authorization: bytes, enclave: enclave))
            return market.code(.contribute(taskID: task, claim), by: worker)
        }
        let statement = Identifiers.authorization(worker: worker.address, task: task)
        let good = market.poolOwner.signPersonal(statement)
        #expect(code(good.bytes) == nil)
        #expect(code(good.compactBytes) == nil)
        #expect(code(market.permission(other, task).authorization) == .authorization)
        #expect(code(other.signPersonal(statement).bytes) == .authorization)
        #expect(code(market.poolOwner.sign(statement).bytes) == .authorization)
        #expect(code([]) == .authorization)
        #expect(code(good.bytes, enclave: other.address) == .authorization)
        let inEnclave = Identifiers.authorization(
            worker: worker.address, task: task, enclave: other.address)
        #expect(
            code(market.poolOwner.signPersonal(inEnclave).bytes, enclave: other.address)
                == .enclaveSignature)
        #expect(market.code(contribution(market, worker, .zero), by: worker) == .taskUnknown)
    }

    @Test func aPoorWorkerIsRefused() throws {
        var market = try TestMarket(workers: 1)
        let worker = market.workers[0]
        let task = try market.openTask(price: 1000, trust: 3)
        let rest = try #require(TestMarket.deposit.subtracting(299))
        try market.send(.transfer(to: market.owner.address, amount: rest), by: worker)
        let before = market.hub
        #expect(market.code(contribution(market, worker, task), by: worker) == .balance)
        #expect(market.hub == before)
    }

    @Test func aTaggedDealWantsAnEnclave() throws {
        var market = try TestMarket(workers: 1)
        let worker = market.workers[0]
        let orders = market.orders(price: 10, trust: 1) { app, pool, request in
            app.tag = 3
            pool.tag = 3
            request.tag = 3
        }
        let deal = try market.send(.matchOrders(orders, sponsored: false), by: market.requester)
        let task = try #require(
            try market.send(
                .initialize(dealID: deal.dealID ?? .zero, index: 0), by: worker
            ).taskID)
        #expect(market.code(contribution(market, worker, task), by: worker) == .enclaveMissing)
        // With an enclave that signs the result, it passes.
        let enclave = PrivateKey(entropy: SeededEntropy(seed: 7))
        var claim = Call.Claim(
            worker: worker.address, taskID: task, digest: TestMarket.digestA,
            permission: .init(authorization: []))
        let statement = Identifiers.authorization(
            worker: worker.address, task: task, enclave: enclave.address)
        let result = Identifiers.enclaveStatement(
            hash: claim.resultHash, seal: claim.resultSeal)
        claim.permission = .init(
            authorization: market.poolOwner.signPersonal(statement).bytes,
            enclave: enclave.address, enclaveSignature: enclave.signPersonal(result).bytes)
        #expect(market.code(.contribute(taskID: task, claim), by: worker) == nil)
    }

    @Test func callbacksMustHashToTheDigest() throws {
        let result: Bytes = [1, 2, 3]
        let digest = Keccak256.hash(result)
        for callback in [Address.zero, Identifiers.kitty] {
            var market = try TestMarket(workers: 1)
            let orders = market.orders(price: 10, trust: 1) { $2.callback = callback }
            let deal = try market.send(
                .matchOrders(orders, sponsored: false), by: market.requester)
            let task = try #require(
                try market.send(
                    .initialize(dealID: deal.dealID ?? .zero, index: 0), by: market.requester
                ).taskID)
            try market.contribute(market.workers[0], task, digest: digest)
            try market.reveal(market.workers[0], task, digest: digest)
            func code(_ bytes: Bytes) -> Rejection.Code? {
                market.code(
                    .finalize(taskID: task, results: [], resultsCallback: bytes),
                    by: market.poolOwner)
            }
            #expect(code([1, 2]) == .callback)
            #expect(code([]) == (callback == .zero ? nil : .callback))
            // Without a callback address, bytes that hash to the digest still pass.
            #expect(code(result) == nil)
        }
    }
}
