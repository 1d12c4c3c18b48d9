internal import Core

extension Lowering {
    static let unary: [String: UnaryOperation] = [
        "Abs": .abs, "Ceil": .ceil, "Cos": .cos, "Erf": .erf, "Exp": .exp, "Floor": .floor,
        "HardSwish": .hardSwish, "Log": .log, "Neg": .neg, "Reciprocal": .reciprocal,
        "Relu": .relu, "Sigmoid": .sigmoid, "Sin": .sin, "Sqrt": .sqrt, "Tanh": .tanh,
    ]
    static let binary: [String: BinaryOperation] = [
        "Add": .add, "And": .and, "Div": .div, "Equal": .equal, "Greater": .greater,
        "GreaterOrEqual": .greaterOrEqual, "Less": .less, "LessOrEqual": .lessOrEqual,
        "Max": .max, "Min": .min, "Mul": .mul, "Or": .or, "PRelu": .prelu, "Sub": .sub,
        "Sum": .add, "Xor": .xor,
    ]
    static let reductions: [String: ReduceOperation] = [
        "ReduceMax": .max, "ReduceMean": .mean, "ReduceMin": .min, "ReduceProd": .prod,
        "ReduceSum": .sum,
    ]

    mutating func dispatch(_ op: Operator) throws(Failure) {
        let type = op.node.type
        if let operation = Self.unary[type] {
            return define(op, try unary(operation, try op.floats(0)))
        }
        if let operation = Self.binary[type] {
            var value = try op.input(0)
            for index in op.node.inputs.indices.dropFirst() {
                value = try binary(operation, value, try op.input(index))
            }
            return define(op, value)
        }
        if let operation = Self.reductions[type] {
            return define(op, try reduce(op, operation))
        }
        switch type {
        case "Conv", "Gemm", "MatMul": try product(op)
        case "Split": try split(op)
        case "Dropout": try dropout(op)
        default: define(op, try other(op))
        }
    }

    private mutating func other(_ op: Operator) throws(Failure) -> Value {
        switch op.node.type {
        case "ArgMax", "ArgMin": try argument(op)
        case "AveragePool", "MaxPool": try pool(op)
        case "BatchNormalization": try normalize(op)
        case "Cast": try cast(op)
        case "Clip": try clip(op)
        case "Concat": try concat(op)
        case "Constant": try constant(op)
        case "ConstantOfShape": try constantOfShape(op)
        case "Elu": try unary(.elu, try op.floats(0), try op.float("alpha") ?? 1)
        case "Expand": try expand(op)
        case "Flatten": try flatten(op)
        case "Gather": try gather(op)
        case "GlobalAveragePool", "GlobalMaxPool": try globalPool(op)
        case "HardSigmoid":
            try unary(
                .hardSigmoid, try op.floats(0), try op.float("alpha") ?? 0.2,
                try op.float("beta") ?? 0.5)
        case "Identity": try op.input(0)
        case "LRN": try lrn(op)
        case "LeakyRelu": try unary(.leakyRelu, try op.floats(0), try op.float("alpha") ?? 0.01)
        case "LogSoftmax", "Softmax": try softmax(op)
        case "Not": try not(op)
        case "Pad": try pad(op)
        case "Pow": try power(op)
        case "Reshape": try reshape(op)
        case "Shape": try shape(op)
        case "Slice": try slice(op)
        case "Squeeze": try squeeze(op)
        case "Transpose": try transpose(op)
        case "Unsqueeze": try unsqueeze(op)
        case "Where": try choose(op)
        default: preconditionFailure("\(op.node.type) passed the loader")
        }
    }

    /// Names the first output.
    mutating func define(_ op: Operator, _ value: Value) { values[op.node.outputs[0]] = value }

    private mutating func dropout(_ op: Operator) throws(Failure) {
        if let training = try op.optional(2), training.constant?.integers != [0] {
            throw Failure(.unsupported, "training_mode; inference expected")
        }
        if op.node.outputs.count > 1, consumers[op.node.outputs[1]] != nil {
            throw Failure(.unsupported, "its mask is used")
        }
        define(op, try op.input(0))
    }
}

// MARK: - Elementwise

extension Lowering {
    mutating func unary(
        _ operation: UnaryOperation, _ x: Value, _ a: Float = 0, _ b: Float = 0
    ) throws(Failure) -> Value {
        try emit(
            .unary, [x], ints: [operation.rawValue, x.shape.elementCount], floats: [a, b],
            type: .float32, shape: x.shape)
    }

    mutating func binary(
        _ operation: BinaryOperation, _ x: Value, _ y: Value
    ) throws(Failure) -> Value {
        guard x.type == y.type, operation.takes(x.type) || isIntegerDivision(operation, x, y) else {
            throw Failure(.unsupported, "operands of type \(x.type.name) and \(y.type.name)")
        }
        var y = y
        if operation == .prelu, x.shape.count > 1, y.shape.count == 1, y.shape != [1] {
            // One slope a channel, as older models write it.
            y = try reshaped(y, y.shape + Array(repeating: 1, count: x.shape.count - 2))
        }
        let broadcast = try Broadcast([x.shape, y.shape])
        if isIntegerDivision(operation, x, y) { return try divide(x, y, broadcast) }
        return try emit(
            .binary, [x, y],
            ints: [operation.rawValue, Int(x.type.rawValue)] + broadcast.axes
                + broadcast.strides[0] + broadcast.strides[1],
            type: operation.compares ? .bool : x.type, shape: broadcast.shape)
    }

    private func isIntegerDivision(_ operation: BinaryOperation, _ x: Value, _ y: Value) -> Bool {
        operation == .div && x.constant?.integers != nil && y.constant?.integers != nil
    }

    /// Of shapes: constants only.
    private func divide(
        _ x: Value, _ y: Value, _ broadcast: Broadcast
    ) throws(Failure) -> Value {
        guard let a = x.constant?.integers, let b = y.constant?.integers, !b.contains(0) else {
            throw Failure(.malformed, "division by zero")
        }
        let at = broadcast.strides.map { HostSteps.positions(broadcast.axes, $0, 0) }
        let out = zip(at[0], at[1]).map { a[$0].dividedReportingOverflow(by: b[$1]).partialValue }
        return Value(Tensor(out, type: x.type, shape: broadcast.shape))
    }

    private mutating func not(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard x.type == .bool else { throw Failure(.unsupported, "bool expected") }
        return try emit(.not, [x], ints: [x.shape.elementCount], type: .bool, shape: x.shape)
    }

    private mutating func clip(_ op: Operator) throws(Failure) -> Value {
        let (low, high) = try clipLimits(op)
        return try unary(.clip, try op.floats(0), low, high)
    }

    func clipLimits(_ op: Operator) throws(Failure) -> (low: Float, high: Float) {
        if op.opset < 11 {
            let greatest = Float.greatestFiniteMagnitude
            return (try op.float("min") ?? -greatest, try op.float("max") ?? greatest)
        }
        return (
            try op.constantFloat(1) ?? -.infinity, try op.constantFloat(2) ?? .infinity
        )
    }

    /// A small whole exponent is repeated multiplication.
    private mutating func power(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let y = try op.input(1)
        if let exponent = y.constant, exponent.count == 1, exponent.shape.count <= x.shape.count {
            let value = exponent.floats?[0] ?? Float(exponent.integers?[0] ?? 0)
            if (1...64).contains(value), value == value.rounded() {
                return try unary(.power, x, value)
            }
        }
        guard y.type == .float32 else {
            throw Failure(.unsupported, "an exponent of type \(y.type.name)")
        }
        return try binary(.pow, x, y)
    }

    private mutating func cast(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let code = try op.int("to") ?? 0
        guard let type = UInt8(exactly: code).flatMap(ElementType.init) else {
            throw Failure(
                .unsupported,
                "to element type \(code); float32, uint8, int32, int64 or bool expected")
        }
        if type == x.type { return x }
        return try emit(
            .cast, [x], ints: [Int(x.type.rawValue), Int(type.rawValue), x.shape.elementCount],
            type: type, shape: x.shape)
    }

    private mutating func choose(_ op: Operator) throws(Failure) -> Value {
        let condition = try op.input(0)
        let x = try op.input(1)
        let y = try op.input(2)
        guard condition.type == .bool, x.type == y.type else {
            throw Failure(.malformed, "a bool and two tensors of one type expected")
        }
        let broadcast = try Broadcast([condition.shape, x.shape, y.shape])
        return try emit(
            .choose, [condition, x, y],
            ints: [Int(x.type.rawValue)] + broadcast.axes + broadcast.strides.flatMap { $0 },
            type: x.type, shape: broadcast.shape)
    }
}
