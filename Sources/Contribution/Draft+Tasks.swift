internal import Core
internal import Digest
internal import Ethereum

extension Draft {
    mutating func initialize(_ dealID: Hash256, _ index: UInt256) throws(Rejection) {
        guard let deal = hub.deal(dealID) else {
            throw Rejection(.dealUnknown, "there is no deal \(dealID)")
        }
        guard index >= deal.firstIndex, let offset = index.subtracting(deal.firstIndex),
            offset < deal.volume
        else {
            throw Rejection(
                .indexRange,
                "index \(index): \(deal.volume) tasks from \(deal.firstIndex) on expected")
        }
        let taskID = Identifiers.task(deal: dealID, index: index)
        guard hub.task(taskID) == nil else {
            throw Rejection(.taskExists, "task \(taskID) is initialised")
        }
        guard let category = hub.category(deal.category) else {
            preconditionFailure("a deal's category stays")
        }
        let reference = category.workClockTimeReferenceSeconds
        // Deadlines count from the deal, not from here: a late task has less time, or none.
        let task = Hub.Task(
            status: .active, dealID: dealID, index: index, timeReferenceSeconds: reference,
            contributionDeadlineSeconds: deal.startSeconds
                + reference * Hub.contributionDeadlineRatio,
            revealDeadlineSeconds: 0,
            finalDeadlineSeconds: deal.startSeconds + reference * Hub.finalDeadlineRatio,
            consensus: nil, revealCount: 0, winnerCount: 0, contributors: [], resultDigest: nil,
            results: [], resultsCallback: [], total: 1, groups: [:], endedSeconds: 0)
        put(task, at: taskID)
        emit(.taskInitialize(taskID: taskID, workerpool: deal.workerpool.address))
    }

    mutating func contribute(_ taskID: Hash256, _ claim: Call.Claim) throws(Rejection) {
        var (task, deal) = try activeTask(taskID)
        guard contribution(taskID, by: sender) == nil else {
            throw Rejection(.contributedBefore, "\(sender) has contributed to task \(taskID)")
        }
        try requirePermission(
            claim.permission, taskID, deal, hash: claim.resultHash, seal: claim.resultSeal)
        let weight = Replication.weight(score: score(sender))
        task.contributors.append(sender)
        try lock(deal.workerStake, of: sender, for: taskID)
        put(
            Hub.Contribution(
                status: .contributed, resultHash: claim.resultHash, resultSeal: claim.resultSeal,
                enclave: claim.permission.enclave, logWeight: weight.floorLog2 ?? 0,
                contributedSeconds: nowSeconds, paid: 0),
            at: taskID, by: sender)
        emit(.taskContribute(taskID: taskID, worker: sender, resultHash: claim.resultHash))

        let group = task.groups[claim.resultHash] ?? 0
        let grown = try max(group, 1).times(weight)
        task.total = try task.total.plus(try grown.minus(group))
        task.groups[claim.resultHash] = grown
        try settleConsensus(&task, taskID, deal, on: claim.resultHash)
        put(task, at: taskID)
    }

    /// Consensus: group · trust > total · (trust − 1).
    private mutating func settleConsensus(
        _ task: inout Hub.Task, _ taskID: Hash256, _ deal: Hub.Deal, on hash: Hash256
    ) throws(Rejection) {
        let group = task.groups[hash] ?? 0
        guard try group.times(deal.trust) > task.total.times(try deal.trust.minus(1)) else {
            return
        }
        let winners = task.contributors.filter {
            let one = contribution(taskID, by: $0)
            return one?.resultHash == hash && one?.status == .contributed
        }
        task.status = .revealing
        task.consensus = hash
        task.revealDeadlineSeconds =
            nowSeconds + task.timeReferenceSeconds * Hub.revealDeadlineRatio
        task.revealCount = 0
        task.winnerCount = winners.count
        emit(.taskConsensus(taskID: taskID, consensus: hash))
    }

    mutating func reveal(_ taskID: Hash256, _ digest: Hash256) throws(Rejection) {
        var (task, _) = try revealingTask(taskID)
        guard nowSeconds < task.revealDeadlineSeconds else {
            throw Rejection(.revealDeadline, "reveals ended at \(task.revealDeadlineSeconds)")
        }
        guard var own = contribution(taskID, by: sender), own.status == .contributed else {
            throw Rejection(.notContributed, "\(sender) has nothing to reveal in task \(taskID)")
        }
        guard own.resultHash == task.consensus else {
            throw Rejection(.notConsensus, "another hash has consensus in task \(taskID)")
        }
        guard own.resultHash == Identifiers.resultHash(task: taskID, digest: digest) else {
            throw Rejection(.digest, "digest \(digest) does not give the contributed hash")
        }
        guard own.resultSeal == Identifiers.resultSeal(worker: sender, task: taskID, digest: digest)
        else { throw Rejection(.seal, "digest \(digest) does not give the contributed seal") }
        own.status = .proved
        put(own, at: taskID, by: sender)
        task.revealCount += 1
        task.resultDigest = digest
        put(task, at: taskID)
        emit(.taskReveal(taskID: taskID, worker: sender, digest: digest))
    }

    mutating func reopen(_ taskID: Hash256) throws(Rejection) {
        var (task, deal) = try revealingTask(taskID)
        try requireScheduler(deal)
        try requireBeforeEnd(task)
        guard nowSeconds >= task.revealDeadlineSeconds else {
            throw Rejection(.revealsAhead, "reveals end at \(task.revealDeadlineSeconds)")
        }
        guard task.revealCount == 0, let lost = task.consensus else {
            throw Rejection(.revealed, "task \(taskID) has \(task.revealCount) reveals")
        }
        for worker in task.contributors {
            guard var one = contribution(taskID, by: worker), one.resultHash == lost else {
                continue
            }
            one.status = .rejected
            put(one, at: taskID, by: worker)
        }
        task.total = try task.total.minus(task.groups[lost] ?? 0)
        task.groups[lost] = nil
        task.status = .active
        task.consensus = nil
        task.revealDeadlineSeconds = 0
        task.winnerCount = 0
        put(task, at: taskID)
        emit(.taskReopen(taskID: taskID))
    }
}

// MARK: - What calls require

extension Draft {
    func activeTask(_ taskID: Hash256) throws(Rejection) -> (Hub.Task, Hub.Deal) {
        let (task, deal) = try taskAndDeal(taskID)
        guard task.status == .active else {
            throw Rejection(.notActive, "task \(taskID) is \(task.status.rawValue), not active")
        }
        guard nowSeconds < task.contributionDeadlineSeconds else {
            throw Rejection(
                .contributionDeadline, "contributions ended at \(task.contributionDeadlineSeconds)")
        }
        return (task, deal)
    }

    func revealingTask(_ taskID: Hash256) throws(Rejection) -> (Hub.Task, Hub.Deal) {
        let (task, deal) = try taskAndDeal(taskID)
        guard task.status == .revealing else {
            throw Rejection(
                .notRevealing, "task \(taskID) is \(task.status.rawValue), not revealing")
        }
        return (task, deal)
    }

    func taskAndDeal(_ taskID: Hash256) throws(Rejection) -> (Hub.Task, Hub.Deal) {
        guard let task = hub.task(taskID) else {
            throw Rejection(.taskUnknown, "task \(taskID) is not initialised")
        }
        guard let deal = hub.deal(task.dealID) else {
            preconditionFailure("a task's deal stays")
        }
        return (task, deal)
    }

    func requireBeforeEnd(_ task: Hub.Task) throws(Rejection) {
        guard nowSeconds < task.finalDeadlineSeconds else {
            throw Rejection(.finalDeadline, "the task ended at \(task.finalDeadlineSeconds)")
        }
    }

    func requireScheduler(_ deal: Hub.Deal) throws(Rejection) {
        guard sender == deal.workerpool.owner else {
            throw Rejection(.notScheduler, "only the scheduler \(deal.workerpool.owner) may")
        }
    }

    func requirePermission(
        _ permission: Call.Permission, _ taskID: Hash256, _ deal: Hub.Deal, hash: Hash256,
        seal: Hash256
    ) throws(Rejection) {
        let enclave = permission.enclave
        guard enclave != .zero || !deal.tag.hasEnclaveBit else {
            throw Rejection(.enclaveMissing, "the deal's tag wants an enclave")
        }
        let broker = hub.settings.enclaveBroker
        let signer = enclave != .zero && broker != .zero ? broker : deal.workerpool.owner
        let statement = Identifiers.authorization(worker: sender, task: taskID, enclave: enclave)
        guard isSigned(PersonalMessage.hash(statement), permission.authorization, by: signer)
        else {
            throw Rejection(
                .authorization, "\(signer) has not authorised \(sender) for task \(taskID)")
        }
        guard enclave != .zero else { return }
        let result = Identifiers.enclaveStatement(hash: hash, seal: seal)
        guard isSigned(PersonalMessage.hash(result), permission.enclaveSignature, by: enclave)
        else {
            throw Rejection(.enclaveSignature, "enclave \(enclave) has not signed the result")
        }
    }

    func requireCallback(
        _ deal: Hub.Deal, _ callback: Bytes, digest: Hash256?
    ) throws(Rejection) {
        if deal.callback == .zero && callback.isEmpty { return }
        guard Keccak256.hash(callback) == digest else {
            throw Rejection(.callback, "the callback's bytes do not hash to the result digest")
        }
    }
}
