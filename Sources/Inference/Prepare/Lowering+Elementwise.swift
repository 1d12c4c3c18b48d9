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
            "BitCast": value(1...1, widens: false) { (lowering, op) throws(Failure) in
                try lowering.bitCast(op)
            },
            "CastLike": value(2...2, widens: false) { (lowering, op) throws(Failure) in
                let saturates = try op.flag("saturate", default: true)
                let type = try op.input(1).type
                return try lowering.cast(try op.input(0), to: type, saturates: saturates, op)
            },
            "Celu": unary(.celu, alpha: 1),
            "Elu": unary(.elu, alpha: 1),
            "Gelu": value(1...1) { (lowering, op) throws(Failure) in
                let form = try op.string("approximate") ?? "none"
                guard ["none", "tanh"].contains(form) else {
                    throw Failure(.malformed, "approximate \(form.printable)")
                }
                return try lowering.unary(form == "none" ? .gelu : .geluTanh, try op.input(0))
            },
            "IsInf": value(1...1) { (lowering, op) throws(Failure) in
                try lowering.isInfinite(op)
            },
            "IsNaN": value(1...1) { (lowering, op) throws(Failure) in
                let x = try op.input(0)
                return try lowering.not(try lowering.binary(.equal, x, x))
            },
            "Mean": value(1...1024) { (lowering, op) throws(Failure) in
                var sum = try op.floats(0)
                for index in op.node.inputs.indices.dropFirst() {
                    sum = try lowering.binary(.add, sum, try op.floats(index))
                }
                let count = try lowering.scalar(Float(op.node.inputs.count), sum.type)
                return try lowering.binary(.div, sum, count)
            },
            "Mod": value(2...2, widens: true) { (lowering, op) throws(Failure) in
                try lowering.remainder(op)
            },
            "Selu": unary(.selu, alpha: 1.6732632, beta: 1.0507009, names: ("alpha", "gamma")),
            "Shrink": unary(.shrink, alpha: 0, beta: 0.5, names: ("bias", "lambd")),
            "Swish": unary(.swish, alpha: 1),
            "ThresholdedRelu": unary(.thresholdedRelu, alpha: 1),
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

    /// Operators on booleans and bits.
    static let logic: Table = {
        var table: Table = [
            "Not": value(1...1) { (lowering, op) throws(Failure) in
                try lowering.not(try op.input(0))
            },
            "BitShift": value(2...2) { (lowering, op) throws(Failure) in
                guard let direction = try op.string("direction"),
                    ["LEFT", "RIGHT"].contains(direction)
                else {
                    throw Failure(.malformed, "attribute \"direction\": LEFT or RIGHT expected")
                }
                return try lowering.binary(
                    direction == "LEFT" ? .shiftLeft : .shiftRight, try op.input(0),
                    try op.input(1))
            },
            "BitwiseNot": unary(.not),
        ]
        let bits: [String: BinaryOperation] = [
            "BitwiseAnd": .and, "BitwiseOr": .or, "BitwiseXor": .xor,
        ]
        for (name, operation) in bits {
            table[name] = value(2...2) { (lowering, op) throws(Failure) in
                try lowering.binary(operation, try op.input(0), try op.input(1))
            }
        }
        return table
    }()

    private static func unary(
        _ operation: UnaryOperation, alpha: Float = 0, beta: Float = 0,
        names: (String, String) = ("alpha", "beta")
    ) -> Entry {
        value(1...1) { (lowering, op) throws(Failure) in
            try lowering.unary(
                operation, try op.input(0), try op.float(names.0) ?? alpha,
                try op.float(names.1) ?? beta)
        }
    }

    private static let unary: [String: UnaryOperation] = [
        "Abs": .abs, "Acos": .acos, "Acosh": .acosh, "Asin": .asin, "Asinh": .asinh,
        "Atan": .atan, "Atanh": .atanh, "Cosh": .cosh, "Mish": .mish, "Round": .round,
        "Sign": .sign, "Sinh": .sinh, "Softplus": .softplus, "Softsign": .softsign, "Tan": .tan,
        "Ceil": .ceil, "Cos": .cos, "Erf": .erf, "Exp": .exp, "Floor": .floor,
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

    /// The same bits as another type of the same width.
    fileprivate mutating func bitCast(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let code = try op.int("to") ?? 0
        guard let type = UInt8(exactly: code).flatMap(ElementType.init),
            type.bitCount == x.type.bitCount
        else {
            throw Failure(
                .unsupported,
                "\(x.type.name) to element type \(ModelLoader.typeName(Int32(clamping: code))); "
                    + "one of the same width expected")
        }
        let tensor = try op.data(x)
        return Value(Tensor(bits: tensor.bits, type: type, shape: x.shape))
    }

    fileprivate mutating func isInfinite(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let above = try scalar(.infinity, x.type)
        let below = try scalar(-.infinity, x.type)
        let wantsAbove = try op.flag("detect_positive", default: true)
        let wantsBelow = try op.flag("detect_negative", default: true)
        switch (wantsAbove, wantsBelow) {
        case (true, true): return try binary(.equal, try unary(.abs, x), above)
        case (true, false): return try binary(.equal, x, above)
        case (false, true): return try binary(.equal, x, below)
        case (false, false):
            return try filled(Value(Tensor([0], type: .bool, shape: [])), x.shape)
        }
    }

    /// Of floats, which have C's fmod alone, on the host: exact.
    fileprivate mutating func remainder(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let y = try op.input(1)
        let isC = try op.flag("fmod")
        if x.type.isInteger { return try binary(isC ? .remainder : .mod, x, y) }
        guard x.type == y.type else { throw Failure(.malformed, "operands of one type expected") }
        let broadcast = try Broadcast([x.shape, y.shape])
        let places = broadcast.strides.map { HostSteps.positions(broadcast.axes, $0, 0) }
        func rests<T: HostReal>(_ a: [T], _ b: [T]) -> [T] {
            zip(places[0], places[1]).map { i, j in
                let rest = a[i].truncatingRemainder(dividingBy: b[j])
                return !isC && rest != 0 && (rest < 0) != (b[j] < 0) ? rest + b[j] : rest
            }
        }
        let (left, right) = (try op.data(x), try op.data(y))
        if let a = left.doubles, let b = right.doubles {
            return Value(Tensor(doubles: rests(a, b), shape: broadcast.shape))
        }
        return Value(
            Tensor(rests(left.floats ?? [], right.floats ?? []), shape: broadcast.shape))
    }

    mutating func not(_ x: Value) throws(Failure) -> Value {
        guard x.type == .bool else { throw Failure(.unsupported, "bool expected") }
        return try emit(.not, [x], ints: [x.shape.elementCount], type: .bool, shape: x.shape)
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
        if x.type.isInteger, y.type.isFloating {
            // As C has it: the power as a float, then truncated.
            let power = try binary(.pow, try cast(x, to: .float32), try cast(y, to: .float32))
            return try cast(power, to: x.type)
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
