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
        switch step.kind {
        case .binary: return binary(step, operands, type: type, shape: shape)
        case .not:
            return Tensor(integers(operands[0]).map { $0 == 0 ? 1 : 0 }, type: type, shape: shape)
        case .cast: return cast(operands[0], to: type, shape: shape, saturates: step.ints[3] != 0)
        case .copy, .concat, .pad, .choose, .gather:
            return move(step, operands, type: type, shape: shape)
        case .dot: return dot(step, operands, shape: shape)
        case .dotConvolve: return dotConvolve(step, operands, shape: shape)
        case .requantize: return requantize(step, operands, shape: shape)
        case .random: return draw(step, operands[0], shape: shape)
        case .pick: return pick(step, operands, shape: shape)
        case .unary where operands[0].type.isInteger:
            return integerUnary(step, operands[0], shape: shape)
        case .reduce where operands[0].type.isInteger, .argument where operands[0].type.isInteger:
            return integerAxis(step, operands[0], type: type, shape: shape)
        default: break
        }
        if operands.allSatisfy({ $0.doubles != nil }) {
            let values = operands.map { $0.doubles ?? [] }
            return step.kind == .argument
                ? Tensor(picks(step, values[0]), type: type, shape: shape)
                : Tensor(doubles: real(step, values), shape: shape)
        }
        let values = operands.map(floats)
        return step.kind == .argument
            ? Tensor(picks(step, values[0]), type: type, shape: shape)
            : Tensor(real(step, values), shape: shape)
    }

    /// A step whose operands and result are reals of one type.
    private static func real<T: HostReal>(_ step: Step, _ operands: [[T]]) -> [T] {
        let x = operands[0]
        let i = step.ints
        switch step.kind {
        case .unary:
            guard let operation = UnaryOperation(rawValue: i[0]) else { preconditionFailure() }
            let (a, b) = (T(step.floats[0]), T(step.floats[1]))
            return x.map { unary(operation, $0, a, b) }
        case .affine:
            return x.indices.map {
                let channel = $0 / i[2] % i[1]
                return operands[2][channel].addingProduct(x[$0], operands[1][channel])
            }
        case .gemm: return gemm(step, operands)
        case .convolve: return convolve(step, operands)
        case .pool: return pool(step, x)
        case .unpool: return unpool(step, operands)
        case .reduce: return reduce(step, x)
        case .softmax: return softmax(step, x)
        case .lrn: return lrn(step, x)
        case .normalize: return normalize(step, operands)
        case .cell: return cell(step, operands)
        default: preconditionFailure("\(step.kind) is none of reals")
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

    static func unary<T: HostReal>(_ operation: UnaryOperation, _ v: T, _ a: T, _ b: T) -> T {
        switch operation {
        case .relu: return v < 0 ? 0 : v
        case .leakyRelu: return v < 0 ? v * a : v
        case .clip: return T.clip(v, a, b)
        case .neg: return -v
        case .abs: return v.magnitude
        case .floor: return v.rounded(.down)
        case .ceil: return v.rounded(.up)
        case .hardSigmoid: return T.clip(b.addingProduct(a, v), 0, 1)
        case .hardSwish: return v * T.clip(T(0.5).addingProduct(T(Float(0x1.555556p-3)), v), 0, 1)
        case .elu:
            guard v < 0 else { return v }
            return a * ((T.function(.exp, v, 0, 0) ?? 0) - 1)
        case .power:
            var y = v
            for _ in 1..<Int(a) { y = y * v }
            return y
        case .softsign: return T.quotient(v, 1 + v.magnitude)
        case .thresholdedRelu: return v > a ? v : v.isNaN ? v : 0
        case .shrink: return v < -b ? v + a : v > b ? v - a : v.isNaN ? v : 0
        case .round: return v.rounded(.toNearestOrEven)
        case .sign: return v > 0 ? 1 : v < 0 ? -1 : v.isNaN ? v : 0
        default:
            guard let y = T.function(operation, v, a, b) else {
                preconditionFailure("\(operation) is refused before")
            }
            return y
        }
    }

    private static func integerUnary(_ step: Step, _ x: Tensor, shape: [Int]) -> Tensor {
        guard let operation = UnaryOperation(rawValue: step.ints[0]) else { preconditionFailure() }
        let values = integers(x).map { value -> Int64 in
            switch operation {
            case .neg: return 0 &- value
            case .not: return ~value
            case .sign: return value == 0 ? 0 : value < 0 && x.type.isSigned ? -1 : 1
            case .abs: return value < 0 && x.type.isSigned ? 0 &- value : value
            default: preconditionFailure("\(operation) of integers")
            }
        }
        return Tensor(values, type: x.type, shape: shape)
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
        func compared<T: Comparable>(_ a: [T], _ b: [T]) -> Tensor {
            Tensor(
                zip(x, y).map { compare(operation, a[$0], b[$1]) ? 1 : 0 }, type: type,
                shape: shape)
        }
        switch (operands[0].elements, operands[1].elements) {
        case (.floats(let a), .floats(let b)):
            if operation.compares { return compared(a, b) }
            return Tensor(zip(x, y).map { real(operation, a[$0], b[$1]) }, shape: shape)
        case (.doubles(let a), .doubles(let b)):
            if operation.compares { return compared(a, b) }
            return Tensor(doubles: zip(x, y).map { real(operation, a[$0], b[$1]) }, shape: shape)
        default:
            let a = integers(operands[0])
            let b = integers(operands[1])
            if operation.compares, operands[0].type == .uint64 {
                return compared(a.map { UInt64(bitPattern: $0) }, b.map { UInt64(bitPattern: $0) })
            }
            if operation.compares { return compared(a, b) }
            let from = operands[0].type
            return Tensor(
                zip(x, y).map { integer(operation, a[$0], b[$1], from) }, type: type, shape: shape)
        }
    }

    private static func real<T: HostReal>(_ operation: BinaryOperation, _ a: T, _ b: T) -> T {
        switch operation {
        case .add: a + b
        case .sub: a - b
        case .mul: a * b
        case .div: T.quotient(a, b)
        case .max: T.larger(a, b)
        case .min: T.smaller(a, b)
        case .pow: T.power(a, b)
        case .prelu: a < 0 ? a * b : a
        default: preconditionFailure("\(operation) of floats")
        }
    }

    private static func compare<T: Comparable>(
        _ operation: BinaryOperation, _ a: T, _ b: T
    ) -> Bool {
        switch operation {
        case .equal: a == b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        default: preconditionFailure("\(operation) compares nothing")
        }
    }

    /// Arithmetic wraps. A quotient is truncated; by zero it is 0.
    static func integer(
        _ operation: BinaryOperation, _ a: Int64, _ b: Int64, _ type: ElementType
    ) -> Int64 {
        let isWide = type == .uint64
        let (ua, ub) = (UInt64(bitPattern: a), UInt64(bitPattern: b))
        switch operation {
        case .add: return a &+ b
        case .sub: return a &- b
        case .mul: return a &* b
        case .div:
            if b == 0 { return 0 }
            return isWide
                ? Int64(bitPattern: ua / ub) : a.dividedReportingOverflow(by: b).partialValue
        case .max: return isWide ? Int64(bitPattern: max(ua, ub)) : max(a, b)
        case .min: return isWide ? Int64(bitPattern: min(ua, ub)) : min(a, b)
        case .and: return a & b
        case .or: return a | b
        case .xor: return a ^ b
        case .remainder, .mod:
            if b == 0 { return 0 }
            if isWide { return Int64(bitPattern: ua % ub) }
            let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
            return operation == .mod && rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
        case .shiftLeft: return ub < UInt64(type.bitCount) ? a << b : 0
        case .shiftRight:
            if ub >= UInt64(type.bitCount) { return a < 0 && type.isSigned ? -1 : 0 }
            return isWide ? Int64(bitPattern: ua >> ub) : a >> b
        case .pow: return power(a, b, type)
        default: preconditionFailure("\(operation) of integers")
        }
    }

    /// By repeated squaring, wrapping; a negative exponent leaves the inverse's whole part.
    private static func power(_ a: Int64, _ b: Int64, _ type: ElementType) -> Int64 {
        if b < 0, type.isSigned { return a == 1 ? 1 : a == -1 ? (b & 1 == 0 ? 1 : -1) : 0 }
        var result: Int64 = 1
        var base = a
        var rest = UInt64(bitPattern: b)
        while rest != 0 {
            if rest & 1 == 1 { result = result &* base }
            base = base &* base
            rest >>= 1
        }
        return result
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
