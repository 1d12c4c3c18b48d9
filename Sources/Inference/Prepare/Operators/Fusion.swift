internal import Core

extension Operators {
    /// What optimisers put in place of several nodes, and activations of two inputs.
    static let fusions: Table = [
        "SwiGLU": value(2...2, from: 28) { (lowering, op) throws(Failure) in
            let gate = try op.floats(0)
            let x = try op.floats(1)
            guard gate.shape == x.shape else {
                throw Failure(.malformed, "\(gate.shape.text) beside \(x.shape.text)")
            }
            let alpha = try op.float("alpha") ?? 1
            return try lowering.multiplied(try lowering.unary(.swish, gate, alpha), x)
        },
        "com.microsoft.BiasGelu": value(2...2) { (lowering, op) throws(Failure) in
            try lowering.unary(.gelu, try lowering.add(try op.floats(0), try op.floats(1)))
        },
        "com.microsoft.FastGelu": value(1...2) { (lowering, op) throws(Failure) in
            var x = try op.floats(0)
            if let bias = try op.optional(1) { x = try lowering.add(x, bias) }
            return try lowering.unary(.geluTanh, x)
        },
        "com.microsoft.FusedConv": value(2...4) { (lowering, op) throws(Failure) in
            try lowering.fusedConvolution(op)
        },
        "com.microsoft.FusedGemm": value(2...3) { (lowering, op) throws(Failure) in
            try lowering.fusedGemm(op)
        },
        "com.microsoft.FusedMatMul": value(2...2) { (lowering, op) throws(Failure) in
            try lowering.fusedProduct(op)
        },
        "com.microsoft.Gelu": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.unary(.gelu, try op.floats(0))
        },
        "com.microsoft.QuickGelu": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.unary(.swish, try op.floats(0), try op.float("alpha") ?? 1.702)
        },
    ]
}

extension Lowering {
    /// Factors with axes exchanged: first the batches' with the others, then the last two.
    mutating func fusedProduct(_ op: Operator) throws(Failure) -> Value {
        var factors: [Value] = []
        for (index, side) in ["A", "B"].enumerated() {
            var x = try op.floats(index)
            let rank = x.shape.count
            var order = Array(0..<rank)
            if try op.flag("transBatch\(side)"), rank > 2 {
                order = Array(1..<(rank - 1)) + [0, rank - 1]
            }
            if try op.flag("trans\(side)"), rank > 1 { order.swapAt(rank - 2, rank - 1) }
            if order != Array(0..<rank) { x = try transposed(x, order) }
            factors.append(x)
        }
        let y = try multiply(factors[0], factors[1], Epilogue(output: ""))
        return try multiplied(y, try op.float("alpha") ?? 1)
    }

    mutating func fusedConvolution(_ op: Operator) throws(Failure) -> Value {
        var epilogue = Epilogue(output: "")
        let sum = try op.optional(3)
        let activation = try fusedActivation(op, ["activation_params"])
        if sum == nil, activation.name == "Relu" {
            epilogue.activation = .relu
            return try convolve(op, epilogue)
        }
        var y = try convolve(op, epilogue)
        if let sum { y = try add(y, sum) }
        return try activated(y, activation.name, activation.numbers)
    }

    mutating func fusedGemm(_ op: Operator) throws(Failure) -> Value {
        let activation = try fusedActivation(
            op, ["activation_alpha", "activation_beta", "activation_gamma"])
        return try activated(try gemm(op).0, activation.name, activation.numbers)
    }

    private func fusedActivation(
        _ op: Operator, _ attributes: [String]
    ) throws(Failure) -> (name: String, numbers: [Float]) {
        var numbers: [Float] = []
        for name in attributes {
            if case .float(let value)? = op.node.attributes[name] {
                numbers.append(value)
            } else {
                numbers += try op.floatList(name) ?? []
            }
        }
        return (try op.string("activation") ?? "", numbers)
    }

    private mutating func activated(
        _ x: Value, _ name: String, _ numbers: [Float]
    ) throws(Failure) -> Value {
        func number(_ index: Int, _ default: Float) -> Float {
            numbers.indices.contains(index) ? numbers[index] : `default`
        }
        switch name {
        case "": return x
        case "Relu": return try unary(.relu, x)
        case "Tanh": return try unary(.tanh, x)
        case "Sigmoid": return try unary(.sigmoid, x)
        case "LeakyRelu": return try unary(.leakyRelu, x, number(0, 0.01))
        case "Clip": return try unary(.clip, x, number(0, -.infinity), number(1, .infinity))
        case "HardSigmoid":
            return try unary(.hardSigmoid, x, number(0, 0.2), number(1, 0.5))
        default: throw Failure(.unsupported, "activation \(name.printable)")
        }
    }
}
