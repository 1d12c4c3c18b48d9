// Twin of Kernels/exact/trigonometric.cl.

extension Exact {
    /// x − n · π/2 for n up to 2²⁰ by three parts of π/2. The first step is exact.
    @inline(__always)
    static func trigRemainder(_ x: Float, _ n: Float) -> Float {
        var r = fma(n, -0x1.921fb6p0, x)
        r = fma(n, 0x1.777a5cp-25, r)
        return fma(n, 0x1.ee59dap-50, r)
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

    /// sin x for |x| ≤ 2²⁰: at most 1.6 ulp. NaN beyond, so that no silent nonsense is settled on.
    ///
    /// The nearest multiple of π/2 comes from a sum with 1.5 · 2²³.
    public static func sin(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let t = fma(asFloat(u), 0x1.45f306p-1, 0x1.8p23)
        let r = trigRemainder(asFloat(u), t - 0x1.8p23)
        let y = sinQuadrant(r, asUInt(t), asUInt(x) & sign)
        return u > 0x4980_0000 ? nan : y
    }

    /// cos x for |x| ≤ 2²⁰: at most 1.6 ulp. NaN beyond.
    public static func cos(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let t = fma(asFloat(u), 0x1.45f306p-1, 0x1.8p23)
        let r = trigRemainder(asFloat(u), t - 0x1.8p23)
        let y = sinQuadrant(r, asUInt(t) &+ 1, 0)
        return u > 0x4980_0000 ? nan : y
    }

    /// tan x for |x| ≤ 2²⁰: at most 3 ulp. NaN beyond.
    public static func tan(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let t = fma(asFloat(u), 0x1.45f306p-1, 0x1.8p23)
        let r = trigRemainder(asFloat(u), t - 0x1.8p23)
        let s = sinNear(r)
        let c = cosNear(r)
        let odd = (asUInt(t) & 1) != 0
        let y = (odd ? -c : s) / (odd ? s : c)
        return u > 0x4980_0000 ? nan : asFloat(asUInt(y) ^ (asUInt(x) & sign))
    }
}
