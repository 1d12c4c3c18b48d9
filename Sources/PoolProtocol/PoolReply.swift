public import Contribution
public import Core
public import Ethereum

/// What a pool answers: one message for each request.
public enum PoolReply: Hashable, Sendable {
    case hello(PoolGreeting)
    /// Done, or already so.
    case ok
    case time(seconds: Int)
    case nonce(Int)
    /// What the call did: its events. Who was paid what is in the ledger.
    case outcome(Outcome)
    case task(TaskView)
    case deal(Hub.Deal?)
    case account(Hub.Account)
    case assignment(Assignment)
    /// No work now, and why.
    case idle(reason: String)
    case has(Bool)
    case piece(Bytes)
    /// The workerpool owner's signature of a receipt.
    case countersignature(Bytes)
    case receipts([SignedReceipt])
    case status([WorkStatus])
    case failed(Failure)
}

/// A pool's first words.
public struct PoolGreeting: Hashable, Sendable {
    public var version: Int
    public var chainID: UInt256
    /// The market's address: the verifying contract of orders and receipts.
    public var market: Address
    public var workerpool: Address
    /// Signs a login; good for this connection.
    public var challenge: Bytes

    public init(
        version: Int, chainID: UInt256, market: Address, workerpool: Address, challenge: Bytes
    ) {
        self.version = version
        self.chainID = chainID
        self.market = market
        self.workerpool = workerpool
        self.challenge = challenge
    }
}

/// A task as the market has it, seen by one worker.
public struct TaskView: Hashable, Sendable {
    /// Time on the ledger's clock when this was read.
    public var nowSeconds: Int
    public var task: Hub.Task?
    public var deal: Hub.Deal?
    /// The worker's own word on the task.
    public var contribution: Hub.Contribution?

    public init(
        nowSeconds: Int, task: Hub.Task?, deal: Hub.Deal?, contribution: Hub.Contribution?
    ) {
        self.nowSeconds = nowSeconds
        self.task = task
        self.deal = deal
        self.contribution = contribution
    }
}

/// Leave to work on a task.
public struct Assignment: Hashable, Sendable {
    public var taskID: Hash256
    public var dealID: Hash256
    /// The task's index in its deal, which is the part of the specification to compute.
    public var index: Int
    /// The scheduler's EIP-191 signature that lets this worker contribute.
    public var authorization: Bytes
    /// What the market's registry says of the app: the executable's SHA-256.
    public var appVersion: Hash256
    /// The deal's terms, word for word: they name the specification by its Keccak-256.
    public var params: String
    /// Canonical bytes of the specification.
    public var spec: Bytes
    /// No contribution counts from here on.
    public var contributionDeadlineSeconds: Int
    /// How long one run may take.
    public var runSecondsMax: Int
    /// Tokens for the task, and tokens locked until it ends.
    public var price: UInt256
    public var stake: UInt256

    public init(
        taskID: Hash256, dealID: Hash256, index: Int, authorization: Bytes, appVersion: Hash256,
        params: String, spec: Bytes, contributionDeadlineSeconds: Int, runSecondsMax: Int,
        price: UInt256, stake: UInt256
    ) {
        self.taskID = taskID
        self.dealID = dealID
        self.index = index
        self.authorization = authorization
        self.appVersion = appVersion
        self.params = params
        self.spec = spec
        self.contributionDeadlineSeconds = contributionDeadlineSeconds
        self.runSecondsMax = runSecondsMax
        self.price = price
        self.stake = stake
    }
}

/// How one worker gets on with a task, for people.
public struct WorkStatus: Hashable, Sendable {
    public var worker: Address
    public var device: String
    public var stage: String
    public var fraction: Double
    /// Why the worker will not do it; nil while it will.
    public var refusal: String?

    public init(
        worker: Address, device: String, stage: String, fraction: Double, refusal: String? = nil
    ) {
        self.worker = worker
        self.device = device
        self.stage = stage
        self.fraction = fraction
        self.refusal = refusal
    }
}
