internal import Core
internal import Ethereum

extension Draft {
    mutating func finalize(
        _ taskID: Hash256, _ results: Bytes, _ callback: Bytes
    ) throws(Rejection) {
        try requireShort(results.count)
        try requireShort(callback.count)
        var (task, deal) = try revealingTask(taskID)
        try requireScheduler(deal)
        try requireBeforeEnd(task)
        let isRevealed = task.revealCount == task.winnerCount
        let isOver = nowSeconds >= task.revealDeadlineSeconds
        guard isRevealed || (task.revealCount > 0 && isOver) else {
            throw Rejection(
                .revealsAhead,
                "\(task.revealCount) of \(task.winnerCount) reveals, and they end at "
                    + "\(task.revealDeadlineSeconds)")
        }
        try requireCallback(deal, callback, digest: task.resultDigest)
        task.status = .completed
        task.results = results
        task.resultsCallback = callback
        task.endedSeconds = nowSeconds
        put(task, at: taskID)
        try payForWork(deal, taskID)
        try payWorkers(task, deal, taskID)
        emit(.taskFinalize(taskID: taskID, results: results))
    }

    mutating func contributeAndFinalize(
        _ taskID: Hash256, _ digest: Hash256, _ results: Bytes, _ callback: Bytes,
        _ permission: Call.Permission
    ) throws(Rejection) {
        try requireShort(results.count)
        try requireShort(callback.count)
        var (task, deal) = try activeTask(taskID)
        guard task.contributors.isEmpty else {
            throw Rejection(.contributors, "task \(taskID) has contributors")
        }
        guard deal.trust == 1 else {
            throw Rejection(.trust, "the deal wants trust \(deal.trust), which one worker is not")
        }
        let hash = Identifiers.resultHash(task: taskID, digest: digest)
        let seal = Identifiers.resultSeal(worker: sender, task: taskID, digest: digest)
        try requireCallback(deal, callback, digest: digest)
        try requirePermission(permission, taskID, deal, hash: hash, seal: seal)
        task.status = .completed
        task.consensus = hash
        task.revealDeadlineSeconds =
            nowSeconds + task.timeReferenceSeconds * Hub.revealDeadlineRatio
        task.revealCount = 1
        task.winnerCount = 1
        task.resultDigest = digest
        task.results = results
        task.resultsCallback = callback
        task.contributors.append(sender)
        task.endedSeconds = nowSeconds
        put(task, at: taskID)
        try payForWork(deal, taskID)
        // No stake, no score: one worker's word.
        let price = deal.workerpool.price
        let workers = try price.percent(try UInt256(100).minus(deal.schedulerRewardRatio))
        try reward(workers, to: sender, for: taskID)
        try reward(try price.minus(workers), to: deal.workerpool.owner, for: taskID)
        put(
            Hub.Contribution(
                status: .proved, resultHash: hash, resultSeal: seal, enclave: permission.enclave,
                logWeight: 0, contributedSeconds: nowSeconds, paid: workers),
            at: taskID, by: sender)
        emit(.taskContribute(taskID: taskID, worker: sender, resultHash: hash))
        emit(.taskConsensus(taskID: taskID, consensus: hash))
        emit(.taskReveal(taskID: taskID, worker: sender, digest: digest))
        emit(.taskFinalize(taskID: taskID, results: results))
    }

    mutating func claim(_ taskID: Hash256) throws(Rejection) {
        var (task, deal) = try taskAndDeal(taskID)
        guard task.status == .active || task.status == .revealing else {
            throw Rejection(.notOpen, "task \(taskID) is \(task.status.rawValue)")
        }
        guard nowSeconds >= task.finalDeadlineSeconds else {
            throw Rejection(.finalDeadlineAhead, "the task ends at \(task.finalDeadlineSeconds)")
        }
        task.status = .failed
        task.endedSeconds = nowSeconds
        put(task, at: taskID)
        try unlock(try deal.taskPrice(), of: deal.sponsor, for: taskID)
        let stake = try deal.poolStake()
        try seize(stake, of: deal.workerpool.owner, for: taskID)
        try reward(stake, to: Identifiers.kitty, for: taskID)
        try lock(stake, of: Identifiers.kitty, for: taskID)
        // Nobody was paid, so nobody is punished: not even wrong workers.
        for worker in task.contributors {
            try unlock(deal.workerStake, of: worker, for: taskID)
        }
        emit(.taskClaimed(taskID: taskID))
    }

    /// The sponsor pays; app and dataset owners earn; the pool's stake is freed, with a share of
    /// the kitty. The pool's price stays in the pot.
    private mutating func payForWork(_ deal: Hub.Deal, _ taskID: Hash256) throws(Rejection) {
        try seize(try deal.taskPrice(), of: deal.sponsor, for: taskID)
        try reward(deal.app.price, to: deal.app.owner, for: taskID)
        try reward(deal.dataset.price, to: deal.dataset.owner, for: taskID)
        try unlock(try deal.poolStake(), of: deal.workerpool.owner, for: taskID)
        let kitty = account(Identifiers.kitty).locked
        let share = min(max(try kitty.percent(Hub.kittyRatio), Hub.kittyMin), kitty)
        try seize(share, of: Identifiers.kitty, for: taskID)
        try reward(share, to: deal.workerpool.owner, for: taskID)
    }

    /// Shares the pool's price and the losers' stakes among those who proved, by log weight;
    /// the scheduler keeps its ratio and what rounding leaves.
    private mutating func payWorkers(
        _ task: Hub.Task, _ deal: Hub.Deal, _ taskID: Hash256
    ) throws(Rejection) {
        var pot = deal.workerpool.price
        var totalLogWeight: UInt256 = 0
        var rows: [(worker: Address, contribution: Hub.Contribution)] = []
        for worker in task.contributors {
            guard let one = contribution(taskID, by: worker) else {
                preconditionFailure("every contributor has a contribution")
            }
            rows.append((worker, one))
            if one.status == .proved {
                totalLogWeight = try totalLogWeight.plus(UInt256(UInt64(one.logWeight)))
            } else {
                try seize(deal.workerStake, of: worker, for: taskID)
                pot = try pot.plus(deal.workerStake)
            }
        }
        let workers = try pot.percent(try UInt256(100).minus(deal.schedulerRewardRatio))
        for (worker, var one) in rows {
            guard one.status == .proved else {
                putScore(score(worker) * 2 / 3, of: worker)
                emit(.faultyContribution(worker: worker, taskID: taskID))
                continue
            }
            let share = try workers.times(UInt256(UInt64(one.logWeight)))
                .divided(by: totalLogWeight)
            pot = try pot.minus(share)
            try unlock(deal.workerStake, of: worker, for: taskID)
            try reward(share, to: worker, for: taskID)
            one.paid = share
            put(one, at: taskID, by: worker)
            // A worker alone has shown nothing about its results.
            guard rows.count > 1 else { continue }
            putScore(score(worker) + 1, of: worker)
            emit(.accurateContribution(worker: worker, taskID: taskID))
        }
        try reward(pot, to: deal.workerpool.owner, for: taskID)
    }
}
