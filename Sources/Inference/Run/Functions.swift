internal import Exact

/// Twin of `Kernels/inference/functions.cl`.
enum Functions {
    static func softplus(_ x: Float) -> Float {
        (x > 0 ? x : x.isNaN ? x : 0) + Exact.log1p(Exact.exp(-x.magnitude))
    }

    static func gelu(_ x: Float) -> Float {
        (0.5 * x) * (1 + Exact.erf(x * 0x1.6a09e6p-1))
    }

    static func geluTanh(_ x: Float) -> Float {
        let inner = x.addingProduct((x * x) * 0x1.6e4e26p-5, x)
        return (0.5 * x) * (1 + Exact.tanh(inner * 0x1.988454p-1))
    }

    /// A rarer function of one float, with its parameters; nil where `operation` is none.
    static func apply(_ operation: UnaryOperation, _ v: Float, _ a: Float, _ b: Float) -> Float? {
        switch operation {
        case .tan: Exact.tan(v)
        case .asin: Exact.atan2(v, Exact.sqrt((1 - v) * (1 + v)))
        case .acos: Exact.acos(v)
        case .atan: Exact.atan2(v, 1)
        case .sinh: Exact.sinh(v)
        case .cosh: Exact.cosh(v)
        case .asinh: Exact.asinh(v)
        case .acosh: Exact.acosh(v)
        case .atanh: Exact.atanh(v)
        case .softplus: softplus(v)
        case .softsign: Exact.div(v, 1 + v.magnitude)
        case .mish: v * Exact.tanh(softplus(v))
        case .gelu: gelu(v)
        case .geluTanh: geluTanh(v)
        case .swish: v * Exact.sigmoid(a * v)
        case .selu: v > 0 ? b * v : v.isNaN ? v : b * (a * (Exact.exp(v) - 1))
        case .celu: v > 0 ? v : v.isNaN ? v : a * (Exact.exp(Exact.div(v, a)) - 1)
        case .exp2: Exact.exp2(v)
        default: nil
        }
    }
}
