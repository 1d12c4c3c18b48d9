public import Ethereum

/// How much a worker's word weighs, and how many must agree.
public enum Replication {
    /// max(score / 3, 3) − 1: 2 for a fresh worker.
    public static func weight(score: Int) -> UInt256 {
        UInt256(UInt64(max(max(score, 0) / 3, 3) - 1))
    }

    /// How many agreeing workers of one weight a fresh task needs.
    ///
    /// For fresh workers: trust up to 2 needs 1, up to 4 needs 2, up to 8 needs 3.
    public static func workersNeeded(trust: UInt256, score: Int = 0) -> Int {
        moreWorkersNeeded(trust: trust, group: 0, others: 0, weight: weight(score: score))
    }

    /// How many more workers a task needs if all of them agree with its strongest hash.
    ///
    /// - Parameters:
    ///   - pending: scores of workers that were given the task and have not contributed yet; they
    ///     are taken to agree.
    ///   - score: what the workers to come are taken to have.
    public static func moreWorkersNeeded(
        _ task: Hub.Task, trust: UInt256, pending: [Int] = [], score: Int = 0
    ) -> Int {
        guard task.status == .active else { return 0 }
        let groups = task.groups.values.sorted()
        var group = groups.last ?? 0
        let others = groups.dropLast().reduce(UInt256.zero) { $0.adding($1) ?? .max }
        for worker in pending {
            group = max(group, 1).multiplied(by: weight(score: worker)) ?? .max
        }
        return moreWorkersNeeded(
            trust: trust, group: group, others: others, weight: weight(score: score))
    }

    /// The least trust at which two agreeing workers are needed, and enough, whatever their scores
    /// within the range are when they contribute: 3 for fresh workers, more as scores grow.
    ///
    /// Nil when there is none: the heaviest word alone would outweigh two of the lightest.
    public static func trustForTwo(scores: ClosedRange<Int>) -> UInt256? {
        let lightest = weight(score: scores.lowerBound)
        let heaviest = weight(score: scores.upperBound)
        guard let two = lightest.multiplied(by: lightest), heaviest < two else { return nil }
        return heaviest.adding(1)
    }

    /// Consensus is group > (trust − 1)(1 + others): the same as the hub's inequality.
    private static func moreWorkersNeeded(
        trust: UInt256, group: UInt256, others: UInt256, weight: UInt256
    ) -> Int {
        let doubts = max(trust, 1).subtracting(1) ?? 0
        let bound = others.adding(1)?.multiplied(by: doubts) ?? .max
        var group = group
        var count = 0
        while group <= bound {
            count += 1
            guard let next = max(group, 1).multiplied(by: weight) else { break }
            group = next
        }
        return count
    }
}
