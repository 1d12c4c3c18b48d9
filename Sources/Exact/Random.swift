// Twin of Kernels/exact/random.cl.

extension Exact {
    /// Four random words that are a function of a key and a place: Philox 4×32 with ten rounds
    /// (Salmon, Moraes, Dror and Shaw 2011).
    public static func philox(
        _ place: SIMD4<UInt32>, key: SIMD2<UInt32>
    ) -> SIMD4<UInt32> {
        var (c, k) = (place, key)
        for _ in 0..<10 {
            let a = c.x.multipliedFullWidth(by: 0xd251_1f53)
            let b = c.z.multipliedFullWidth(by: 0xcd9e_8d57)
            c = SIMD4(b.high ^ c.y ^ k.x, b.low, a.high ^ c.w ^ k.y, a.low)
            k = SIMD2(k.x &+ 0x9e37_79b9, k.y &+ 0xbb67_ae85)
        }
        return c
    }

    /// In [0, 1): the top 24 bits, exactly.
    public static func unit(_ bits: UInt32) -> Float { Float(bits >> 8) * 0x1p-24 }

    /// A number with mean 0 and variance 1 by Box and Muller's way: a radius of which (0, 1] is
    /// made by the top 24 bits of `first`, in the direction that those of `second` are of a turn.
    /// At most 5.77.
    public static func normal(_ first: UInt32, _ second: UInt32) -> Float {
        let square = 2 * log(Float((first >> 8) + 1) * 0x1p-24)
        let radius = sqrt(square.magnitude)
        // The nearest quarter of a turn, and the rest on either side of it.
        let turn = second >> 8
        let quarter = (turn + 0x20_0000) >> 22
        let rest = Int32(turn) - Int32(quarter << 22)
        return radius * sinQuadrant(Float(rest) * 0x1.921fb6p-22, quarter + 1, 0)
    }

    /// In [0, 1): 53 bits, the first word's and then the second's top ones, exactly.
    public static func unit(_ first: UInt32, _ second: UInt32) -> Double {
        Double(UInt64(first) << 21 | UInt64(second >> 11)) * 0x1p-53
    }

    /// As ``normal(_:_:)`` from 53 bits each, the radius by the first two words and the direction
    /// by the others. At most 8.58.
    public static func normal(_ words: SIMD4<UInt32>) -> Double {
        let square = -2 * logOfUnit(unit(words.x, words.y) + 0x1p-53)
        let turn = unit(words.z, words.w)
        let quarter = (turn * 4).rounded()
        return square.squareRoot() * cosine(turn - quarter / 4, quarter: Int(quarter))
    }

    /// Of a number in (0, 1], by the series of artanh about 1, within two units in the last place.
    private static func logOfUnit(_ x: Double) -> Double {
        var (exponent, part) = (Double(x.exponent), x.significand)
        if part > 0x1.6a09e667f3bcdp0 {
            part /= 2
            exponent += 1
        }
        let s = (part - 1) / (part + 1)
        let square = s * s
        var sum = 0.0
        for power in stride(from: 23.0, to: 1, by: -2) { sum = (sum + 1 / power) * square }
        // ln 2 in two parts: the first one times an exponent has no rest.
        let low = exponent * 0x1.a39ef35793c76p-33 + 2 * s * sum
        return exponent * 0x1.62e42feep-1 + (2 * s + low)
    }

    /// Of so many quarters of a turn and a part of one turn, at most an eighth either way: by
    /// Taylor's series, within two units in the last place.
    private static func cosine(_ part: Double, quarter: Int) -> Double {
        let x = part * 0x1.921fb54442d18p2
        let square = x * x
        var (sine, cosine) = (1.0, 1.0)
        for number in stride(from: 18.0, to: 0, by: -2) {
            sine = 1 - square / (number * (number + 1)) * sine
            cosine = 1 - square / (number * (number - 1)) * cosine
        }
        switch quarter & 3 {
        case 0: return cosine
        case 1: return -x * sine
        case 2: return -cosine
        default: return x * sine
        }
    }
}
