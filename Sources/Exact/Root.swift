// Twin of Kernels/exact/root.cl, on the side of EXACT_NATIVE_SQRT.

extension Exact {
    /// 1/√m for m in [2⁻⁶⁰, 2⁶⁰], within about an ulp: an integer first guess, good to 0.035, then
    /// two steps of third order. Finite for m = 0.
    @inline(__always)
    static func rsqrtNear(_ m: Float) -> Float {
        var y = asFloat(0x5f37_5a86 &- (asUInt(m) >> 1))
        var e = fma(-(m * y), y, 1)
        y = fma(y * e, fma(e, 0x1.8p-2, 0x1p-1), y)
        e = fma(-(m * y), y, 1)
        return fma(y * e, fma(e, 0x1.8p-2, 0x1p-1), y)
    }

    /// √x: correctly rounded, half an ulp. −0 gives −0, other negative numbers NaN.
    public static func sqrt(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let invalid = u > 0x7f80_0000 || (u != 0 && asUInt(x) > sign)
        return invalid ? nan : x.squareRoot()
    }

    /// 1/√x: at most 0.5001 ulp. Zeros give infinities of their sign, negative numbers NaN.
    public static func rsqrt(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let invalid = u > 0x7f80_0000 || (u != 0 && asUInt(x) > sign)
        let exponent = exponent(u) + 153
        let m = significand(u) * ((exponent & 1) != 0 ? 0x1p1 : 0x1p0)
        var y = rsqrtNear(m)
        // The residual 1 - m*y*y with m*y in two parts.
        let high = m * y
        let low = fma(m, y, -high)
        let e = fma(-low, y, fma(-high, y, 1))
        y = fma(0.5 * y, e, y)
        var result = asUInt(y) &- (UInt32(exponent >> 1) << 23) &+ (140 << 23)
        result = u == 0x7f80_0000 ? 0 : result
        result = u == 0 ? 0x7f80_0000 | asUInt(x) : result
        return invalid ? nan : asFloat(result)
    }
}
