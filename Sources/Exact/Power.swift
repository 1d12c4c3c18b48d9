// Twin of Kernels/exact/power.cl.

extension Exact {
    /// |x|^y for finite x other than zero, `ux` the bits of |x|: 2^(y log2|x|), the logarithm in
    /// two parts to about 2⁻³⁶. With a = (m−1)/(m+1): log2 m = a (C + C/3 a² + …), C = 2 log2 e.
    @inline(__always)
    static func powerMagnitude(_ ux: UInt32, _ y: Float) -> Float {
        let k = Float(logExponent(ux))
        let m = logFraction(ux)
        // a in two parts, from the exact remainder of its division.
        let g = m + 1
        let gLow = m - (g - 1)
        let inverse = reciprocalNear(g)
        let a = (m - 1) * inverse
        let aLow = fma(-a, gLow, fma(-a, g, m - 1)) * inverse
        // a^2 in two parts.
        let z = a * a
        let zLow = fma(2 * a, aLow, fma(a, a, -z))
        // The series from a^4 on, then C/3 a^2 in two parts with it, then C.
        var p = fma(z, 0x1.2078c4p-2, 0x1.47b12ep-2)
        p = fma(p, z, 0x1.a6195p-2)
        p = fma(p, z, 0x1.2776c4p-1)
        let v = fma(z, 0x1.ec709ep-1, p * (z * z))
        var vLow = fma(p, z * z, fma(z, 0x1.ec709ep-1, -v))
        vLow = fma(zLow, 0x1.ec709ep-1, fma(z, -0x1.e2fe02p-28, vLow))
        let w = 0x1.715476p1 + v
        let wLow = (v - (w - 0x1.715476p1)) + (vLow + 0x1.4ae0cp-25)
        // log2|x| = k + a w in two parts.
        let h = a * w
        var low = fma(aLow, w, fma(a, wLow, fma(a, w, -h)))
        let high = k + h
        low = (h - (high - k)) + low
        // Beyond 2^31 every power other than of 1 has left the range of numbers.
        var c: Float = y > 0x1p31 ? 0x1p31 : y
        c = c < -0x1p31 ? -0x1p31 : c
        var e = c * high
        let eLow = fma(c, low, fma(c, high, -e))
        let over = e > 0x1.02p7
        let under = e < -0x1.3p7
        e = over ? 0x1.02p7 : e
        e = under ? -0x1.3p7 : e
        let t = e + 0x1.8p23
        let r = (e - (t - 0x1.8p23)) + (over || under ? 0 : eLow)
        return scale(exp2Near(r), asUInt(t) &- 0x4b3f_ff00)
    }

    /// x to the power y: at most 1 ulp. Special cases as in IEEE 754-2019, 9.2.1.
    public static func pow(_ x: Float, _ y: Float) -> Float {
        let ux = asUInt(x) & ~sign
        let uy = asUInt(y) & ~sign
        let grows = asUInt(y) < sign
        let negative = asUInt(x) >= sign
        // Bits of y below its units; below 1 and above 2^24 they are all and none.
        let places = 150 - Int32(uy >> 23)
        let shift = UInt32(places < 0 ? 0 : places > 24 ? 24 : places)
        let digits = (uy & 0x007f_ffff) | 0x0080_0000
        let whole = (digits & ((1 &<< shift) - 1)) == 0
        let odd = whole && places >= 0 && ((digits >> shift) & 1) != 0

        var u = asUInt(powerMagnitude(ux, y))
        u = ux == 0 ? (grows ? 0 : 0x7f80_0000) : u
        u = ux == 0x7f80_0000 ? (grows ? 0x7f80_0000 : 0) : u
        u |= negative && odd ? sign : 0
        let invalid =
            ux > 0x7f80_0000 || uy > 0x7f80_0000
            || (negative && !whole && ux != 0 && ux != 0x7f80_0000)
        u = invalid ? 0x7fc0_0000 : u
        return asFloat(uy == 0 || asUInt(x) == 0x3f80_0000 ? 0x3f80_0000 : u)
    }
}
