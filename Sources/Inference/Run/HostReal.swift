internal import Exact

/// The floats that the host computes with: float32 as kernels do, double by IEEE 754's own
/// operations.
protocol HostReal: BinaryFloatingPoint {
    static func quotient(_ a: Self, _ b: Self) -> Self
    /// nil where there is none for this type.
    static func function(_ operation: UnaryOperation, _ v: Self, _ a: Self, _ b: Self) -> Self?
    static func power(_ a: Self, _ b: Self) -> Self
    /// Orders numbers with -0 below +0 and NaN last.
    static func key(_ x: Self) -> Int64
    static var quietNaN: Self { get }
}

extension HostReal {
    /// Not `maximum`, which all floats have: that leaves NaNs out, and the order of zeros open.
    static func larger(_ a: Self, _ b: Self) -> Self {
        if a.isNaN || b.isNaN { return quietNaN }
        return key(a) < key(b) ? b : a
    }

    static func smaller(_ a: Self, _ b: Self) -> Self {
        if a.isNaN || b.isNaN { return quietNaN }
        return key(b) < key(a) ? b : a
    }

    static func clip(_ x: Self, _ low: Self, _ high: Self) -> Self {
        x < low ? low : (x > high ? high : x)
    }
}

extension Float: HostReal {
    static var quietNaN: Float { Float(bitPattern: 0x7fc0_0000) }
    static func quotient(_ a: Float, _ b: Float) -> Float { Exact.div(a, b) }
    static func power(_ a: Float, _ b: Float) -> Float { Exact.pow(a, b) }

    static func key(_ x: Float) -> Int64 {
        let bits = Int32(bitPattern: x.bitPattern)
        return Int64(x.isNaN ? Int32.max : bits ^ ((bits >> 31) & 0x7fff_ffff))
    }

    static func function(
        _ operation: UnaryOperation, _ v: Float, _ a: Float, _ b: Float
    ) -> Float? {
        switch operation {
        case .sqrt: Exact.sqrt(v)
        case .reciprocal: Exact.rcp(v)
        case .exp: Exact.exp(v)
        case .log: Exact.log(v)
        case .sin: Exact.sin(v)
        case .cos: Exact.cos(v)
        case .tanh: Exact.tanh(v)
        case .sigmoid: Exact.sigmoid(v)
        case .erf: Exact.erf(v)
        default: Functions.apply(operation, v, a, b)
        }
    }
}

extension Double: HostReal {
    static var quietNaN: Double { Double(bitPattern: 0x7ff8_0000_0000_0000) }
    static func quotient(_ a: Double, _ b: Double) -> Double { a / b }
    static func power(_ a: Double, _ b: Double) -> Double {
        preconditionFailure("powers of doubles are refused before")
    }

    static func key(_ x: Double) -> Int64 {
        let bits = Int64(bitPattern: x.bitPattern)
        return x.isNaN ? Int64.max : bits ^ ((bits >> 63) & Int64.max)
    }

    static func function(
        _ operation: UnaryOperation, _ v: Double, _ a: Double, _ b: Double
    ) -> Double? {
        switch operation {
        case .sqrt: v.squareRoot()
        case .reciprocal: 1 / v
        default: nil
        }
    }
}
