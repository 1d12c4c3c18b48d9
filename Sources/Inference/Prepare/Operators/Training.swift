internal import Core

extension Operators {
    /// Steps of training, as ONNX's preview domain has them.
    static let training: Table = [
        // Not ONNX's, which has no gradients: a pool's attributes, and of maxima x, the result and
        // the result's gradient, of averages x and that gradient.
        "ai.rigor.MaxPoolGradient": value(3...3) { (lowering, op) throws(Failure) in
            try lowering.unpool(op, averages: false)
        },
        "ai.rigor.AveragePoolGradient": value(2...2) { (lowering, op) throws(Failure) in
            try lowering.unpool(op, averages: true)
        },
        "ai.onnx.preview.training.Adagrad": steps(3...1024, outputs: 1...1024) {
            (lowering, op) throws(Failure) in
            try lowering.optimize(op, states: 1) { (rule, x, g, states) throws(Failure) in
                let epsilon = try op.float("epsilon") ?? 0
                let decay = try op.float("decay_factor") ?? 0
                let slowed = try rule.scalar(1 + Float(rule.count) * decay)
                let rate = try rule.binary(.div, rule.rate, slowed)
                let squares = try rule.binary(.add, states[0], try rule.binary(.mul, g, g))
                let root = try rule.binary(
                    .add, try rule.unary(.sqrt, squares), try rule.scalar(epsilon))
                let change = try rule.binary(.div, try rule.binary(.mul, rate, g), root)
                return (try rule.binary(.sub, x, change), [squares])
            }
        },
        "ai.onnx.preview.training.Adam": steps(3...1024, outputs: 1...1024) {
            (lowering, op) throws(Failure) in
            try lowering.optimize(op, states: 2) { (rule, x, g, states) throws(Failure) in
                let alpha = try op.float("alpha") ?? 0.9
                let beta = try op.float("beta") ?? 0.999
                let epsilon = try op.float("epsilon") ?? 1e-6
                let mean = try rule.mixed(states[0], alpha, g)
                let squares = try rule.mixed(states[1], beta, try rule.binary(.mul, g, g))
                let root = try rule.binary(
                    .add, try rule.unary(.sqrt, squares), try rule.scalar(epsilon))
                var rate = rule.rate
                if rule.count > 0 {
                    let grown = Float.function(.sqrt, 1 - rule.power(beta), 0, 0) ?? 1
                    let factor = try rule.scalar(grown / (1 - rule.power(alpha)))
                    rate = try rule.binary(.mul, rate, factor)
                }
                let change = try rule.binary(.div, try rule.binary(.mul, rate, mean), root)
                var new = try rule.binary(.sub, x, change)
                if let post = try op.float("norm_coefficient_post"), post != 0 {
                    new = try rule.binary(.mul, new, try rule.scalar(1 - post))
                }
                return (new, [mean, squares])
            }
        },
        "ai.onnx.preview.training.Momentum": steps(3...1024, outputs: 1...1024) {
            (lowering, op) throws(Failure) in
            try lowering.optimize(op, states: 1) { (rule, x, g, states) throws(Failure) in
                let alpha = try rule.scalar(try op.float("alpha") ?? 0)
                let beta = try rule.scalar(rule.count > 0 ? try op.float("beta") ?? 1 : 1)
                let velocity = try rule.binary(
                    .add, try rule.binary(.mul, alpha, states[0]),
                    try rule.binary(.mul, beta, g))
                var change = velocity
                if try op.string("mode") == "nesterov" {
                    change = try rule.binary(.add, g, try rule.binary(.mul, alpha, velocity))
                }
                let step = try rule.binary(.mul, rule.rate, change)
                return (try rule.binary(.sub, x, step), [velocity])
            }
        },
    ]
}

/// What an optimiser's rule computes with.
private struct Rule {
    var lowering: Lowering
    let rate: Lowering.Value
    /// Steps done before.
    let count: Int64

    mutating func unary(
        _ operation: UnaryOperation, _ x: Lowering.Value
    ) throws(Failure) -> Lowering.Value { try lowering.unary(operation, x) }

    mutating func binary(
        _ operation: BinaryOperation, _ x: Lowering.Value, _ y: Lowering.Value
    ) throws(Failure) -> Lowering.Value { try lowering.binary(operation, x, y) }

    mutating func scalar(_ value: Float) throws(Failure) -> Lowering.Value {
        try lowering.scalar(value, rate.type)
    }

    /// part · old + (1 − part) · new.
    mutating func mixed(
        _ old: Lowering.Value, _ part: Float, _ new: Lowering.Value
    ) throws(Failure) -> Lowering.Value {
        try binary(
            .add, try binary(.mul, try scalar(part), old),
            try binary(.mul, try scalar(1 - part), new))
    }

    /// base to the number of steps done, by repeated multiplication.
    func power(_ base: Float) -> Float {
        (0..<min(count, 1 << 20)).reduce(1) { power, _ in power * base }
    }
}

extension Lowering {
    /// Applies a rule to each parameter: inputs are a rate, a count, and then parameters,
    /// gradients, and each kind of state; outputs new parameters and states.
    fileprivate mutating func optimize(
        _ op: Operator, states: Int,
        _ body: (inout Rule, Value, Value, [Value]) throws(Failure) -> (Value, [Value])
    ) throws(Failure) {
        let rate = try op.input(0)
        guard let count = try op.data(try op.input(1)).integers?.first else {
            throw Failure(.malformed, "a count of one integer expected")
        }
        let (parameters, rest) = (op.node.inputs.count - 2).quotientAndRemainder(
            dividingBy: 2 + states)
        guard rest == 0, parameters > 0 else {
            throw Failure(
                .malformed, "parameters, gradients and \(states) states of each expected")
        }
        let decay = try op.float("norm_coefficient") ?? 0
        for index in 0..<parameters {
            let x = try op.input(2 + index)
            var gradient = try op.input(2 + parameters + index)
            if decay != 0 {
                let share = try binary(.mul, try scalar(decay, x.type), x)
                gradient = try binary(.add, share, gradient)
            }
            var old: [Value] = []
            for state in 0..<states {
                old.append(try op.input(2 + (2 + state) * parameters + index))
            }
            var rule = Rule(lowering: self, rate: rate, count: count)
            let (new, kept) = try body(&rule, x, gradient, old)
            self = rule.lowering
            try define(op, new, at: index)
            for (state, value) in kept.enumerated() {
                try define(op, value, at: (1 + state) * parameters + index)
            }
        }
    }
}
