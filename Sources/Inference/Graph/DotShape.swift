internal import Core

/// C = (A − a's zero) (B − b's zero) of 8-bit integers, modulo 2³²: row-major matrices that follow
/// one another, an operand's stride being 0 where all share one.
public struct DotShape: Hashable, Sendable {
    /// How many zero points an operand has.
    public enum Zeros: Int, Hashable, Sendable {
        case none, one
        /// One for each of A's rows or B's columns, the same for all matrices.
        case lines
    }

    public var rows = 0, columns = 0, depth = 0, matrices = 1
    /// Elements from one matrix to the next.
    public var aMatrix = 0, bMatrix = 0
    /// Whether an operand's elements are int8; uint8 otherwise.
    public var aIsSigned = false, bIsSigned = false
    public var aZeros = Zeros.none, bZeros = Zeros.none

    public init() {}

    public var ints: [Int] {
        [
            rows, columns, depth, matrices, aMatrix, bMatrix, aIsSigned ? 1 : 0,
            bIsSigned ? 1 : 0, aZeros.rawValue, bZeros.rawValue,
        ]
    }

    init?(_ i: [Int]) {
        guard i.count == 10, i[6...7].allSatisfy({ $0 == 0 || $0 == 1 }),
            let aZeros = Zeros(rawValue: i[8]), let bZeros = Zeros(rawValue: i[9])
        else { return nil }
        (rows, columns, depth, matrices) = (i[0], i[1], i[2], i[3])
        (aMatrix, bMatrix) = (i[4], i[5])
        (aIsSigned, bIsSigned) = (i[6] == 1, i[7] == 1)
        (self.aZeros, self.bZeros) = (aZeros, bZeros)
    }

    /// Elements of an operand's zero points.
    func count(of zeros: Zeros, lines: Int) -> Int {
        switch zeros {
        case .none: 0
        case .one: 1
        case .lines: lines
        }
    }
}

extension Step {
    func dotExtent() throws(Failure) -> StepExtent {
        guard let s = DotShape(ints),
            [s.rows, s.columns, s.depth, s.matrices].allSatisfy({ $0 > 0 }),
            [0, s.rows * s.depth].contains(s.aMatrix),
            [0, s.depth * s.columns].contains(s.bMatrix), s.depth <= Self.numberMax - 3
        else { throw Self.broken }
        var operands = [
            try Self.product([s.aMatrix == 0 ? 1 : s.matrices, s.rows, s.depth]),
            try Self.product([s.bMatrix == 0 ? 1 : s.matrices, s.depth, s.columns]),
        ]
        for (zeros, lines) in [(s.aZeros, s.rows), (s.bZeros, s.columns)] where zeros != .none {
            operands.append(s.count(of: zeros, lines: lines))
        }
        try expect(operands: operands.count)
        return StepExtent(
            operands: operands, result: try Self.product([s.matrices, s.rows, s.columns, 4]))
    }
}

extension HostSteps {
    /// Word by word.
    static func dot(_ step: Step, _ operands: [Tensor], shape: [Int]) -> Tensor {
        guard let s = DotShape(step.ints) else { preconditionFailure("a shape of a product") }
        let (a, b) = (integers(operands[0]), integers(operands[1]))
        let aZero = s.aZeros == .none ? [0] : integers(operands[2])
        let bZero = s.bZeros == .none ? [0] : integers(operands[operands.count - 1])
        var out: [Int64] = []
        for matrix in 0..<s.matrices {
            for row in 0..<s.rows {
                for column in 0..<s.columns {
                    let zeroA = aZero[s.aZeros == .lines ? row : 0]
                    let zeroB = bZero[s.bZeros == .lines ? column : 0]
                    var sum: Int64 = 0
                    for k in 0..<s.depth {
                        let left = a[matrix * s.aMatrix + row * s.depth + k] - zeroA
                        sum += left * (b[matrix * s.bMatrix + k * s.columns + column] - zeroB)
                    }
                    out.append(Int64(Int32(truncatingIfNeeded: sum)))
                }
            }
        }
        return Tensor(out, type: .int32, shape: shape)
    }
}
