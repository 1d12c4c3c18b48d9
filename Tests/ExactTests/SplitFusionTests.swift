import Compute
import Core
import RigorTestKit
import Testing

/// fma from + - * alone, as devices get it that have none of their own (`Kernels/exact/fma.cl`).
@Suite(.serialized) struct SplitFusionTests {
    /// Exponents of the factors and of the summand, unbiased.
    private static let ranges: [(factors: ClosedRange<Int>, summand: ClosedRange<Int>)] = [
        (-3...3, -3...3), (-3...3, -30...6), (-60...60, -100...100), (-60 ... -30, -120 ... -60),
        (-3...3, -126 ... -1), (20...63, 60...126),
    ]

    /// Where operands, product and result are normal, each rounding is the host's.
    @Test(arguments: TestDevices.quick)
    func roundsOnce(_ test: TestDevice) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var stream = Stream(seed: seed)
        for range in Self.ranges {
            let items = (0..<1 << 18).map { _ in stream.item(range.factors, range.summand) }
            let words = try Self.fuse(items, on: test)
            let wrong = items.indices.filter { index in
                let (a, b, c) = Self.operands(items[index])
                let expected = c.addingProduct(a, b)
                guard (a * b).isNormal, expected.isNormal else { return false }
                return words[2 * index] != expected.bitPattern
            }
            #expect(
                wrong.isEmpty,
                "\(test), seed \(seed): \(wrong.count) wrong, first \(items[wrong.first ?? 0])")
        }
    }

    /// Zeros keep their sign, infinities and NaN come out as such.
    @Test(arguments: TestDevices.quick)
    func specialOperands(_ test: TestDevice) throws {
        let special: [Float] = [0, -0.0, 1, -1, 3, .infinity, -.infinity, .nan, 0x1p60, -0x1p-60]
        var items: [SIMD4<UInt32>] = []
        for a in special {
            for b in special {
                for c in special { items.append([a.bitPattern, b.bitPattern, c.bitPattern, 0]) }
            }
        }
        let words = try Self.fuse(items, on: test)
        for (index, item) in items.enumerated() {
            let (a, b, c) = Self.operands(item)
            let expected = c.addingProduct(a, b)
            let bits = expected.isNaN ? 0x7fc0_0000 : expected.bitPattern
            #expect(words[2 * index] == bits, "\(test): fma(\(a), \(b), \(c))")
        }
    }

    private static func operands(_ item: SIMD4<UInt32>) -> (Float, Float, Float) {
        (Float(bitPattern: item.x), Float(bitPattern: item.y), Float(bitPattern: item.z))
    }

    private static func fuse(
        _ items: [SIMD4<UInt32>], on test: TestDevice
    ) throws -> [UInt32] {
        let device = try test.open()
        let program = try device.program(
            ProgramSource(
                "test/fma", files: ["certify/item.cl", "certify/arithmetic.cl"],
                defines: ["EXACT_SPLIT_FMA": "1"]))
        let output = try device.makeBuffer(byteCount: 8 * items.count)
        try device.launch(
            "certify_fma", of: program, global: [items.count], local: nil,
            arguments: [
                .buffer(try device.makeBuffer(items)), .buffer(output),
                .uint(UInt32(items.count)), .float(-0.0),
            ])
        return try device.read(UInt32.self, count: 2 * items.count, from: output)
    }
}

/// Operands whose sums meet every case: digits few or many, summands near the product or far.
private struct Stream {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func item(
        _ factors: ClosedRange<Int>, _ summand: ClosedRange<Int>
    ) -> SIMD4<UInt32> {
        let a = number(factors)
        let b = number(factors)
        var c = number(summand)
        if generator.next() % 4 == 0 {
            let product = Float(bitPattern: a) * Float(bitPattern: b)
            if product.isNormal { c = (-product).bitPattern ^ UInt32(generator.next() % 4) }
        }
        return [a, b, c, 0]
    }

    private mutating func number(_ exponents: ClosedRange<Int>) -> UInt32 {
        let bits = generator.next()
        let kept = UInt32.max << UInt32(bits >> 58 & 0x1f)
        let exponent = UInt32(Int.random(in: exponents, using: &generator) + 127)
        return UInt32(truncatingIfNeeded: bits) & 0x807f_ffff & (kept | 0x8000_0000)
            | exponent << 23
    }
}
