import Core
import SoftFloat
import Testing

/// The oracle against the processor: two implementations that share nothing.
@Suite struct SoftFloatTests {
    /// Signs of zero, subnormals and their borders, ones and their neighbours, halves, limits,
    /// infinities, NaN with and without a payload.
    static let directed: [UInt32] = [
        0, 1, 2, 3, 0x0040_0000, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x00ff_ffff, 0x0100_0000,
        0x0cff_ffff, 0x1f80_0000, 0x2000_0000, 0x337f_ffff, 0x3380_0000, 0x3380_0001, 0x33ff_ffff,
        0x3f00_0000, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001, 0x3fc0_0000, 0x3fff_ffff, 0x4000_0000,
        0x4040_0000, 0x4b00_0000, 0x4b7f_ffff, 0x4b80_0000, 0x4b80_0001, 0x4eff_ffff, 0x4f00_0000,
        0x5f00_0000, 0x7e80_0000, 0x7f00_0000, 0x7f7f_fffe, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001,
        0x7fc0_0000, 0x7fff_ffff,
    ].flatMap { [$0, $0 | 0x8000_0000] }

    static func canonical(_ x: Float) -> UInt32 { x.isNaN ? 0x7fc0_0000 : x.bitPattern }

    static func agree(_ a: UInt32, _ b: UInt32, _ c: UInt32) -> Bool {
        let (x, y, z) = (Float(bitPattern: a), Float(bitPattern: b), Float(bitPattern: c))
        return SoftFloat.add(a, b) == canonical(x + y)
            && SoftFloat.subtract(a, b) == canonical(x - y)
            && SoftFloat.multiply(a, b) == canonical(x * y)
            && SoftFloat.divide(a, b) == canonical(x / y)
            && SoftFloat.fma(a, b, c) == canonical(z.addingProduct(x, y))
            && SoftFloat.isLess(a, b) == (x < y) && SoftFloat.isEqual(a, b) == (x == y)
    }

    @Test func directedTriples() {
        var wrong: [[UInt32]] = []
        for a in Self.directed {
            for b in Self.directed {
                for c in Self.directed where !Self.agree(a, b, c) { wrong.append([a, b, c]) }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count), first \(wrong.first ?? [])")
    }

    @Test func randomTriples() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SplitMix64(seed: seed)
        var wrong = 0
        for index in 0..<(1 << 18) {
            let a = UInt32(truncatingIfNeeded: generator.next())
            var b = UInt32(truncatingIfNeeded: generator.next())
            var c = UInt32(truncatingIfNeeded: generator.next())
            if index & 1 == 1 {
                // Exponents near to each other: cancellation, ties, sticky bits.
                b = near(a, b)
                c = near(canonicalProduct(a, b), c)
            }
            if !Self.agree(a, b, c) { wrong += 1 }
        }
        #expect(wrong == 0, "seed \(seed)")
    }

    /// `b` with the exponent of `a` give or take 15.
    private func near(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let exponent = (a >> 23 & 0xff) &+ (b >> 23 & 0x1f) &- 15
        return b & 0x807f_ffff | (exponent & 0xff) << 23
    }

    private func canonicalProduct(_ a: UInt32, _ b: UInt32) -> UInt32 {
        Self.canonical(Float(bitPattern: a) * Float(bitPattern: b))
    }

    @Test func roots() {
        var wrong = Self.directed.count { a in
            SoftFloat.squareRoot(a) != Self.canonical(Float(bitPattern: a).squareRoot())
        }
        var generator = SplitMix64(seed: 1)
        for _ in 0..<(1 << 16) {
            let a = UInt32(truncatingIfNeeded: generator.next() >> 33)
            if SoftFloat.squareRoot(a) != Self.canonical(Float(bitPattern: a).squareRoot()) {
                wrong += 1
            }
        }
        #expect(wrong == 0)
    }

    @Test func integers() {
        var generator = SplitMix64(seed: 2)
        var wrong = 0
        for index in 0..<(1 << 17) {
            let value = Int64(bitPattern: generator.next()) >> (index & 63)
            if SoftFloat.fromInteger(value) != Float(value).bitPattern { wrong += 1 }
        }
        for value in [0, 1, -1, 16_777_217, 16_777_219, Int64.max, .min, .max - 1] {
            if SoftFloat.fromInteger(value) != Float(value).bitPattern { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test(
        arguments: [
            (0x7fc0_0000, 0), (0x7f80_0000, .max), (0xff80_0000, .min),
            (0x4eff_ffff, 2_147_483_520),
            (0x4f00_0000, .max), (0xcf00_0000, .min), (0xcf00_0001, .min), (0x3f7f_ffff, 0),
            (0xbf80_0000, -1), (0xbfff_ffff, -1), (0x4b80_0001, 16_777_218), (0x0000_0001, 0),
            (0x7f7f_ffff, .max), (0x8000_0000, 0), (0x4040_0000, 3),
        ] as [(UInt32, Int32)])
    func truncation(_ bits: UInt32, _ expected: Int32) {
        #expect(SoftFloat.toInt32(bits) == expected)
    }

    /// Answers worked out by hand from the formats' definitions.
    @Test(
        arguments: [
            (0x3f80_0000, 0x3c00, 0x3f80), (0x477f_efff, 0x7bff, 0x4780),
            (0x477f_f000, 0x7c00, 0x4780),
            (0x3300_0000, 0x0000, 0x3300), (0x3300_0001, 0x0001, 0x3300),
            (0x3380_0000, 0x0001, 0x3380),
            (0x33c0_0000, 0x0002, 0x33c0), (0x387f_c000, 0x03ff, 0x3880),
            (0x387f_e000, 0x0400, 0x3880),
            (0x3f80_1000, 0x3c00, 0x3f80), (0x3f80_3000, 0x3c02, 0x3f80),
            (0x3f80_8000, 0x3c04, 0x3f80),
            (0x3f81_8000, 0x3c0c, 0x3f82), (0x7f7f_ffff, 0x7c00, 0x7f80),
            (0xff80_0000, 0xfc00, 0xff80),
            (0xffff_ffff, 0x7e00, 0x7fc0), (0x8000_0001, 0x8000, 0x8000),
            (0x0000_8000, 0x0000, 0x0000),
            (0x0001_8000, 0x0000, 0x0002),
        ] as [(UInt32, UInt32, UInt32)])
    func narrowing(_ bits: UInt32, _ half: UInt32, _ bfloat: UInt32) {
        #expect(SoftFloat.convert(bits, from: .binary32, to: .binary16) == half)
        #expect(SoftFloat.convert(bits, from: .binary32, to: .bfloat16) == bfloat)
    }

    @Test func wideningAndBack() {
        for bits in UInt32(0)..<65536 {
            let wide = SoftFloat.convert(bits, from: .binary16, to: .binary32)
            let number = Float(bitPattern: wide)
            let back = SoftFloat.convert(wide, from: .binary32, to: .binary16)
            #expect(back == (number.isNaN ? 0x7e00 : bits))
        }
    }

    /// The triple by which devices that drop subnormals are told apart.
    @Test func subnormalAddend() {
        #expect(SoftFloat.fma(0x3f80_0800, 0x3f80_0800, 0x0008_0000) == 0x3f80_1001)
        #expect(SoftFloat.fma(0x3f80_0800, 0x3f80_0800, 0) == 0x3f80_1000)
    }
}
