internal import Core
internal import Ethereum

extension Draft {
    mutating func issue(to owner: Address, _ amount: UInt256) throws(Rejection) {
        try requireMarketOwner()
        guard try hub.supply.plus(amount) <= Hub.supplyMax else {
            throw Rejection(.supply, "a market has at most \(Hub.supplyMax) tokens")
        }
        try move(.issue, amount, from: .issuance, to: .available(owner))
    }

    mutating func createCategory(_ name: String, _ seconds: Int) throws(Rejection) {
        try requireMarketOwner()
        try requireShort(name)
        guard (1...Hub.timeReferenceSecondsMax).contains(seconds) else {
            throw Rejection(
                .limit, "category: 1 to \(Hub.timeReferenceSecondsMax) s expected, not \(seconds)")
        }
        let number = hub.tables.categories.count
        put(Hub.Category(name: name, workClockTimeReferenceSeconds: seconds), at: number)
        emit(.categoryCreated(number: number))
    }

    mutating func create(_ row: Hub.App) throws(Rejection) {
        for text in [row.name, row.kind, row.location] { try requireShort(text) }
        let address = registryAddress("app", row.cbor)
        guard app(address) == nil else { throw Self.exists("app", address) }
        put(row, at: address)
        emit(.created(registry: "app", address: address, owner: sender))
    }

    mutating func create(_ row: Hub.Dataset) throws(Rejection) {
        for text in [row.name, row.location] { try requireShort(text) }
        let address = registryAddress("dataset", row.cbor)
        guard dataset(address) == nil else { throw Self.exists("dataset", address) }
        put(row, at: address)
        emit(.created(registry: "dataset", address: address, owner: sender))
    }

    mutating func create(_ row: Hub.Workerpool) throws(Rejection) {
        try requireShort(row.description)
        let address = registryAddress("workerpool", row.cbor)
        guard workerpool(address) == nil else { throw Self.exists("workerpool", address) }
        put(row, at: address)
        emit(.created(registry: "workerpool", address: address, owner: sender))
    }

    mutating func changePolicy(
        _ address: Address, workerStakeRatio: UInt256, schedulerRewardRatio: UInt256
    ) throws(Rejection) {
        guard var pool = workerpool(address) else {
            throw Rejection(.unknown, "no workerpool is registered at \(address)")
        }
        guard pool.owner == sender else {
            throw Rejection(.notOwner, "workerpool \(address) belongs to \(pool.owner)")
        }
        guard schedulerRewardRatio <= 100 else {
            throw Rejection(.limit, "the scheduler's share is at most 100 percent")
        }
        pool.workerStakeRatio = workerStakeRatio
        pool.schedulerRewardRatio = schedulerRewardRatio
        put(pool, at: address)
        emit(.policyChanged(workerpool: address))
    }

    mutating func manage<O: Order>(
        _ signed: Signed<O>, _ operation: OrderOperation, owner: Address?
    ) throws(Rejection) {
        guard let owner, owner != .zero else {
            throw Rejection(.unknown, "\(O.type.name): what it offers is not registered")
        }
        let statement = signed.order.operationHash(operation, in: hub.orderDomain)
        guard sender == owner || isSigned(statement, signed.signature, by: owner) else {
            throw Rejection(.notOwner, "\(O.type.name): only \(owner) may \(operation.rawValue) it")
        }
        let hash = signed.order.hash(in: hub.orderDomain)
        switch operation {
        case .sign:
            putPresigned(hash, by: owner)
            emit(.orderSigned(hash))
        case .close:
            putConsumed(signed.order.volume, of: hash)
            emit(.orderClosed(hash))
        }
    }

    /// Whether `signature` is `signer`'s of `digest`.
    func isSigned(_ digest: Hash256, _ signature: Bytes, by signer: Address) -> Bool {
        guard signer != .zero, let signature = try? Signature(bytes: signature),
            let found = try? signature.signer(of: digest)
        else { return false }
        return found == signer
    }

    func requireShort(_ text: String) throws(Rejection) { try requireShort(text.utf8.count) }

    func requireShort(_ byteCount: Int) throws(Rejection) {
        guard byteCount <= Hub.textBytesMax else {
            throw Rejection(.limit, "\(byteCount) bytes, at most \(Hub.textBytesMax) expected")
        }
    }

    private func requireMarketOwner() throws(Rejection) {
        guard sender == hub.settings.owner else {
            throw Rejection(.notOwner, "only the market's owner \(hub.settings.owner) may do this")
        }
    }

    private static func exists(_ registry: String, _ address: Address) -> Rejection {
        Rejection(.exists, "this \(registry) is registered at \(address)")
    }

    /// Follows from market, registry and content, so the same thing cannot be registered twice.
    private func registryAddress(_ registry: String, _ content: CBOR) -> Address {
        Address(
            lastOf: TypedData.hash(
                hub.orderDomain,
                .init("Registration", [.init("registry", .string), .init("content", .bytes)]),
                [.string(registry), .bytes(content.encoded)]))
    }
}
