// Twin of Kernels/exact/inverse_hyperbolic.cl.

extension Exact {
    /// log(1 + x): at most 3 ulp. Kahan's correction of what 1 + x rounds away.
    public static func log1p(_ x: Float) -> Float {
        let u = 1 + x
        if x.isNaN || x < -1 { return nan }
        if x == -1 { return -.infinity }
        return u == 1 || u == .infinity ? x : div(log(u), u - 1) * x
    }

    /// e^t / 2, of halves so that a sum with it overflows no sooner than it must.
    private static func half(expOf t: Float) -> Float {
        let e = exp(t * 0.5)
        return (0.5 * e) * e
    }

    private static func signed(_ magnitude: Float, _ x: Float) -> Float {
        asFloat((asUInt(magnitude) & ~sign) | (asUInt(x) & sign))
    }

    /// sinh x: at most 4 ulp. Below 1 a polynomial, above (e^x − e^−x) / 2.
    public static func sinh(_ x: Float) -> Float {
        if x.isNaN { return nan }
        let t = x.magnitude
        if t < 1 {
            let q = x * x
            var p = fma(0x1.71de3ap-19, q, 0x1.a01a02p-13)
            p = fma(p, q, 0x1.111112p-7)
            p = fma(p, q, 0x1.555556p-3)
            return fma(p * q, x, x)
        }
        return signed(half(expOf: t) - half(expOf: -t), x)
    }

    /// cosh x = (e^x + e^−x) / 2: at most 4 ulp.
    public static func cosh(_ x: Float) -> Float {
        x.isNaN ? nan : half(expOf: x.magnitude) + half(expOf: -x.magnitude)
    }

    /// asinh x: at most 4 ulp. log1p(t + t² / (1 + √(t² + 1))) with x's sign, from 2⁶⁰ on
    /// log t + log 2.
    public static func asinh(_ x: Float) -> Float {
        if x.isNaN { return nan }
        let t = x.magnitude
        if t >= 0x1p60 { return signed(log(t) + 0x1.62e430p-1, x) }
        let q = t * t
        return signed(log1p(t + div(q, 1 + sqrt(q + 1))), x)
    }

    /// acosh x: at most 4 ulp. With t = x − 1, log1p(t + √(t² + 2t)), from 2⁶⁰ on log x + log 2.
    public static func acosh(_ x: Float) -> Float {
        guard x >= 1 else { return nan }
        if x >= 0x1p60 { return log(x) + 0x1.62e430p-1 }
        let t = x - 1
        return log1p(t + sqrt(fma(t, t, 2 * t)))
    }

    /// atanh x: at most 4 ulp. log1p(2t / (1 − t)) / 2 with x's sign.
    public static func atanh(_ x: Float) -> Float {
        let t = x.magnitude
        guard t <= 1 else { return nan }
        return signed(0.5 * log1p(div(2 * t, 1 - t)), x)
    }
}
