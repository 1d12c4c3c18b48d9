/// IEEE 754 arithmetic from integers alone: the oracle that devices and fast code are judged by.
///
/// Numbers go in and out as bits, so that no floating-point unit has a say. Every result is
/// rounded to nearest, ties to even; subnormals are kept; every NaN that comes out is the format's
/// canonical one (`0x7fc00000` for binary32). Obvious before fast: each operation makes an integer
/// that holds the exact result, or enough of it with a sticky last bit, and rounds that once.
public enum SoftFloat {
    /// a + b.
    public static func add(_ a: UInt32, _ b: UInt32) -> UInt32 {
        // 1 * a + b rounds once too, and the sign of a zero sum is the same.
        fma(a, 0x3f80_0000, b)
    }

    /// a − b.
    public static func subtract(_ a: UInt32, _ b: UInt32) -> UInt32 {
        add(a, b ^ 0x8000_0000)
    }

    /// a × b.
    public static func multiply(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let format = Format.binary32
        let negative = (a ^ b) >> 31 == 1
        switch (format.decode(a), format.decode(b)) {
        case (.nan, _), (_, .nan): return format.nan
        case (.infinity, .finite(let y)): return y.isZero ? format.nan : format.infinity(negative)
        case (.finite(let x), .infinity): return x.isZero ? format.nan : format.infinity(negative)
        case (.infinity, .infinity): return format.infinity(negative)
        case (.finite(let x), .finite(let y)): return format.encode(x * y)
        }
    }

    /// a × b + c, rounded once.
    public static func fma(_ a: UInt32, _ b: UInt32, _ c: UInt32) -> UInt32 {
        let format = Format.binary32
        let negative = (a ^ b) >> 31 == 1
        let (x, y, z) = (format.decode(a), format.decode(b), format.decode(c))
        if x.isNaN || y.isNaN || z.isNaN { return format.nan }
        if x.isInfinite || y.isInfinite {
            if x.isZero || y.isZero { return format.nan }
            if z.isInfinite && (c >> 31 == 1) != negative { return format.nan }
            return format.infinity(negative)
        }
        guard case .finite(let first) = x, case .finite(let second) = y,
            case .finite(let third) = z
        else { return c }
        return format.encode(first * second + third)
    }

    /// a ÷ b.
    public static func divide(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let format = Format.binary32
        let negative = (a ^ b) >> 31 == 1
        switch (format.decode(a), format.decode(b)) {
        case (.nan, _), (_, .nan), (.infinity, .infinity): return format.nan
        case (.infinity, .finite): return format.infinity(negative)
        case (.finite, .infinity): return format.zero(negative)
        case (.finite(let x), .finite(let y)):
            if y.isZero { return x.isZero ? format.nan : format.infinity(negative) }
            let (quotient, rest) = (x.digits << 64).quotientAndRemainder(dividingBy: y.digits)
            return format.encode(
                Number(
                    isNegative: negative, digits: quotient << 1 | (rest == 0 ? 0 : 1),
                    exponent: x.exponent - y.exponent - 65))
        }
    }

    /// √a. −0 gives −0, other negative numbers NaN.
    public static func squareRoot(_ a: UInt32) -> UInt32 {
        let format = Format.binary32
        switch format.decode(a) {
        case .nan: return format.nan
        case .infinity: return a >> 31 == 1 ? format.nan : a
        case .finite(let x):
            if x.isZero { return a }
            if x.isNegative { return format.nan }
            // An even exponent, and digits enough for 40 bits of the root.
            let shift = 80 + (x.exponent & 1)
            let radicand = x.digits << UInt128(shift)
            let root = integerSquareRoot(radicand)
            return format.encode(
                Number(
                    isNegative: false, digits: root << 1 | (root * root == radicand ? 0 : 1),
                    exponent: (x.exponent - shift) / 2 - 1))
        }
    }

    /// The bits of `a`, of one format, as the nearest number of another.
    public static func convert(_ a: UInt32, from source: Format, to target: Format) -> UInt32 {
        switch source.decode(a) {
        case .nan: target.nan
        case .infinity: target.infinity(a >> UInt32(source.width - 1) & 1 == 1)
        case .finite(let x): target.encode(x)
        }
    }

    /// The binary32 nearest to an integer.
    public static func fromInteger(_ value: Int64) -> UInt32 {
        Format.binary32.encode(
            Number(isNegative: value < 0, digits: UInt128(value.magnitude), exponent: 0))
    }

    /// `a` rounded toward zero, as OpenCL's `convert_int_sat`: clamped to Int32, NaN becomes 0.
    public static func toInt32(_ a: UInt32) -> Int32 {
        let limit: UInt128 = a >> 31 == 1 ? 1 << 31 : 1 << 31 - 1
        let magnitude: UInt128
        switch Format.binary32.decode(a) {
        case .nan: return 0
        case .infinity: magnitude = limit
        case .finite(let x):
            // Beyond 2^31 only the clamp matters.
            magnitude =
                x.exponent < 0
                ? x.digits >> UInt128(-x.exponent) : x.digits << UInt128(min(x.exponent, 32))
        }
        let clamped = Int64(min(magnitude, limit))
        return Int32(a >> 31 == 1 ? -clamped : clamped)
    }

    /// Whether a < b; false where either is NaN; zeros are equal.
    public static func isLess(_ a: UInt32, _ b: UInt32) -> Bool {
        guard !Format.binary32.decode(a).isNaN, !Format.binary32.decode(b).isNaN else {
            return false
        }
        return order(a) < order(b)
    }

    /// Whether a = b; false where either is NaN; zeros are equal.
    public static func isEqual(_ a: UInt32, _ b: UInt32) -> Bool {
        !Format.binary32.decode(a).isNaN && !Format.binary32.decode(b).isNaN
            && order(a) == order(b)
    }

    /// Bits of numbers as integers in the numbers' order.
    private static func order(_ a: UInt32) -> Int64 {
        let magnitude = Int64(a & 0x7fff_ffff)
        return a >> 31 == 1 ? -magnitude : magnitude
    }

    /// The largest integer whose square is at most `value`, digit by digit.
    private static func integerSquareRoot(_ value: UInt128) -> UInt128 {
        var root: UInt128 = 0
        for place in stride(from: 63, through: 0, by: -1) {
            let candidate = root | 1 << UInt128(place)
            if candidate * candidate <= value { root = candidate }
        }
        return root
    }
}
