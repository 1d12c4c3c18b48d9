public import Core
public import Digest
public import Ethereum

/// What was computed, by whom, and what was paid for it: integers and strings only, signed by the
/// worker and by the workerpool's owner (EIP-712).
///
/// A receipt proves nothing by itself: ``checks(against:)`` recomputes every hash and looks up who
/// had to sign it in the market's own history.
public struct Receipt: Hashable, Sendable {
    public var chainID: UInt256
    public var market: Address
    public var dealID: Hash256
    public var taskID: Hash256
    public var index: UInt256
    public var app: Address
    /// Content hash of the executable that defines the app version.
    public var appVersion: Hash256
    /// keccak256 of the task specification's canonical bytes.
    public var taskSpec: Hash256
    public var leafCount: Int
    public var merkleRoot: Hash256
    public var resultDigest: Hash256
    public var resultHash: Hash256
    public var resultSeal: Hash256
    public var worker: Address
    public var workerpool: Address
    public var workerpoolOwner: Address
    /// Tokens, without the stake.
    public var paid: UInt256
    /// The device's own name, the platform's first.
    public var device: String
    /// What its certificate says: ``Verdict``.
    public var verdict: String
    public var contributedSeconds: Int
    public var finalizedSeconds: Int

    public init(
        chainID: UInt256, market: Address, dealID: Hash256, taskID: Hash256, index: UInt256,
        app: Address, result: ResultDigest, resultHash: Hash256, resultSeal: Hash256,
        worker: Address, workerpool: Address, workerpoolOwner: Address, paid: UInt256,
        device: String, verdict: String, contributedSeconds: Int, finalizedSeconds: Int
    ) {
        self.chainID = chainID
        self.market = market
        self.dealID = dealID
        self.taskID = taskID
        self.index = index
        self.app = app
        appVersion = result.appVersion
        taskSpec = result.taskSpec
        leafCount = result.leafCount
        merkleRoot = result.merkleRoot
        resultDigest = result.hash
        self.resultHash = resultHash
        self.resultSeal = resultSeal
        self.worker = worker
        self.workerpool = workerpool
        self.workerpoolOwner = workerpoolOwner
        self.paid = paid
        self.device = device
        self.verdict = verdict
        self.contributedSeconds = contributedSeconds
        self.finalizedSeconds = finalizedSeconds
    }

    /// The receipt of a finalized task's worker, as the market's state says.
    ///
    /// - Throws: ``Failure`` (refused) unless the task is completed and `worker` proved `result`.
    public init(
        of taskID: Hash256, worker: Address, result: ResultDigest, device: String,
        verdict: String, in hub: Hub
    ) throws(Failure) {
        guard let task = hub.task(taskID), task.status == .completed,
            let deal = hub.deal(task.dealID)
        else { throw Failure(.refused, "receipt: task \(taskID) is not completed") }
        guard let own = hub.contribution(taskID, by: worker), own.status == .proved,
            own.resultHash == Identifiers.resultHash(task: taskID, digest: result.hash)
        else {
            throw Failure(.refused, "receipt: \(worker) has not proved this result of \(taskID)")
        }
        self.init(
            chainID: hub.settings.chainID, market: hub.settings.market, dealID: task.dealID,
            taskID: taskID, index: task.index, app: deal.app.address, result: result,
            resultHash: own.resultHash, resultSeal: own.resultSeal, worker: worker,
            workerpool: deal.workerpool.address, workerpoolOwner: deal.workerpool.owner,
            paid: own.paid, device: device, verdict: verdict,
            contributedSeconds: own.contributedSeconds, finalizedSeconds: task.endedSeconds)
    }

    /// R and its digest, from the receipt's own fields.
    public var result: ResultDigest {
        ResultDigest(
            appVersion: appVersion, taskSpec: taskSpec, leafCount: leafCount,
            merkleRoot: merkleRoot)
    }
}

// MARK: - What is signed

extension Receipt {
    static let type = TypedData.Struct(
        "Receipt",
        [
            .init("dealid", .bytes32), .init("taskid", .bytes32), .init("index", .uint256),
            .init("app", .address), .init("appVersion", .bytes32), .init("taskSpec", .bytes32),
            .init("leafCount", .uint256), .init("merkleRoot", .bytes32),
            .init("resultDigest", .bytes32), .init("resultHash", .bytes32),
            .init("resultSeal", .bytes32), .init("worker", .address),
            .init("workerpool", .address), .init("workerpoolOwner", .address),
            .init("paid", .uint256), .init("device", .string), .init("verdict", .string),
            .init("contributedAt", .uint256), .init("finalizedAt", .uint256),
        ])

    /// The EIP-712 hash that worker and workerpool's owner sign: domain name "Rigor Receipt",
    /// version "1", the market's chain and address.
    ///
    /// - Precondition: counts and times are not negative.
    public var digest: Hash256 {
        func count(_ value: Int) -> TypedData.Value { .uint256(UInt256(UInt64(value))) }
        return TypedData.hash(
            .init(
                name: "Rigor Receipt", version: "1", chainID: chainID, verifyingContract: market),
            Self.type,
            [
                .bytes32(dealID), .bytes32(taskID), .uint256(index), .address(app),
                .bytes32(appVersion), .bytes32(taskSpec), count(leafCount), .bytes32(merkleRoot),
                .bytes32(resultDigest), .bytes32(resultHash), .bytes32(resultSeal),
                .address(worker), .address(workerpool), .address(workerpoolOwner),
                .uint256(paid), .string(device), .string(verdict), count(contributedSeconds),
                count(finalizedSeconds),
            ])
    }
}

/// A receipt with its two signatures: what a receipt file holds.
public struct SignedReceipt: Hashable, Sendable {
    public var receipt: Receipt
    /// The worker's, of ``Receipt/digest``.
    public var workerSignature: Signature
    /// The workerpool owner's, of the same.
    public var workerpoolSignature: Signature

    public init(receipt: Receipt, workerSignature: Signature, workerpoolSignature: Signature) {
        self.receipt = receipt
        self.workerSignature = workerSignature
        self.workerpoolSignature = workerpoolSignature
    }
}
