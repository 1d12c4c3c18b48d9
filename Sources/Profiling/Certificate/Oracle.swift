internal import Core

/// Right answers by bits, from arithmetic that shares nothing with any device.
enum Oracle {
    static let nan: UInt32 = 0x7fc0_0000

    static func add(_ a: UInt32, _ b: UInt32) -> UInt32 { bits(float(a) + float(b)) }
    static func subtract(_ a: UInt32, _ b: UInt32) -> UInt32 { bits(float(a) - float(b)) }
    static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 { bits(float(a) * float(b)) }
    static func divide(_ a: UInt32, _ b: UInt32) -> UInt32 { bits(float(a) / float(b)) }
    static func squareRoot(_ a: UInt32) -> UInt32 { bits(float(a).squareRoot()) }
    static func fma(_ a: UInt32, _ b: UInt32, _ c: UInt32) -> UInt32 {
        bits(float(c).addingProduct(float(a), float(b)))
    }

    /// binary16 of a float, ties to even.
    static func half(_ bits: UInt32) -> UInt32 { half(Double(float(bits))) }
    /// bfloat16 of a float, ties to even.
    static func bfloat16(_ bits: UInt32) -> UInt32 { bfloat16(Double(float(bits))) }

    static func half(_ value: Double) -> UInt32 {
        encode(value, digits: 10, exponentMin: -14, exponentMax: 15, nan: 0x7e00)
    }

    static func bfloat16(_ value: Double) -> UInt32 {
        encode(value, digits: 7, exponentMin: -126, exponentMax: 127, nan: 0x7fc0)
    }

    static func widened(half bits: UInt32) -> UInt32 {
        decode(bits & 0xffff, digits: 10, exponentMin: -14)
    }

    static func widened(bfloat16 bits: UInt32) -> UInt32 {
        decode(bits & 0xffff, digits: 7, exponentMin: -126)
    }

    /// The nearest number with `digits` fraction digits, by scaling to whole numbers.
    private static func encode(
        _ value: Double, digits: Int, exponentMin: Int, exponentMax: Int, nan: UInt32
    ) -> UInt32 {
        guard !value.isNaN else { return nan }
        let sign: UInt32 = value.sign == .minus ? 0x8000 : 0
        let infinity = UInt32(exponentMax - exponentMin + 2) << UInt32(digits)
        guard value.isFinite, value != 0 else { return sign | (value == 0 ? 0 : infinity) }
        let exponent = max(Int(value.magnitude.exponent), exponentMin)
        let unit = Double(sign: .plus, exponent: exponent - digits, significand: 1)
        let whole = UInt32((value.magnitude / unit).rounded(.toNearestOrEven))
        // Whole numbers below 2^digits are subnormal; a carry moves into the exponent by itself.
        let magnitude = whole + UInt32(exponent - exponentMin) << UInt32(digits)
        return sign | min(magnitude, infinity)
    }

    private static func decode(_ bits: UInt32, digits: UInt32, exponentMin: Int) -> UInt32 {
        let field = Int((bits & 0x7fff) >> digits)
        let fraction = bits & (1 << digits - 1)
        let sign = (bits & 0x8000) << 16
        if field == (1 << (15 - Int(digits))) - 1 {
            return fraction == 0 ? sign | 0x7f80_0000 : nan
        }
        let whole = Double(field == 0 ? fraction : fraction | 1 << digits)
        let exponent = max(field, 1) - 1 + exponentMin - Int(digits)
        let unit = Double(sign: .plus, exponent: exponent, significand: 1)
        return sign | Float(whole * unit).bitPattern
    }

    private static func float(_ bits: UInt32) -> Float { Float(bitPattern: bits) }
    private static func bits(_ value: Float) -> UInt32 { value.isNaN ? nan : value.bitPattern }
}
