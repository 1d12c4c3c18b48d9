internal import Core
internal import Exact

/// What nodes after a product are folded into it.
struct Epilogue {
    var activation = Gemm.Activation.none
    /// Scale and shift by channel, from a batch normalisation.
    var affine: (scale: [Float], shift: [Float])?
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

extension Lowering {
    /// The node that alone uses `name`, if there is one.
    private func soleConsumer(_ name: String) -> Node? {
        guard let users = consumers[name], users.count == 1, users[0] >= 0 else { return nil }
        let node = model.nodes[users[0]]
        return node.inputs.first == name ? node : nil
    }

    /// Takes in a normalisation (after a convolution) and an activation that follow `node`.
    mutating func epilogue(
        after node: Node, normalizes: Bool
    ) throws(Failure) -> Epilogue {
        var epilogue = Epilogue(output: node.outputs[0])
        if normalizes, let next = soleConsumer(epilogue.output),
            next.type == "BatchNormalization"
        {
            let op = Operator(next, opset: model.opset, values: values)
            if let affine = try affine(op) {
                epilogue.affine = affine
                epilogue.output = next.outputs[0]
                folded.insert(next.index)
            }
        }
        if let next = soleConsumer(epilogue.output), next.type == "Relu" || next.type == "Clip" {
            let op = Operator(next, opset: model.opset, values: values)
            if next.type == "Relu" {
                epilogue.activation = .relu
            } else if next.inputs.dropFirst().allSatisfy({
                $0.isEmpty || values[$0]?.constant != nil
            }) {
                let (low, high) = try clipLimits(op)
                epilogue.activation = .clip(low: low, high: high)
            } else {
                return epilogue
            }
            epilogue.output = next.outputs[0]
            folded.insert(next.index)
        }
        return epilogue
    }

    mutating func product(_ op: Operator) throws(Failure) {
        let value: Value
        let output: String
        switch op.node.type {
        case "Conv":
            let epilogue = try epilogue(after: op.node, normalizes: true)
            (value, output) = (try convolve(op, epilogue), epilogue.output)
        case "Gemm": (value, output) = try gemm(op)
        default:
            let epilogue = try epilogue(after: op.node, normalizes: false)
            (value, output) = (try multiply(op, epilogue), epilogue.output)
        }
        values[output] = value
    }

    /// - Throws: ``Failure`` when a weight is infinite or NaN.
    func checkFinite(_ value: Value, _ what: String) throws(Failure) {
        guard value.constant?.floats?.allSatisfy(\.isFinite) ?? true else {
            throw Failure(.malformed, "\(what) holds a value that is not finite")
        }
    }

    // MARK: Convolution

    private mutating func convolve(_ op: Operator, _ epilogue: Epilogue) throws(Failure) -> Value {
        let x = try op.floats(0)
        var weights = try op.floats(1)
        let groups = try op.int("group") ?? 1
        guard x.shape.count == weights.shape.count, x.shape.count == 3 || x.shape.count == 4,
            groups > 0, groups <= 1 << 20, weights.shape[0] % groups == 0,
            x.shape[1] == weights.shape[1] * groups, !weights.shape.contains(0)
        else {
            throw Failure(
                .unsupported,
                "input \(x.shape.text), weights \(weights.shape.text), group \(groups); "
                    + "[items, group·c, …] and [outputs, c, …] with 1 or 2 further axes expected")
        }
        let kernel = Array(weights.shape[2...])
        if let given = try op.ints("kernel_shape"), given != kernel {
            throw Failure(.malformed, "kernel_shape \(given.text); \(kernel.text) expected")
        }
        let window = try Window(op, axes: Array(x.shape[2...]), kernel: kernel)
        var bias = try op.optional(2)
        if let bias, bias.type != .float32 || bias.shape != [weights.shape[0]] {
            throw Failure(
                .malformed, "a bias of \(bias.shape.text); [\(weights.shape[0])] expected")
        }
        if let affine = epilogue.affine {
            (weights, bias) = try scaled(weights, bias, affine)
        }
        try checkFinite(weights, "weights")
        if let bias { try checkFinite(bias, "bias") }
        var shape = ConvolutionShape()
        (shape.items, shape.groups) = (x.shape[0], groups)
        (shape.channels, shape.outChannels) = (weights.shape[1], weights.shape[0] / groups)
        shape.bias = bias == nil ? 0 : 1
        shape.activation = epilogue.code.0
        shape.window = window.shape
        return try emit(
            .convolve, [x, weights] + (bias.map { [$0] } ?? []), ints: shape.ints,
            floats: epilogue.code.1, type: .float32,
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
    /// beta − mean × scale by one fma; nil when a parameter is not constant.
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
            op.node.outputs.dropFirst().allSatisfy({ consumers[$0] == nil })
        else { throw Failure(.unsupported, "training or spatial mode; inference expected") }
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

    mutating func normalize(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard let affine = try affine(op) else {
            throw Failure(.unsupported, "constant parameters expected")
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
