public import Core
public import Ethereum

/// What a call did.
public struct Outcome: Hashable, Sendable {
    /// What happened, in order.
    public var events: [Event]
    /// What was owed and moved, in order; each takes from one bucket what it gives another.
    public var transfers: [Transfer]
    /// The rows that are new or changed.
    public var changes: Hub.Tables

    public init(events: [Event], transfers: [Transfer], changes: Hub.Tables = .init()) {
        self.events = events
        self.transfers = transfers
        self.changes = changes
    }

    /// The deal that a match made.
    public var dealID: Hash256? {
        for case .ordersMatched(let dealID, _) in events { return dealID }
        return nil
    }

    /// The task that was initialised.
    public var taskID: Hash256? {
        for case .taskInitialize(let taskID, _) in events { return taskID }
        return nil
    }

    /// The app, dataset or workerpool that was created.
    public var created: Address? {
        for case .created(_, let address, _) in events { return address }
        return nil
    }
}

/// Something subscribers hear of. Names follow the hub's.
public enum Event: Hashable, Sendable {
    case categoryCreated(number: Int)
    /// `registry` is `app`, `dataset` or `workerpool`.
    case created(registry: String, address: Address, owner: Address)
    case policyChanged(workerpool: Address)
    case orderSigned(Hash256)
    case orderClosed(Hash256)
    /// To the workerpool's scheduler: there is work.
    case schedulerNotice(workerpool: Address, dealID: Hash256)
    case ordersMatched(dealID: Hash256, volume: UInt256)
    case taskInitialize(taskID: Hash256, workerpool: Address)
    case taskContribute(taskID: Hash256, worker: Address, resultHash: Hash256)
    case taskConsensus(taskID: Hash256, consensus: Hash256)
    case taskReveal(taskID: Hash256, worker: Address, digest: Hash256)
    case taskReopen(taskID: Hash256)
    case taskFinalize(taskID: Hash256, results: Bytes)
    case taskClaimed(taskID: Hash256)
    case accurateContribution(worker: Address, taskID: Hash256)
    case faultyContribution(worker: Address, taskID: Hash256)

    /// The task it is about, if it is about one.
    public var taskID: Hash256? {
        switch self {
        case .taskInitialize(let id, _), .taskContribute(let id, _, _), .taskConsensus(let id, _),
            .taskReveal(let id, _, _), .taskReopen(let id), .taskFinalize(let id, _),
            .taskClaimed(let id), .accurateContribution(_, let id),
            .faultyContribution(_, let id):
            id
        default: nil
        }
    }
}

/// Tokens that move from one bucket to another.
public struct Transfer: Hashable, Sendable {
    /// Why they move.
    public enum Kind: String, Hashable, Sendable {
        /// New tokens.
        case issue
        /// Between two accounts, by their owner's will.
        case transfer
        /// An account's own tokens into the hub's hold.
        case lock
        /// Back out of the hold.
        case unlock
        /// Out of the hold, into the pot that a settlement shares out.
        case seize
        /// Out of that pot.
        case reward
    }

    /// Where tokens lie.
    public enum Bucket: Hashable, Sendable {
        case available(Address)
        case locked(Address)
        /// Empty between calls: what was seized is rewarded in the same call.
        case pot
        /// Where tokens come from: it holds minus the supply, so that all buckets sum to zero.
        case issuance
    }

    public var kind: Kind
    public var from: Bucket
    public var to: Bucket
    public var amount: UInt256
    /// The deal or task that it is for; zero for none.
    public var reference: Hash256

    public init(kind: Kind, from: Bucket, to: Bucket, amount: UInt256, reference: Hash256) {
        self.kind = kind
        self.from = from
        self.to = to
        self.amount = amount
        self.reference = reference
    }
}
