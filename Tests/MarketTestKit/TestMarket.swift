public import Contribution
public import Core
internal import Digest
public import Ethereum
public import Wallet

/// A small market with everybody in it, driven step by step.
public struct TestMarket {
    public let owner: PrivateKey
    public let appOwner: PrivateKey
    public let poolOwner: PrivateKey
    public let requester: PrivateKey
    public let workers: [PrivateKey]
    public var hub: Hub
    public var nowSeconds = 1_800_000_000
    public private(set) var app: Address = .zero
    public private(set) var pool: Address = .zero
    private var salt: UInt64 = 0

    /// T of the market's one category.
    public static let timeReferenceSeconds = 300
    /// What everybody starts with.
    public static let deposit: UInt256 = 100_000_000_000

    public init(workers: Int, seed: UInt64 = 1) throws {
        let entropy = SeededEntropy(seed: seed)
        func key() -> PrivateKey { PrivateKey(entropy: entropy) }
        (owner, appOwner, poolOwner, requester) = (key(), key(), key(), key())
        self.workers = (0..<workers).map { _ in key() }
        hub = Hub(
            settings: .init(
                chainID: 133, market: Hub.marketID(owner: owner.address), owner: owner.address))
        for call in foundingCalls { try send(call, by: owner) }
        app = try created(
            .createApp(
                name: "render", kind: "RIGOR", location: "store:app",
                version: Keccak256.hash(Array("app".utf8))),
            by: appOwner)
        pool = try created(.createWorkerpool(description: "pool"), by: poolOwner)
    }

    /// One category, and tokens for everybody.
    public var foundingCalls: [Call] {
        let everybody = [poolOwner, requester] + workers
        return [
            .createCategory(
                name: "XS", workClockTimeReferenceSeconds: Self.timeReferenceSeconds)
        ] + everybody.map { .issue(to: $0.address, amount: Self.deposit) }
    }

    @discardableResult
    public mutating func send(_ call: Call, by key: PrivateKey) throws(Rejection) -> Outcome {
        try hub.apply(
            VerifiedCall(verifiedSender: key.address, call: call), atSeconds: nowSeconds)
    }

    private mutating func created(_ call: Call, by key: PrivateKey) throws -> Address {
        try send(call, by: key).created ?? .zero
    }

    // MARK: Orders

    public mutating func nextSalt() -> Hash256 {
        salt += 1
        return Keccak256.hash(salt.bigEndianBytes)
    }

    public func sign<O: Order>(_ order: O, by key: PrivateKey) -> Signed<O> {
        Signed(order, signature: key.sign(order.hash(in: hub.orderDomain)).bytes)
    }

    /// Signed orders that match. Change them with `edit` before they are signed.
    public mutating func orders(
        price: UInt256, appPrice: UInt256 = 0, trust: UInt256, volume: UInt256 = 1,
        edit: (inout AppOrder, inout WorkerpoolOrder, inout RequestOrder) -> Void = { _, _, _ in }
    ) -> Call.Orders {
        var appOrder = AppOrder(app: app, price: appPrice, volume: volume, salt: nextSalt())
        var poolOrder = WorkerpoolOrder(
            workerpool: pool, price: price, volume: volume, category: 0, trust: trust,
            salt: nextSalt())
        var request = RequestOrder(
            app: app, appPriceMax: appPrice, workerpool: pool, workerpoolPriceMax: price,
            requester: requester.address, volume: volume, category: 0, trust: trust,
            params: RequestParameters(taskSpec: .zero).text, salt: nextSalt())
        edit(&appOrder, &poolOrder, &request)
        return Call.Orders(
            app: sign(appOrder, by: appOwner), workerpool: sign(poolOrder, by: poolOwner),
            request: sign(request, by: requester))
    }

    /// Matches and initialises the first task. Returns its identifier.
    public mutating func openTask(
        price: UInt256, appPrice: UInt256 = 0, trust: UInt256
    ) throws -> Hash256 {
        let orders = orders(price: price, appPrice: appPrice, trust: trust)
        let dealID = try send(.matchOrders(orders, sponsored: false), by: requester).dealID
        return try send(.initialize(dealID: dealID ?? .zero, index: 0), by: poolOwner).taskID
            ?? .zero
    }

    // MARK: Workers

    public func permission(_ worker: PrivateKey, _ taskID: Hash256) -> Call.Permission {
        let statement = Identifiers.authorization(worker: worker.address, task: taskID)
        return .init(authorization: poolOwner.signPersonal(statement).bytes)
    }

    public mutating func contribute(
        _ worker: PrivateKey, _ taskID: Hash256, digest: Hash256
    ) throws(Rejection) {
        let claim = Call.Claim(
            worker: worker.address, taskID: taskID, digest: digest,
            permission: permission(worker, taskID))
        try send(.contribute(taskID: taskID, claim), by: worker)
    }

    public mutating func reveal(
        _ worker: PrivateKey, _ taskID: Hash256, digest: Hash256
    ) throws(Rejection) {
        try send(.reveal(taskID: taskID, digest: digest), by: worker)
    }

    @discardableResult
    public mutating func finalize(_ taskID: Hash256) throws(Rejection) -> Outcome {
        try send(.finalize(taskID: taskID, results: [], resultsCallback: []), by: poolOwner)
    }

    /// Contributes, reveals and finalizes with these workers agreeing on `digest`.
    public mutating func settle(
        _ taskID: Hash256, workers: [PrivateKey], digest: Hash256 = digestA
    ) throws(Rejection) {
        for worker in workers { try contribute(worker, taskID, digest: digest) }
        for worker in workers { try reveal(worker, taskID, digest: digest) }
        try finalize(taskID)
    }

    public static let digestA = Keccak256.hash([1])
    public static let digestB = Keccak256.hash([2])
}
