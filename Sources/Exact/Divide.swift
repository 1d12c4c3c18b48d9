// Twin of Kernels/exact/divide.cl, on the side of EXACT_NATIVE_DIVIDE: Swift's own division is
// correctly rounded on every processor, and so is the kernels' division by multiplications.

extension Exact {
    /// 1/b for normal b with a normal reciprocal: relative error below 2⁻²⁴ (1 + 2⁻¹⁰). An integer
    /// first guess, good to 0.051, then two steps of third order.
    @inline(__always)
    static func reciprocalNear(_ b: Float) -> Float {
        var y = asFloat(0x7ef3_4c47 &- asUInt(b))
        var e = fma(-b, y, 1)
        y = fma(fma(e, e, e), y, y)
        e = fma(-b, y, 1)
        return fma(fma(e, e, e), y, y)
    }

    /// The significand, in [1, 2), of a finite number that is not zero; `u` its bits without sign.
    @inline(__always)
    static func significand(_ u: UInt32) -> Float {
        let normal = u < 0x0080_0000 ? asUInt(Float(u)) : u
        return asFloat((normal & 0x007f_ffff) | 0x3f80_0000)
    }

    /// Its exponent, such that the number is significand · 2^(exponent − 127).
    @inline(__always)
    static func exponent(_ u: UInt32) -> Int32 {
        let normal = u < 0x0080_0000 ? asUInt(Float(u)) : u
        return Int32(normal >> 23) - (u < 0x0080_0000 ? 149 : 0)
    }

    /// a/b: correctly rounded, half an ulp.
    public static func div(_ a: Float, _ b: Float) -> Float {
        let ua = asUInt(a) & ~sign
        let ub = asUInt(b) & ~sign
        let invalid =
            ua > 0x7f80_0000 || ub > 0x7f80_0000
            || (ua == ub && (ua == 0 || ua == 0x7f80_0000))
        return invalid ? nan : a / b
    }

    /// 1/b: correctly rounded, half an ulp.
    public static func rcp(_ b: Float) -> Float {
        let ub = asUInt(b) & ~sign
        return ub > 0x7f80_0000 ? nan : 1 / b
    }
}
