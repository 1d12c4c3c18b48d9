public import Core
public import Ethereum

extension Hub {
    /// Tokens of one address.
    public struct Account: Hashable, Sendable {
        /// What its owner may spend or lock.
        public var available: UInt256 = 0
        /// Held by the hub for deals and contributions.
        public var locked: UInt256 = 0

        public init(available: UInt256 = 0, locked: UInt256 = 0) {
            self.available = available
            self.locked = locked
        }
    }

    /// A size of work: how long a task may take.
    public struct Category: Hashable, Sendable {
        public var name: String
        /// T: the time one run may take. Contributions end at start + 7T, all ends at start + 10T.
        public var workClockTimeReferenceSeconds: Int

        public init(name: String, workClockTimeReferenceSeconds: Int) {
            self.name = name
            self.workClockTimeReferenceSeconds = workClockTimeReferenceSeconds
        }
    }

    /// A registered app: a name, where to find it, and the content hash that is its version.
    public struct App: Hashable, Sendable {
        public var owner: Address
        public var name: String
        /// What runs it, such as `RIGOR`.
        public var kind: String
        /// Where its bytes are.
        public var location: String
        /// Content hash of what runs: `appVersion` in results and receipts.
        public var version: Hash256

        public init(
            owner: Address, name: String, kind: String, location: String, version: Hash256
        ) {
            self.owner = owner
            self.name = name
            self.kind = kind
            self.location = location
            self.version = version
        }
    }

    /// A registered dataset.
    public struct Dataset: Hashable, Sendable {
        public var owner: Address
        public var name: String
        public var location: String
        public var checksum: Hash256

        public init(owner: Address, name: String, location: String, checksum: Hash256) {
            self.owner = owner
            self.name = name
            self.location = location
            self.checksum = checksum
        }
    }

    /// A registered workerpool and its policy.
    public struct Workerpool: Hashable, Sendable {
        public var owner: Address
        public var description: String
        /// Percent of the pool's price that a worker locks a task; no upper bound.
        public var workerStakeRatio: UInt256 = 30
        /// Percent of the reward pot that the scheduler keeps; at most 100.
        public var schedulerRewardRatio: UInt256 = 1

        public init(
            owner: Address, description: String, workerStakeRatio: UInt256 = 30,
            schedulerRewardRatio: UInt256 = 1
        ) {
            self.owner = owner
            self.description = description
            self.workerStakeRatio = workerStakeRatio
            self.schedulerRewardRatio = schedulerRewardRatio
        }
    }

    /// One side of a deal: what is used, who is paid, how much a task.
    public struct Part: Hashable, Sendable {
        public var address: Address
        public var owner: Address
        public var price: UInt256

        public init(address: Address, owner: Address, price: UInt256) {
            self.address = address
            self.owner = owner
            self.price = price
        }
    }

    /// Matched orders. All of it is frozen at the match.
    public struct Deal: Hashable, Sendable {
        public var app: Part
        /// The zero address when there is none.
        public var dataset: Part
        public var workerpool: Part
        /// At least 1.
        public var trust: UInt256
        public var category: Int
        public var tag: UInt256
        public var requester: Address
        public var beneficiary: Address
        public var callback: Address
        public var params: String
        public var startSeconds: Int
        /// Task indices are `firstIndex ..< firstIndex + volume`.
        public var firstIndex: UInt256
        public var volume: UInt256
        /// What a worker locks a task.
        public var workerStake: UInt256
        /// Percent.
        public var schedulerRewardRatio: UInt256
        /// Who pays.
        public var sponsor: Address
    }

    /// Where a task stands.
    public enum TaskStatus: String, Hashable, Sendable, CaseIterable {
        /// Takes contributions.
        case active
        /// A hash has consensus; its workers reveal.
        case revealing
        /// Paid.
        case completed
        /// Claimed back.
        case failed
    }

    /// One task of a deal.
    public struct Task: Hashable, Sendable {
        public var status: TaskStatus
        public var dealID: Hash256
        public var index: UInt256
        /// T of the deal's category.
        public var timeReferenceSeconds: Int
        /// Contributions must come before this time.
        public var contributionDeadlineSeconds: Int
        /// Reveals must come before this time; 0 while there is no consensus.
        public var revealDeadlineSeconds: Int
        /// Finalize must come before this time, claim not before.
        public var finalDeadlineSeconds: Int
        /// The result hash that won.
        public var consensus: Hash256?
        public var revealCount: Int
        public var winnerCount: Int
        /// In order of arrival.
        public var contributors: [Address]
        /// As revealed.
        public var resultDigest: Hash256?
        /// Given at finalize: where the results are.
        public var results: Bytes
        public var resultsCallback: Bytes
        /// 1 + all groups' growth: the denominator of consensus.
        public var total: UInt256
        /// Result hash → product of its workers' weights.
        public var groups: [Hash256: UInt256]
        /// When it was completed or failed; 0 before.
        public var endedSeconds: Int
    }

    /// Where a worker's contribution stands.
    public enum ContributionStatus: String, Hashable, Sendable, CaseIterable {
        case contributed
        /// Revealed in time.
        case proved
        /// Had consensus, and nobody revealed.
        case rejected
    }

    /// One worker's word on one task.
    public struct Contribution: Hashable, Sendable {
        public var status: ContributionStatus
        public var resultHash: Hash256
        public var resultSeal: Hash256
        public var enclave: Address
        /// floor(log2 of the weight): the worker's share in the pay.
        public var logWeight: Int
        public var contributedSeconds: Int
        /// What it earned at finalize, without the stake; 0 before.
        public var paid: UInt256
    }

    /// Names one contribution.
    public struct ContributionKey: Hashable, Sendable {
        public var taskID: Hash256
        public var worker: Address

        public init(taskID: Hash256, worker: Address) {
            self.taskID = taskID
            self.worker = worker
        }
    }
}
