internal import Core

extension HostSteps {
    static func normalize<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        let (rows, count) = (step.ints[0], step.ints[1])
        let flags = NormalizeFlags(rawValue: step.ints[2])
        let x = operands[0]
        var out: [T] = []
        out.reserveCapacity(x.count)
        for row in 0..<rows {
            var d = Array(x[(row * count)..<((row + 1) * count)])
            if flags.contains(.centers) {
                let mean = T.quotient(lanes(d, neutral: 0, +), T(count))
                d = d.map { $0 - mean }
            }
            let variance = T.quotient(lanes(d.map { $0 * $0 }, neutral: 0, +), T(count))
            let root = unary(.sqrt, variance + T(step.floats[0]), 0, 0)
            for (e, d) in d.enumerated() {
                var v = T.quotient(d, root)
                if flags.contains(.scales) { v = v * operands[1][e] }
                if flags.contains(.biases) { v = v + operands[flags.operandCount][e] }
                out.append(v)
            }
        }
        return out
    }

    private static func activate<T: HostReal>(
        _ x: T, _ activation: CellShape.Activation, _ a: T, _ b: T
    ) -> T {
        switch activation {
        case .sigmoid: unary(.sigmoid, x, 0, 0)
        case .tanh: unary(.tanh, x, 0, 0)
        case .relu: x < 0 ? 0 : x
        case .affine: b.addingProduct(a, x)
        case .leakyRelu: x < 0 ? x * a : x
        case .thresholdedRelu: x < a ? 0 : x
        case .scaledTanh: a * unary(.tanh, b * x, 0, 0)
        case .hardSigmoid: T.clip(b.addingProduct(a, x), 0, 1)
        case .elu: x < 0 ? a * (unary(.exp, x, 0, 0) - 1) : x
        case .softsign: T.quotient(x, 1 + x.magnitude)
        case .softplus: (x < 0 ? 0 : x) + unary(.log, 1 + unary(.exp, -x.magnitude, 0, 0), 0, 0)
        }
    }

    static func cell<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        guard let s = CellShape(step) else { preconditionFailure("a cell's shape") }
        let half = s.directions * s.batch * s.hidden
        var y = [T](repeating: 0, count: half * s.kind.resultCount)
        for at in 0..<half {
            let unit = Unit(s, operands, at)
            switch s.kind {
            case .lstm: (y[at], y[half + at]) = unit.lstm()
            case .gruGates: (y[at], y[half + at]) = unit.gruGates()
            default: y[at] = unit.state()
            }
        }
        return y
    }

    /// One hidden unit of one item and direction.
    private struct Unit<T: HostReal> {
        let s: CellShape
        let operands: [[T]]
        let at: Int
        let item: Int, d: Int, i: Int
        let biases: [T]?

        init(_ s: CellShape, _ operands: [[T]], _ at: Int) {
            (self.s, self.operands, self.at) = (s, operands, at)
            i = at % s.hidden
            item = at / s.hidden % s.batch
            d = at / s.hidden / s.batch
            biases = s.flags.contains(.biases) ? operands[s.kind == .gruState ? 4 : 3] : nil
        }

        /// What the input and its bias contribute to a gate.
        func x(_ gate: Int) -> T {
            let gates = s.kind.gateCount
            let v = operands[0][s.offsets[d] + (item * gates + gate) * s.hidden + i]
            guard let biases else { return v }
            return v + biases[(d * 2 * gates + gate) * s.hidden + i]
        }

        /// What the state and its bias contribute; `place` is the gate's in the product.
        func h(_ gate: Int, _ place: Int) -> T {
            let gates = s.kind.gateCount
            let row = (d * s.batch + item) * s.kind.productCount + place
            let v = operands[1][row * s.hidden + i]
            guard let biases else { return v }
            return v + biases[(d * 2 * gates + gates + gate) * s.hidden + i]
        }

        func activated(_ v: T, _ n: Int, isClipped: Bool = true) -> T {
            let limit = isClipped ? T(s.clip) : .infinity
            return activate(
                T.clip(v, -limit, limit), s.activations[3 * d + n], T(s.alpha[3 * d + n]),
                T(s.beta[3 * d + n]))
        }

        func lstm() -> (T, T) {
            let half = s.directions * s.batch * s.hidden
            let c = operands[2][half + at]
            func peephole(_ gate: Int) -> T {
                operands[s.operandCount - 1][(d * 3 + gate) * s.hidden + i]
            }
            let peeps = s.flags.contains(.peepholes)
            var vi = x(0) + h(0, 0)
            var vo = x(1) + h(1, 1)
            var vf = x(2) + h(2, 2)
            if peeps {
                vi = vi.addingProduct(peephole(0), c)
                vf = vf.addingProduct(peephole(2), c)
            }
            let input = activated(vi, 0)
            let forget = s.flags.contains(.couples) ? 1 - input : activated(vf, 0)
            let next = activated(x(3) + h(3, 3), 1)
            let cell = (input * next).addingProduct(forget, c)
            if peeps { vo = vo.addingProduct(peephole(1), cell) }
            return (activated(vo, 0) * activated(cell, 2, isClipped: false), cell)
        }

        func gruGates() -> (T, T) {
            let reset = activated(x(1) + h(1, 1), 0)
            return (reset * operands[2][at], activated(x(0) + h(0, 0), 0))
        }

        func state() -> T {
            if s.kind == .rnn { return activated(x(0) + h(0, 0), 0) }
            let update: T
            let v: T
            if s.kind == .gru {
                update = activated(x(0) + h(0, 0), 0)
                v = x(2).addingProduct(activated(x(1) + h(1, 1), 0), h(2, 2))
            } else {
                update = operands[3][s.directions * s.batch * s.hidden + at]
                v = x(2) + h(2, 0)
            }
            return ((1 - update) * activated(v, 1)).addingProduct(update, operands[2][at])
        }
    }
}
