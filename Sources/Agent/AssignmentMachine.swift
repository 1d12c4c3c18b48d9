public import Contribution
public import Core
public import Digest
public import Ethereum
public import PoolProtocol

/// One task's life on one rig, as a value: what is durable, and what to do next.
///
/// The record is in the journal before the step that follows from it is taken, so a restart reads
/// it and goes on; if the machine lost power, from an earlier stage: the market knows the rest.
/// A result, once journalled, is never computed again: the same digest is contributed and revealed,
/// whatever happens to the process.
public struct AssignmentRecord: Hashable, Sendable {
    /// How far the task has come. Each stage is reached by one transaction of the journal.
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        /// Accepted; nothing is computed.
        case given
        /// The result is durable; nothing is sent.
        case computed
        /// The market has our contribution.
        case contributed
        /// The market has our reveal.
        case revealed
        /// The pool has the leaves.
        case delivered
        /// Paid, with a receipt that both have signed.
        case paid
        /// Ended without pay; `reason` says why.
        case abandoned

    }

    public var assignment: Assignment
    public var stage: Stage
    /// Set from `computed` on.
    public var result: TaskResult?
    /// Runs that a host or the machine did not survive.
    public var attempts: Int
    /// The start of the machine that the latest run was begun in; nil before the first run.
    public var boot: String?
    /// Why it was abandoned.
    public var reason: String?
    /// Seconds spent in the task's transactions so far; what is being written now is not in it.
    public var journalSeconds = 0.0

    public init(
        assignment: Assignment, stage: Stage = .given, result: TaskResult? = nil,
        attempts: Int = 0, reason: String? = nil
    ) {
        self.assignment = assignment
        self.stage = stage
        self.result = result
        self.attempts = attempts
        self.reason = reason
    }

    /// Whether nothing is left to do.
    public var isOver: Bool { stage == .paid || stage == .abandoned }

    /// Whether the record must be on disk, not only in the system's memory, before anything
    /// follows from it. A result must, since a stake is locked on it next; so must an end, and what
    /// has failed once. The others can be read from the market again: an assignment that was
    /// forgotten is offered anew, and a contribution, reveal or delivery shows in the next view.
    public var isFlushed: Bool {
        switch stage {
        case .computed, .paid, .abandoned: true
        case .given, .contributed, .revealed, .delivered: attempts > 0
        }
    }

    /// The record of a run that begins now; nil when it says so already. A run that was begun
    /// before the machine went down has failed: it may be what took the machine down.
    public func begun(inBoot current: String) -> AssignmentRecord? {
        guard boot != current else { return nil }
        var next = self
        if boot != nil { next.attempts += 1 }
        next.boot = current
        return next
    }
}

/// What a finished run left behind.
public struct TaskResult: Hashable, Sendable {
    /// What the worker commits to.
    public var digest: ResultDigest
    /// The leaf file in the agent's store.
    public var leaves: TaskSpec.ContentID
    /// The app's name, for the receipt.
    public var app: String
    public var device: String
    public var conformance: Hash256
    /// Stage → seconds: those that the hosts name, and `fetch` and `store` of the agent.
    public var seconds: [String: Double]

    public init(
        digest: ResultDigest, leaves: TaskSpec.ContentID, app: String, device: String,
        conformance: Hash256, seconds: [String: Double]
    ) {
        self.digest = digest
        self.leaves = leaves
        self.app = app
        self.device = device
        self.conformance = conformance
        self.seconds = seconds
    }
}

// MARK: - Next step

extension AssignmentRecord {
    /// What to do now.
    public enum Action: Hashable, Sendable {
        /// Nothing yet; the text says what it waits for.
        case wait(String)
        case compute
        case contribute(Call.Claim)
        case reveal(digest: Hash256)
        case deliver
        /// Have the receipt signed; then the task is paid.
        case settle
        /// The deadline has passed and nobody has claimed: get the stake back.
        case claim
        /// The market is further than the record: catch up.
        case advance(Stage)
        /// End without pay. A device whose result lost is not to be trusted.
        case abandon(String, distrustsDevice: Bool)
    }

    /// Contributions are sent only when this much time is left.
    static let contributionMarginSeconds = 2
    /// How long after the last deadline the pool may take to claim.
    static let claimMarginSeconds = 30

    /// The next step, from what the market says.
    ///
    /// - Parameter worker: whose task it is.
    public func next(_ view: TaskView, worker: Address) -> Action {
        if isOver { return .wait("nothing: it is over") }
        guard let task = view.task else {
            return .abandon("the market does not know the task", distrustsDevice: false)
        }
        if task.status == .failed {
            return .abandon(
                "the task failed at its last deadline: stakes are back", distrustsDevice: false)
        }
        if task.status != .completed,
            view.nowSeconds >= task.finalDeadlineSeconds + Self.claimMarginSeconds
        {
            return .claim
        }
        if task.status == .completed, result == nil {
            return .abandon("others reached consensus first", distrustsDevice: false)
        }
        switch stage {
        case .given: return beforeContribution(view, task) ?? .compute
        case .computed: return afterComputing(view, task, worker: worker)
        case .contributed: return afterContributing(view, task)
        case .revealed:
            return task.status == .completed ? .advance(.delivered) : .deliver
        case .delivered:
            return task.status == .completed ? .settle : .wait("the pool to finalize")
        case .paid, .abandoned: return .wait("nothing: it is over")
        }
    }

    /// What speaks against a contribution now.
    private func beforeContribution(_ view: TaskView, _ task: Hub.Task) -> Action? {
        // A contribution that this journal does not know has a stake on it. The result can be
        // computed again, for the same task gives the same bits, and then be revealed.
        guard view.contribution == nil else { return nil }
        guard task.status == .active else {
            return .abandon("others reached consensus first", distrustsDevice: false)
        }
        let deadline = task.contributionDeadlineSeconds - Self.contributionMarginSeconds
        guard view.nowSeconds < deadline else {
            return .abandon("the contribution deadline has passed", distrustsDevice: false)
        }
        return nil
    }

    private func afterComputing(
        _ view: TaskView, _ task: Hub.Task, worker: Address
    ) -> Action {
        guard let claim = claim(worker: worker) else {
            return .abandon("the journal has no result", distrustsDevice: false)
        }
        if let contribution = view.contribution {
            return contribution.resultHash == claim.resultHash
                ? .advance(.contributed)
                : .abandon(
                    "the market has another result of ours: \(contribution.resultHash)",
                    distrustsDevice: true)
        }
        return beforeContribution(view, task) ?? .contribute(claim)
    }

    private func afterContributing(_ view: TaskView, _ task: Hub.Task) -> Action {
        guard let contribution = view.contribution, let result else {
            return .abandon("the market lost our contribution", distrustsDevice: false)
        }
        switch contribution.status {
        case .proved: return .advance(.revealed)
        case .rejected:
            return .abandon("nobody revealed in time: the stake is lost", distrustsDevice: false)
        case .contributed: break
        }
        switch task.status {
        case .active: return .wait("other workers to agree")
        case .revealing:
            guard task.consensus == contribution.resultHash else {
                return .abandon(
                    "consensus is on another result: the stake is lost", distrustsDevice: true)
            }
            return view.nowSeconds < task.revealDeadlineSeconds
                ? .reveal(digest: result.digest.hash)
                : .wait("the pool: the reveal deadline has passed")
        case .completed, .failed:
            return .abandon(
                "the task ended without our reveal: the stake is lost",
                distrustsDevice: task.consensus != contribution.resultHash)
        }
    }

    /// What we contribute; nil before there is a result.
    public func claim(worker: Address) -> Call.Claim? {
        result.map {
            Call.Claim(
                worker: worker, taskID: assignment.taskID, digest: $0.digest.hash,
                permission: Call.Permission(authorization: assignment.authorization))
        }
    }

    /// The receipt of a paid task; nil when the view lacks what it is made of.
    ///
    /// - Throws: ``Failure`` (refused) when the market has not paid our result.
    public func receipt(
        _ view: TaskView, worker: Address, chainID: UInt256, market: Address
    ) throws(Failure) -> Receipt? {
        guard let result, let task = view.task, let deal = view.deal,
            let contribution = view.contribution
        else { return nil }
        // Intake takes tasks for exact devices only, so that is what the result was computed on.
        let device = Receipt.Device(
            label: result.device, verdict: .exact, conformance: result.conformance)
        return try Receipt(
            of: assignment.taskID, worker: worker, result: result.digest, device: device,
            chainID: chainID, market: market, deal: deal, task: task, contribution: contribution)
    }
}
