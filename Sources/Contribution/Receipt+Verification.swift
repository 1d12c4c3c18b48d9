public import Core
internal import Digest
internal import Ethereum

extension SignedReceipt {
    /// Holds a receipt against the market: every hash recomputed, every party looked up there.
    ///
    /// - Parameter hub: the state of the market that the verifier trusts, never the receipt's word.
    /// - Returns: all checks in order. The receipt is good when each holds.
    public func checks(against hub: Hub) -> [Check] {
        var checks: [Check] = []
        func check<T: Equatable>(_ name: String, _ found: T?, _ expected: T?) {
            let holds = found != nil && found == expected
            let words = { (value: T?) in value.map { "\($0)" } ?? "nothing" }
            checks.append(
                Check(
                    name: name, holds: holds,
                    detail: holds
                        ? words(found) : "\(words(found)), expected \(words(expected))"))
        }
        check("chain", receipt.chainID, hub.settings.chainID)
        check("market", receipt.market, hub.settings.market)
        let deal = hub.deal(receipt.dealID)
        let task = hub.task(receipt.taskID)
        let own = hub.contribution(receipt.taskID, by: receipt.worker)

        // The hashes, from what they are made of.
        check(
            "task", receipt.taskID, Identifiers.task(deal: receipt.dealID, index: receipt.index))
        check("result digest", receipt.resultDigest, receipt.result.hash)
        check(
            "result hash", receipt.resultHash,
            Identifiers.resultHash(task: receipt.taskID, digest: receipt.resultDigest))
        check(
            "result seal", receipt.resultSeal,
            Identifiers.resultSeal(
                worker: receipt.worker, task: receipt.taskID, digest: receipt.resultDigest))

        // The market's word on all of it.
        let unknown = deal == nil ? "deal" : task == nil ? "task" : nil
        if let unknown {
            checks.append(
                Check(
                    name: unknown, holds: false, detail: "the ledger does not know this \(unknown)")
            )
        } else {
            check("deal", task?.dealID, receipt.dealID)
        }
        check("task status", task?.status.rawValue, Hub.TaskStatus.completed.rawValue)
        check("consensus", receipt.resultHash, task?.consensus)
        check("contribution", own?.status.rawValue, Hub.ContributionStatus.proved.rawValue)
        check("contributed hash", receipt.resultHash, own?.resultHash)
        check("contributed seal", receipt.resultSeal, own?.resultSeal)
        check("paid", receipt.paid, own?.paid)
        check("contributed at", receipt.contributedSeconds, own?.contributedSeconds)
        check("finalized at", receipt.finalizedSeconds, task?.endedSeconds)
        check("app", receipt.app, deal?.app.address)
        check(
            "app version", receipt.appVersion, deal.flatMap { hub.app($0.app.address)?.version })
        check(
            "task specification", receipt.taskSpec,
            deal.flatMap { try? RequestParameters($0.params).taskSpec })
        check("workerpool", receipt.workerpool, deal?.workerpool.address)
        check("workerpool owner", receipt.workerpoolOwner, deal?.workerpool.owner)
        check("requester", receipt.requester, deal?.requester)
        check("trust", receipt.trust, deal?.trust)
        check("verdict", receipt.verdict, Verdict(rawValue: receipt.verdict)?.rawValue)

        // Who signed: recovered, and held against the market's parties.
        let digest = receipt.digest
        check(
            "worker's signature", try? workerSignature.signer(of: digest),
            own == nil ? nil : receipt.worker)
        check(
            "workerpool's signature", try? workerpoolSignature.signer(of: digest),
            deal?.workerpool.owner)
        return checks
    }

    /// - Throws: ``Failure`` (untrusted) naming the first check that does not hold.
    public func verify(against hub: Hub) throws(Failure) {
        for check in checks(against: hub) where !check.holds {
            throw Failure(.untrusted, "receipt: \(check.name): \(check.detail)")
        }
    }
}
