internal import Core

extension HostSteps {
    /// Steps that move elements without looking at them: as bits, whatever they are.
    static func move(
        _ step: Step, _ operands: [Tensor], type: ElementType, shape: [Int]
    ) -> Tensor {
        let moved: [UInt64]
        switch step.kind {
        case .choose:
            moved = choose(step, integers(operands[0]), operands[1].bits, operands[2].bits)
        case .gather: moved = gather(step, operands[0].bits, integers(operands[1]), zero: 0)
        case .concat: moved = concat(step, operands.map(\.bits))
        case .pad: moved = pad(step, operands[0].bits, UInt64(bitPattern: Int64(step.ints[1])))
        default:
            let rank = (step.ints.count - 2) / 2
            let from = positions(
                Array(step.ints[2..<(2 + rank)]), Array(step.ints[(2 + rank)...]), step.ints[1])
            let bits = operands[0].bits
            moved = from.map { bits[$0] }
        }
        return Tensor(bits: moved, type: type, shape: shape)
    }

    private static func choose<T>(_ step: Step, _ c: [Int64], _ x: [T], _ y: [T]) -> [T] {
        let rank = (step.ints.count - 1) / 4
        let lists = (0..<4).map { Array(step.ints[(1 + $0 * rank)..<(1 + ($0 + 1) * rank)]) }
        let at = (1..<4).map { positions(lists[0], lists[$0], 0) }
        return at[0].indices.map { c[at[0][$0]] != 0 ? x[at[1][$0]] : y[at[2][$0]] }
    }

    private static func gather<T>(_ step: Step, _ x: [T], _ indices: [Int64], zero: T) -> [T] {
        let (outer, axis, inner, least) = (step.ints[2], step.ints[3], step.ints[4], step.ints[6])
        var out: [T] = []
        out.reserveCapacity(outer * indices.count * inner)
        for o in 0..<outer {
            for index in indices {
                let isInside = (Int64(least)..<Int64(axis)).contains(index)
                let row = isInside ? Int(index) + (index < 0 ? axis : 0) : 0
                for i in 0..<inner {
                    out.append(isInside ? x[(o * axis + row) * inner + i] : zero)
                }
            }
        }
        return out
    }

    private static func concat<T>(_ step: Step, _ operands: [[T]]) -> [T] {
        var out: [T] = []
        for outer in 0..<step.ints[1] {
            for (operand, inner) in zip(operands, step.ints[2...]) {
                out += operand[(outer * inner)..<((outer + 1) * inner)]
            }
        }
        return out
    }

    private static func pad<T>(_ step: Step, _ x: [T], _ value: T) -> [T] {
        let rank = (step.ints.count - 2) / 3
        let outer = Array(step.ints[2..<(2 + rank)])
        let inner = Array(step.ints[(2 + rank)..<(2 + 2 * rank)])
        let begins = step.ints[(2 + 2 * rank)...]
        let strides = outer.strides
        let first = zip(begins, strides).reduce(0) { $0 + $1.0 * $1.1 }
        var out = [T](repeating: value, count: outer.elementCount)
        for (from, to) in positions(inner, strides, first).enumerated() { out[to] = x[from] }
        return out
    }
}
