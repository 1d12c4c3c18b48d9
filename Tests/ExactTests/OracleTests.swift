import Core
import Exact
import SoftFloat
import Testing

/// What is correctly rounded, against arithmetic from integers alone, over 2^20 arguments each.
@Suite struct OracleTests {
    private static let oracles: [String: @Sendable (UInt32, UInt32) -> UInt32] = [
        "div": { SoftFloat.divide($0, $1) },
        "rcp": { a, _ in SoftFloat.divide(0x3f80_0000, a) },
        "sqrt": { a, _ in SoftFloat.squareRoot(a) },
        "half": { a, _ in SoftFloat.convert(a, from: .binary32, to: .binary16) },
        "bfloat16": { a, _ in SoftFloat.convert(a, from: .binary32, to: .bfloat16) },
        "fromHalf": { a, _ in SoftFloat.convert(a >> 16, from: .binary16, to: .binary32) },
        "fromBFloat16": { a, _ in SoftFloat.convert(a >> 16, from: .bfloat16, to: .binary32) },
    ]

    @Test(arguments: ExactFunction.all.filter { oracles[$0.description] != nil })
    func agrees(_ function: ExactFunction) throws {
        let oracle = try #require(Self.oracles[function.description])
        let seed = UInt64.random(in: 0...UInt64.max)
        let wrong = function.arguments(count: 1 << 20, seed: seed).filter { a, b in
            function.twin(a, b) != oracle(a, b)
        }
        #expect(wrong.isEmpty, "\(wrong.count), first \(wrong.first ?? (0, 0)), seed \(seed)")
    }

    @Test func oraclesAreUsed() {
        let names = Set(ExactFunction.all.map(\.description))
        #expect(Self.oracles.keys.allSatisfy(names.contains))
    }

    /// fma is a call into libm on some processors: hold it to the oracle as well.
    @Test func fusedMultiplyAdd() {
        var generator = SplitMix64(seed: 7)
        var wrong = 0
        for index in 0..<(1 << 19) {
            let word = generator.next()
            let (a, b) = (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
            var c = UInt32(truncatingIfNeeded: generator.next())
            if index & 1 == 1 {
                let product = Float(bitPattern: a) * Float(bitPattern: b)
                c = (c & 0x807f_ffff) | (product.bitPattern & 0x7f80_0000)
            }
            let x = Float(bitPattern: c).addingProduct(
                Float(bitPattern: a), Float(bitPattern: b))
            let bits = x.isNaN ? 0x7fc0_0000 : x.bitPattern
            if bits != SoftFloat.fma(a, b, c) { wrong += 1 }
        }
        #expect(wrong == 0)
    }
}
