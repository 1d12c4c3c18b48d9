// Twin of Kernels/exact/error.cl.

extension Exact {
    /// The error function: at most 1.2 ulp.
    ///
    /// Below 7/8 a polynomial; above, erfc x = e^(−x q(x)) with a polynomial q.
    public static func erf(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let a = asFloat(u)
        let c: Float = a > 0x1p2 ? 0x1p2 : a
        var q = fma(c, 0x1.32f0a8p-17, -0x1.3ce22ep-12)
        q = fma(q, c, 0x1.d2978ep-9)
        q = fma(q, c, -0x1.827eb2p-6)
        q = fma(q, c, 0x1.b256eep-4)
        q = fma(q, c, 0x1.4541e8p-1)
        q = fma(q, c, 0x1.20ed4p0)
        let far = 1 - expMiddle(-(q * c))
        let z = a * a
        var p = fma(z, 0x1.49feeep-14, -0x1.a4d0d6p-11)
        p = fma(p, z, 0x1.54318cp-8)
        p = fma(p, z, -0x1.b7ff9p-6)
        p = fma(p, z, 0x1.ce2d5cp-4)
        p = fma(p, z, -0x1.81274p-2)
        p = fma(p, z, 0x1.06eba8p-3)
        let near = fma(p, a, a)
        let y = asUInt(u < 0x3f60_0000 ? near : far) | (asUInt(x) & sign)
        return u > 0x7f80_0000 ? nan : asFloat(y)
    }
}
