// Twin of Kernels/exact/exponential.cl.

extension Exact {
    /// p · 2^(k − 256) for k in 100…400, rounded once where the result is subnormal.
    @inline(__always)
    static func scale(_ p: Float, _ k: UInt32) -> Float {
        let half = k >> 1
        return p * asFloat((half &- 1) << 23) * asFloat((k &- half &- 1) << 23)
    }

    /// 2^r for |r| ≤ 1/2.
    @inline(__always)
    static func exp2Near(_ r: Float) -> Float {
        var p = fma(r, 0x1.416b52p-13, 0x1.5f082ep-10)
        p = fma(p, r, 0x1.3b2dep-7)
        p = fma(p, r, 0x1.c6af7cp-5)
        p = fma(p, r, 0x1.ebfbdcp-3)
        p = fma(p, r, 0x1.62e43p-1)
        return fma(p, r, 1)
    }

    /// e^r for |r| ≤ 0.3475.
    @inline(__always)
    static func expNear(_ r: Float) -> Float {
        var p = fma(r, 0x1.6a3fb4p-10, 0x1.1239ep-7)
        p = fma(p, r, 0x1.5558bep-5)
        p = fma(p, r, 0x1.555492p-3)
        p = fma(p, r, 0x1.fffffcp-2)
        return fma(p, r * r, r) + 1
    }

    /// e^x for |x| ≤ 80: the same bits as ``exp(_:)`` with less care.
    @inline(__always)
    static func expMiddle(_ x: Float) -> Float {
        let t = fma(x, 0x1.715476p0, 0x1.8p23)
        let n = t - 0x1.8p23
        let r = fma(n, 0x1.05c61p-29, fma(n, -0x1.62e43p-1, x))
        return asFloat(asUInt(expNear(r)) &+ ((asUInt(t) &- 0x4b40_0000) << 23))
    }

    /// e^x: at most 1.1 ulp.
    ///
    /// The multiple of ln 2 comes from the low bits of a sum with 1.5 · 2²³.
    public static func exp(_ x: Float) -> Float {
        var c: Float = x > 0x1.64p6 ? 0x1.64p6 : x
        c = c < -0x1.ap6 ? -0x1.ap6 : c
        let t = fma(c, 0x1.715476p0, 0x1.8p23)
        let n = t - 0x1.8p23
        let r = fma(n, 0x1.05c61p-29, fma(n, -0x1.62e43p-1, c))
        let y = scale(expNear(r), asUInt(t) &- 0x4b3f_ff00)
        return (asUInt(x) & ~sign) > 0x7f80_0000 ? nan : y
    }

    /// 2^x: at most 0.9 ulp.
    public static func exp2(_ x: Float) -> Float {
        var c: Float = x > 0x1.02p7 ? 0x1.02p7 : x
        c = c < -0x1.2ep7 ? -0x1.2ep7 : c
        let t = c + 0x1.8p23
        let r = c - (t - 0x1.8p23)
        let y = scale(exp2Near(r), asUInt(t) &- 0x4b3f_ff00)
        return (asUInt(x) & ~sign) > 0x7f80_0000 ? nan : y
    }
}
