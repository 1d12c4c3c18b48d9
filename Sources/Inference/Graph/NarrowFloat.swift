internal import Exact

/// Floats of 16, 8 and 4 bits: their bits and values.
///
/// Formats: IEEE 754 binary16; bfloat16; OCP 8-bit Floating Point (E4M3, E5M2) and OCP Microscaling
/// 1.0 (E2M1, E8M0); the `fnuz` kinds of "8-bit Numerical Formats for Deep Neural Networks"
/// (arXiv:2206.02915). Conversions as the tables of ONNX's Cast have them.
enum NarrowFloat {
    private static let quietNaN = Float(bitPattern: 0x7fc0_0000)

    /// The exponent and fraction of a format of up to 8 bits, and what its extremes mean.
    private struct Format {
        var fractionBits: Int
        var bias: Int
        var bits = 8
        var hasInfinity = false
        /// The one NaN is where negative zero would be.
        var isUnsignedZero = false
        /// Codes below the sign bit that are finite: 0..<finiteCount.
        var finiteCount: Int

        /// The value of a code without its sign.
        func magnitude(_ code: Int) -> Float {
            let exponent = code >> fractionBits
            let fraction = Float(code & (1 << fractionBits - 1)) / Float(1 << fractionBits)
            return exponent == 0
                ? fraction * Float(sign: .plus, exponent: 1 - bias, significand: 1)
                : (1 + fraction) * Float(sign: .plus, exponent: exponent - bias, significand: 1)
        }
    }

    private static func format(_ type: ElementType) -> Format {
        switch type {
        case .float8e4m3fn: Format(fractionBits: 3, bias: 7, finiteCount: 0x7f)
        case .float8e4m3fnuz:
            Format(fractionBits: 3, bias: 8, isUnsignedZero: true, finiteCount: 0x80)
        case .float8e5m2: Format(fractionBits: 2, bias: 15, hasInfinity: true, finiteCount: 0x7c)
        case .float8e5m2fnuz:
            Format(fractionBits: 2, bias: 16, isUnsignedZero: true, finiteCount: 0x80)
        default: Format(fractionBits: 1, bias: 1, bits: 4, finiteCount: 8)
        }
    }

    /// The value that `bits` mean: exact. Every NaN is the one quiet NaN.
    static func value(_ bits: UInt32, _ type: ElementType) -> Float {
        switch type {
        case .float16: return Exact.float(fromHalf: UInt16(truncatingIfNeeded: bits))
        case .bfloat16: return Exact.float(fromBFloat16: UInt16(truncatingIfNeeded: bits))
        case .float8e8m0:
            if bits & 0xff == 0xff { return quietNaN }
            return Float(sign: .plus, exponent: Int(bits & 0xff) - 127, significand: 1)
        default:
            let format = format(type)
            let sign = 1 << (format.bits - 1)
            let code = Int(bits) & (sign - 1)
            let isNegative = Int(bits) & sign != 0
            if format.isUnsignedZero, isNegative, code == 0 { return quietNaN }
            if code >= format.finiteCount {
                guard format.hasInfinity, code == format.finiteCount else { return quietNaN }
                return isNegative ? -.infinity : .infinity
            }
            let magnitude = format.magnitude(code)
            return isNegative ? -magnitude : magnitude
        }
    }

    /// Bits of the nearest value, ties to even.
    ///
    /// - Parameter saturates: for the 8-bit formats, whether what is too large becomes the largest
    ///   finite number; otherwise infinity, or NaN where there is none.
    static func bits(_ x: Float, _ type: ElementType, saturates: Bool = true) -> UInt32 {
        switch type {
        case .float16: return UInt32(Exact.half(from: x))
        case .bfloat16: return UInt32(Exact.bfloat16(from: x))
        case .float8e8m0: return scaleBits(x)
        default: break
        }
        let format = format(type)
        let sign: UInt32 = 1 << UInt32(format.bits - 1)
        let isFour = format.bits == 4
        // E2M1 has no NaN: there it is -0.
        let nan: UInt32 = format.isUnsignedZero || isFour ? sign : 0x7f
        if x.isNaN { return nan }
        let signBit = x.sign == .minus ? sign : 0
        // Codes grow with their magnitudes, so the nearest one is found by halving.
        let magnitude = x.magnitude
        var low = 0
        var high = format.finiteCount
        while high - low > 1 {
            let middle = (low + high) / 2
            if format.magnitude(middle) <= magnitude { low = middle } else { high = middle }
        }
        let below = format.magnitude(low)
        let middle = below + (format.magnitude(low + 1) - below) / 2
        let isUp = magnitude > middle || (magnitude == middle && low & 1 == 1)
        let code = isUp ? low + 1 : low
        if code >= format.finiteCount {
            if saturates || isFour { return UInt32(format.finiteCount - 1) | signBit }
            return format.hasInfinity
                ? UInt32(format.finiteCount) | signBit : nan | (format.isUnsignedZero ? 0 : signBit)
        }
        if code == 0, format.isUnsignedZero { return 0 }
        return UInt32(code) | signBit
    }

    /// E8M0 has powers of two alone; what lies between goes up, as ONNX's default rounds scales.
    private static func scaleBits(_ x: Float) -> UInt32 {
        if x.isNaN || x < 0 { return 0xff }
        if x == 0 { return 0 }
        if x.isInfinite { return 0xfe }
        let exponent = Int(x.exponent) + (x.significand > 1 ? 1 : 0)
        return UInt32(min(max(exponent + 127, 0), 0xfe))
    }

    /// The nearest value of the type.
    static func round(_ x: Float, _ type: ElementType, saturates: Bool = true) -> Float {
        type == .float32 ? x : value(bits(x, type, saturates: saturates), type)
    }

    /// The greatest value below `x`, of float32 or a type of 16 bits.
    static func below(_ x: Float, _ type: ElementType) -> Float {
        if type == .float32 { return x.nextDown }
        let nearest = bits(x, type)
        let found = value(nearest, type)
        if found < x { return found }
        // Codes grow with their magnitudes, and the highest bit is the sign.
        return value(found > 0 ? nearest - 1 : found < 0 ? nearest + 1 : 0x8001, type)
    }

    /// The least value that is not below `x`, of float32 or a type of 16 bits.
    static func notBelow(_ x: Float, _ type: ElementType) -> Float {
        let nearest = round(x, type)
        return nearest < x ? -below(-nearest, type) : nearest
    }
}
