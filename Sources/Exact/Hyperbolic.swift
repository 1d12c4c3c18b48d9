// Twin of Kernels/exact/hyperbolic.cl.

extension Exact {
    /// tanh x: at most 1.5 ulp. Below 0.55 a polynomial; above, 1 − 2 / (e^2x + 1).
    public static func tanh(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let a = asFloat(u)
        let c: Float = a > 0x1.4p3 ? 0x1.4p3 : a
        let far = fma(-2, 1 / (expMiddle(c + c) + 1), 1)
        let z = a * a
        var p = fma(z, -0x1.9921a2p-8, 0x1.58e518p-6)
        p = fma(p, z, -0x1.b91e7ep-5)
        p = fma(p, z, 0x1.110ceep-3)
        p = fma(p, z, -0x1.55554ap-2)
        let near = fma(p, a * z, a)
        var y = asUInt(u < 0x3f0c_cccd ? near : far) & ~sign
        y |= asUInt(x) & sign
        return u > 0x7f80_0000 ? nan : asFloat(y)
    }

    /// 1 / (1 + e^−x): at most 3 ulp, also where the result is subnormal.
    public static func sigmoid(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let e = exp(asFloat(u | sign))
        var y = 1 / (e + 1)
        y = asUInt(x) >= sign ? e * y : y
        return u > 0x7f80_0000 ? nan : y
    }
}
