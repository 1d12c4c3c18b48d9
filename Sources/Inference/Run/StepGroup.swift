internal import Compute

/// A step of a plan, or several that are launched together.
struct StepGroup {
    /// The first step's index.
    var first: Int
    /// The part of the plan's work that is launched then.
    var done: Double
    /// Whether the same is launched every time.
    var isSteady: Bool
    /// Whether the same would be launched but for operands that lie elsewhere in every run.
    let isView: Bool
    /// What is launched every time, once it is known.
    var launches: [RecordedLaunch]?

    /// Prepared launches that a session keeps at most, by the steps that make them.
    static let steadyMax = 4096

    /// A plan's groups in order.
    ///
    /// - Parameters:
    ///   - extents: steps that are launched together, by the first one's index.
    ///   - varying: buffers that differ from run to run.
    static func groups(
        of plan: Plan, _ extents: [Int: Range<Int>], varying: Set<Int>
    ) -> [StepGroup] {
        let total = plan.cost
        var done = 1.0
        var groups: [StepGroup] = []
        var index = 0
        while index < plan.steps.count {
            let end = extents[index]?.upperBound ?? index + 1
            let steps = plan.steps[index..<end]
            for step in steps { done += step.cost }
            let isFixed = steps.allSatisfy { step in
                !varying.contains(step.result) && varying.isDisjoint(with: step.operands)
            }
            let isSteady = isFixed && groups.count < steadyMax
            groups.append(
                StepGroup(first: index, done: done / total, isSteady: isSteady, isView: !isFixed))
            index = end
        }
        return groups
    }
}
