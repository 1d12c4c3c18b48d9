public import Contribution
public import Core
internal import Digest
public import Ethereum

/// What a worker was paid for: integers and text only, signed by worker and workerpool (EIP-712).
///
/// It repeats all that its hashes are made of, so that anyone can compute them again; who signed is
/// looked up in the market, never here.
public struct Receipt: Hashable, Sendable {
    public var dealID: Hash256
    public var index: Int
    public var taskID: Hash256
    /// The app's name in the task specification.
    public var app: String
    public var appVersion: Hash256
    /// keccak256 of the task specification.
    public var taskSpec: Hash256
    public var leafCount: Int
    public var merkleRoot: Hash256
    public var resultDigest: Hash256
    public var resultHash: Hash256
    public var resultSeal: Hash256
    public var worker: Address
    public var workerpool: Address
    public var requester: Address
    /// The device that computed it, as its worker says.
    public var device: String
    /// Hash of that device's known answers.
    public var conformance: Hash256
    public var trust: UInt256
    /// Tokens earned, without the stake.
    public var paid: UInt256
    /// When the market finalized the task.
    public var finalizedSeconds: Int

    public init(
        dealID: Hash256, index: Int, taskID: Hash256, app: String, appVersion: Hash256,
        taskSpec: Hash256, leafCount: Int, merkleRoot: Hash256, resultDigest: Hash256,
        resultHash: Hash256, resultSeal: Hash256, worker: Address, workerpool: Address,
        requester: Address, device: String, conformance: Hash256, trust: UInt256, paid: UInt256,
        finalizedSeconds: Int
    ) {
        self.dealID = dealID
        self.index = index
        self.taskID = taskID
        self.app = app
        self.appVersion = appVersion
        self.taskSpec = taskSpec
        self.leafCount = leafCount
        self.merkleRoot = merkleRoot
        self.resultDigest = resultDigest
        self.resultHash = resultHash
        self.resultSeal = resultSeal
        self.worker = worker
        self.workerpool = workerpool
        self.requester = requester
        self.device = device
        self.conformance = conformance
        self.trust = trust
        self.paid = paid
        self.finalizedSeconds = finalizedSeconds
    }
}

/// A receipt with its signatures, 65 bytes each.
public struct SignedReceipt: Hashable, Sendable {
    public var receipt: Receipt
    public var workerSignature: Bytes
    public var workerpoolSignature: Bytes

    public init(receipt: Receipt, workerSignature: Bytes, workerpoolSignature: Bytes) {
        self.receipt = receipt
        self.workerSignature = workerSignature
        self.workerpoolSignature = workerpoolSignature
    }
}

// MARK: - Signing

extension Receipt {
    /// The EIP-712 domain of receipts of a market.
    public static func domain(chainID: UInt256, market: Address) -> TypedData.Domain {
        TypedData.Domain(
            name: "Rigor Receipt", version: "1", chainID: chainID, verifyingContract: market)
    }

    private static let type = TypedData.Struct(
        "Receipt",
        [
            .init("dealid", .bytes32), .init("index", .uint256), .init("taskid", .bytes32),
            .init("app", .string), .init("appVersion", .bytes32), .init("taskSpec", .bytes32),
            .init("leafCount", .uint256), .init("merkleRoot", .bytes32),
            .init("resultDigest", .bytes32), .init("resultHash", .bytes32),
            .init("resultSeal", .bytes32), .init("worker", .address),
            .init("workerpool", .address), .init("requester", .address),
            .init("device", .string), .init("conformance", .bytes32), .init("trust", .uint256),
            .init("paid", .uint256), .init("finalized", .uint256),
        ])

    /// What both sign.
    public func hash(in domain: TypedData.Domain) -> Hash256 {
        TypedData.hash(
            domain, Self.type,
            [
                .bytes32(dealID), .uint256(UInt256(UInt64(index))), .bytes32(taskID),
                .string(app), .bytes32(appVersion), .bytes32(taskSpec),
                .uint256(UInt256(UInt64(leafCount))), .bytes32(merkleRoot),
                .bytes32(resultDigest), .bytes32(resultHash), .bytes32(resultSeal),
                .address(worker), .address(workerpool), .address(requester),
                .string(device), .bytes32(conformance), .uint256(trust), .uint256(paid),
                .uint256(UInt256(UInt64(finalizedSeconds))),
            ])
    }
}

// MARK: - Checking

extension Receipt {
    /// Checks that each hash is that of what it is made of.
    ///
    /// - Throws: ``Failure`` (untrusted) naming the first that is not.
    public func checkHashes() throws(Failure) {
        let digest = ResultDigest(
            appVersion: appVersion, taskSpec: taskSpec, leafCount: leafCount,
            merkleRoot: merkleRoot
        ).hash
        try Self.check(
            "taskid", taskID, Identifiers.task(deal: dealID, index: UInt256(UInt64(index))))
        try Self.check("result_digest", resultDigest, digest)
        try Self.check(
            "result_hash", resultHash, Identifiers.resultHash(task: taskID, digest: digest))
        try Self.check(
            "result_seal", resultSeal,
            Identifiers.resultSeal(worker: worker, task: taskID, digest: digest))
    }

    /// Checks each field against what the market says of the task.
    ///
    /// - Parameter appVersion: the registered version of the deal's app.
    /// - Throws: ``Failure`` (untrusted) naming the first field that differs, or `missing` when
    ///   the market does not know the task, or it is not paid.
    public func check(
        deal: Hub.Deal?, task: Hub.Task?, contribution: Hub.Contribution?, appVersion: Hash256?
    ) throws(Failure) {
        guard let deal, let task, let contribution, let appVersion else {
            throw Failure(
                .missing, "receipt: the market has no contribution of \(worker) to task \(taskID)")
        }
        guard task.status == .completed, contribution.status == .proved else {
            throw Failure(.untrusted, "receipt: the market has not paid task \(taskID)")
        }
        try Self.check("dealid", dealID, task.dealID)
        try Self.check("task_spec", taskSpec, try RequestParameters(deal.params).taskSpec)
        try Self.check("index", UInt256(UInt64(index)), task.index)
        try Self.check("app_version", self.appVersion, appVersion)
        try Self.check("result_digest", resultDigest, task.resultDigest)
        try Self.check("result_hash", resultHash, contribution.resultHash)
        try Self.check("result_seal", resultSeal, contribution.resultSeal)
        try Self.check("workerpool", workerpool, deal.workerpool.address)
        try Self.check("requester", requester, deal.requester)
        try Self.check("trust", trust, deal.trust)
        try Self.check("paid", paid, contribution.paid)
        try Self.check("finalized", finalizedSeconds, task.endedSeconds)
    }

    private static func check<T: Equatable>(
        _ name: String, _ said: T, _ found: T?
    ) throws(Failure) {
        guard said == found else {
            let expected = found.map { "\($0)" } ?? "none"
            throw Failure(.untrusted, "receipt: \(name) is \(said), \(expected) expected")
        }
    }
}

extension SignedReceipt {
    /// Checks both signatures.
    ///
    /// - Parameters:
    ///   - worker, workerpoolOwner: who has to have signed, as the market says.
    /// - Throws: ``Failure`` (untrusted) naming the signature that does not hold.
    public func checkSignatures(
        in domain: TypedData.Domain, worker: Address, workerpoolOwner: Address
    ) throws(Failure) {
        let hash = receipt.hash(in: domain)
        for (name, bytes, expected) in [
            ("worker", workerSignature, worker),
            ("workerpool", workerpoolSignature, workerpoolOwner),
        ] {
            let signer: Address
            do throws(Failure) {
                signer = try Signature(bytes: bytes).signer(of: hash)
            } catch {
                throw error.at("receipt: \(name)'s signature")
            }
            guard signer == expected else {
                throw Failure(
                    .untrusted, "receipt: \(name)'s signature is not of \(expected)")
            }
        }
    }
}
