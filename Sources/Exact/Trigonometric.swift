// Twin of Kernels/exact/trigonometric.cl.

extension Exact {
    /// x − n · π/2 for x up to 2¹³ by three parts of π/2. The first step is exact, and the third
    /// part is too small to be felt beside the rounding of the second.
    @inline(__always)
    static func trigNear(_ x: Float, _ n: Float) -> Float {
        var r = fma(n, -0x1.921fb6p0, x)
        r = fma(n, 0x1.777a5cp-25, r)
        return fma(n, 0x1.ee59dap-50, r)
    }

    /// x − n · π/2 and n mod 4 for finite x from 2¹³ on, `u` its bits. Payne and Hanek's way: of
    /// the product of x and 2/π, only the 96 bits that matter modulo 4.
    static func trigFar(_ u: UInt32) -> (remainder: Float, quadrant: UInt32) {
        // Twelve zeros and 212 bits of 2/π; the window begins at bit `start`.
        let start = ((u >> 23) &- 140) & 127
        let two = (start & 64) != 0
        var w0: UInt32 = two ? 0x529f_c275 : 0x000a_2f98
        var w1: UInt32 = two ? 0x7d1f_534d : 0x36e4_e441
        var w2: UInt32 = two ? 0xdc0d_b629 : 0x529f_c275
        var w3: UInt32 = two ? 0x5993_c439 : 0x7d1f_534d
        let w4: UInt32 = two ? 0x041f_e516 : 0xdc0d_b629
        let one = (start & 32) != 0
        w0 = one ? w1 : w0
        w1 = one ? w2 : w1
        w2 = one ? w3 : w2
        w3 = one ? w4 : w3
        let shift = start & 31
        w0 = (w0 << shift) + ((w1 >> 1) >> (31 - shift))
        w1 = (w1 << shift) + ((w2 >> 1) >> (31 - shift))
        w2 = (w2 << shift) + ((w3 >> 1) >> (31 - shift))
        // x · 2/π mod 4 in units of 2^-30, and below that of 2^-62.
        let digits = (u & 0x007f_ffff) | 0x0080_0000
        let below = digits.multipliedFullWidth(by: w2).high
        var low = digits &* w1 &+ below
        let carry: UInt32 = low < below ? 1 : 0
        var high = digits &* w0 &+ digits.multipliedFullWidth(by: w1).high &+ carry
        let n = (high &+ 0x2000_0000) >> 30
        // What is left of a quarter turn, as a sign and a magnitude in two parts, the first exact.
        high &-= n << 30
        let sign = high & sign
        high ^= sign != 0 ? 0xffff_ffff : 0
        low ^= sign != 0 ? 0xffff_ffff : 0
        let front = Float(high & ~63)
        let back = fma(Float(high & 63), 0x1p26, Float(low >> 6))
        let r = fma(front, -0x1.777a5cp-55, back * 0x1.921fb6p-56)
        return (asFloat(asUInt(fma(front, 0x1.921fb6p-30, r)) ^ sign), n)
    }

    /// x − n · π/2 for the nearest n; `u` the bits of finite x ≥ 0; n mod 4 are the low bits of
    /// `quadrant`. Up to 2¹³ n comes from a sum with 1.5 · 2²³.
    @inline(__always)
    static func trigRemainder(_ u: UInt32) -> (remainder: Float, quadrant: UInt32) {
        let t = fma(asFloat(u), 0x1.45f306p-1, 0x1.8p23)
        let near = trigNear(asFloat(u), t - 0x1.8p23)
        if u > 0x4600_0000 { return trigFar(u) }
        return (near, asUInt(t))
    }

    /// sin(r) for |r| ≤ 0.84. A zero is returned as it is: not every device gives +0 for
    /// fma(−1, 0, 0).
    @inline(__always)
    static func sinNear(_ r: Float) -> Float {
        let z = r * r
        var p = fma(z, 0x1.76daecp-19, -0x1.a04738p-13)
        p = fma(p, z, 0x1.111166p-7)
        p = fma(p, z, -0x1.555556p-3)
        return z == 0 ? r : fma(p, r * z, r)
    }

    /// cos(r) for |r| ≤ 0.84.
    @inline(__always)
    static func cosNear(_ r: Float) -> Float {
        let z = r * r
        var p = fma(z, 0x1.98fa2p-16, -0x1.6c08b6p-10)
        p = fma(p, z, 0x1.555544p-5)
        p = fma(p, z, -0x1p-1)
        return fma(p, z, 1)
    }

    /// sin of r plus `quadrant` quarter turns, its sign flipped where `sign` says so.
    @inline(__always)
    static func sinQuadrant(_ r: Float, _ quadrant: UInt32, _ sign: UInt32) -> Float {
        let v = (quadrant & 1) != 0 ? cosNear(r) : sinNear(r)
        return asFloat(asUInt(v) ^ ((quadrant & 2) << 30) ^ sign)
    }

    /// sin x: at most 1.6 ulp; NaN for infinities.
    public static func sin(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let (r, quadrant) = trigRemainder(u)
        let y = sinQuadrant(r, quadrant, asUInt(x) & sign)
        return u > 0x7f7f_ffff ? nan : y
    }

    /// cos x: at most 1.6 ulp; NaN for infinities.
    public static func cos(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let (r, quadrant) = trigRemainder(u)
        let y = sinQuadrant(r, quadrant &+ 1, 0)
        return u > 0x7f7f_ffff ? nan : y
    }

    /// tan x: at most 3.5 ulp; NaN for infinities.
    public static func tan(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let (r, quadrant) = trigRemainder(u)
        let s = sinNear(r)
        let c = cosNear(r)
        let odd = (quadrant & 1) != 0
        let y = (odd ? -c : s) / (odd ? s : c)
        return u > 0x7f7f_ffff ? nan : asFloat(asUInt(y) ^ (asUInt(x) & sign))
    }
}
