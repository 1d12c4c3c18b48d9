internal import Core
internal import Ethereum

/// One call's work in progress: reads fall through to the hub, writes stay here. So a call that is
/// refused halfway leaves nothing behind, and only changed rows are kept.
struct Draft {
    let hub: Hub
    let sender: Address
    let nowSeconds: Int
    private(set) var events: [Event] = []
    private(set) var transfers: [Transfer] = []
    private(set) var changes = Hub.Tables()
    private var pot: UInt256 = 0

    init(hub: Hub, sender: Address, nowSeconds: Int) {
        self.hub = hub
        self.sender = sender
        self.nowSeconds = nowSeconds
    }

    var outcome: Outcome {
        precondition(pot.isZero, "a call shares out all that it seizes")
        return Outcome(events: events, transfers: transfers, changes: changes)
    }

    mutating func emit(_ event: Event) { events.append(event) }

    mutating func perform(_ call: Call) throws(Rejection) {
        switch call {
        case .issue(let to, let amount): try issue(to: to, amount)
        case .transfer(let to, let amount):
            try move(.transfer, amount, from: .available(sender), to: .available(to))
        case .createCategory(let name, let seconds): try createCategory(name, seconds)
        case .createApp(let name, let kind, let location, let version):
            try create(
                Hub.App(
                    owner: sender, name: name, kind: kind, location: location, version: version))
        case .createDataset(let name, let location, let checksum):
            try create(
                Hub.Dataset(owner: sender, name: name, location: location, checksum: checksum))
        case .createWorkerpool(let description):
            try create(Hub.Workerpool(owner: sender, description: description))
        case .changePolicy(let pool, let stake, let reward):
            try changePolicy(pool, workerStakeRatio: stake, schedulerRewardRatio: reward)
        case .manageApp(let signed, let operation):
            try manage(signed, operation, owner: app(signed.order.app)?.owner)
        case .manageDataset(let signed, let operation):
            try manage(signed, operation, owner: dataset(signed.order.dataset)?.owner)
        case .manageWorkerpool(let signed, let operation):
            try manage(signed, operation, owner: workerpool(signed.order.workerpool)?.owner)
        case .manageRequest(let signed, let operation):
            try manage(signed, operation, owner: signed.order.requester)
        case .matchOrders(let orders, let sponsored):
            try match(orders, sponsor: sponsored ? sender : orders.request.order.requester)
        case .initialize(let dealID, let index): try initialize(dealID, index)
        case .contribute(let taskID, let claim): try contribute(taskID, claim)
        case .reveal(let taskID, let digest): try reveal(taskID, digest)
        case .finalize(let taskID, let results, let callback):
            try finalize(taskID, results, callback)
        case .contributeAndFinalize(let taskID, let digest, let results, let callback, let leave):
            try contributeAndFinalize(taskID, digest, results, callback, leave)
        case .reopen(let taskID): try reopen(taskID)
        case .claim(let taskID): try claim(taskID)
        }
    }
}

// MARK: - Rows

extension Draft {
    func account(_ address: Address) -> Hub.Account {
        changes.accounts[address] ?? hub.account(address)
    }
    func app(_ address: Address) -> Hub.App? { changes.apps[address] ?? hub.app(address) }
    func dataset(_ address: Address) -> Hub.Dataset? {
        changes.datasets[address] ?? hub.dataset(address)
    }
    func workerpool(_ address: Address) -> Hub.Workerpool? {
        changes.workerpools[address] ?? hub.workerpool(address)
    }
    func consumed(_ order: Hash256) -> UInt256 { changes.consumed[order] ?? hub.consumed(order) }
    func score(_ worker: Address) -> Int { changes.scores[worker] ?? hub.score(worker) }
    func contribution(_ taskID: Hash256, by worker: Address) -> Hub.Contribution? {
        changes.contributions[.init(taskID: taskID, worker: worker)]
            ?? hub.contribution(taskID, by: worker)
    }

    mutating func put(_ row: Hub.App, at address: Address) { changes.apps[address] = row }
    mutating func put(_ row: Hub.Dataset, at address: Address) { changes.datasets[address] = row }
    mutating func put(_ row: Hub.Workerpool, at address: Address) {
        changes.workerpools[address] = row
    }
    mutating func put(_ row: Hub.Category, at number: Int) { changes.categories[number] = row }
    mutating func put(_ row: Hub.Deal, at id: Hash256) { changes.deals[id] = row }
    mutating func put(_ row: Hub.Task, at id: Hash256) { changes.tasks[id] = row }
    mutating func put(_ row: Hub.Contribution, at taskID: Hash256, by worker: Address) {
        changes.contributions[.init(taskID: taskID, worker: worker)] = row
    }
    mutating func putConsumed(_ volume: UInt256, of order: Hash256) {
        changes.consumed[order] = volume
    }
    mutating func putPresigned(_ order: Hash256, by owner: Address) {
        changes.presigned[order] = owner
    }
    mutating func putScore(_ score: Int, of worker: Address) { changes.scores[worker] = score }
}

// MARK: - Money

extension Draft {
    /// Moves tokens and records why. Nothing is recorded for an amount of zero.
    ///
    /// - Throws: ``Rejection`` (balance) when `from` holds less.
    mutating func move(
        _ kind: Transfer.Kind, _ amount: UInt256, from: Transfer.Bucket, to: Transfer.Bucket,
        for reference: Hash256 = .zero
    ) throws(Rejection) {
        guard !amount.isZero else { return }
        if from != .issuance {
            guard let rest = holding(from).subtracting(amount) else {
                throw Rejection(
                    .balance,
                    "\(from) holds \(holding(from)), \(amount) needed to \(kind.rawValue)")
            }
            put(rest, in: from)
        }
        put(try holding(to).plus(amount), in: to)
        transfers.append(
            Transfer(kind: kind, from: from, to: to, amount: amount, reference: reference))
    }

    mutating func lock(
        _ amount: UInt256, of owner: Address, for reference: Hash256
    ) throws(Rejection) {
        try move(.lock, amount, from: .available(owner), to: .locked(owner), for: reference)
    }

    mutating func unlock(
        _ amount: UInt256, of owner: Address, for reference: Hash256
    ) throws(Rejection) {
        try move(.unlock, amount, from: .locked(owner), to: .available(owner), for: reference)
    }

    mutating func seize(
        _ amount: UInt256, of owner: Address, for reference: Hash256
    ) throws(Rejection) {
        try move(.seize, amount, from: .locked(owner), to: .pot, for: reference)
    }

    mutating func reward(
        _ amount: UInt256, to owner: Address, for reference: Hash256
    ) throws(Rejection) {
        try move(.reward, amount, from: .pot, to: .available(owner), for: reference)
    }

    private func holding(_ bucket: Transfer.Bucket) -> UInt256 {
        switch bucket {
        case .available(let owner): account(owner).available
        case .locked(let owner): account(owner).locked
        case .pot: pot
        case .issuance: 0
        }
    }

    private mutating func put(_ amount: UInt256, in bucket: Transfer.Bucket) {
        switch bucket {
        case .available(let owner):
            changes.accounts[owner, default: hub.account(owner)].available = amount
        case .locked(let owner):
            changes.accounts[owner, default: hub.account(owner)].locked = amount
        case .pot: pot = amount
        case .issuance: preconditionFailure("tokens never go back to their source")
        }
    }
}

extension Transfer.Bucket: CustomStringConvertible {
    public var description: String {
        switch self {
        case .available(let owner): "\(owner)"
        case .locked(let owner): "\(owner) (locked)"
        case .pot: "the pot"
        case .issuance: "issuance"
        }
    }
}

// MARK: - Arithmetic

extension UInt256 {
    private static let tooLarge = Rejection(.overflow, "a number beyond 256 bits")

    func plus(_ other: UInt256) throws(Rejection) -> UInt256 {
        guard let sum = adding(other) else { throw Self.tooLarge }
        return sum
    }

    func minus(_ other: UInt256) throws(Rejection) -> UInt256 {
        guard let rest = subtracting(other) else {
            throw Rejection(.overflow, "a number below zero")
        }
        return rest
    }

    func times(_ other: UInt256) throws(Rejection) -> UInt256 {
        guard let product = multiplied(by: other) else { throw Self.tooLarge }
        return product
    }

    /// floor(self · ratio / 100).
    func percent(_ ratio: UInt256) throws(Rejection) -> UInt256 {
        try times(ratio).divided(by: 100)
    }

    /// Floor division by a number that is not zero.
    func divided(by divisor: UInt256) -> UInt256 {
        guard let (quotient, _) = quotientAndRemainder(dividingBy: divisor) else {
            preconditionFailure("division by zero")
        }
        return quotient
    }
}
