internal import Core
internal import Exact

/// Every kind of step on the host, one element after the other: it folds constants, and is the
/// reference that kernels are tested against. Slow, obvious, and with the kernels' bits.
public enum HostSteps {
    /// - Parameters:
    ///   - type: the result's element type.
    ///   - shape: the result's shape.
    /// - Precondition: `step` passed its checks for these operands.
    public static func run(
        _ step: Step, _ operands: [Tensor], type: ElementType, shape: [Int]
    ) -> Tensor {
        let i = step.ints
        switch step.kind {
        case .unary:
            guard let operation = UnaryOperation(rawValue: i[0]) else { preconditionFailure() }
            let (a, b) = (step.floats[0], step.floats[1])
            return Tensor(floats(operands[0]).map { unary(operation, $0, a, b) }, shape: shape)
        case .binary: return binary(step, operands, type: type, shape: shape)
        case .not:
            return Tensor(integers(operands[0]).map { $0 == 0 ? 1 : 0 }, type: type, shape: shape)
        case .cast: return cast(operands[0], to: type, shape: shape)
        case .affine:
            let scale = floats(operands[1])
            let shift = floats(operands[2])
            let x = floats(operands[0])
            return Tensor(
                x.indices.map {
                    let channel = $0 / i[2] % i[1]
                    return shift[channel].addingProduct(x[$0], scale[channel])
                }, shape: shape)
        case .copy, .concat, .pad, .choose, .gather:
            return move(step, operands, type: type, shape: shape)
        case .gemm: return Tensor(gemm(step, operands.map(floats)), shape: shape)
        case .convolve: return Tensor(convolve(step, operands.map(floats)), shape: shape)
        case .pool: return Tensor(pool(step, floats(operands[0])), shape: shape)
        case .reduce, .argument, .softmax: return axis(step, floats(operands[0]), shape: shape)
        case .lrn: return Tensor(lrn(step, floats(operands[0])), shape: shape)
        }
    }

    static func floats(_ tensor: Tensor) -> [Float] {
        guard let floats = tensor.floats else { preconditionFailure("a tensor of floats") }
        return floats
    }

    static func integers(_ tensor: Tensor) -> [Int64] {
        guard let integers = tensor.integers else { preconditionFailure("a tensor of integers") }
        return integers
    }

    // MARK: Elementwise

    static func clip(_ x: Float, _ low: Float, _ high: Float) -> Float {
        x < low ? low : (x > high ? high : x)
    }

    /// Orders floats with -0 below +0 and NaN last.
    static func key(_ x: Float) -> Int32 {
        let bits = Int32(bitPattern: x.bitPattern)
        return x.isNaN ? Int32.max : bits ^ ((bits >> 31) & 0x7fff_ffff)
    }

    static func maximum(_ a: Float, _ b: Float) -> Float {
        if a.isNaN || b.isNaN { return Float(bitPattern: 0x7fc0_0000) }
        return key(a) < key(b) ? b : a
    }

    static func minimum(_ a: Float, _ b: Float) -> Float {
        if a.isNaN || b.isNaN { return Float(bitPattern: 0x7fc0_0000) }
        return key(b) < key(a) ? b : a
    }

    static func unary(_ operation: UnaryOperation, _ v: Float, _ a: Float, _ b: Float) -> Float {
        switch operation {
        case .relu: return v < 0 ? 0 : v
        case .leakyRelu: return v < 0 ? v * a : v
        case .clip: return clip(v, a, b)
        case .neg: return -v
        case .abs: return Float(bitPattern: v.bitPattern & 0x7fff_ffff)
        case .floor: return v.rounded(.down)
        case .ceil: return v.rounded(.up)
        case .sqrt: return Exact.sqrt(v)
        case .reciprocal: return Exact.rcp(v)
        case .exp: return Exact.exp(v)
        case .log: return Exact.log(v)
        case .sin: return Exact.sin(v)
        case .cos: return Exact.cos(v)
        case .tanh: return Exact.tanh(v)
        case .sigmoid: return Exact.sigmoid(v)
        case .erf: return Exact.erf(v)
        case .hardSigmoid: return clip(b.addingProduct(a, v), 0, 1)
        case .hardSwish: return v * clip(Float(0.5).addingProduct(0x1.555556p-3, v), 0, 1)
        case .elu: return v < 0 ? a * (Exact.exp(v) - 1) : v
        case .power:
            var y = v
            for _ in 1..<Int(a) { y = y * v }
            return y
        }
    }

    private static func binary(
        _ step: Step, _ operands: [Tensor], type: ElementType, shape: [Int]
    ) -> Tensor {
        guard let operation = BinaryOperation(rawValue: step.ints[0]) else {
            preconditionFailure("a known operation")
        }
        let rank = (step.ints.count - 2) / 3
        let axes = Array(step.ints[2..<(2 + rank)])
        let x = positions(axes, Array(step.ints[(2 + rank)..<(2 + 2 * rank)]), 0)
        let y = positions(axes, Array(step.ints[(2 + 2 * rank)...]), 0)
        if let a = operands[0].floats, let b = operands[1].floats {
            if operation.compares {
                return Tensor(
                    zip(x, y).map { compare(operation, a[$0], b[$1]) ? 1 : 0 }, type: type,
                    shape: shape)
            }
            return Tensor(zip(x, y).map { float(operation, a[$0], b[$1]) }, shape: shape)
        }
        let a = integers(operands[0])
        let b = integers(operands[1])
        return Tensor(
            zip(x, y).map { integer(operation, a[$0], b[$1]) }, type: type, shape: shape)
    }

    private static func float(_ operation: BinaryOperation, _ a: Float, _ b: Float) -> Float {
        switch operation {
        case .add: a + b
        case .sub: a - b
        case .mul: a * b
        case .div: Exact.div(a, b)
        case .max: maximum(a, b)
        case .min: minimum(a, b)
        case .pow: Exact.pow(a, b)
        case .prelu: a < 0 ? a * b : a
        default: preconditionFailure("\(operation) of floats")
        }
    }

    private static func compare<T: Comparable>(_ operation: BinaryOperation, _ a: T, _ b: T) -> Bool
    {
        switch operation {
        case .equal: a == b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        default: preconditionFailure("\(operation) compares nothing")
        }
    }

    private static func integer(_ operation: BinaryOperation, _ a: Int64, _ b: Int64) -> Int64 {
        switch operation {
        case .add: a &+ b
        case .sub: a &- b
        case .mul: a &* b
        case .max: max(a, b)
        case .min: min(a, b)
        case .and: a & b
        case .or: a | b
        case .xor: a ^ b
        default: compare(operation, a, b) ? 1 : 0
        }
    }

    /// Floats become integers by truncation, saturating, NaN giving 0; integers wrap.
    private static func cast(_ tensor: Tensor, to type: ElementType, shape: [Int]) -> Tensor {
        switch (tensor.elements, type) {
        case (.floats(let values), .float32): return Tensor(values, shape: shape)
        case (.integers(let values), .float32):
            return Tensor(values.map { Float($0) }, shape: shape)
        case (.floats(let values), .bool):
            return Tensor(values.map { $0 != 0 ? 1 : 0 }, type: type, shape: shape)
        case (.integers(let values), .bool):
            return Tensor(values.map { $0 != 0 ? 1 : 0 }, type: type, shape: shape)
        case (.integers(let values), _): return Tensor(values, type: type, shape: shape)
        case (.floats(let values), _):
            let (low, high): (Int64, Int64) =
                switch type {
                case .int32: (Int64(Int32.min), Int64(Int32.max))
                case .int64: (Int64.min, Int64.max)
                default: (0, 255)
                }
            return Tensor(
                values.map { value in
                    if value.isNaN { return 0 }
                    if value <= Float(low) { return low }
                    if value >= Float(high) { return high }
                    return Int64(value)
                }, type: type, shape: shape)
        }
    }

    /// Positions in an operand of every element of the result, row by row.
    static func positions(_ axes: [Int], _ strides: [Int], _ offset: Int) -> [Int] {
        var positions = [offset]
        for (axis, stride) in zip(axes, strides) {
            positions = positions.flatMap { base in (0..<axis).map { base + $0 * stride } }
        }
        return positions
    }
}
