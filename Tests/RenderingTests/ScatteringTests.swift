import Core
import Rendering
import Testing

/// Laws that any surface obeys, on the reference's own, whose bits are the kernels'.
@Suite struct ScatteringTests {
    /// Surfaces from one end of each range to the other.
    private static let surfaces: [Surface] = {
        var surfaces: [Surface] = []
        for alpha: Float in [0.1, 0.4, 1] {
            surfaces.append(Surface(alpha: alpha))
            surfaces.append(Surface(metallic: 1, alpha: alpha))
            surfaces.append(Surface(metallic: 0.3, alpha: alpha, transmission: 0.6, isThin: true))
            // A smooth lobe through nearly equal indices is too narrow for a grid.
            for eta: Float in alpha < 0.4 ? [1.5, 1 / 1.5] : [1.5, 1 / 1.5, 1.1] {
                surfaces.append(Surface(alpha: alpha, transmission: 1, eta: eta))
                surfaces.append(
                    Surface(metallic: 0.2, alpha: alpha, transmission: 0.7, eta: eta))
            }
        }
        return surfaces
    }()

    struct Surface: Sendable, CustomStringConvertible {
        var metallic: Float = 0
        var alpha: Float
        var transmission: Float = 0
        var eta: Float = 1.5
        var isThin = false

        /// As it is seen from a direction at that cosine.
        func bsdf(at cosine: Float, isReversed: Bool = false) -> ReferenceBsdf {
            let index = isReversed && !isThin ? 1 / eta : eta
            let root = (index - 1) / (index + 1)
            return ReferenceBsdf(
                base: [0.9, 0.5, 0.2], metallic: metallic, alpha: alpha,
                transmission: transmission, f0: root * root, eta: index, isThin: isThin
            ).seen(at: cosine)
        }

        var description: String {
            "metallic \(metallic), alpha \(alpha), transmission \(transmission), index \(eta), "
                + "thin \(isThin)"
        }
    }

    private func upward(_ random: inout SplitMix64) -> SIMD3<Float> {
        var direction = random.direction()
        direction.z = max(direction.z.magnitude, 0.02)
        return direction / (direction * direction).sum().squareRoot()
    }

    private func expectEqual(_ a: SIMD3<Float>, _ b: SIMD3<Float>, _ what: String) {
        for channel in 0..<3 {
            let larger = max(a[channel].magnitude, b[channel].magnitude)
            let isNear = (a[channel] - b[channel]).magnitude <= 2e-3 * larger + 1e-6
            #expect(isNear, "\(what): \(a) and \(b)")
        }
    }

    /// Helmholtz: light and viewer may change places; through an interface up to
    /// the squared index.
    @Test func reciprocity() {
        var random = SplitMix64(seed: 31)
        for surface in Self.surfaces {
            for _ in 0..<200 {
                let (a, b) = (upward(&random), upward(&random))
                let there = surface.bsdf(at: a.z).evaluate(a, b).color / b.z
                let back = surface.bsdf(at: b.z).evaluate(b, a).color / a.z
                expectEqual(there, back, "\(surface)")
                guard surface.transmission > 0 else { continue }
                // From the other side, that side is up.
                func turned(_ v: SIMD3<Float>) -> SIMD3<Float> { [v.x, v.y, -v.z] }
                let through = surface.bsdf(at: a.z).evaluate(a, turned(b)).color / b.z
                let reversed = surface.bsdf(at: b.z, isReversed: true)
                let from = reversed.evaluate(b, turned(a)).color / a.z
                let factor = surface.isThin ? 1 : surface.eta * surface.eta
                expectEqual(through, from * factor, "through \(surface)")
            }
        }
    }

    /// Directions fall into cells of the sphere as often as their density says, by chi-square; what
    /// is missing to one are those draws where light ends.
    @Test func directionsFollowTheirDensity() {
        var random = SplitMix64(seed: 17)
        for surface in Self.surfaces {
            for cosine: Float in [0.95, 0.4] {
                let wo = SIMD3<Float>((1 - cosine * cosine).squareRoot(), 0, cosine)
                let bsdf = surface.bsdf(at: cosine)
                let drawn = histogram(bsdf, wo, &random)
                let expected = Cells.integral { bsdf.evaluate(wo, $0).density }
                #expect(expected.reduce(0, +) < 1.01, "\(surface)")
                expectAlike(drawn, expected, "\(surface) at \(cosine)")
            }
        }
    }

    private static let drawCount = 60_000

    private func histogram(
        _ bsdf: ReferenceBsdf, _ wo: SIMD3<Float>, _ random: inout SplitMix64
    ) -> [Int] {
        var counts = [Int](repeating: 0, count: Cells.count)
        for _ in 0..<Self.drawCount {
            let wi = bsdf.sample(wo, [random.unit(), random.unit()], choice: random.unit())
            // The renderer ends paths that a surface's function does not answer for.
            guard let wi, bsdf.evaluate(wo, wi).density > 0 else { continue }
            counts[Cells.index(wi)] += 1
        }
        return counts
    }

    private func expectAlike(_ drawn: [Int], _ expected: [Double], _ what: String) {
        var statistic = 0.0
        var cells = 0.0
        // Cells that hardly any draw should reach count as one.
        var (restDrawn, restExpected) = (0.0, 0.0)
        for (count, share) in zip(drawn, expected) {
            let wanted = share * Double(Self.drawCount)
            if wanted < 20 {
                restDrawn += Double(count)
                restExpected += wanted
                continue
            }
            let off = Double(count) - wanted
            // Besides chance, the integral itself is good to about a hundredth.
            statistic += off * off / (wanted + wanted * wanted * 1e-4)
            cells += 1
        }
        #expect(
            statistic < cells + 6 * (2 * cells).squareRoot(),
            "\(what): chi-square \(statistic) of \(cells) cells")
        let allowed = 6 * restExpected.squareRoot() + 0.1 * restExpected + 12
        #expect((restDrawn - restExpected).magnitude < allowed, "\(what): \(restDrawn) elsewhere")
    }

    /// No surface sends out more than comes, but for what glTF's core says of dielectrics: there
    /// the base counts by the Fresnel term of the facet between light and viewer, and at grazing
    /// views light from above is counted nearly in full beside the interface's own.
    @Test func nothingShines() {
        var random = SplitMix64(seed: 41)
        for surface in Self.surfaces {
            for cosine: Float in [1, 0.7, 0.2] {
                let wo = SIMD3<Float>((1 - cosine * cosine).squareRoot(), 0, cosine)
                let bsdf = surface.bsdf(at: cosine)
                let sent = sent(bsdf, wo, &random)
                let hasBase = surface.metallic < 1 && surface.transmission < 1
                let most = hasBase ? 1.12 : 1.006
                #expect(sent < most && sent > 0.25, "\(surface) at \(cosine): \(sent)")
            }
        }
    }

    /// Of white light, in the channel that the base reflects most of.
    private func sent(
        _ bsdf: ReferenceBsdf, _ wo: SIMD3<Float>, _ random: inout SplitMix64
    ) -> Double {
        var sum = 0.0
        for _ in 0..<Self.drawCount {
            let wi = bsdf.sample(wo, [random.unit(), random.unit()], choice: random.unit())
            guard let wi else { continue }
            let f = bsdf.evaluate(wo, wi)
            if f.density > 0 { sum += Double(f.color.x / f.density) }
        }
        return sum / Double(Self.drawCount)
    }

    /// Two methods that could both have found a light share its weight, and one alone has it all.
    @Test func weightsSumToOne() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<2000 {
            let a = random.unit() * (random.chance(0.5) ? 1e-6 : 1e6) + 1e-9
            let b = random.unit() * (random.chance(0.5) ? 1e-6 : 1e6) + 1e-9
            let sum = ReferenceTracer.balance(a, b) + ReferenceTracer.balance(b, a)
            #expect((sum - 1).magnitude < 0x1p-22)
            #expect(ReferenceTracer.balance(a, 0) == 1)
        }
    }
}

/// The sphere of directions in cells: equal steps of the cosine and of the angle around.
private enum Cells {
    static let high = 16
    static let wide = 16
    static var count: Int { high * wide }

    static func index(_ v: SIMD3<Float>) -> Int {
        let row = min(Int((v.z + 1) * 0.5 * Float(high)), high - 1)
        // By octants and their halves: angles are not needed.
        let column = columns.lastIndex { isBehind($0, v) } ?? 0
        return row * wide + column
    }

    private static let columns: [SIMD2<Float>] = (0..<wide).map {
        let turn = Float($0) / Float(wide)
        return [Angle.cosine(turn), Angle.sine(turn)]
    }

    /// Whether `v` lies at the angle of `edge` or beyond, around from +x.
    private static func isBehind(_ edge: SIMD2<Float>, _ v: SIMD3<Float>) -> Bool {
        let upperEdge = edge.y > 0 || (edge.y == 0 && edge.x > 0)
        let upper = v.y > 0 || (v.y == 0 && v.x > 0)
        if upperEdge != upper { return upperEdge }
        return edge.x * v.y - edge.y * v.x >= 0
    }

    /// ∫ `function` over each cell, by a grid of points.
    static func integral(_ function: (SIMD3<Float>) -> Float) -> [Double] {
        let steps = 24
        var sums = [Double](repeating: 0, count: count)
        for row in 0..<high * steps {
            let z = (Float(row) + 0.5) / Float(high * steps) * 2 - 1
            let out = (1 - z * z).squareRoot()
            for column in 0..<wide * steps {
                let turn = (Float(column) + 0.5) / Float(wide * steps)
                let v = SIMD3(out * Angle.cosine(turn), out * Angle.sine(turn), z)
                sums[row / steps * wide + column / steps] += Double(function(v))
            }
        }
        let cell = 4 * Double.pi / Double(count * steps * steps)
        return sums.map { $0 * cell }
    }
}
