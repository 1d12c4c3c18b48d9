internal import Core

extension Plan {
    /// Has products read what they multiply where it was copied from, in another order of axes:
    /// they take matrices by strides. Which numbers are multiplied and added, and when, stays.
    package mutating func readThroughCopies() {
        var copies: [Int: Step] = [:]
        for index in steps.indices {
            let step = steps[index]
            if step.kind == .copy { copies[step.result] = step }
            guard step.kind == .gemm, var shape = MatrixShape(step.ints) else { continue }
            if let copy = copies[step.operands[0]],
                let strides = CopiedView(copy)?.strides(
                    of: [shape.rows, shape.depth, shape.matrices],
                    [shape.aLine, shape.aDepth, shape.aMatrix])
            {
                (shape.aLine, shape.aDepth, shape.aMatrix) = (strides[0], strides[1], strides[2])
                steps[index].operands[0] = copy.operands[0]
            }
            if let copy = copies[step.operands[1]],
                let strides = CopiedView(copy)?.strides(
                    of: [shape.columns, shape.depth, shape.matrices],
                    [shape.bLine, shape.bDepth, shape.bMatrix])
            {
                (shape.bLine, shape.bDepth, shape.bMatrix) = (strides[0], strides[1], strides[2])
                steps[index].operands[1] = copy.operands[0]
            }
            steps[index].ints = shape.ints
        }
    }
}

/// What a copy makes neighbours of, as it lies in what was copied.
struct CopiedView {
    /// Axes of the copy, and how far apart their elements are in what was copied.
    private let axes: [Int]
    private let strides: [Int]

    /// - Returns: nil for copies that begin elsewhere than at the first element.
    init?(_ copy: Step) {
        guard copy.ints[1] == 0, let lists = try? copy.lists(from: 2, parts: 2) else { return nil }
        (axes, strides) = (Array(lists[0]), Array(lists[1]))
    }

    /// What ``stride(_:_:)`` gives for each; nil where it gives none for one, or where one's
    /// elements do not all lie between two neighbours of the next.
    func strides(of counts: [Int], _ steps: [Int]) -> [Int]? {
        let nested = zip(counts, steps).filter { $0.0 > 1 && $0.1 > 0 }.sorted { $0.1 < $1.1 }
        let areApart = zip(nested, nested.dropFirst()).allSatisfy { $0.0 * $0.1 <= $1.1 }
        let found = zip(counts, steps).compactMap(stride)
        return areApart && found.count == counts.count ? found : nil
    }

    /// How far apart in what was copied elements are of which `count` lie `step` apart in the
    /// copy; nil where that is not the same for all.
    private func stride(_ count: Int, _ step: Int) -> Int? {
        guard count > 1, step > 0 else { return step }
        var reach = 1
        var axis = axes.count - 1
        while axis >= 0, reach * axes[axis] <= step {
            reach *= axes[axis]
            axis -= 1
        }
        guard axis >= 0, step % reach == 0 else { return nil }
        // An axis may hold several of the product's.
        let within = step / reach
        let first = strides[axis] * within
        if count * within <= axes[axis] { return first }
        guard axes[axis] % within == 0 else { return nil }
        var covered = axes[axis] / within
        axis -= 1
        while covered < count, axis >= 0 {
            guard axes[axis] == 1 || strides[axis] == first * covered else { return nil }
            covered *= axes[axis]
            axis -= 1
        }
        return covered >= count ? first : nil
    }
}
