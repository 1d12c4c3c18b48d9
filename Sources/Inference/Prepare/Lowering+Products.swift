internal import Core
internal import Exact

/// What nodes after a product are folded into it.
struct Epilogue {
    typealias Value = Lowering.Value

    var activation = Gemm.Activation.none
    /// Scale and shift by channel, from a batch normalisation.
    var affine: (scale: [Float], shift: [Float])?
    /// A vector that is added first: by channel of a convolution, by column of a product.
    var bias: Value?
    /// The name that the last folded node gives the result.
    var output: String

    /// As a step has it: the activation's number and its two floats.
    var code: (Int, [Float]) {
        switch activation {
        case .none: (0, [0, 0])
        case .relu: (1, [0, 0])
        case .clip(let low, let high): (2, [low, high])
        }
    }
}

extension Operators {
    /// Operators that are sums of products, and those that fold into them.
    static let products: Table = [
        "Conv": steps(2...3) { (lowering, op) throws(Failure) in try lowering.product(op) },
        "Gemm": steps(2...3) { (lowering, op) throws(Failure) in try lowering.product(op) },
        "LRN": value(1...1) { (lowering, op) throws(Failure) in try lowering.lrn(op) },
        "MatMul": steps(2...2) { (lowering, op) throws(Failure) in try lowering.product(op) },
    ]
}

extension Lowering {
    /// The node of this graph that alone uses `name`, as its first input or wherever, if there is
    /// one.
    private func soleConsumer(_ name: String, anywhere: Bool = false) -> Node? {
        let graph = frames[frames.count - 1].graph
        guard let users = graph.consumers[name], users.count == 1, users[0] >= 0 else {
            return nil
        }
        let node = graph.nodes[users[0]]
        return (anywhere || node.inputs.first == name) && node.domain.isEmpty ? node : nil
    }

    /// The constant that a node adds to `name`, where nothing else is done with that.
    private func addend(_ name: String, _ op: Operator) throws(Failure) -> (Value, Node)? {
        guard let next = soleConsumer(name, anywhere: true), next.type == "Add",
            next.inputs.count == 2, let place = next.inputs.firstIndex(of: name)
        else { return nil }
        let after = following(next, op)
        guard after.opset >= 7, after.isKnown(1 - place),
            let value = try after.optional(1 - place), value.type == .float32,
            value.constant?.floats?.allSatisfy(\.isFinite) ?? false
        else { return nil }
        return (value, next)
    }

    /// Takes in a vector that is added to what `op` computes.
    ///
    /// - Parameters:
    ///   - count: of its elements.
    ///   - behind: how many axes are behind the one it goes along.
    ///   - rank: of the result.
    private mutating func takeBias(
        _ epilogue: inout Epilogue, _ op: Operator, count: Int, behind: Int, rank: Int
    ) throws(Failure) {
        guard let (value, next) = try addend(epilogue.output, op), value.shape.count <= rank,
            value.shape.elementCount == count
        else { return }
        let axes = Array(repeating: 1, count: rank - value.shape.count) + value.shape
        guard axes[rank - 1 - behind] == count else { return }
        epilogue.bias = try reshaped(value, [count])
        epilogue.output = next.outputs[0]
        skip(next)
    }

    /// A node after another one, as an operator.
    private func following(_ node: Node, _ op: Operator) -> Operator {
        var node = node
        if let attributes = frames[frames.count - 1].functionAttributes {
            node.resolve(attributes)
        }
        return Operator(
            node: node, opset: op.opset,
            slots: node.inputs.map { $0.isEmpty ? nil : slot($0) }, demand: .init())
    }

    /// Takes in a sum with constants, or a normalisation (after a convolution), and an activation
    /// that follow `op`.
    mutating func epilogue(after op: Operator, normalizes: Bool) throws(Failure) -> Epilogue {
        var epilogue = Epilogue(output: op.node.outputs[0])
        // Results of narrow type are rounded before what follows.
        if op.narrow != nil { return epilogue }
        guard let x = try op.optional(0), x.type == .float32 else { return epilogue }
        if try op.optional(2) == nil, let weights = try op.optional(1), op.node.type != "Gemm" {
            let rank = max(x.shape.count, weights.shape.count)
            if op.node.type == "Conv", x.shape.count == weights.shape.count, rank >= 3 {
                try takeBias(
                    &epilogue, op, count: weights.shape[0], behind: rank - 2, rank: rank)
            } else if min(x.shape.count, weights.shape.count) >= 2 {
                try takeBias(
                    &epilogue, op, count: weights.shape[weights.shape.count - 1], behind: 0,
                    rank: rank)
            }
        }
        if normalizes, epilogue.bias == nil, let next = soleConsumer(epilogue.output),
            next.type == "BatchNormalization",
            let affine = try affine(following(next, op))
        {
            epilogue.affine = affine
            epilogue.output = next.outputs[0]
            skip(next)
        }
        if let next = soleConsumer(epilogue.output), next.type == "Relu" || next.type == "Clip" {
            let after = following(next, op)
            if next.type == "Relu" {
                epilogue.activation = .relu
            } else if after.opset < 11 || (1...2).allSatisfy({ after.isKnown($0) }) {
                let (low, high) = try clipLimits(after)
                epilogue.activation = .clip(low: low, high: high)
            } else {
                return epilogue
            }
            epilogue.output = next.outputs[0]
            skip(next)
        }
        return epilogue
    }

    mutating func product(_ op: Operator) throws(Failure) {
        let value: Value
        let output: String
        switch op.node.type {
        case "Conv":
            let epilogue = try epilogue(after: op, normalizes: true)
            (value, output) = (try convolve(op, epilogue), epilogue.output)
        case "Gemm": (value, output) = try gemm(op)
        default:
            let epilogue = try epilogue(after: op, normalizes: false)
            value = try multiplied(op, epilogue)
            output = epilogue.output
        }
        if output == op.node.outputs[0] { return try define(op, value) }
        define(output, .tensor(value))
    }

    /// - Throws: ``Failure`` when a weight is infinite or NaN.
    func checkFinite(_ value: Value, _ what: String) throws(Failure) {
        guard value.constant?.floats?.allSatisfy(\.isFinite) ?? true else {
            throw Failure(.malformed, "\(what) holds a value that is not finite")
        }
    }

    // MARK: Convolution

    /// A product of floats, or of integers, exact modulo 2^32.
    private mutating func multiplied(
        _ op: Operator, _ epilogue: Epilogue
    ) throws(Failure) -> Value {
        let a = try op.input(0)
        let b = try op.input(1)
        if a.type.isInteger, b.type == a.type { return try multiplyWhole(a, b, op) }
        let (x, y) = (try op.floats(0), try op.floats(1))
        if epilogue.activation == .none, let rows = try pickedRows(x, y) {
            guard let bias = epilogue.bias else { return rows }
            return try binary(.add, rows, bias)
        }
        return try multiply(x, y, epilogue)
    }

    mutating func convolve(_ op: Operator, _ epilogue: Epilogue) throws(Failure) -> Value {
        try convolved(
            op, try op.floats(0), try op.floats(1), try op.optional(2), epilogue,
            groups: try op.int("group") ?? 1)
    }

    /// A convolution with the attributes of `op`.
    mutating func convolved(
        _ op: Operator, _ x: Value, _ weights: Value, _ bias: Value?, _ epilogue: Epilogue,
        groups: Int
    ) throws(Failure) -> Value {
        var weights = weights
        var bias = bias ?? epilogue.bias
        guard x.shape.count == weights.shape.count, x.shape.count >= 3,
            groups > 0, groups <= 1 << 20, weights.shape[0] % groups == 0,
            x.shape[1] == weights.shape[1] * groups, !weights.shape.contains(0)
        else {
            throw Failure(
                .unsupported,
                "input \(x.shape.text), weights \(weights.shape.text), group \(groups); "
                    + "[items, group·c, …] and [outputs, c, …] with further axes expected")
        }
        let kernel = Array(weights.shape[2...])
        if let given = try op.ints("kernel_shape"), given != kernel {
            throw Failure(.malformed, "kernel_shape \(given.text); \(kernel.text) expected")
        }
        if let bias, bias.type != x.type || bias.shape != [weights.shape[0]] {
            throw Failure(
                .malformed, "a bias of \(bias.shape.text); [\(weights.shape[0])] expected")
        }
        if let affine = epilogue.affine {
            (weights, bias) = try scaled(weights, bias, affine)
        }
        try checkFinite(weights, "weights")
        if let bias { try checkFinite(bias, "bias") }
        guard kernel.count <= 2 else {
            return try convolvedVolume(op, x, weights, bias, epilogue, groups: groups)
        }
        let window = try Window(op, axes: Array(x.shape[2...]), kernel: kernel)
        if x.shape[0] == 0 {
            return Value(
                Tensor(
                    bits: [], type: x.type, shape: [0, weights.shape[0]] + window.outAxes))
        }
        var shape = ConvolutionShape()
        (shape.items, shape.groups) = (x.shape[0], groups)
        (shape.channels, shape.outChannels) = (weights.shape[1], weights.shape[0] / groups)
        shape.bias = bias == nil ? 0 : 1
        shape.activation = epilogue.code.0
        shape.window = window.shape
        return try emit(
            .convolve, [x, weights] + (bias.map { [$0] } ?? []), ints: shape.ints,
            floats: epilogue.code.1, type: x.type,
            shape: [x.shape[0], weights.shape[0]] + window.outAxes)
    }

    /// Weights times scale; (bias × scale) + shift by one fma.
    private func scaled(
        _ weights: Value, _ bias: Value?, _ affine: (scale: [Float], shift: [Float])
    ) throws(Failure) -> (Value, Value?) {
        guard let values = weights.constant?.floats, affine.scale.count == weights.shape[0],
            bias == nil || bias?.constant != nil
        else {
            throw Failure(.unsupported, "constant weights before a batch normalisation expected")
        }
        let each = values.count / weights.shape[0]
        let product = values.indices.map { values[$0] * affine.scale[$0 / each] }
        let old = bias?.constant?.floats
        let shift = affine.shift.indices.map {
            affine.shift[$0].addingProduct(old?[$0] ?? 0, affine.scale[$0])
        }
        return (
            Value(Tensor(product, shape: weights.shape)),
            Value(Tensor(shift, shape: [shift.count]))
        )
    }

    /// Scale and shift of a batch normalisation: scale = gamma / √(variance + epsilon), shift =
    /// beta − mean × scale by one fma; nil when a parameter is not constant, or of the batch.
    private func affine(_ op: Operator) throws(Failure) -> (scale: [Float], shift: [Float])? {
        var parameters: [[Float]] = []
        for index in 1...4 {
            guard let floats = try op.floats(index).constant?.floats else { return nil }
            guard floats.count == parameters.first?.count ?? floats.count,
                floats.allSatisfy(\.isFinite)
            else {
                throw Failure(.malformed, "four finite parameters of one length expected")
            }
            parameters.append(floats)
        }
        guard try op.int("training_mode") ?? 0 == 0, try op.int("spatial") ?? 1 == 1,
            op.node.outputs.dropFirst().allSatisfy({ !isUsed($0) })
        else { return nil }
        let epsilon = try op.float("epsilon") ?? 1e-5
        let scale = parameters[0].indices.map {
            Exact.div(parameters[0][$0], Exact.sqrt(parameters[3][$0] + epsilon))
        }
        guard scale.allSatisfy(\.isFinite) else {
            throw Failure(.malformed, "a variance that is not positive")
        }
        let shift = scale.indices.map {
            parameters[1][$0].addingProduct(-parameters[2][$0], scale[$0])
        }
        return (scale, shift)
    }

    /// Whether a node of this graph uses `name`, or it is an output.
    func isUsed(_ name: String) -> Bool {
        frames[frames.count - 1].graph.consumers[name] != nil
    }

    mutating func normalize(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard x.type == .float32, let affine = try affine(op) else {
            throw Failure(.unsupported, "float32 and constant parameters expected")
        }
        guard x.shape.count >= 2, x.shape[1] == affine.scale.count else {
            throw Failure(
                .malformed, "\(x.shape.text): \(affine.scale.count) channels expected")
        }
        let channels = [x.shape[1]]
        return try emit(
            .affine,
            [
                x, Value(Tensor(affine.scale, shape: channels)),
                Value(Tensor(affine.shift, shape: channels)),
            ],
            ints: [x.shape[0], x.shape[1], x.shape[2...].reduce(1, *)], type: .float32,
            shape: x.shape)
    }

    mutating func lrn(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard x.type == .float32 else { throw Failure(.unsupported, "powers of doubles") }
        guard let size = try op.int("size"), (1...256).contains(size), x.shape.count >= 2 else {
            throw Failure(.malformed, "attribute \"size\": 1 to 256 channels expected")
        }
        let alpha = try op.float("alpha") ?? 1e-4
        return try emit(
            .lrn, [x],
            ints: [
                x.shape[0], x.shape[1], x.shape[2...].reduce(1, *), (size - 1) / 2, size / 2,
            ],
            floats: [
                Exact.div(alpha, Float(size)), try op.float("beta") ?? 0.75,
                try op.float("bias") ?? 1,
            ],
            type: .float32, shape: x.shape)
    }
}
