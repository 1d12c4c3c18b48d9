internal import Core

extension Operators {
    /// Operators on each element, or each pair of elements.
    static let elementwise: Table = {
        var table: Table = [
            "Cast": value(1...1, widens: false) { (lowering, op) throws(Failure) in
                try lowering.cast(op)
            },
            "Clip": value(1...3) { (lowering, op) throws(Failure) in try lowering.clip(op) },
            "Dropout": steps(1...3, outputs: 1...2) { (lowering, op) throws(Failure) in
                try lowering.dropout(op)
            },
            "Elu": unary(.elu, alpha: 1),
            "HardSigmoid": unary(.hardSigmoid, alpha: 0.2, beta: 0.5),
            "Identity": steps(1...1, widens: false) { (lowering, op) throws(Failure) in
                if let slot = op.slot(0) { lowering.define(op.node.outputs[0], slot) }
            },
            "LeakyRelu": unary(.leakyRelu, alpha: 0.01),
            "Pow": value(2...2) { (lowering, op) throws(Failure) in try lowering.power(op) },
            "Where": value(3...3, widens: false) { (lowering, op) throws(Failure) in
                try lowering.choose(op)
            },
        ]
        for (name, operation) in unary { table[name] = unary(operation) }
        for (name, operation) in binary {
            let isMany = ["Max", "Min", "Sum"].contains(name)
            table[name] = value(isMany ? 1...1024 : 2...2) { (lowering, op) throws(Failure) in
                var value = try op.input(0)
                for index in op.node.inputs.indices.dropFirst() {
                    value = try lowering.binary(operation, value, try op.input(index))
                }
                return value
            }
        }
        return table
    }()

    /// Operators on booleans.
    static let logic: Table = [
        "Not": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.not(try op.input(0))
        }
    ]

    private static func unary(
        _ operation: UnaryOperation, alpha: Float = 0, beta: Float = 0
    ) -> Entry {
        value(1...1) { (lowering, op) throws(Failure) in
            try lowering.unary(
                operation, try op.input(0), try op.float("alpha") ?? alpha,
                try op.float("beta") ?? beta)
        }
    }

    private static let unary: [String: UnaryOperation] = [
        "Abs": .abs, "Ceil": .ceil, "Cos": .cos, "Erf": .erf, "Exp": .exp, "Floor": .floor,
        "HardSwish": .hardSwish, "Log": .log, "Neg": .neg, "Reciprocal": .reciprocal,
        "Relu": .relu, "Sigmoid": .sigmoid, "Sin": .sin, "Sqrt": .sqrt, "Tanh": .tanh,
    ]
    private static let binary: [String: BinaryOperation] = [
        "Add": .add, "And": .and, "Div": .div, "Equal": .equal, "Greater": .greater,
        "GreaterOrEqual": .greaterOrEqual, "Less": .less, "LessOrEqual": .lessOrEqual,
        "Max": .max, "Min": .min, "Mul": .mul, "Or": .or, "PRelu": .prelu, "Sub": .sub,
        "Sum": .add, "Xor": .xor,
    ]
}

extension Lowering {
    mutating func unary(
        _ operation: UnaryOperation, _ x: Value, _ a: Float = 0, _ b: Float = 0
    ) throws(Failure) -> Value {
        guard operation.takes(x.type) else {
            throw Failure(.unsupported, "\(operation) of \(x.type.name)")
        }
        return try emit(
            .unary, [x],
            ints: [operation.rawValue, x.shape.elementCount, Int(x.type.rawValue)], floats: [a, b],
            type: x.type, shape: x.shape)
    }

    mutating func binary(
        _ operation: BinaryOperation, _ x: Value, _ y: Value
    ) throws(Failure) -> Value {
        guard x.type == y.type, operation.takes(x.type) else {
            throw Failure(
                .unsupported, "\(operation) of \(x.type.name) and \(y.type.name)")
        }
        var y = y
        if operation == .prelu, x.shape.count > 1, y.shape.count == 1, y.shape != [1],
            y.shape[0] != x.shape[x.shape.count - 1]
        {
            // One slope a channel, as older models write it.
            y = try reshaped(y, y.shape + Array(repeating: 1, count: x.shape.count - 2))
        }
        let broadcast = try Broadcast([x.shape, y.shape])
        return try emit(
            .binary, [x, y],
            ints: [operation.rawValue, Int(x.type.rawValue)] + broadcast.axes
                + broadcast.strides[0] + broadcast.strides[1],
            type: operation.compares ? .bool : x.type, shape: broadcast.shape)
    }

    mutating func not(_ x: Value) throws(Failure) -> Value {
        guard x.type == .bool else { throw Failure(.unsupported, "bool expected") }
        return try emit(.not, [x], ints: [x.shape.elementCount], type: .bool, shape: x.shape)
    }

    mutating func dropout(_ op: Operator) throws(Failure) {
        if let training = try op.optional(2), try op.data(training).integers != [0] {
            throw Failure(.unsupported, "training_mode; inference expected")
        }
        let x = try op.input(0)
        try define(op, x)
        if op.node.outputs.count > 1, !op.node.outputs[1].isEmpty {
            // Nothing is dropped.
            let kept = Value(Tensor([1], type: .bool, shape: [1]))
            try define(op, try repeated(kept, x.shape), at: 1)
        }
    }

    mutating func clip(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        if x.type == .float32, op.opset < 11 || (1...2).allSatisfy({ op.isKnown($0) }) {
            let (low, high) = try clipLimits(op)
            return try unary(.clip, x, low, high)
        }
        var value = x
        if let low = try op.optional(1) { value = try binary(.max, value, low) }
        if let high = try op.optional(2) { value = try binary(.min, value, high) }
        return value
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
    mutating func power(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        var y = try op.input(1)
        if x.type == .float32, let exponent = y.constant, exponent.count == 1,
            exponent.shape.count <= x.shape.count, let value = try op.constantFloat(1),
            (1...64).contains(value), value == value.rounded()
        {
            return try unary(.power, x, value)
        }
        if y.type != x.type { y = try cast(y, to: x.type) }
        return try binary(.pow, x, y)
    }

    mutating func cast(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let code = try op.int("to") ?? 0
        guard let type = UInt8(exactly: code).flatMap(ElementType.init) else {
            throw Failure(
                .unsupported,
                "to element type \(ModelLoader.typeName(Int32(clamping: code))); numbers or bool "
                    + "expected")
        }
        return try cast(x, to: type, saturates: try op.flag("saturate", default: true), op)
    }

    /// Floats become integers by truncation, saturating, NaN giving 0; integers wrap; floats are
    /// rounded to nearest, ties to even.
    ///
    /// - Parameter saturates: what becomes of numbers too large for floats of 8 bits.
    mutating func cast(
        _ x: Value, to type: ElementType, saturates: Bool = true, _ op: Operator? = nil
    ) throws(Failure) -> Value {
        if type == x.type { return x }
        if type.isHostOnly, x.constant == nil, let op { _ = try op.data(x) }
        return try emit(
            .cast, [x],
            ints: [
                Int(x.type.rawValue), Int(type.rawValue), x.shape.elementCount, saturates ? 1 : 0,
            ], type: type, shape: x.shape)
    }

    mutating func choose(_ op: Operator) throws(Failure) -> Value {
        try choose(try op.input(0), try op.input(1), try op.input(2))
    }

    mutating func choose(
        _ condition: Value, _ x: Value, _ y: Value
    ) throws(Failure) -> Value {
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
