internal import Core

extension Operators {
    /// Operators between numbers and their quantised forms. Products of integers are exact.
    static let quantized: Table = [
        "ConvInteger": value(2...4, widens: false) { (lowering, op) throws(Failure) in
            try lowering.convolveIntegers(
                op, x: 0, w: 1, xZero: try op.optional(2), wZero: try op.optional(3))
        },
        "DequantizeLinear": value(2...3, widens: false) { (lowering, op) throws(Failure) in
            try lowering.dequantize(op)
        },
        "DynamicQuantizeLinear": steps(1...1, outputs: 3...3) { (lowering, op) throws(Failure) in
            try lowering.quantizeDynamically(op)
        },
        "MatMulInteger": value(2...4, widens: false) { (lowering, op) throws(Failure) in
            try lowering.multiplyIntegers(
                try op.input(0), try op.input(1), try op.optional(2), try op.optional(3))
        },
        "QLinearConv": value(8...9, widens: false) { (lowering, op) throws(Failure) in
            try lowering.convolveQuantized(op)
        },
        "QLinearMatMul": value(8...8, widens: false) { (lowering, op) throws(Failure) in
            let (a, b) = (try op.input(0), try op.input(3))
            let product = try lowering.multiplyIntegers(
                a, b, try op.input(2), try op.input(5))
            let aScale = try lowering.lined(try op.input(1), isRows: true, rank: a.shape.count)
            let bScale = try lowering.lined(try op.input(4), isRows: false, rank: b.shape.count)
            return try lowering.requantized(
                product, aScale, bScale, try op.input(6), try op.input(7))
        },
        "QuantizeLinear": value(2...3, widens: false) { (lowering, op) throws(Failure) in
            try lowering.quantize(op)
        },
    ]
}

extension Lowering {
    /// A scale or zero point as it stands beside `x`: one, one along an axis, or one a block.
    private mutating func along(
        _ value: Value, _ x: Value, _ op: Operator
    ) throws(Failure) -> Value {
        if value.shape.elementCount == 1, value.shape.count <= 1 {
            return try reshaped(value, [])
        }
        let axis = try op.axis(try op.int("axis") ?? 1, rank: x.shape.count)
        let block = try op.int("block_size") ?? 0
        if block > 0 {
            guard value.shape.count == x.shape.count,
                value.shape[axis] == (x.shape[axis] + block - 1) / block
            else { throw Failure(.malformed, "\(value.shape.text): blocks of \(block)") }
            return try picked(value, axis, (0..<x.shape[axis]).map { $0 / block })
        }
        guard value.shape == [x.shape[axis]] else {
            throw Failure(
                .malformed, "\(value.shape.text) along axis \(axis) of \(x.shape.text)")
        }
        return try reshaped(
            value, [x.shape[axis]] + Array(repeating: 1, count: x.shape.count - 1 - axis))
    }

    /// round(x ÷ scale) + zero, saturating. Each operation is rounded to float32.
    mutating func quantized(
        _ x: Value, _ scale: Value, _ zero: Value?, to type: ElementType, saturates: Bool = true
    ) throws(Failure) -> Value {
        var value = try binary(.div, x, scale)
        if type.isFloat { return try cast(value, to: type, saturates: saturates) }
        value = try unary(.round, value)
        let (low, high) = type.limits
        // Within what float32 holds exactly, whatever the zero point is.
        let reach = Float(high - low)
        value = try unary(.clip, value, -reach, reach)
        var whole = try cast(value, to: .int32)
        if let zero { whole = try binary(.add, whole, try cast(zero, to: .int32)) }
        func limit(_ value: Int64) -> Value {
            Value(Tensor([value], type: .int32, shape: []))
        }
        whole = try binary(.min, try binary(.max, whole, limit(low)), limit(high))
        return try cast(whole, to: type)
    }

    fileprivate mutating func quantize(_ op: Operator) throws(Failure) -> Value {
        var x = try op.input(0)
        var scale = try op.input(1)
        let zero = try op.optional(2)
        var type = zero?.type ?? .uint8
        if let code = try op.int("output_dtype"), code != 0 {
            guard let given = UInt8(exactly: code).flatMap(ElementType.init) else {
                throw Failure(.malformed, "output_dtype \(code)")
            }
            type = given
        }
        guard type.bitCount <= 16, type != .bool, type != .float16, type != .bfloat16 else {
            throw Failure(.unsupported, "quantising to \(type.name)")
        }
        if type.isHostOnly { x = Value(try op.data(x)) }
        x = try cast(x, to: .float32)
        scale = try along(try cast(scale, to: .float32), x, op)
        var beside: Value?
        if let zero {
            // Zero points of narrow floats are 0.
            if !type.isFloat { beside = try along(try cast(zero, to: .int32), x, op) }
        }
        return try quantized(
            x, scale, beside, to: type, saturates: try op.flag("saturate", default: true))
    }

    /// (x − zero) × scale, rounded to float32.
    fileprivate mutating func dequantize(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let scale = try op.input(1)
        var type = scale.type
        if let code = try op.int("output_dtype"), code != 0 {
            guard let given = UInt8(exactly: code).flatMap(ElementType.init), given.isFloating
            else { throw Failure(.malformed, "output_dtype \(code)") }
            type = given
        }
        var value: Value
        if x.type.isFloat {
            value = try cast(x, to: .float32)
        } else {
            var whole = try cast(x, to: .int32)
            if let zero = try op.optional(2) {
                whole = try binary(.sub, whole, try along(try cast(zero, to: .int32), x, op))
            }
            value = try cast(whole, to: .float32)
        }
        value = try binary(.mul, value, try along(try cast(scale, to: .float32), x, op))
        return try cast(value, to: type)
    }

    fileprivate mutating func quantizeDynamically(_ op: Operator) throws(Failure) {
        let x = try op.input(0)
        guard x.type == .float32 else { throw Failure(.malformed, "float32 expected") }
        if x.shape.contains(0) {
            // Nothing sets the scale: 1, as in ONNX Runtime.
            try define(op, empty(x.shape, .uint8))
            try define(op, try scalar(1, .float32), at: 1)
            return try define(op, Value(Tensor([0], type: .uint8, shape: [])), at: 2)
        }
        let count = x.shape.elementCount
        func limit(_ operation: ReduceOperation) throws(Failure) -> Value {
            try emit(
                .reduce, [x],
                ints: [operation.rawValue, 1, count, 1, Int(ElementType.float32.rawValue)],
                type: .float32, shape: [])
        }
        let none = Value(Tensor([0], shape: []))
        let low = try binary(.min, try limit(.min), none)
        let high = try binary(.max, try limit(.max), none)
        var range = try binary(.sub, high, low)
        // Zeros alone take a range of 1, as in ONNX's reference.
        range = try binary(.add, range, try cast(try binary(.equal, range, none), to: .float32))
        let scale = try binary(.div, range, Value(Tensor([255], shape: [])))
        let zero = try unary(
            .clip, try unary(.round, try binary(.div, try unary(.neg, low), scale)), 0, 255)
        let point = try cast(zero, to: .uint8)
        try define(op, try quantized(x, scale, point, to: .uint8))
        try define(op, scale, at: 1)
        try define(op, point, at: 2)
    }

    // MARK: Products

    /// A factor of an integer product less its zero point: int32.
    ///
    /// - Parameter isRows: whether zero points that are several are one a row, or one a column.
    fileprivate mutating func centered(
        _ x: Value, _ zero: Value?, isRows: Bool
    ) throws(Failure) -> Value {
        guard x.type.isInteger, x.type.bitCount <= 8 else {
            throw Failure(.unsupported, "a factor of \(x.type.name); integers of 8 bits expected")
        }
        let whole = try cast(x, to: .int32)
        guard let zero else { return whole }
        let beside = try lined(
            try cast(zero, to: .int32), isRows: isRows, rank: max(x.shape.count, 1))
        return try binary(.sub, whole, beside)
    }

    /// One number, one a row, or one a column, as it stands beside matrices.
    fileprivate mutating func lined(
        _ value: Value, isRows: Bool, rank: Int
    ) throws(Failure) -> Value {
        if value.shape.elementCount == 1 { return try reshaped(value, [1]) }
        return isRows && value.shape.count == 1 && rank > 1
            ? try reshaped(value, value.shape + [1]) : value
    }

    /// (a − its zero) (b − its zero) of integers of 8 bits at most, exact modulo 2³².
    mutating func multiplyIntegers(
        _ a: Value, _ b: Value, _ aZero: Value?, _ bZero: Value?
    ) throws(Failure) -> Value {
        if let product = try dot(a, b, aZero, bZero) { return product }
        return try multiplyIntegers(
            try centered(a, aZero, isRows: true), try centered(b, bZero, isRows: false))
    }

    /// How many zero points a factor of an integer product has: one a line at most.
    ///
    /// - Returns: nil where they are of another type, or of many axes.
    private func zeros(_ zero: Value?, of factor: Value, lines: Int) -> DotShape.Zeros? {
        guard let zero else { return DotShape.Zeros.none }
        guard zero.type == factor.type else { return nil }
        guard zero.shape.elementCount == 1 || zero.shape == [lines] else { return nil }
        // What is known to be zero need not be subtracted.
        if zero.constant?.bytes.allSatisfy({ $0 == 0 }) == true { return DotShape.Zeros.none }
        return zero.shape.elementCount == 1 ? .one : .lines
    }

    /// The same in one step.
    ///
    /// - Returns: nil for other types than int8 and uint8, and for zero points of many axes.
    private mutating func dot(
        _ a: Value, _ b: Value, _ aZero: Value?, _ bZero: Value?
    ) throws(Failure) -> Value? {
        let bytes: Set<ElementType> = [.int8, .uint8]
        guard bytes.contains(a.type), bytes.contains(b.type), a.shape.count >= 2,
            b.shape.count >= 2, let depth = a.shape.last, depth > 0,
            depth == b.shape[b.shape.count - 2], let columns = b.shape.last
        else { return nil }
        var shape = DotShape()
        (shape.aIsSigned, shape.bIsSigned) = (a.type == .int8, b.type == .int8)
        (shape.rows, shape.depth, shape.columns) = (a.shape[a.shape.count - 2], depth, columns)
        guard let aZeros = zeros(aZero, of: a, lines: shape.rows),
            let bZeros = zeros(bZero, of: b, lines: columns)
        else { return nil }
        (shape.aZeros, shape.bZeros) = (aZeros, bZeros)
        let batch = try Broadcast([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))]).shape
        let out = batch + [shape.rows, columns]
        var (left, right) = (a, b)
        if b.shape.dropLast(2).allSatisfy({ $0 == 1 }), aZeros != .lines {
            // One matrix B for all: the batches of A are more rows of one matrix.
            shape.rows = a.shape.dropLast().reduce(1, *)
        } else {
            left = try repeatedBatch(a, batch)
            right = try repeatedBatch(b, batch)
            shape.matrices = batch.reduce(1, *)
            (shape.aMatrix, shape.bMatrix) = (shape.rows * depth, depth * columns)
        }
        guard out.reduce(1, *) > 0 else { return nil }
        let points = [
            aZeros == .none ? nil : aZero, bZeros == .none ? nil : bZero,
        ].compactMap(\.self)
        return try emit(
            .dot, [left, right] + points, ints: shape.ints, type: .int32, shape: out)
    }

    /// The exact product of integers of at most 9 bits and a sign, modulo 2^32.
    ///
    /// In a block of 256 all sums are whole numbers below 2^24, which float32 holds; blocks are
    /// added as integers.
    mutating func multiplyIntegers(_ a: Value, _ b: Value) throws(Failure) -> Value {
        guard let depth = a.shape.last, b.shape.count >= 1 else {
            throw Failure(.malformed, "scalars; matrices expected")
        }
        let depthB = b.shape.count == 1 ? 0 : b.shape.count - 2
        guard b.shape[depthB] == depth else {
            throw Failure(.malformed, "\(a.shape.text) times \(b.shape.text)")
        }
        let x = try cast(a, to: .float32)
        let y = try cast(b, to: .float32)
        var sum: Value?
        for start in Swift.stride(from: 0, to: depth, by: 256) {
            let count = min(256, depth - start)
            let left = try sliced(x, x.shape.count - 1, start, count)
            let right = try sliced(y, depthB, start, count)
            let product = try cast(try multiply(left, right), to: .int32)
            sum = try sum.map { (sum) throws(Failure) in try binary(.add, sum, product) } ?? product
        }
        guard let sum else { return try cast(try multiply(x, y), to: .int32) }
        return sum
    }

    /// A run of indices of an axis.
    mutating func sliced(
        _ x: Value, _ axis: Int, _ start: Int, _ count: Int
    ) throws(Failure) -> Value {
        if start == 0, count == x.shape[axis] { return x }
        var shape = x.shape
        shape[axis] = count
        let strides = x.shape.strides
        return try view(x, offset: start * strides[axis], axes: shape, strides: strides)
    }

    /// round((product + bias) × (a scale × b scale) ÷ y scale) + zero, saturating.
    ///
    /// - Parameter bias: one for each channel, the second axis.
    fileprivate mutating func requantized(
        _ product: Value, _ aScale: Value, _ bScale: Value, _ scale: Value, _ zero: Value,
        bias: Value? = nil
    ) throws(Failure) -> Value {
        func float(_ value: Value) throws(Failure) -> Value { try cast(value, to: .float32) }
        let factor = try binary(.mul, try float(aScale), try float(bScale))
        let point = zero.shape.elementCount == 1 ? try reshaped(zero, [1]) : zero
        let unit = try float(scale.shape.elementCount == 1 ? try reshaped(scale, [1]) : scale)
        if let value = try requantizedPlanes(product, bias, factor, unit, point) { return value }
        var sum = product
        if let bias {
            let rest = Array(repeating: 1, count: product.shape.count - 2)
            sum = try binary(.add, sum, try reshaped(bias, bias.shape + rest))
        }
        let value = try binary(.mul, try float(sum), factor)
        return try quantized(value, unit, point, to: zero.type)
    }

    /// The same in one step.
    ///
    /// - Returns: nil for other types, and for scales that are neither one nor one a channel.
    private mutating func requantizedPlanes(
        _ product: Value, _ bias: Value?, _ factor: Value, _ unit: Value, _ zero: Value
    ) throws(Failure) -> Value? {
        guard product.type == .int32, zero.type == .int8 || zero.type == .uint8,
            unit.shape.elementCount == 1, zero.shape.elementCount == 1,
            product.shape.elementCount > 0
        else { return nil }
        var shape = RequantizeShape()
        shape.isSigned = zero.type == .int8
        shape.hasBias = bias != nil
        shape.isByChannel = factor.shape.elementCount > 1
        if shape.hasBias || shape.isByChannel {
            guard product.shape.count >= 2 else { return nil }
            shape.channels = product.shape[1]
            shape.planes = product.shape[0] * shape.channels
            let rest = Array(repeating: 1, count: product.shape.count - 2)
            guard bias.map({ $0.type == .int32 && $0.shape == [shape.channels] }) ?? true,
                !shape.isByChannel || factor.shape == [shape.channels] + rest
            else { return nil }
        }
        shape.pixels = product.shape.elementCount / shape.planes
        return try emit(
            .requantize, [product] + (bias.map { [$0] } ?? []) + [factor, unit, zero],
            ints: shape.ints, type: zero.type, shape: product.shape)
    }

    // MARK: Convolutions

    /// An exact convolution of integers: groups of channels whose sums stay below 2^24 by the float
    /// kernels, added as integers.
    fileprivate mutating func convolveIntegers(
        _ op: Operator, x: Int, w: Int, xZero: Value?, wZero: Value?
    ) throws(Failure) -> Value {
        let input = try op.input(x)
        let weights = try op.input(w)
        let groups = try op.int("group") ?? 1
        guard input.shape.count >= 3, weights.shape.count == input.shape.count, groups > 0,
            groups <= 1 << 20, weights.shape[0] % groups == 0,
            input.shape[1] == weights.shape[1] * groups, !weights.shape.contains(0)
        else {
            throw Failure(.malformed, "input \(input.shape.text), weights \(weights.shape.text)")
        }
        if let sum = try dotConvolved(op, input, weights, (xZero, wZero), groups: groups) {
            return sum
        }
        let plain = try cast(try centered(input, xZero, isRows: false), to: .float32)
        var filters = try cast(weights, to: .int32)
        if let wZero {
            var zero = try cast(wZero, to: .int32)
            if zero.shape.elementCount > 1 {
                zero = try reshaped(
                    zero, zero.shape + Array(repeating: 1, count: weights.shape.count - 1))
            } else {
                zero = try reshaped(zero, [1])
            }
            filters = try binary(.sub, filters, zero)
        }
        let factors = try cast(filters, to: .float32)
        let channels = weights.shape[1]
        let taps = weights.shape[2...].reduce(1, *)
        let each = max(1, 256 / taps)
        guard taps <= 256 else { throw Failure(.unsupported, "a window of \(taps) integers") }
        if groups > 1, channels > each {
            throw Failure(
                .unsupported, "\(groups) groups of \(channels) channels; fewer channels expected")
        }
        var sum: Value?
        for start in Swift.stride(from: 0, to: channels, by: each) {
            let count = min(each, channels - start)
            let part = try groups > 1 ? plain : sliced(plain, 1, start, count)
            let filter = try groups > 1 ? factors : sliced(factors, 1, start, count)
            let product = try convolved(
                op, part, filter, nil, Epilogue(output: ""), groups: groups)
            let whole = try cast(product, to: .int32)
            sum = try sum.map { (sum) throws(Failure) in try binary(.add, sum, whole) } ?? whole
        }
        guard let sum else { throw Failure(.malformed, "weights without channels") }
        return sum
    }

    /// The same in one step.
    ///
    /// - Returns: nil for other types than int8 and uint8, for planes of more than two axes, and
    ///   for groups of so few channels that words of four would be mostly empty.
    private mutating func dotConvolved(
        _ op: Operator, _ x: Value, _ weights: Value, _ points: (x: Value?, w: Value?),
        groups: Int
    ) throws(Failure) -> Value? {
        let bytes: Set<ElementType> = [.int8, .uint8]
        let kernel = Array(weights.shape[2...])
        guard bytes.contains(x.type), bytes.contains(weights.type), kernel.count <= 2,
            groups == 1 || weights.shape[1] >= 4,
            let xZeros = zeros(points.x, of: x, lines: -1),
            let wZeros = zeros(points.w, of: weights, lines: weights.shape[0]),
            try op.ints("kernel_shape") ?? kernel == kernel
        else { return nil }
        let window = try Window(op, axes: Array(x.shape[2...]), kernel: kernel)
        let out = [x.shape[0], weights.shape[0]] + window.outAxes
        guard !out.contains(0) else { return nil }
        var shape = DotConvolutionShape()
        (shape.convolution.items, shape.convolution.groups) = (x.shape[0], groups)
        shape.convolution.channels = weights.shape[1]
        shape.convolution.outChannels = weights.shape[0] / groups
        shape.convolution.window = window.shape
        (shape.xIsSigned, shape.wIsSigned) = (x.type == .int8, weights.type == .int8)
        (shape.xZeros, shape.wZeros) = (xZeros, wZeros)
        let given = [
            xZeros == .none ? nil : points.x, wZeros == .none ? nil : points.w,
        ].compactMap(\.self)
        return try emit(
            .dotConvolve, [x, weights] + given, ints: shape.ints, type: .int32, shape: out)
    }

    fileprivate mutating func convolveQuantized(_ op: Operator) throws(Failure) -> Value {
        let sum = try convolveIntegers(
            op, x: 0, w: 3, xZero: try op.input(2), wZero: try op.input(5))
        let rest = Array(repeating: 1, count: sum.shape.count - 2)
        func beside(_ value: Value) throws(Failure) -> Value {
            value.shape.elementCount == 1
                ? try reshaped(value, [1]) : try reshaped(value, value.shape + rest)
        }
        return try requantized(
            sum, try beside(try op.input(1)), try beside(try op.input(4)), try op.input(6),
            try op.input(7), bias: try op.optional(8))
    }
}
