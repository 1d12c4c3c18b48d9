import Core
import Rendering
import RigorTestKit
import Testing

/// The tree against all triangles one by one, in the host's own arithmetic: equal to the last bit.
@Suite struct TraversalTests {
    @Test(arguments: [
        (false, RayCaster.Kernel.single), (true, .single), (false, .packet), (true, .packet),
        (false, .sorted), (true, .sorted),
    ])
    func treeEqualsEveryTriangle(isNarrow: Bool, kernel: RayCaster.Kernel) throws {
        guard let device = try TestDevices.any?.open() else { return }
        var maker = SceneMaker()
        let material = maker.material([1, 1, 1])
        maker.sphere([0, 0, 0], radius: 1, level: 3, material)
        maker.sphere([0.7, 0.2, -0.4], radius: 0.5, level: 3, material)
        maker.quad([-2, -1, 2], [2, -1, 2], [2, -1, -2], [-2, -1, -2], material)
        // The same triangles twice: ties that the lower number must win.
        maker.quad([-2, -1, 2], [2, -1, 2], [2, -1, -2], [-2, -1, -2], material)
        maker.triangle(0, 1, 1, material) // without area
        let seed: UInt64 = 20_261_121
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let rays = Self.rays(maker.scene, &random)

        let blob = try RenderBlob(maker.scene, RenderParameters(width: 1, height: 1))
        let caster = try RayCaster(blob, on: device, isNarrow: isNarrow)
        #expect(rays.count % 16 != 0, "the last packet has room")
        let hits = try caster.closest(rays, by: kernel)
        let pad = Float(bitPattern: blob.words[BlobLayout.Word.pad])
        let reference = EveryTriangle(maker.scene, pad: pad)
        var hitCount = 0
        for (ray, hit) in zip(rays, hits) {
            let expected = reference.closest(ray)
            #expect(hit == expected, "\(ray)")
            if hit != .none { hitCount += 1 }
        }
        #expect(hitCount > rays.count / 4 && hitCount < rays.count)
    }

    /// Sixteen rays at a time that go much the same way, where boxes are looked at for all of them
    /// at once: from near and afar, side by side or all alike, along axes, and past edges.
    @Test(arguments: [false, true]) func whatAPacketPassesByIsNoHit(_ isNarrow: Bool) throws {
        guard let device = try TestDevices.any?.open() else { return }
        var maker = SceneMaker()
        let material = maker.material([0.5, 0.5, 0.5])
        maker.sphere([0, 0, 0], radius: 1, level: 4, material)
        maker.sphere([0.7, 0.2, -0.4], radius: 0.003, level: 3, material)
        maker.quad([-2, -1, 2], [2, -1, 2], [2, -1, -2], [-2, -1, -2], material)
        maker.quad([-200, 9, 200], [200, 9, 200], [200, 9, -200], [-200, 9, -200], material)
        let corners = maker.scene.positions
        let seed = UInt64.random(in: 0..<1 << 40)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let rays = (0..<4000).flatMap { index in
            let distance: Float = [2, 5, 300, 1e5][random.index(4)]
            let origin = random.direction() * distance
            var aim = corners[random.index(corners.count)] - origin
            if index % 9 == 0 { aim = [0, 0, random.chance(0.5) ? 1 : -1] }
            if index % 11 == 0 { aim.x = 0 }
            let spread: Float = [0, 1e-7, 1e-4, 0.02, 0.3][random.index(5)]
            let parallax: Float = random.chance(0.5) ? 0 : 1e-3 * distance
            return (0..<16).map { _ in
                RayCaster.Ray(
                    origin: origin + random.point() * parallax,
                    direction: aim + random.point() * (spread * distance))
            }
        }
        let blob = try RenderBlob(maker.scene, RenderParameters(width: 1, height: 1))
        let caster = try RayCaster(blob, on: device, isNarrow: isNarrow)
        let expected = try caster.closest(rays, by: .single)
        let hits = try caster.closest(rays, by: .packet)
        #expect(expected.count { $0 != .none } > rays.count / 5)
        for (index, hit) in hits.enumerated() where hit != expected[index] {
            Issue.record("\(rays[index]): \(hit), expected \(expected[index])")
            break
        }
    }

    private static func rays(_ scene: Scene, _ random: inout SplitMix64) -> [RayCaster.Ray] {
        (0..<1500).map { index in
            let origin = random.point() * 3
            var direction = random.point()
            // Every third goes exactly to a corner, every seventh along an axis.
            if index % 3 == 0 {
                let corner = scene.positions[Int(random.next() % UInt64(scene.positions.count))]
                direction = corner - origin
            }
            if index % 7 == 0 { direction = [0, index % 2 == 0 ? -1 : 0, index % 2 == 0 ? 0 : 1] }
            return RayCaster.Ray(origin: origin, direction: direction)
        }
    }
}

extension SplitMix64 {
    /// In −1..<1 along each axis.
    mutating func point() -> SIMD3<Float> {
        func side(_ bits: UInt64) -> Float { Float(bits >> 40) * 0x1p-23 - 1 }
        return [side(next()), side(next()), side(next())]
    }
}

/// Tests a ray against every triangle, by the same arithmetic as `Kernels/render/traverse.cl`.
private struct EveryTriangle {
    private let corners: [WideBvh.Corner]
    private let pad: Float

    init(_ scene: Scene, pad: Float) {
        self.pad = pad
        corners = scene.triangles.enumerated().compactMap { index, triangle in
            WideBvh.Corner(
                scene.positions[Int(triangle.x)], scene.positions[Int(triangle.y)],
                scene.positions[Int(triangle.z)], word: UInt32(index))
        }
    }

    func closest(_ ray: RayCaster.Ray) -> RayCaster.Hit {
        var best = RayCaster.Hit.none
        for corner in corners {
            guard let distance = distance(ray, corner), distance <= best.distance else { continue }
            if distance < best.distance || corner.word < best.primitive {
                best = .init(distance: distance, primitive: corner.word)
            }
        }
        return best
    }

    private func distance(_ ray: RayCaster.Ray, _ t: WideBvh.Corner) -> Float? {
        let d = ray.direction
        let c = t.origin - ray.origin
        let r = SIMD3<Float>(
            fma(c.y, d.z, -(c.z * d.y)), fma(c.z, d.x, -(c.x * d.z)), fma(c.x, d.y, -(c.y * d.x)))
        let determinant = dot(t.normal, d)
        let sign: Float = determinant < 0 ? -1 : 1
        let size = determinant * sign
        let u = sign * dot(r, t.edge2)
        let v = -sign * dot(r, t.edge1)
        let scaled = sign * dot(t.normal, c)
        guard u >= 0, v >= 0, u + v <= size, scaled > 0, size > 0 else { return nil }
        let distance = quotient(scaled, size)
        return isInOwnBox(ray, t, distance) ? distance : nil
    }

    private func isInOwnBox(
        _ ray: RayCaster.Ray, _ t: WideBvh.Corner, _ distance: Float
    ) -> Bool {
        let q = t.origin + t.edge1
        let r = t.origin + t.edge2
        for axis in 0..<3 {
            let low = min(t.origin[axis], q[axis], r[axis]) - pad
            let high = max(t.origin[axis], q[axis], r[axis]) + pad
            let d = ray.direction[axis]
            let magnitude: Float = d.magnitude < 1e-18 ? 1e-18 : d.magnitude
            let inverse = d < 0 ? -quotient(1, magnitude) : quotient(1, magnitude)
            let shifted = -(ray.origin[axis] * inverse)
            let a = fma(low, inverse, shifted)
            let b = fma(high, inverse, shifted)
            guard min(a, b) <= distance, distance <= max(a, b) else { return false }
        }
        return true
    }

    private func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

    private func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float {
        fma(a.x, b.x, fma(a.y, b.y, a.z * b.z))
    }

    private func quotient(_ numerator: Float, _ denominator: Float) -> Float {
        var r = Float(bitPattern: 0x7ef3_11c7 &- denominator.bitPattern)
        for _ in 0..<3 { r = fma(r, fma(-denominator, r, 1), r) }
        let q = numerator * r
        return fma(fma(-denominator, q, numerator), r, q)
    }
}
