import Exact
import Foundation
import Testing

/// The twin's errors against twice the precision, over 2^20 arguments and more a function.
@Suite struct AccuracyTests {
    @Test(arguments: ExactFunction.approximate)
    func errorIsAsStated(_ function: ExactFunction) throws {
        let reference = try #require(function.reference)
        let seed = UInt64.random(in: 0...UInt64.max)
        var worst = 0.0
        var place: (UInt32, UInt32) = (0, 0)
        for (a, b) in function.arguments(count: 1 << 20, seed: seed) {
            let exact = reference(
                Double(Float(bitPattern: a)), Double(Float(bitPattern: b)))
            let error = ulps(Float(bitPattern: function.twin(a, b)), from: exact)
            if error > worst { (worst, place) = (error, (a, b)) }
        }
        print("\(function): at most \(worst) ulp, seed \(seed)")
        let (a, b) = (Float(bitPattern: place.0), Float(bitPattern: place.1))
        #expect(worst <= function.ulpsMax, "at \(a) \(b), seed \(seed)")
        // An error of nothing at all would mean that nothing was measured.
        #expect(worst > 0.49)
    }

    /// Distance in units of the last place of a binary32 near `exact`; huge where a NaN, an
    /// infinity or the sign of a zero is wrong.
    private func ulps(_ result: Float, from exact: Double) -> Double {
        if exact.isNaN { return result.bitPattern == 0x7fc0_0000 ? 0 : .infinity }
        let nearest = Float(exact)
        if result.bitPattern == nearest.bitPattern && (nearest == 0 || nearest.isInfinite) {
            return 0
        }
        if result.isNaN { return .infinity }
        if result == 0, nearest == 0 { return .infinity }
        // Beyond the largest number, infinity stands where the next one would.
        let limit = 0x1p128
        let value = result.isInfinite ? (result > 0 ? limit : -limit) : Double(result)
        let target = max(-limit, min(limit, exact))
        let place = target == 0 ? -149 : min(max(Int(target.exponent) - 23, -149), 104)
        return abs(value - target) / Double(sign: .plus, exponent: place, significand: 1)
    }

    /// The special cases of IEEE 754-2019, 9.2.1, that a table of errors might take lightly.
    @Test func specialPowers() {
        let infinity = Float.infinity
        let cases: [(Float, Float, Float)] = [
            (0, 3, 0), (-0.0, 3, -0.0), (-0.0, 2, 0), (0, -1, infinity), (-0.0, -1, -infinity),
            (-0.0, -2, infinity), (-0.0, 0.5, 0), (-0.0, -0.5, infinity), (.nan, 0, 1),
            (1, .nan, 1), (-1, infinity, 1), (-1, -infinity, 1), (0.5, infinity, 0),
            (2, -infinity, 0), (0.5, -infinity, infinity), (-infinity, 3, -infinity),
            (-infinity, 2, infinity), (-infinity, -3, -0.0), (-infinity, 0.5, infinity),
            (-2, 3, -8), (-2, 2, 4), (-2, 0.5, .nan), (-2, 0x1p24, infinity), (-1, 0x1p24, 1),
            (-1, 16_777_215, -1), (-1, 8_388_607.5, .nan), (infinity, 0, 1), (-infinity, -2, 0),
        ]
        for (x, y, result) in cases {
            let expected = result.isNaN ? 0x7fc0_0000 : result.bitPattern
            #expect(Exact.pow(x, y).bitPattern == expected, "\(x) to the power \(y)")
        }
    }

    @Test func specialAngles() {
        let cases: [(Float, Float, Double)] = [
            (0, 1, 0), (-0.0, 1, -0.0), (0, -1, .pi), (-0.0, -1, -.pi), (0, -0.0, .pi),
            (-0.0, 0, -0.0), (1, 0, .pi / 2), (-1, -0.0, -.pi / 2), (.infinity, 1, .pi / 2),
            (1, .infinity, 0), (-1, -.infinity, -.pi), (.infinity, .infinity, .pi / 4),
            (-.infinity, -.infinity, -3 * .pi / 4), (2, 2, .pi / 4), (2, -2, 3 * .pi / 4),
        ]
        for (y, x, angle) in cases {
            #expect(Exact.atan2(y, x).bitPattern == Float(angle).bitPattern, "\(y), \(x)")
        }
    }

    /// Functions keep their order and their symmetry where users lean on it.
    @Test func edges() {
        #expect(Exact.exp(0) == 1 && Exact.exp2(3) == 8 && Exact.log(1) == 0)
        #expect((-149...127).allSatisfy { Exact.log2(Exact.exp2(Float($0))) == Float($0) })
        #expect(Exact.cos(0) == 1 && Exact.sin(-0.0).sign == .minus && Exact.acos(1) == 0)
        #expect(Exact.erf(4) == 1 && Exact.tanh(10) == 1 && Exact.sigmoid(0) == 0.5)
        #expect(Exact.sigmoid(-.infinity) == 0 && Exact.sigmoid(.infinity) == 1)
        for bits in stride(from: UInt32(0), to: 0x7f80_0000, by: 65_537) {
            let x = Float(bitPattern: bits)
            #expect(Exact.tanh(-x) == -Exact.tanh(x) && Exact.erf(-x) == -Exact.erf(x))
            #expect(Exact.tanh(x) <= 1 && Exact.erf(x) <= 1 && Exact.sigmoid(x) <= 1)
        }
    }
}
