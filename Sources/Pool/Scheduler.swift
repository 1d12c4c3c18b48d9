public import Contribution
public import Core
public import Ethereum

/// What a workerpool's owner has to do, as a function of the market alone: nothing to remember,
/// so nothing to lose in a crash.
public enum Scheduler {
    /// A call the owner should send now.
    public enum Duty: Hashable, Sendable {
        case initialize(dealID: Hash256, index: UInt256)
        case finalize(taskID: Hash256)
        case reopen(taskID: Hash256)
        case claim(taskID: Hash256)
    }

    /// The duties towards `workerpool`'s deals, oldest deal first.
    ///
    /// - Parameters:
    ///   - delivered: tasks whose leaves have arrived and hash to the revealed digest. A task whose
    ///     leaves nobody delivered is not paid: at its last deadline the requester gets all back.
    public static func duties(
        _ hub: Hub, workerpool: Address, delivered: Set<Hash256>, nowSeconds: Int
    ) -> [Duty] {
        deals(of: workerpool, in: hub).flatMap { id, deal in
            (0..<(deal.volume.int ?? 0)).compactMap { offset -> Duty? in
                guard let index = deal.firstIndex.adding(UInt256(UInt64(offset))) else {
                    return nil
                }
                let taskID = Identifiers.task(deal: id, index: index)
                guard let task = hub.task(taskID) else {
                    return canStillStart(deal, in: hub, nowSeconds: nowSeconds)
                        ? .initialize(dealID: id, index: index) : nil
                }
                return duty(
                    taskID, task, isDelivered: delivered.contains(taskID), nowSeconds: nowSeconds)
            }
        }
    }

    static func deals(of workerpool: Address, in hub: Hub) -> [(Hash256, Hub.Deal)] {
        hub.tables.deals.filter { $0.value.workerpool.address == workerpool }
            .sorted { ($0.value.startSeconds, $0.key) < ($1.value.startSeconds, $1.key) }
            .map { ($0.key, $0.value) }
    }

    /// A task that is initialised after its contributions end accepts nothing; it can only be
    /// claimed back, for which it has to be initialised too.
    private static func canStillStart(_ deal: Hub.Deal, in hub: Hub, nowSeconds: Int) -> Bool {
        guard let category = hub.category(deal.category) else { return false }
        let unit = category.workClockTimeReferenceSeconds
        let end = deal.startSeconds + Hub.contributionDeadlineRatio * unit
        return nowSeconds < end || nowSeconds >= deal.startSeconds + Hub.finalDeadlineRatio * unit
    }

    private static func duty(
        _ taskID: Hash256, _ task: Hub.Task, isDelivered: Bool, nowSeconds: Int
    ) -> Duty? {
        switch task.status {
        case .completed, .failed: return nil
        case .active, .revealing:
            if nowSeconds >= task.finalDeadlineSeconds { return .claim(taskID: taskID) }
        }
        guard task.status == .revealing else { return nil }
        let isRevealOver = nowSeconds >= task.revealDeadlineSeconds
        if isRevealOver && task.revealCount == 0 { return .reopen(taskID: taskID) }
        let isRevealed =
            task.revealCount == task.winnerCount
            || (isRevealOver && task.revealCount > 0)
        return isRevealed && isDelivered ? .finalize(taskID: taskID) : nil
    }
}

// MARK: - Assigning

extension Scheduler {
    /// A worker that was given a task.
    public struct Given: Hashable, Sendable {
        public var worker: Address
        public var atSeconds: Int
        /// It said that it will not do it.
        public var isRefused: Bool

        public init(worker: Address, atSeconds: Int, isRefused: Bool) {
            self.worker = worker
            self.atSeconds = atSeconds
            self.isRefused = isRefused
        }
    }

    /// What a worker gets when it asks.
    public enum Pick: Hashable, Sendable {
        case task(Hash256)
        /// No task, and the rule that says so.
        case idle(String)
    }

    /// The oldest task that `worker` may work on and that still needs one.
    ///
    /// Workers that were given a task less than T ago and have not contributed count as agreeing;
    /// so a task gets as many replicas as its trust needs, and more only when some disagree or
    /// take too long.
    ///
    /// - Parameters:
    ///   - holding: tasks the worker works on already. One that it was given and does not hold was
    ///     lost on the way, and is given again.
    ///   - given: for each task, who was given it.
    public static func pick(
        for worker: Address, holding: Set<Hash256>, given: [Hash256: [Given]], _ hub: Hub,
        workerpool: Address, nowSeconds: Int
    ) -> Pick {
        var reason = "no task is open"
        for (dealID, deal) in deals(of: workerpool, in: hub) {
            for offset in 0..<(deal.volume.int ?? 0) {
                guard let index = deal.firstIndex.adding(UInt256(UInt64(offset))) else { continue }
                let taskID = Identifiers.task(deal: dealID, index: index)
                guard let task = hub.task(taskID), task.status == .active else { continue }
                let others = given[taskID] ?? []
                let objection = objection(
                    worker, isHeld: holding.contains(taskID), taskID, task, deal, others, hub,
                    nowSeconds: nowSeconds)
                guard let objection else { return .task(taskID) }
                reason = objection
            }
        }
        return .idle(reason)
    }

    private static func objection(
        _ worker: Address, isHeld: Bool, _ taskID: Hash256, _ task: Hub.Task, _ deal: Hub.Deal,
        _ given: [Given], _ hub: Hub, nowSeconds: Int
    ) -> String? {
        if isHeld { return "the open tasks are in work here" }
        if task.contributors.contains(worker) { return "contributed to the open tasks" }
        let mine = given.first { $0.worker == worker }
        if mine?.isRefused == true { return "refused the open tasks" }
        if nowSeconds >= task.contributionDeadlineSeconds {
            return "the open tasks' contribution deadline has passed"
        }
        if hub.account(worker).available < deal.workerStake {
            return "stake: \(hub.account(worker).available) tokens are free, a task locks "
                + "\(deal.workerStake)"
        }
        if mine != nil { return nil }
        let pending = given.filter { other in
            !other.isRefused && !task.contributors.contains(other.worker)
                && nowSeconds < other.atSeconds + task.timeReferenceSeconds
        }
        let needed = Replication.moreWorkersNeeded(
            task, trust: deal.trust, pending: pending.map { hub.score($0.worker) },
            score: hub.score(worker))
        return needed > 0 ? nil : "the open tasks have all the workers they need"
    }
}
