internal import Core

/// What a ``Step/Kind/normalize`` step does, beside dividing by the root of the mean square.
struct NormalizeFlags: OptionSet {
    var rawValue: Int
    /// Subtracts the mean first.
    static let centers = NormalizeFlags(rawValue: 1)
    static let scales = NormalizeFlags(rawValue: 2)
    static let biases = NormalizeFlags(rawValue: 4)

    /// Operands behind x.
    var operandCount: Int { (contains(.scales) ? 1 : 0) + (contains(.biases) ? 1 : 0) }
}

/// One time step of a recurrent layer.
struct CellShape {
    enum Kind: Int {
        case rnn, lstm
        /// The reset gate acts on the product with the state.
        case gru
        /// The reset gate acts on the state: both gates, and what follows the product with it.
        case gruGates, gruState

        var gateCount: Int {
            switch self {
            case .rnn: 1
            case .lstm: 4
            default: 3
            }
        }

        /// Gates in the product with the state.
        var productCount: Int {
            switch self {
            case .gruGates: 2
            case .gruState: 1
            default: gateCount
            }
        }

        /// Tensors of (directions, batch, hidden) in the state, and in the result.
        var stateCount: Int { self == .lstm ? 2 : 1 }
        var resultCount: Int { self == .lstm || self == .gruGates ? 2 : 1 }
    }

    struct Flags: OptionSet {
        var rawValue: Int
        static let biases = Flags(rawValue: 1)
        static let peepholes = Flags(rawValue: 2)
        /// The forget gate is what the input gate leaves.
        static let couples = Flags(rawValue: 4)
    }

    /// The kernel's numbers of activations.
    enum Activation: Int, CaseIterable {
        case sigmoid, tanh, relu, affine, leakyRelu, thresholdedRelu, scaledTanh, hardSigmoid
        case elu, softsign, softplus
    }

    static let activationCount = 6

    var kind = Kind.rnn
    var directions = 1, batch = 1, hidden = 1
    var flags: Flags = []
    /// Where this time step's products with the input begin, by direction.
    var offsets = [0, 0]
    /// Three a direction.
    var activations = Array(repeating: Activation.sigmoid, count: activationCount)
    var clip = Float.infinity
    var alpha = [Float](repeating: 0, count: activationCount)
    var beta = [Float](repeating: 0, count: activationCount)

    init() {}

    var ints: [Int] {
        [kind.rawValue, directions, batch, hidden, flags.rawValue] + offsets
            + activations.map(\.rawValue)
    }
    var floats: [Float] { [clip] + alpha + beta }

    init?(_ step: Step) {
        let i = step.ints
        guard i.count == 7 + Self.activationCount, let kind = Kind(rawValue: i[0]),
            step.floats.count == 1 + 2 * Self.activationCount
        else { return nil }
        self.kind = kind
        (directions, batch, hidden, flags) = (i[1], i[2], i[3], Flags(rawValue: i[4]))
        offsets = Array(i[5..<7])
        activations = i[7...].compactMap(Activation.init)
        clip = step.floats[0]
        alpha = Array(step.floats[1..<(1 + Self.activationCount)])
        beta = Array(step.floats[(1 + Self.activationCount)...])
        guard activations.count == Self.activationCount, (1...2).contains(directions), batch > 0,
            hidden > 0, offsets.allSatisfy({ $0 >= 0 }), (0..<8).contains(i[4]),
            kind == .lstm || flags.isSubset(of: .biases)
        else { return nil }
    }

    /// As `cell_shape` lies in memory.
    var bytes: Bytes {
        ints.flatMap { Int32($0).littleEndianBytes }
            + floats.flatMap { $0.bitPattern.littleEndianBytes }
    }

    /// Operands in order: products with the input, products with the state, the state, gates,
    /// biases, peepholes.
    var operandCount: Int {
        3 + (kind == .gruState ? 1 : 0) + (flags.contains(.biases) ? 1 : 0)
            + (flags.contains(.peepholes) ? 1 : 0)
    }
}

extension Step {
    func normalizeExtent() throws(Failure) -> StepExtent {
        guard ints.count == 3, (0..<8).contains(ints[2]), ints[1] > 0 else { throw Self.broken }
        let more = NormalizeFlags(rawValue: ints[2]).operandCount
        try expect(operands: 1 + more, ints: 3, floats: 1)
        let count = try Self.product([ints[0], ints[1], 4])
        return StepExtent(
            operands: [count] + Array(repeating: ints[1] * 4, count: more), result: count)
    }

    func cellExtent() throws(Failure) -> StepExtent {
        guard let s = CellShape(self) else { throw Self.broken }
        try expect(operands: s.operandCount, floats: floats.count)
        let one = try Self.product([s.directions, s.batch, s.hidden, 4])
        let gates = s.kind.gateCount
        let x = try Self.product([s.batch, s.hidden, gates])
        let last = s.offsets.prefix(s.directions).max() ?? 0
        guard last + x <= Self.numberMax else { throw Self.broken }
        var operands = [
            (last + x) * 4, try Self.product([one, s.kind.productCount]),
            try Self.product([one, s.kind.stateCount]),
        ]
        if s.kind == .gruState { operands.append(try Self.product([one, 2])) }
        let vector = try Self.product([s.directions, s.hidden, 4])
        if s.flags.contains(.biases) { operands.append(try Self.product([vector, 2, gates])) }
        if s.flags.contains(.peepholes) { operands.append(try Self.product([vector, 3])) }
        return StepExtent(
            operands: operands, result: try Self.product([one, s.kind.resultCount]))
    }
}
