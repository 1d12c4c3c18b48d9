// Twin of Kernels/exact/logarithm.cl.

extension Exact {
    // x = m * 2^k with m in [sqrt(1/2), sqrt(2)); u: bits of x > 0.

    @inline(__always)
    static func logBits(_ u: UInt32) -> UInt32 {
        u < 0x0080_0000 ? asUInt(Float(u)) : u
    }

    @inline(__always)
    static func logExponent(_ u: UInt32) -> Int32 {
        (Int32(bitPattern: logBits(u) &- 0x3f35_04f3) >> 23) - (u < 0x0080_0000 ? 149 : 0)
    }

    @inline(__always)
    static func logFraction(_ u: UInt32) -> Float {
        let normal = logBits(u)
        return asFloat(normal &- ((normal &- 0x3f35_04f3) & 0xff80_0000))
    }

    @inline(__always)
    static func logSpecial(_ x: Float, _ result: Float) -> Float {
        let u = asUInt(x)
        var y = u == 0x7f80_0000 ? x : result
        y = u > 0x7f80_0000 ? nan : y
        return (u & ~sign) == 0 ? -infinity : y
    }

    /// The natural logarithm: at most 1 ulp. Zeros give −∞, negative numbers NaN.
    public static func log(_ x: Float) -> Float {
        let k = Float(logExponent(asUInt(x)))
        let f = logFraction(asUInt(x)) - 1
        var p = fma(f, -0x1.39c1f4p-4, 0x1.08ceeep-3)
        p = fma(p, f, -0x1.0f277cp-3)
        p = fma(p, f, 0x1.225a62p-3)
        p = fma(p, f, -0x1.542652p-3)
        p = fma(p, f, 0x1.99a52cp-3)
        p = fma(p, f, -0x1.000434p-2)
        p = fma(p, f, 0x1.55554ep-2)
        p = fma(p, f, -0x1.fffff8p-2)
        let low = fma(k, -0x1.05c61p-29, f)
        return logSpecial(x, fma(k, 0x1.62e43p-1, fma(f * f, p, low)))
    }

    /// The logarithm to base 2: at most 1 ulp. Zeros give −∞, negative numbers NaN.
    public static func log2(_ x: Float) -> Float {
        let k = Float(logExponent(asUInt(x)))
        let f = logFraction(asUInt(x)) - 1
        var p = fma(f, -0x1.c39bbp-4, 0x1.7f2818p-3)
        p = fma(p, f, -0x1.87f7eap-3)
        p = fma(p, f, 0x1.a2c9dcp-3)
        p = fma(p, f, -0x1.eaa24ap-3)
        p = fma(p, f, 0x1.277f44p-2)
        p = fma(p, f, -0x1.715afep-2)
        p = fma(p, f, 0x1.ec7094p-2)
        p = fma(p, f, -0x1.71547p-1)
        // k + f * log2(e) in two parts, the errors of product and sum recovered.
        let h = f * 0x1.715476p0
        var low = fma(f, 0x1.4ae0cp-26, fma(f, 0x1.715476p0, -h))
        let high = k + h
        low = (h - (high - k)) + low
        return logSpecial(x, high + fma(f * f, p, low))
    }
}
