// Twin of Kernels/exact/inverse.cl.

extension Exact {
    /// atan(t) for t in [0, 1]. The fourth coefficient from the front is an ulp above the fitted
    /// one, for atan(1) to be the number nearest to π/4.
    @inline(__always)
    static func atanNear(_ t: Float) -> Float {
        let z = t * t
        var p = fma(z, -0x1.d32fcep-10, 0x1.6411a8p-7)
        p = fma(p, z, -0x1.fd7024p-6)
        p = fma(p, z, 0x1.da24e4p-5)
        p = fma(p, z, -0x1.580816p-4)
        p = fma(p, z, 0x1.c08c1ap-4)
        p = fma(p, z, -0x1.242084p-3)
        p = fma(p, z, 0x1.9991e4p-3)
        p = fma(p, z, -0x1.55553ep-2)
        return fma(p, t * z, t)
    }

    /// The angle of (x, y), −π…π: at most 1.6 ulp. Zeros and infinities as in IEEE 754-2019, 9.2.1.
    public static func atan2(_ y: Float, _ x: Float) -> Float {
        let ux = asUInt(x) & ~sign
        let uy = asUInt(y) & ~sign
        let steep = uy > ux
        let left = asUInt(x) >= sign
        var t = div(asFloat(steep ? ux : uy), asFloat(steep ? uy : ux))
        t = ux == uy ? 1 : t
        t = uy == 0 ? 0 : t
        var a = atanNear(t)
        a = steep != left ? -a : a
        var high: Float = left ? 0x1.921fb6p1 : 0
        var low: Float = left ? -0x1.777a5cp-24 : 0
        high = steep ? 0x1.921fb6p0 : high
        low = steep ? -0x1.777a5cp-25 : low
        var angle = high + (a + low)
        angle = asFloat(asUInt(angle) | (asUInt(y) & sign))
        return ux > 0x7f80_0000 || uy > 0x7f80_0000 ? nan : angle
    }

    /// acos x, 0…π: at most 1.2 ulp; NaN outside [−1, 1].
    ///
    /// acos x = 2 asin √((1 − x)/2) keeps the accuracy where |x| is near 1.
    public static func acos(_ x: Float) -> Float {
        let u = asUInt(x) & ~sign
        let a = asFloat(u)
        let near = u < 0x3f00_0000
        let left = asUInt(x) >= sign
        let z = near ? a * a : fma(a, -0.5, 0.5)
        let s = near ? a : z.squareRoot()
        var p = fma(z, 0x1.595c6p-5, 0x1.8c3e5p-6)
        p = fma(p, z, 0x1.747bb8p-5)
        p = fma(p, z, 0x1.330204p-4)
        p = fma(p, z, 0x1.5555c8p-3)
        let asine = fma(p, s * z, s)
        var factor: Float = near ? -1 : 2
        factor = left ? -factor : factor
        var high: Float = left ? 0x1.921fb6p1 : 0
        var low: Float = left ? -0x1.777a5cp-24 : 0
        high = near ? 0x1.921fb6p0 : high
        low = near ? -0x1.777a5cp-25 : low
        let angle = high + fma(factor, asine, low)
        return u > 0x3f80_0000 ? nan : angle
    }
}
