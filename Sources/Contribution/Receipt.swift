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
    public var requester: Address
    public var trust: UInt256
    /// The device's own name, the platform's first: its worker's word.
    public var device: String
    /// What the device's certificate says: a ``Verdict``.
    public var verdict: String
    /// Hash of the device's known answers.
    public var conformance: Hash256
    public var contributedSeconds: Int
    public var finalizedSeconds: Int
}

extension Receipt {
    /// The device that a worker says it computed on.
    public struct Device: Hashable, Sendable {
        public var label: String
        public var verdict: Verdict
        public var conformance: Hash256

        public init(label: String, verdict: Verdict, conformance: Hash256) {
            self.label = label
            self.verdict = verdict
            self.conformance = conformance
        }
    }

    /// The receipt of a finalized task's worker, from what the market says of the task.
    ///
    /// - Throws: ``Failure`` (refused) unless the task is completed and `worker` proved `result`.
    public init(
        of taskID: Hash256, worker: Address, result: ResultDigest, device: Device,
        chainID: UInt256, market: Address, deal: Hub.Deal, task: Hub.Task,
        contribution: Hub.Contribution
    ) throws(Failure) {
        guard task.status == .completed else {
            throw Failure(.refused, "receipt: task \(taskID) is not completed")
        }
        guard contribution.status == .proved,
            contribution.resultHash == Identifiers.resultHash(task: taskID, digest: result.hash)
        else {
            throw Failure(.refused, "receipt: \(worker) has not proved this result of \(taskID)")
        }
        self.chainID = chainID
        self.market = market
        self.taskID = taskID
        dealID = task.dealID
        index = task.index
        app = deal.app.address
        appVersion = result.appVersion
        taskSpec = result.taskSpec
        leafCount = result.leafCount
        merkleRoot = result.merkleRoot
        resultDigest = result.hash
        resultHash = contribution.resultHash
        resultSeal = contribution.resultSeal
        self.worker = worker
        workerpool = deal.workerpool.address
        workerpoolOwner = deal.workerpool.owner
        paid = contribution.paid
        requester = deal.requester
        trust = deal.trust
        self.device = device.label
        verdict = device.verdict.rawValue
        conformance = device.conformance
        contributedSeconds = contribution.contributedSeconds
        finalizedSeconds = task.endedSeconds
    }

    /// The same, looked up in the market's state.
    ///
    /// - Throws: ``Failure`` (refused) unless the task is completed and `worker` proved `result`.
    public init(
        of taskID: Hash256, worker: Address, result: ResultDigest, device: Device, in hub: Hub
    ) throws(Failure) {
        guard let task = hub.task(taskID), let deal = hub.deal(task.dealID),
            let own = hub.contribution(taskID, by: worker)
        else { throw Failure(.refused, "receipt: \(worker) has no part in task \(taskID)") }
        try self.init(
            of: taskID, worker: worker, result: result, device: device,
            chainID: hub.settings.chainID, market: hub.settings.market, deal: deal, task: task,
            contribution: own)
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
            .init("paid", .uint256), .init("requester", .address), .init("trust", .uint256),
            .init("device", .string), .init("verdict", .string), .init("conformance", .bytes32),
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
                .uint256(paid), .address(requester), .uint256(trust), .string(device),
                .string(verdict), .bytes32(conformance), count(contributedSeconds),
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

    /// Checks both signatures against those who have to have signed, as the market says.
    ///
    /// - Throws: ``Failure`` (untrusted) naming the signature that does not hold.
    public func checkSignatures(
        worker: Address, workerpoolOwner: Address
    ) throws(Failure) {
        let digest = receipt.digest
        guard try workerSignature.signer(of: digest) == worker else {
            throw Failure(.untrusted, "receipt: not signed by its worker \(worker)")
        }
        guard try workerpoolSignature.signer(of: digest) == workerpoolOwner else {
            throw Failure(.untrusted, "receipt: not signed by the pool's owner \(workerpoolOwner)")
        }
    }
}
