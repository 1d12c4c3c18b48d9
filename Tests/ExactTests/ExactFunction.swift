import Core
import Exact
import Foundation

/// One function of the kernels beside its twin, its stated error and a measuring stick.
///
/// Arguments and results are bits, so that functions of integers fit too.
struct ExactFunction: Sendable, CustomStringConvertible {
    typealias Twin = @Sendable (UInt32, UInt32) -> UInt32

    let description: String
    /// The kernel's expression in `a` and `b`, uint to uint.
    let expression: String
    let twin: Twin
    /// Twice the precision and a little less than exact: its error is nothing beside float's ulps.
    let reference: (@Sendable (Double, Double) -> Double)?
    /// The error that the documentation states.
    let ulpsMax: Double
    /// Arguments are random numbers of this many binary orders around 1, besides random bits.
    let orders: Int
    /// Arguments where branches meet, limits are passed, and the like.
    let directed: [Float]

    static let all = rounded + exponential + circular + others + narrowing + random

    /// Those with stated errors.
    static let approximate = all.filter { $0.reference != nil }

    private static func one(
        _ name: String, _ ulpsMax: Double, _ twin: @escaping @Sendable (Float) -> Float,
        _ reference: @escaping @Sendable (Double) -> Double, orders: Int = 8,
        _ directed: [Float] = []
    ) -> ExactFunction {
        ExactFunction(
            description: name, expression: "as_uint(ex_\(name)(as_float(a)))",
            twin: { a, _ in twin(Float(bitPattern: a)).bitPattern },
            reference: { a, _ in reference(a) }, ulpsMax: ulpsMax, orders: orders,
            directed: directed)
    }

    private static func two(
        _ name: String, _ ulpsMax: Double, _ twin: @escaping @Sendable (Float, Float) -> Float,
        _ reference: @escaping @Sendable (Double, Double) -> Double, orders: Int
    ) -> ExactFunction {
        ExactFunction(
            description: name, expression: "as_uint(ex_\(name)(as_float(a), as_float(b)))",
            twin: { a, b in twin(Float(bitPattern: a), Float(bitPattern: b)).bitPattern },
            reference: reference, ulpsMax: ulpsMax, orders: orders, directed: [])
    }

    private static func bits(
        _ name: String, _ expression: String, _ twin: @escaping Twin
    ) -> ExactFunction {
        ExactFunction(
            description: name, expression: expression, twin: twin, reference: nil, ulpsMax: 0,
            orders: 48, directed: [0x1p-24, 0x1p-25, 0x1.8p-24, 0x1p-14, 65504, 65519, 65520])
    }

    private static let rounded = [
        two("div", 0.5, Exact.div, { $0 / $1 }, orders: 252),
        one("rcp", 0.5, Exact.rcp, { 1 / $0 }, orders: 252, [0x1p126, 0x1.000002p126, 0x1p127]),
        one("sqrt", 0.5, Exact.sqrt, { $0.squareRoot() }, orders: 252),
        one("rsqrt", 0.5001, Exact.rsqrt, { 1 / $0.squareRoot() }, orders: 252),
    ]

    private static let exponential = [
        one("exp", 1.1, Exact.exp, Foundation.exp, [88.72283, 88.72284, -87.33655, -103.97208]),
        one("exp2", 0.9, Exact.exp2, Foundation.exp2, [127.99999, 128, -126, -149, -149.99998]),
        one("log", 1, Exact.log, Foundation.log, orders: 252, [0.70710677, 0.70710678, 1.4142135]),
        one("log2", 1, Exact.log2, Foundation.log2, orders: 252, [0.70710677, 1.4142135]),
        two("pow", 1, Exact.pow, power, orders: 12),
    ]

    private static let circular = [
        one("sin", 1.6, Exact.sin, Foundation.sin, orders: 40, turns),
        one("cos", 1.6, Exact.cos, Foundation.cos, orders: 40, turns),
        one("tan", 3.5, Exact.tan, Foundation.tan, orders: 40, turns),
        one("acos", 1.2, Exact.acos, Foundation.acos, orders: 4, [0.49999997, 0.5, 0.99999994]),
        two("atan2", 1.6, Exact.atan2, Foundation.atan2, orders: 8),
    ]

    private static let others = [
        one("erf", 1.2, Exact.erf, Foundation.erf, [0.87499994, 0.875, 3.9192059, 4]),
        one("tanh", 1.5, Exact.tanh, Foundation.tanh, [0.54999995, 0.55, 9.010913, 10]),
        one(
            "sigmoid", 3, Exact.sigmoid, { 1 / (1 + Foundation.exp(-$0)) }, [-87.4, -103.98, 17.4]),
        one("log1p", 3, Exact.log1p, Foundation.log1p, [-0.99999994, -1, 0x1p-24, 0x1p-25]),
        one("sinh", 4, Exact.sinh, Foundation.sinh, [0.99999994, 1, 89.4, 89.5, 104]),
        one("cosh", 4, Exact.cosh, Foundation.cosh, [1, 89.4, 89.5, 104]),
        one("asinh", 4, Exact.asinh, Foundation.asinh, orders: 60, [0x1p60, 0x1.fffffep59]),
        one("acosh", 4, Exact.acosh, Foundation.acosh, orders: 60, [1, 1.0000001, 0x1p60]),
        one("atanh", 4, Exact.atanh, Foundation.atanh, [0.99999994, 1, 1.0000001]),
    ]

    private static let random = [
        bits("unit", "as_uint(ex_unit(a))") { a, _ in Exact.unit(a).bitPattern },
        bits("normal", "as_uint(ex_normal(a, b))") { a, b in Exact.normal(a, b).bitPattern },
    ]

    private static let narrowing = [
        bits("half", "ex_half_from_float(as_float(a))") { a, _ in
            UInt32(Exact.half(from: Float(bitPattern: a)))
        },
        bits("fromHalf", "as_uint(ex_float_from_half(a >> 16))") { a, _ in
            Exact.float(fromHalf: UInt16(a >> 16)).bitPattern
        },
        bits("bfloat16", "ex_bfloat16_from_float(as_float(a))") { a, _ in
            UInt32(Exact.bfloat16(from: Float(bitPattern: a)))
        },
        bits("fromBFloat16", "as_uint(ex_float_from_bfloat16(a >> 16))") { a, _ in
            Exact.float(fromBFloat16: UInt16(a >> 16)).bitPattern
        },
    ]

    /// Multiples of π/2 and of π/4, where quadrants meet and results are smallest; where the window
    /// of digits of 2/π moves by a word; the two numbers nearest to a multiple of π/2.
    private static let turns: [Float] =
        (1...64).map { Float(Double($0) * .pi / 4) }
        + [0x1p13, 0x1p45, 0x1p77, 0x1p109, 0x1.fffffep127, 0x1.f37c8ap95, 0x1.47d0fep34]

    /// C leaves pow(NaN, 0) and pow(1, NaN) at 1, as IEEE 754 does, but not for signalling NaN.
    private static let power: @Sendable (Double, Double) -> Double = { x, y in
        y == 0 || x == 1 ? 1 : Foundation.pow(x, y)
    }
}

extension ExactFunction {
    /// `count` or more pairs of arguments: every pair of special ones, neighbours of the directed
    /// ones, random bits, and random numbers of common size.
    func arguments(count: Int, seed: UInt64) -> [(UInt32, UInt32)] {
        var pairs: [(UInt32, UInt32)] = []
        for a in Self.special { for b in Self.special { pairs.append((a, b)) } }
        for x in directed {
            for step in UInt32(0)..<9 {
                pairs.append((x.bitPattern &+ step &- 4, 0x3f80_0000))
                pairs.append(((-x).bitPattern &+ step &- 4, 0x3f80_0000))
            }
        }
        var generator = SplitMix64(seed: seed)
        while pairs.count < count {
            let word = generator.next()
            let (a, b) = (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
            pairs.append(
                pairs.count & 3 == 0
                    ? (a, b) : (common(a, generator.next()), common(b, generator.next())))
        }
        return pairs
    }

    /// The bits with an exponent of `orders` around that of 1.
    private func common(_ bits: UInt32, _ word: UInt64) -> UInt32 {
        let order = UInt32(word % UInt64(orders))
        return bits & 0x807f_ffff | (127 - UInt32(orders) / 2 + order) << 23
    }

    private static let special: [UInt32] = [
        0, 1, 0x0000_0fff, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x0100_0000, 0x3380_0000,
        0x3eff_ffff, 0x3f00_0000, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001, 0x3fff_ffff, 0x4000_0000,
        0x4040_0000, 0x40a0_0000, 0x42ff_ffff, 0x4b00_0001, 0x4b7f_ffff, 0x4b80_0000, 0x4b80_0001,
        0x7e80_0001, 0x7f00_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff,
    ].flatMap { [$0, $0 | 0x8000_0000] }
}
