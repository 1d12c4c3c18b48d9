// Twin of Kernels/exact/divide.cl.

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

    /// 1/b, correctly rounded, for |b| in [2⁻¹⁰⁰, 2¹⁰⁰].
    @inline(__always)
    static func reciprocalMiddle(_ b: Float) -> Float {
        let y = reciprocalNear(b)
        return fma(fma(-b, y, 1), y, y)
    }

    /// a/b, correctly rounded, for |b| in [2⁻⁶⁰, 2⁶⁰] and a = 0 or |a| in [2⁻⁶⁰, 2⁶⁰]. A first
    /// quotient and two corrections by its exact remainder.
    @inline(__always)
    static func divideMiddle(_ a: Float, _ b: Float) -> Float {
        let y = reciprocalNear(b)
        var q = a * y
        q = fma(fma(-b, q, a), y, q)
        return fma(fma(-b, q, a), y, q)
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

    /// Bits of (q + tiny · sign of rest) · 2^exponent for q in (1/4, 4), rounded once. q holds 24
    /// bits; two more, of which `rest` gives the lower, are enough for every rounding still to come.
    @inline(__always)
    static func compose(_ q: Float, _ rest: Float, _ exponent: Int32) -> UInt32 {
        let u = asUInt(q)
        let biased = Int32(bitPattern: u >> 23) + exponent
        let wide = (((u & 0x007f_ffff) | 0x0080_0000) << 2)
            &+ (rest > 0 ? 1 : 0) &- (rest < 0 ? 1 : 0)
        let below = biased < 1 ? 1 - biased : 0
        let shift = UInt32(below > 25 ? 25 : below) + 2
        let rounded = (wide &+ (1 &<< (shift &- 1)) &- 1 &+ ((wide &>> shift) & 1)) &>> shift
        let bits = rounded &+ (UInt32(truncatingIfNeeded: biased < 1 ? 0 : biased - 1) << 23)
        return biased > 254 ? 0x7f80_0000 : bits
    }

    /// a/b: correctly rounded, half an ulp.
    public static func div(_ a: Float, _ b: Float) -> Float {
        let ua = asUInt(a) & ~sign
        let ub = asUInt(b) & ~sign
        let invalid = ua > 0x7f80_0000 || ub > 0x7f80_0000 || (ua == 0 && ub == 0)
            || (ua == 0x7f80_0000 && ub == 0x7f80_0000)
        let sa = significand(ua)
        let sb = significand(ub)
        let y = reciprocalNear(sb)
        var q = sa * y
        q = fma(fma(-sb, q, sa), y, q)
        q = fma(fma(-sb, q, sa), y, q)
        var u = compose(q, fma(-sb, q, sa), exponent(ua) - exponent(ub))
        u = ua == 0 || ub == 0x7f80_0000 ? 0 : u
        u = ub == 0 || ua == 0x7f80_0000 ? 0x7f80_0000 : u
        u |= (asUInt(a) ^ asUInt(b)) & sign
        return invalid ? nan : asFloat(u)
    }

    /// 1/b: correctly rounded, half an ulp.
    public static func rcp(_ b: Float) -> Float {
        let ub = asUInt(b) & ~sign
        let sb = significand(ub)
        var y = reciprocalNear(sb)
        y = fma(fma(-sb, y, 1), y, y)
        var u = compose(y, fma(-sb, y, 1), 127 - exponent(ub))
        u = ub == 0x7f80_0000 ? 0 : u
        u = ub == 0 ? 0x7f80_0000 : u
        u |= asUInt(b) & sign
        return ub > 0x7f80_0000 ? nan : asFloat(u)
    }
}
