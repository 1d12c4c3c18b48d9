internal import Core
internal import Ethereum

extension Draft {
    /// Makes a deal of four orders. Rules, order of rules and codes are the hub's.
    mutating func match(_ orders: Call.Orders, sponsor: Address) throws(Rejection) {
        try requireShort(orders.request.order.params)
        let tag = try requireCompatible(orders)
        try requireUnrestricted(orders)
        let hashes = Hashes(orders, in: hub.orderDomain)
        let owners = try requireAuthentic(orders, hashes)
        let volume = try availableVolume(orders, hashes)
        let first = consumed(hashes.request)
        let request = orders.request.order
        let pool = orders.workerpool.order
        guard let category = request.category.int, let policy = workerpool(pool.workerpool) else {
            preconditionFailure("checked above")
        }
        let hasDataset = orders.dataset.order.dataset != .zero
        let deal = Hub.Deal(
            app: .init(
                address: orders.app.order.app, owner: owners.app, price: orders.app.order.price),
            dataset: .init(
                address: orders.dataset.order.dataset, owner: owners.dataset,
                price: hasDataset ? orders.dataset.order.price : 0),
            workerpool: .init(
                address: pool.workerpool, owner: owners.workerpool, price: pool.price),
            trust: max(request.trust, 1), category: category, tag: tag,
            requester: request.requester, beneficiary: request.beneficiary,
            callback: request.callback, params: request.params, startSeconds: nowSeconds,
            firstIndex: first, volume: volume,
            workerStake: try pool.price.percent(policy.workerStakeRatio),
            schedulerRewardRatio: policy.schedulerRewardRatio, sponsor: sponsor)
        let dealID = Identifiers.deal(requestOrder: hashes.request, consumedBefore: first)
        put(deal, at: dealID)
        for hash in [hashes.app, hashes.workerpool, hashes.request]
            + (hasDataset ? [hashes.dataset] : [])
        {
            putConsumed(try consumed(hash).plus(volume), of: hash)
        }
        try lock(try deal.taskPrice().times(volume), of: sponsor, for: dealID)
        // The percentage first, then the volume: floor once a task.
        try lock(try deal.poolStake().times(volume), of: owners.workerpool, for: dealID)
        emit(.schedulerNotice(workerpool: pool.workerpool, dealID: dealID))
        emit(.ordersMatched(dealID: dealID, volume: volume))
    }

    private struct Hashes {
        let app: Hash256
        let dataset: Hash256
        let workerpool: Hash256
        let request: Hash256

        init(_ orders: Call.Orders, in domain: TypedData.Domain) {
            app = orders.app.order.hash(in: domain)
            dataset = orders.dataset.order.hash(in: domain)
            workerpool = orders.workerpool.order.hash(in: domain)
            request = orders.request.order.hash(in: domain)
        }
    }

    private struct Owners {
        let app: Address
        let dataset: Address
        let workerpool: Address
    }

    private func require(
        _ holds: Bool, _ number: UInt8, _ message: @autoclosure () -> String
    ) throws(Rejection) {
        guard holds else { throw Rejection(.matchOrders(number), message()) }
    }

    /// Category, trust, prices and tags. Returns the deal's tag.
    private func requireCompatible(_ orders: Call.Orders) throws(Rejection) -> UInt256 {
        let app = orders.app.order
        let dataset = orders.dataset.order
        let pool = orders.workerpool.order
        let request = orders.request.order
        try require(request.category == pool.category, 0x00, "categories differ")
        try require(
            request.category.int.flatMap { hub.category($0) } != nil, 0x01,
            "there is no category \(request.category)")
        try require(request.trust <= pool.trust, 0x02, "the pool gives trust \(pool.trust) at most")
        try require(request.appPriceMax >= app.price, 0x03, "the app costs \(app.price)")
        try require(
            request.datasetPriceMax >= dataset.price, 0x04, "the dataset costs \(dataset.price)")
        try require(
            request.workerpoolPriceMax >= pool.price, 0x05, "the workerpool costs \(pool.price)")
        // Which enclave framework a dataset names does not matter: its bits 1 to 3 are left out.
        let wanted = app.tag.or(dataset.tag.clearing(bits: 0x0e)).or(request.tag)
        try require(wanted.isSubset(of: pool.tag), 0x06, "the pool lacks a wanted tag bit")
        try require(
            wanted.hasEnclaveBit == app.tag.hasEnclaveBit, 0x07,
            "an enclave is wanted, and the app's tag does not say that it runs in one")
        return wanted
    }

    private func requireUnrestricted(_ orders: Call.Orders) throws(Rejection) {
        let app = orders.app.order
        let dataset = orders.dataset.order
        let pool = orders.workerpool.order
        let request = orders.request.order
        func allow(_ restriction: Address, _ one: Address, _ number: UInt8) throws(Rejection) {
            try require(
                restriction == .zero || restriction == one, number,
                "restricted to \(restriction), not \(one)")
        }
        try require(request.app == app.app, 0x10, "the request names another app")
        try require(request.dataset == dataset.dataset, 0x11, "the request names another dataset")
        try allow(request.workerpool, pool.workerpool, 0x12)
        try allow(app.datasetRestrict, dataset.dataset, 0x13)
        try allow(app.workerpoolRestrict, pool.workerpool, 0x14)
        try allow(app.requesterRestrict, request.requester, 0x15)
        try allow(dataset.appRestrict, app.app, 0x16)
        try allow(dataset.workerpoolRestrict, pool.workerpool, 0x17)
        try allow(dataset.requesterRestrict, request.requester, 0x18)
        try allow(pool.appRestrict, app.app, 0x19)
        try allow(pool.datasetRestrict, dataset.dataset, 0x1a)
        try allow(pool.requesterRestrict, request.requester, 0x1b)
    }

    private func requireAuthentic(
        _ orders: Call.Orders, _ hashes: Hashes
    ) throws(Rejection) -> Owners {
        let appOwner = app(orders.app.order.app)?.owner
        try require(appOwner != nil, 0x20, "the app is not registered")
        try requireSigned(orders.app, hashes.app, by: appOwner, 0x21)
        var datasetOwner: Address?
        if orders.dataset.order.dataset != .zero {
            datasetOwner = dataset(orders.dataset.order.dataset)?.owner
            try require(datasetOwner != nil, 0x30, "the dataset is not registered")
            try requireSigned(orders.dataset, hashes.dataset, by: datasetOwner, 0x31)
        }
        let poolOwner = workerpool(orders.workerpool.order.workerpool)?.owner
        try require(poolOwner != nil, 0x40, "the workerpool is not registered")
        try requireSigned(orders.workerpool, hashes.workerpool, by: poolOwner, 0x41)
        try requireSigned(orders.request, hashes.request, by: orders.request.order.requester, 0x50)
        return Owners(
            app: appOwner ?? .zero, dataset: datasetOwner ?? .zero, workerpool: poolOwner ?? .zero)
    }

    private func requireSigned<O: Order>(
        _ signed: Signed<O>, _ hash: Hash256, by owner: Address?, _ number: UInt8
    ) throws(Rejection) {
        let owner = owner ?? .zero
        let presigner = changes.presigned[hash] ?? hub.tables.presigned[hash]
        try require(
            (owner != .zero && presigner == owner) || isSigned(hash, signed.signature, by: owner),
            number, "\(O.type.name) is not signed by \(owner)")
    }

    private func availableVolume(
        _ orders: Call.Orders, _ hashes: Hashes
    ) throws(Rejection) -> UInt256 {
        func left(_ volume: UInt256, _ hash: Hash256) -> UInt256 {
            volume.subtracting(consumed(hash)) ?? 0
        }
        var volume = min(
            left(orders.app.order.volume, hashes.app),
            left(orders.workerpool.order.volume, hashes.workerpool),
            left(orders.request.order.volume, hashes.request))
        if orders.dataset.order.dataset != .zero {
            volume = min(volume, left(orders.dataset.order.volume, hashes.dataset))
        }
        try require(!volume.isZero, 0x60, "an order is used up or closed")
        return volume
    }
}

extension Hub.Deal {
    /// What one task costs the sponsor.
    func taskPrice() throws(Rejection) -> UInt256 {
        try app.price.plus(dataset.price).plus(workerpool.price)
    }

    /// What the workerpool's owner has locked for one task.
    func poolStake() throws(Rejection) -> UInt256 {
        try workerpool.price.percent(Hub.workerpoolStakeRatio)
    }
}

// MARK: - Tags

extension UInt256 {
    /// Bit 0 of a tag: runs in a trusted enclave.
    var hasEnclaveBit: Bool { (bytes.last ?? 0) & 1 == 1 }

    func or(_ other: UInt256) -> UInt256 { combining(other, |) }
    func clearing(bits: UInt256) -> UInt256 { combining(bits) { $0 & ~$1 } }
    func isSubset(of other: UInt256) -> Bool { clearing(bits: other).isZero }

    private func combining(_ other: UInt256, _ make: (UInt8, UInt8) -> UInt8) -> UInt256 {
        UInt256(bytes: zip(bytes, other.bytes).map(make)) ?? 0
    }
}
