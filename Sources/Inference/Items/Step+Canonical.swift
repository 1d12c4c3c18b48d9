internal import Core

// One spelling for steps that compute the same.
extension Step {
    /// The step with axes of one index left out and others put together where that changes
    /// nothing, as the lowering may have done for one number of items and not for another.
    var canonical: Step {
        var step = self
        switch kind {
        case .binary: step.ints = merged(from: 2, operands: 2)
        case .copy: step.ints = merged(from: 2, operands: 1)
        case .choose: step.ints = merged(from: 1, operands: 3)
        case .pad: step.ints = mergedPads
        case .gemm:
            if let shape = MatrixShape(ints) { step.ints = shape.canonical.ints }
        case .dot:
            if let shape = DotShape(ints) { step.ints = shape.canonical.ints }
        default: break
        }
        return step
    }

    private func merged(from start: Int, operands: Int) -> [Int] {
        guard let lists = try? lists(from: start, parts: 1 + operands).map({ Array($0) }) else {
            return ints
        }
        var axes: [(size: Int, strides: [Int])] = []
        for axis in lists[0].indices where lists[0][axis] != 1 {
            let (size, strides) = (lists[0][axis], lists.dropFirst().map { $0[axis] })
            if let last = axes.last,
                zip(last.strides, strides).allSatisfy({ $0 == $1 * size })
            {
                axes[axes.count - 1] = (last.size * size, strides)
            } else {
                axes.append((size, strides))
            }
        }
        return ints[..<start] + axes.map(\.size)
            + (0..<operands).flatMap { at in axes.map { $0.strides[at] } }
    }

    private var mergedPads: [Int] {
        guard let lists = try? lists(from: 2, parts: 3).map({ Array($0) }) else { return ints }
        var axes: [(outer: Int, inner: Int, begin: Int)] = []
        for axis in lists[0].indices {
            let (outer, inner, begin) = (lists[0][axis], lists[1][axis], lists[2][axis])
            if outer == 1, inner == 1 { continue }
            // Behind the last padded axis, and between two, all is moved together.
            if outer == inner, let last = axes.last {
                axes[axes.count - 1] = (last.outer * outer, last.inner * outer, last.begin * outer)
            } else {
                axes.append((outer, inner, begin))
            }
        }
        return ints[..<2] + axes.map(\.outer) + axes.map(\.inner) + axes.map(\.begin)
    }
}

extension MatrixShape {
    fileprivate var canonical: MatrixShape {
        var s = self
        if s.depth == 1 { (s.aDepth, s.bDepth) = (0, 0) }
        if s.rows == 1 { s.aLine = 0 }
        if s.columns == 1 { s.bLine = 0 }
        if s.matrices == 1 { (s.aMatrix, s.bMatrix) = (0, 0) }
        guard s.matrices > 1, s.bMatrix == 0, s.bias != 1 else { return s }
        // Matrices that share B are more rows of one.
        if s.rows == 1 { s.aLine = s.aMatrix }
        guard s.aMatrix == s.rows * s.aLine else { return s }
        s.rows *= s.matrices
        (s.matrices, s.aMatrix) = (1, 0)
        return s
    }
}

extension DotShape {
    fileprivate var canonical: DotShape {
        var s = self
        if s.matrices == 1 { (s.aMatrix, s.bMatrix) = (0, 0) }
        guard s.matrices > 1, s.bMatrix == 0, s.aMatrix != 0, s.aZeros != .lines else { return s }
        s.rows *= s.matrices
        (s.matrices, s.aMatrix) = (1, 0)
        return s
    }
}
