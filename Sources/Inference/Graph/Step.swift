internal import Core

/// One piece of device work: a kernel's worth of arithmetic or movement from buffers to a new one.
///
/// All numbers that shape it are in `ints`, in the order that its kind's table entry says; so a
/// step has one encoding, one check of its bounds, and one reference on the host.
public struct Step: Hashable, Sendable {
    public enum Kind: Int, Hashable, Sendable, CaseIterable {
        /// `[operation, count, type]`, floats `[a, b]`; x.
        case unary = 1
        /// `[operation, type, axes…, x strides…, y strides…]`; x, y.
        case binary = 2
        /// `[count]`; x, booleans.
        case not = 3
        /// `[from, to, count, saturates]`; x.
        case cast = 4
        /// `[items, channels, pixels]`; x, scale, shift.
        case affine = 5
        /// `[type, offset, axes…, strides…]`; x. Strides may be zero or negative.
        case copy = 6
        /// `[type, outer, inner of each…]`; any number.
        case concat = 7
        /// `[type, value bits, outer axes…, inner axes…, begins…]`; x.
        case pad = 8
        /// `[type, axes…, condition strides…, x strides…, y strides…]`; condition, x, y.
        case choose = 9
        /// `[type, index type, outer, axis, inner, indices, least]`; x, indices. Indices from
        /// `least` on are inside: from -axis, negative ones count from the end, or from 0.
        case gather = 10
        /// See ``MatrixShape``; a, b and perhaps a bias.
        case gemm = 11
        /// See ``ConvolutionShape``; x, weights and perhaps a bias.
        case convolve = 12
        /// See ``PoolShape``; x.
        case pool = 13
        /// `[operation, outer, count, inner, type]`; x.
        case reduce = 14
        /// `[wants the least, outer, count, inner, type]`; x, giving int64.
        case argument = 15
        /// `[logarithm, outer, count, inner]`; x.
        case softmax = 16
        /// `[items, channels, pixels, below, above]`, floats `[alpha over size, beta, bias]`; x.
        case lrn = 17
        /// `[rows, count, flags]`, floats `[epsilon]`; x, and a scale and a bias of `count` as the
        /// flags say. See ``NormalizeFlags``.
        case normalize = 40
        /// See ``CellShape``; products of the inputs and of the state, the state, and what the
        /// shape asks for: gates, biases, peepholes.
        case cell = 41
        /// See ``PoolShape``: the gradient of a pool. Of averages its result's gradient; of maxima
        /// x, the result, and the gradient.
        case unpool = 42
        /// See ``DotShape``; a, b and their zero points, where there are any.
        case dot = 43
        /// See ``DotConvolutionShape``; x, weights and their zero points, where there are any.
        case dotConvolve = 44
        /// See ``RequantizeShape``; sums, perhaps a bias, factors, a scale and a zero point.
        case requantize = 45
        /// `[distribution, count, place, place]`, floats `[a, b]`; a seed of 64 bits. Of each
        /// element a random number times b, plus a.
        case random = 46
        /// `[rows, classes, samples]`; weights of each row's classes, and a number in [0, 1) for
        /// each sample, giving int32.
        case pick = 47
    }

    public var kind: Kind
    /// Numbers of the buffers it reads.
    public var operands: [Int]
    /// Number of the buffer it writes, none of `operands`.
    public var result: Int
    public var ints: [Int]
    public var floats: [Float]
    /// What of the model it computes; nil where that is a part of an operator.
    public var output: Output?

    /// A value of the model, after the rewriting of its graph.
    public struct Output: Hashable, Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int]
    }

    public init(
        _ kind: Kind, operands: [Int], result: Int, ints: [Int], floats: [Float] = []
    ) {
        self.kind = kind
        self.operands = operands
        self.result = result
        self.ints = ints
        self.floats = floats
    }
}

/// Functions of one float. The kernel is `unary_` and the name in snake case.
public enum UnaryOperation: Int, Hashable, Sendable, CaseIterable {
    case relu, leakyRelu, clip, neg, abs, floor, ceil, sqrt, reciprocal, exp, log, sin, cos, tanh
    case sigmoid, erf, hardSigmoid, hardSwish, elu, power
    case tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh
    case softplus, softsign, mish, gelu, geluTanh, swish, selu, celu, thresholdedRelu, shrink
    case round, sign, exp2
    /// Of integers alone.
    case not

    /// Whether its kernel is among those that fewer networks use.
    var isRare: Bool { (UnaryOperation.tan.rawValue...Self.exp2.rawValue).contains(rawValue) }

    /// Whether it is defined for elements of that type. Of doubles only what IEEE 754 itself has.
    func takes(_ type: ElementType) -> Bool {
        switch self {
        case .not: type.isInteger
        case .neg, .abs, .sign: type != .bool && !type.isNarrowFloat
        case .relu, .leakyRelu, .clip, .floor, .ceil, .sqrt, .reciprocal, .hardSigmoid, .hardSwish,
            .power, .softsign, .thresholdedRelu, .shrink, .round:
            type == .float32 || type == .double
        default: type == .float32
        }
    }
}

/// Functions of two numbers. The kernel is `binary_` (floats) or `integer_` and the name.
public enum BinaryOperation: Int, Hashable, Sendable, CaseIterable {
    case add, sub, mul, div, max, min, pow, prelu
    case equal, less, lessOrEqual, greater, greaterOrEqual
    case and, or, xor
    /// Of integers: what is left has the divisor's sign, or the dividend's; shifts.
    case mod, remainder, shiftLeft, shiftRight

    /// Whether it gives booleans.
    var compares: Bool { (BinaryOperation.equal.rawValue...12).contains(rawValue) }

    /// Whether there is a kernel for elements of that type.
    func takes(_ type: ElementType) -> Bool {
        switch self {
        case .pow: type == .float32 || (type.isInteger && type != .bool)
        case .prelu: type == .float32 || type == .double
        case .and, .or, .xor: type.isInteger
        case .mod, .remainder, .shiftLeft, .shiftRight: type.isInteger && type != .bool
        case .equal: !type.isNarrowFloat
        default: type != .bool && !type.isNarrowFloat
        }
    }
}

public enum ReduceOperation: Int, Hashable, Sendable, CaseIterable {
    case sum, mean, prod, max, min
}

extension String {
    /// `leakyRelu` → `leaky_relu`.
    var snakeCase: String {
        reduce(into: "") { text, character in
            text += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
    }
}

extension Step {
    /// Roughly the multiplications that it takes, for telling how far a run is.
    var cost: Double {
        if kind == .gemm, let s = MatrixShape(ints) {
            return [s.rows, s.columns, s.depth, s.matrices].reduce(1) { $0 * Double($1) }
        }
        if kind == .dot, let s = DotShape(ints) {
            return [s.rows, s.columns, s.depth, s.matrices].reduce(0.25) { $0 * Double($1) }
        }
        if kind == .dotConvolve, let s = DotConvolutionShape(ints)?.convolution {
            return [s.items, s.groups, s.outChannels, s.window.outPixels, s.depth].reduce(0.25) {
                $0 * Double($1)
            }
        }
        if kind == .convolve, let s = ConvolutionShape(ints) {
            return [s.items, s.groups, s.outChannels, s.window.outPixels, s.depth].reduce(1) {
                $0 * Double($1)
            }
        }
        return 10_000
    }
}

// MARK: - Shapes with many numbers

/// C = A B by strides in elements; `matrices` of them, an operand's stride being 0 where all share
/// one.
public struct MatrixShape: Hashable, Sendable {
    public var rows = 0, columns = 0, depth = 0, matrices = 1
    public var aLine = 0, aDepth = 0, aMatrix = 0
    public var bLine = 0, bDepth = 0, bMatrix = 0
    /// ``Gemm/Bias``'s raw value.
    public var bias = 0
    /// 0 none, 1 relu, 2 clip to the step's two floats.
    public var activation = 0

    public init() {}

    static let count = 12
    public var ints: [Int] {
        [
            rows, columns, depth, matrices, aLine, aDepth, aMatrix, bLine, bDepth, bMatrix, bias,
            activation,
        ]
    }
    init?(_ i: [Int]) {
        guard i.count == Self.count else { return nil }
        (rows, columns, depth, matrices) = (i[0], i[1], i[2], i[3])
        (aLine, aDepth, aMatrix, bLine, bDepth, bMatrix) = (i[4], i[5], i[6], i[7], i[8], i[9])
        (bias, activation) = (i[10], i[11])
    }
}

/// A window sliding over planes.
public struct WindowShape: Hashable, Sendable {
    public var height = 1, width = 1, outHeight = 1, outWidth = 1
    public var kernelHeight = 1, kernelWidth = 1, strideY = 1, strideX = 1
    public var dilationY = 1, dilationX = 1, top = 0, left = 0

    public init() {}

    static let count = 12
    public var ints: [Int] {
        [
            height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX,
            dilationY, dilationX, top, left,
        ]
    }
    init(_ i: ArraySlice<Int>) {
        let i = Array(i)
        (height, width, outHeight, outWidth) = (i[0], i[1], i[2], i[3])
        (kernelHeight, kernelWidth, strideY, strideX) = (i[4], i[5], i[6], i[7])
        (dilationY, dilationX, top, left) = (i[8], i[9], i[10], i[11])
    }

    var pixels: Int { height * width }
    var outPixels: Int { outHeight * outWidth }
    var taps: Int { kernelHeight * kernelWidth }
}

/// A convolution of `items` × (`groups` · `channels`) planes into `groups` · `outChannels`.
public struct ConvolutionShape: Hashable, Sendable {
    public var items = 1, groups = 1
    /// In and out, of one group.
    public var channels = 1, outChannels = 1
    /// 1 when there is a bias.
    public var bias = 0
    /// As in ``MatrixShape``.
    public var activation = 0
    public var window = WindowShape()

    public init() {}

    public var ints: [Int] {
        [items, groups, channels, outChannels, bias, activation] + window.ints
    }
    init?(_ i: [Int]) {
        guard i.count == 6 + WindowShape.count else { return nil }
        (items, groups, channels, outChannels) = (i[0], i[1], i[2], i[3])
        (bias, activation) = (i[4], i[5])
        window = WindowShape(i[6...])
    }

    var depth: Int { channels * window.taps }
}

/// Maxima or averages of windows.
public struct PoolShape: Hashable, Sendable {
    public var planes = 1
    /// 1 for averages.
    public var averages = 0
    /// 1 where the divisor counts the padding, which ends `bottom` and `right` of the plane.
    public var countsPadding = 0, bottom = 0, right = 0
    public var window = WindowShape()

    public init() {}

    public var ints: [Int] { [planes, averages, countsPadding, bottom, right] + window.ints }
    init?(_ i: [Int]) {
        guard i.count == 5 + WindowShape.count else { return nil }
        (planes, averages, countsPadding, bottom, right) = (i[0], i[1], i[2], i[3], i[4])
        window = WindowShape(i[5...])
    }
}
