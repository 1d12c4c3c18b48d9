import Contribution
import Core
import Ethereum
import MarketTestKit
import Testing
import Wallet

/// Thousands of random calls, right and wrong ones, from a printed seed.
@Suite struct InvariantTests {
    @Test(arguments: 0..<6) func theBooksAlwaysBalance(_ run: Int) throws {
        let seed = UInt64.random(in: .min ... .max)
        print("run \(run), seed \(seed)")
        var random = RandomMarket(market: try TestMarket(workers: 6, seed: seed), seed: seed)
        for _ in 0..<1500 { try random.step() }
        try random.settleAll()
        // The run must have been worth it.
        #expect(random.accepted > 200)
        #expect(random.rejected > 100)
        #expect(random.completed > 0)
        #expect(random.failed > 0)
    }
}

/// A market under random calls, with what must hold checked after each.
struct RandomMarket {
    var market: TestMarket
    var generator: SplitMix64
    private(set) var accepted = 0
    private(set) var rejected = 0
    private(set) var completed = 0
    private(set) var failed = 0
    /// Buckets as the transfers alone say.
    private var books: [Transfer.Bucket: UInt256] = [:]
    private let supply: UInt256
    private var tasks: [Hash256] = []
    private var deals: [(id: Hash256, volume: UInt256)] = []
    /// Tasks whose pool price has been shared out.
    private var paid: Set<Hash256> = []
    /// Who is honest: reveals what it contributed whenever it may.
    private let honest: Set<Address>

    init(market: TestMarket, seed: UInt64) {
        self.market = market
        generator = SplitMix64(seed: seed)
        supply = market.hub.supply
        honest = Set(market.workers.prefix(3).map(\.address))
        for (owner, account) in market.hub.tables.accounts {
            books[.available(owner)] = account.available
            books[.locked(owner)] = account.locked
        }
    }

    mutating func step() throws {
        market.nowSeconds += Int.random(in: 0..<40, using: &generator)
        try revealInTime()
        let everybody = [market.owner, market.poolOwner, market.requester] + market.workers
        let sender = everybody.randomElement(using: &generator) ?? market.owner
        let task = tasks.suffix(12).randomElement(using: &generator) ?? .zero
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: try openDeal()
        case 1, 2:
            guard let deal = deals.suffix(4).randomElement(using: &generator) else { return }
            let index = UInt256(UInt64.random(in: 0...(deal.volume.uint64 ?? 0), using: &generator))
            if let id = try call(.initialize(dealID: deal.id, index: index), by: sender)?.taskID {
                tasks.append(id)
            }
        case 3...8: try contribute(task)
        case 9, 10:
            let digest = [TestMarket.digestA, TestMarket.digestB].randomElement(using: &generator)
            try call(.reveal(taskID: task, digest: digest ?? .zero), by: sender)
        case 11...14:
            let who = Int.random(in: 0..<4, using: &generator) == 0 ? sender : market.poolOwner
            let revealing = tasks.suffix(40).filter { market.hub.task($0)?.status == .revealing }
            let id = revealing.randomElement(using: &generator) ?? task
            try call(.finalize(taskID: id, results: [], resultsCallback: []), by: who)
        case 15: try call(.reopen(taskID: task), by: market.poolOwner)
        case 16:
            let any = tasks.randomElement(using: &generator) ?? .zero
            try call(.claim(taskID: any), by: sender)
        case 17:
            let amount = UInt256(UInt64.random(in: 0..<2_000, using: &generator))
            let to = everybody.randomElement(using: &generator) ?? sender
            try call(.transfer(to: to.address, amount: amount), by: sender)
        case 18:
            try call(
                .contributeAndFinalize(
                    taskID: task, digest: TestMarket.digestA, results: [], resultsCallback: [],
                    market.permission(sender, task)),
                by: sender)
        default:
            try call(.issue(to: sender.address, amount: .max), by: sender)
        }
    }

    /// Ends every task that is still open.
    mutating func settleAll() throws {
        market.nowSeconds += 100 * TestMarket.timeReferenceSeconds
        for task in tasks where [.active, .revealing].contains(market.hub.task(task)?.status) {
            try call(.claim(taskID: task), by: market.requester)
        }
        for worker in market.workers {
            #expect(market.hub.account(worker.address).locked.isZero)
        }
    }

    private mutating func openDeal() throws {
        let trust = UInt64.random(in: 0..<12, using: &generator)
        let price = UInt64.random(in: 0..<5_000, using: &generator)
        let volume = UInt64.random(in: 1...4, using: &generator)
        let orders = market.orders(
            price: UInt256(price), appPrice: UInt256(price / 7), trust: UInt256(trust),
            volume: UInt256(volume))
        if let id = try call(.matchOrders(orders, sponsored: false), by: market.requester)?.dealID {
            deals.append((id, UInt256(volume)))
        }
    }

    private mutating func contribute(_ task: Hash256) throws {
        guard let worker = market.workers.randomElement(using: &generator) else { return }
        let isHonest = honest.contains(worker.address)
        let isLie = !isHonest && Int.random(in: 0..<3, using: &generator) == 0
        var claim = Call.Claim(
            worker: worker.address, taskID: task,
            digest: isLie ? TestMarket.digestB : TestMarket.digestA,
            permission: market.permission(worker, task))
        if !isHonest, Int.random(in: 0..<5, using: &generator) == 0 { claim.resultSeal = .zero }
        if Int.random(in: 0..<8, using: &generator) == 0 { claim.permission.authorization = [] }
        try call(.contribute(taskID: task, claim), by: worker)
    }

    /// An honest worker reveals as soon as there is consensus on its hash.
    private mutating func revealInTime() throws {
        for task in tasks.suffix(40) where market.hub.task(task)?.status == .revealing {
            for worker in market.workers where honest.contains(worker.address) {
                try call(.reveal(taskID: task, digest: TestMarket.digestA), by: worker)
            }
        }
    }

    @discardableResult
    private mutating func call(_ call: Call, by key: PrivateKey) throws -> Outcome? {
        let before = market.hub
        let outcome: Outcome
        do {
            outcome = try market.hub.apply(
                VerifiedCall(verifiedSender: key.address, call: call),
                atSeconds: market.nowSeconds)
        } catch {
            rejected += 1
            #expect(market.hub == before, "a refused \(call.name) has changed something")
            return nil
        }
        accepted += 1
        try check(outcome, before: before)
        return outcome
    }

    private mutating func check(_ outcome: Outcome, before: Hub) throws {
        for transfer in outcome.transfers {
            #expect(!transfer.amount.isZero)
            let held = books[transfer.from, default: 0]
            let rest: UInt256 = try #require(
                held.subtracting(transfer.amount), "a bucket below zero")
            books[transfer.from] = rest
            books[transfer.to] = books[transfer.to, default: 0].adding(transfer.amount)
        }
        #expect(books[.pot, default: 0].isZero)
        for (owner, account) in outcome.changes.accounts {
            #expect(books[.available(owner), default: 0] == account.available)
            #expect(books[.locked(owner), default: 0] == account.locked)
        }
        #expect(market.hub.supply == supply)
        for event in outcome.events {
            switch event {
            case .taskFinalize(let task, _):
                completed += 1
                #expect(paid.insert(task).inserted, "paid twice")
            case .taskClaimed(let task):
                failed += 1
                #expect(paid.insert(task).inserted, "paid and claimed")
            case .faultyContribution(let worker, let task):
                // Honest workers lose only where the crowd agreed on another result.
                let own = before.contribution(task, by: worker)
                #expect(
                    !honest.contains(worker) || own?.resultHash != before.task(task)?.consensus)
            default: break
            }
        }
    }
}
