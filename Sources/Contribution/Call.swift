public import Core
public import Ethereum

/// A call whose sender has been verified: by the chain, or by a ledger from its signature.
public struct VerifiedCall: Hashable, Sendable {
    public let sender: Address
    public let call: Call

    /// - Parameter verifiedSender: who is known to have sent it; the hub checks no more.
    public init(verifiedSender: Address, call: Call) {
        sender = verifiedSender
        self.call = call
    }
}

/// What can be asked of the hub.
public enum Call: Hashable, Sendable {
    /// The market's owner issues tokens.
    case issue(to: Address, amount: UInt256)
    case transfer(to: Address, amount: UInt256)
    /// The market's owner adds a category; its number is how many there were.
    case createCategory(name: String, workClockTimeReferenceSeconds: Int)
    /// The sender owns what it creates; the address follows from owner and content.
    case createApp(name: String, kind: String, location: String, version: Hash256)
    case createDataset(name: String, location: String, checksum: Hash256)
    case createWorkerpool(description: String)
    /// Percentages; the scheduler's is at most 100. Deals keep what held at their match.
    case changePolicy(
        workerpool: Address, workerStakeRatio: UInt256, schedulerRewardRatio: UInt256)
    case manageApp(Signed<AppOrder>, OrderOperation)
    case manageDataset(Signed<DatasetOrder>, OrderOperation)
    case manageWorkerpool(Signed<WorkerpoolOrder>, OrderOperation)
    case manageRequest(Signed<RequestOrder>, OrderOperation)
    case matchOrders(Orders, sponsored: Bool)
    case initialize(dealID: Hash256, index: UInt256)
    case contribute(taskID: Hash256, Claim)
    case reveal(taskID: Hash256, digest: Hash256)
    case finalize(taskID: Hash256, results: Bytes, resultsCallback: Bytes)
    case contributeAndFinalize(
        taskID: Hash256, digest: Hash256, results: Bytes, resultsCallback: Bytes, Permission)
    case reopen(taskID: Hash256)
    case claim(taskID: Hash256)

    /// The four orders of a match.
    public struct Orders: Hashable, Sendable {
        public var app: Signed<AppOrder>
        /// ``DatasetOrder/none`` without a dataset.
        public var dataset: Signed<DatasetOrder>
        public var workerpool: Signed<WorkerpoolOrder>
        public var request: Signed<RequestOrder>

        public init(
            app: Signed<AppOrder>, dataset: Signed<DatasetOrder> = Signed(.none),
            workerpool: Signed<WorkerpoolOrder>, request: Signed<RequestOrder>
        ) {
            self.app = app
            self.dataset = dataset
            self.workerpool = workerpool
            self.request = request
        }
    }

    /// A scheduler's leave to contribute, and the enclave it holds for.
    public struct Permission: Hashable, Sendable {
        /// The scheduler's signature of ``Identifiers/authorization(worker:task:enclave:)``.
        public var authorization: Bytes
        /// Zero outside enclaves.
        public var enclave: Address
        /// The enclave's own signature; ignored when `enclave` is zero.
        public var enclaveSignature: Bytes

        public init(
            authorization: Bytes, enclave: Address = .zero, enclaveSignature: Bytes = []
        ) {
            self.authorization = authorization
            self.enclave = enclave
            self.enclaveSignature = enclaveSignature
        }
    }

    /// A worker's word on a task's result, before anyone may see the result.
    public struct Claim: Hashable, Sendable {
        public var resultHash: Hash256
        public var resultSeal: Hash256
        public var permission: Permission

        public init(resultHash: Hash256, resultSeal: Hash256, permission: Permission) {
            self.resultHash = resultHash
            self.resultSeal = resultSeal
            self.permission = permission
        }

        /// The honest claim for `digest`.
        public init(
            worker: Address, taskID: Hash256, digest: Hash256, permission: Permission
        ) {
            self.init(
                resultHash: Identifiers.resultHash(task: taskID, digest: digest),
                resultSeal: Identifiers.resultSeal(worker: worker, task: taskID, digest: digest),
                permission: permission)
        }
    }
}
