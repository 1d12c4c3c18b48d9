internal import Contribution
public import Core
internal import Digest
internal import Ethereum
internal import Files
internal import HostProtocol
public import Ledger
internal import PoolProtocol
internal import Synchronization
public import Wallet

/// A workerpool: it watches its deals, lets workers contribute, takes their leaves, finalizes, and
/// signs receipts. All it must remember is in the ledger or its store, so it may die at any moment.
public final class WorkerPool: Sendable {
    let ledger: MarketLedger
    let store: PoolStore
    let artifacts: ArtifactStore
    let owner: PrivateKey
    let workerpool: Address
    let clock: any Clock
    private let specFolder: String
    private let log: @Sendable (String) -> Void
    /// One assignment is decided at a time, and one call of the owner is sent at a time.
    private let deciding = Mutex(())
    private let memory = Mutex(Memory())

    private struct Memory {
        /// How far workers say they are; lost with the process.
        var progress: [Hub.ContributionKey: (stage: String, fraction: Double)] = [:]
        var logged: Set<String> = []
    }

    /// - Parameters:
    ///   - folder: the pool's own data: its store, and the artifacts.
    ///   - owner: the workerpool owner's key; signs authorisations, calls and receipts.
    ///   - log: gets a line for each thing done or refused.
    public init(
        ledger: MarketLedger, folder: String, owner: PrivateKey, workerpool: Address,
        clock: any Clock, log: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        self.ledger = ledger
        self.owner = owner
        self.workerpool = workerpool
        self.clock = clock
        self.log = log
        artifacts = try ArtifactStore(folder: "\(folder)/artifacts")
        artifacts.removeIncoming()
        specFolder = "\(folder)/specs"
        try Folder.make(specFolder)
        store = try PoolStore(path: "\(folder)/pool.sqlite")
    }

    func note(_ line: String) {
        let isNew = memory.withLock { memory in
            if memory.logged.count > 10_000 { memory.logged.removeAll() }
            return memory.logged.insert(line).inserted
        }
        if isNew { log(line) }
    }

    // MARK: Duties

    /// Sends every call that is due. A call that the market refuses is logged and tried again.
    public func performDuties() throws(Failure) {
        try deciding.withLock { (_) throws(Failure) in
            let duties = Scheduler.duties(
                try ledger.hub(), workerpool: workerpool, delivered: try store.deliveredTasks(),
                nowSeconds: clock.nowSeconds)
            for duty in duties {
                do throws(Failure) {
                    try send(try call(for: duty))
                    note("\(duty)")
                } catch {
                    note("\(duty): \(error)")
                    if error.code == .storage { throw error }
                }
            }
        }
    }

    private func call(for duty: Scheduler.Duty) throws(Failure) -> Call {
        switch duty {
        case .initialize(let dealID, let index): return .initialize(dealID: dealID, index: index)
        case .reopen(let taskID): return .reopen(taskID: taskID)
        case .claim(let taskID): return .claim(taskID: taskID)
        case .finalize(let taskID):
            guard let leaves = try store.delivery(taskID) else {
                throw Failure(.missing, "task \(taskID): no leaves")
            }
            return .finalize(
                taskID: taskID, results: Bytes(ResultLocation(leaves: leaves).text.utf8),
                resultsCallback: [])
        }
    }

    private func send(_ call: Call) throws(Failure) {
        let envelope = Envelope(
            call, from: owner.address, nonce: try ledger.nextNonce(of: owner.address),
            in: ledger.settings, sign: owner.sign)
        try ledger.submit(envelope, atSeconds: clock.nowSeconds)
    }

    // MARK: Workers

    /// Work for `worker`, or why there is none.
    func poll(
        _ worker: Address, _ offer: DeviceOffer, holding: Set<Hash256>
    ) throws(Failure) -> PoolReply {
        guard offer.verdict == .exact else {
            return .idle(
                reason: "device \(offer.label) is certified \(offer.verdict.rawValue); only exact "
                    + "devices settle")
        }
        return try deciding.withLock { (_) throws(Failure) in
            let hub = try ledger.hub()
            let given = try store.given()
            var passedOver = holding
            while true {
                let pick = Scheduler.pick(
                    for: worker, holding: passedOver, given: given, hub,
                    workerpool: workerpool, nowSeconds: clock.nowSeconds)
                guard case .task(let taskID) = pick else {
                    guard case .idle(let reason) = pick else { preconditionFailure("one of two") }
                    return .idle(reason: reason)
                }
                do throws(Failure) {
                    let assignment = try assignment(taskID, worker, hub)
                    try store.give(
                        taskID, to: worker, device: offer.label, atSeconds: clock.nowSeconds)
                    note("task \(taskID) is given to \(worker) on \(offer.label)")
                    return .assignment(assignment)
                } catch {
                    if error.code == .storage { throw error }
                    // A deal that nobody can work on must not stand before the others.
                    note("task \(taskID) cannot be given: \(error)")
                    passedOver.insert(taskID)
                }
            }
        }
    }

    private func assignment(
        _ taskID: Hash256, _ worker: Address, _ hub: Hub
    ) throws(Failure) -> Assignment {
        guard let task = hub.task(taskID), let deal = hub.deal(task.dealID),
            let app = hub.app(deal.app.address), let index = task.index.int
        else { throw Failure(.missing, "task \(taskID): the market lacks its deal or app") }
        let statement = Identifiers.authorization(worker: worker, task: taskID)
        return Assignment(
            taskID: taskID, dealID: task.dealID, index: index,
            authorization: owner.signPersonal(statement).bytes, appVersion: app.version,
            params: deal.params, spec: try spec(of: deal),
            contributionDeadlineSeconds: task.contributionDeadlineSeconds,
            runSecondsMax: task.timeReferenceSeconds, price: deal.workerpool.price,
            stake: deal.workerStake)
    }

    func refuse(_ taskID: Hash256, by worker: Address, reason: String) throws(Failure) {
        try store.refuse(taskID, by: worker, reason: reason)
        note("task \(taskID) is refused by \(worker): \(reason)")
    }

    func progress(_ taskID: Hash256, of worker: Address, stage: String, fraction: Double) {
        let key = Hub.ContributionKey(taskID: taskID, worker: worker)
        memory.withLock { $0.progress[key] = (stage, fraction) }
    }

    func status(_ taskID: Hash256) throws(Failure) -> [WorkStatus] {
        let progress = memory.withLock { $0.progress }
        return try store.workers(on: taskID).map { row in
            let key = Hub.ContributionKey(taskID: taskID, worker: row.worker)
            let known = progress[key]
            return WorkStatus(
                worker: row.worker, device: row.device, stage: known?.stage ?? "given",
                fraction: known?.fraction ?? 0, refusal: row.refused)
        }
    }

    // MARK: Specifications

    /// Keeps a specification under its Keccak-256, which is what deals name it by.
    func announce(_ spec: Bytes) throws(Failure) {
        guard spec.count <= PoolProtocol.specBytesMax else {
            throw Failure(
                .limit, "task specification: at most \(PoolProtocol.specBytesMax) bytes expected")
        }
        _ = try TaskSpec(canonical: spec)
        try FileHash.writeDurably(spec, to: specPath(Keccak256.hash(spec)))
    }

    private func spec(of deal: Hub.Deal) throws(Failure) -> Bytes {
        let hash = try RequestParameters(deal.params).taskSpec
        let spec = try FileHash.contents(
            path: specPath(hash), bytesMax: PoolProtocol.specBytesMax)
        guard Keccak256.hash(spec) == hash else {
            throw Failure(.untrusted, "task specification: \(hash) expected")
        }
        return spec
    }

    private func specPath(_ hash: Hash256) -> String { "\(specFolder)/\(hash.bytes.hex)" }

    // MARK: Results

    /// Takes leaves that a worker has put into the store, once they hash to what was revealed.
    func deliver(_ taskID: Hash256, _ leaves: TaskSpec.ContentID) throws(Failure) {
        if try store.delivery(taskID) != nil { return }
        let hub = try ledger.hub()
        guard let task = hub.task(taskID), let deal = hub.deal(task.dealID),
            let app = hub.app(deal.app.address), let revealed = task.resultDigest
        else { throw Failure(.refused, "task \(taskID): nothing is revealed") }
        let spec = try TaskSpec(canonical: try spec(of: deal))
        let tree = try LeafFile.tree(try artifacts.contents(leaves))
        let digest = ResultDigest(appVersion: app.version, spec: spec, tree: tree).hash
        guard digest == revealed else {
            throw Failure(
                .untrusted, "task \(taskID): the leaves' digest is \(digest), revealed \(revealed)")
        }
        try store.deliver(taskID, leaves)
        note("task \(taskID): leaves are delivered")
    }

    /// Signs a worker's receipt, once every field is what the market says.
    func countersign(_ bytes: Bytes, signature: Bytes) throws(Failure) -> Bytes {
        let receipt = try Receipt(try CBOR(decoding: bytes))
        let signed = SignedReceipt(
            receipt: receipt, workerSignature: try Signature(bytes: signature),
            workerpoolSignature: owner.sign(receipt.digest))
        try signed.verify(against: try ledger.hub())
        try store.keep(signed)
        return signed.workerpoolSignature.bytes
    }
}
