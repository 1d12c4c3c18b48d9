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
            if let copy = copies[step.operands[0]], let view = CopiedView(copy),
                let line = view.stride(shape.rows, shape.aLine),
                let depth = view.stride(shape.depth, shape.aDepth),
                let matrix = view.stride(shape.matrices, shape.aMatrix)
            {
                (shape.aLine, shape.aDepth, shape.aMatrix) = (line, depth, matrix)
                steps[index].operands[0] = copy.operands[0]
            }
            if let copy = copies[step.operands[1]], let view = CopiedView(copy),
                let line = view.stride(shape.columns, shape.bLine),
                let depth = view.stride(shape.depth, shape.bDepth),
                let matrix = view.stride(shape.matrices, shape.bMatrix)
            {
                (shape.bLine, shape.bDepth, shape.bMatrix) = (line, depth, matrix)
                steps[index].operands[1] = copy.operands[0]
            }
            steps[index].ints = shape.ints
        }
    }
}

/// What a copy makes neighbours of, as it lies in what was copied.
private struct CopiedView {
    /// Axes of the copy, and how far apart their elements are in what was copied.
    private let axes: [Int]
    private let strides: [Int]

    /// - Returns: nil for copies that begin elsewhere than at the first element.
    init?(_ copy: Step) {
        guard copy.ints[1] == 0, let lists = try? copy.lists(from: 2, parts: 2) else { return nil }
        (axes, strides) = (Array(lists[0]), Array(lists[1]))
    }

    /// How far apart in what was copied elements are of which `count` lie `step` apart in the
    /// copy; nil where that is not the same for all.
    func stride(_ count: Int, _ step: Int) -> Int? {
        guard count > 1, step > 0 else { return step }
        var reach = 1
        var axis = axes.count - 1
        while axis >= 0, reach < step || axes[axis] == 1 {
            reach *= axes[axis]
            axis -= 1
        }
        guard axis >= 0, reach == step else { return nil }
        let first = strides[axis]
        var covered = 1
        while covered < count, axis >= 0 {
            guard axes[axis] == 1 || strides[axis] == first * covered else { return nil }
            covered *= axes[axis]
            axis -= 1
        }
        return covered >= count ? first : nil
    }
}
