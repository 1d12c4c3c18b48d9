import Core
import Exact
import Rendering
import Testing

/// Turns as sine and cosine, without the system's library.
enum Angle {
    static func sine(_ turn: Float) -> Float { Exact.sin(turn * 2 * Float.pi) }
    static func cosine(_ turn: Float) -> Float { Exact.cos(turn * 2 * Float.pi) }
}

/// Light between shapes, against formulas and integrals that know nothing of the renderer.
@Suite struct KnownTransportTests {
    private func expect(
        _ scene: Scene, _ wanted: Double, within share: Double, samples: Int = 256,
        bounces: Int = 0, side: Int = 8, _ what: String = ""
    ) throws {
        guard
            let found = try meanRadiance(
                scene, samples: samples, bounces: bounces, side: side)
        else { return }
        #expect((found.x / wanted - 1).magnitude < share, "\(what): \(found), \(wanted) expected")
    }

    // MARK: - Light on a Lambert plane

    /// A plane y = 0 with albedo 0.5, seen in a spot around the origin from (0, 3, 1).
    private func plane(_ change: (inout SceneMaker) -> Void) -> Scene {
        var maker = SceneMaker()
        let gray = maker.material([0.5, 0.5, 0.5])
        maker.quad([-50, 0, 50], [50, 0, 50], [50, 0, -50], [-50, 0, -50], gray)
        maker.look(from: [0, 3, 1], at: .zero, halfHeight: 0.004)
        change(&maker)
        return maker.scene
    }

    @Test func pointLightFollowsCosineAndDistance() throws {
        let scene = plane {
            var light = Light(kind: .point)
            light.position = [3, 4, 0]
            light.intensity = [100, 100, 100]
            $0.scene.lights = [light]
        }
        // I cos / d² with d = 5, cos = 4/5.
        try expect(scene, 0.5 / Double.pi * 100 * 0.8 / 25, within: 2e-3, samples: 4)
    }

    /// E = π L sin² of the half angle.
    @Test func discLight() throws {
        let sides = 96
        let scene = plane {
            let lamp = $0.material([0, 0, 0], emissive: [3, 3, 3])
            for side in 0..<sides {
                let (a, b) = (Float(side) / Float(sides), Float(side + 1) / Float(sides))
                let first = UInt32($0.scene.positions.count)
                $0.vertex([0, 2, 0], [0, -1, 0], .zero)
                $0.vertex([Angle.cosine(a), 2, Angle.sine(a)], [0, -1, 0], .zero)
                $0.vertex([Angle.cosine(b), 2, Angle.sine(b)], [0, -1, 0], .zero)
                $0.triangle(first, first + 1, first + 2, lamp)
            }
            $0.scene.cameras = []
            $0.look(from: [0, 1, 1], at: .zero, halfHeight: 0.004)
        }
        try expect(scene, 0.5 * 3 * 0.2, within: 0.01)
    }

    /// E = π L (r/d)² cos; the ball of triangles has the area of a slightly smaller sphere, and a
    /// convex body shows a quarter of its area.
    @Test func sphereLight() throws {
        let scene = plane {
            let lamp = $0.material([0, 0, 0], emissive: [3, 3, 3])
            $0.sphere([3, 4, 0], radius: 1, level: 3, lamp)
        }
        var area = 0.0
        for t in scene.triangles.dropFirst(2) {
            let a = scene.positions[Int(t.x)]
            area += Double(
                length(cross(scene.positions[Int(t.y)] - a, scene.positions[Int(t.z)] - a)))
        }
        try expect(scene, 0.5 * 3 * area / 8 / Double.pi * 0.8 / 25, within: 0.015)
    }

    /// The whole of an environment on a plane, against a sum over its texels' own formula.
    @Test func environmentOnAPlane() throws {
        var random = SplitMix64(seed: 21)
        let texels = (0..<12 * 8).map { place in
            random.color() * (place == 17 ? 40 : 1)
        }
        let environment = Environment(width: 12, height: 8, texels: texels)
        let scene = plane { $0.scene.environment = environment }
        // Bilinear radiance times the cosine, over the upper half.
        var sum = 0.0
        let (wide, high) = (240, 160)
        for row in 0..<high / 2 {
            let v = (Float(row) + 0.5) / Float(high)
            let (up, out) = (Angle.cosine(v / 2), Angle.sine(v / 2))
            for column in 0..<wide {
                let u = (Float(column) + 0.5) / Float(wide)
                sum += Double(bilinear(environment, u, v) * up * out)
            }
        }
        let irradiance = sum * 2 * Double.pi * Double.pi / Double(wide * high)
        try expect(scene, 0.5 / Double.pi * irradiance, within: 0.01, samples: 1024)
    }

    private func bilinear(_ environment: Environment, _ u: Float, _ v: Float) -> Float {
        let (x, y) = (u * Float(environment.width) - 0.5, v * Float(environment.height) - 0.5)
        let (left, up) = (x.rounded(.down), y.rounded(.down))
        func texel(_ column: Int, _ row: Int) -> Float {
            let row = min(max(row, 0), environment.height - 1)
            let column = (column + environment.width) % environment.width
            return environment.texels[row * environment.width + column].x
        }
        let (a, b) = (texel(Int(left), Int(up)), texel(Int(left) + 1, Int(up)))
        let (c, d) = (texel(Int(left), Int(up) + 1), texel(Int(left) + 1, Int(up) + 1))
        let top = a + (b - a) * (x - left)
        return top + (c + (d - c) * (x - left) - top) * (y - up)
    }

    // MARK: - Between surfaces

    /// The form factors of two unit squares, face to face at distance one and at a right angle
    /// along an edge (Howell's catalogue, C-11 and C-14): the mean over all of the receiver.
    @Test(arguments: [(true, 0.199_824_895_7), (false, 0.200_043_776_1)])
    func unitSquares(isParallel: Bool, factor: Double) throws {
        var maker = SceneMaker()
        let gray = maker.material([0.8, 0.8, 0.8])
        // Its back is to the camera, which does not see it.
        let lamp = maker.material([0, 0, 0], emissive: [2, 2, 2]) { $0.isDoubleSided = false }
        maker.quad([0, 0, 1], [1, 0, 1], [1, 0, 0], [0, 0, 0], gray)
        if isParallel {
            maker.quad([0, 1, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1], lamp)
        } else {
            maker.quad([0, 0, 1], [0, 0, 0], [0, 1, 0], [0, 1, 1], lamp)
        }
        maker.look(from: [0.5, 3, 0.5], at: [0.5, 0, 0.5], halfHeight: 0.5)
        maker.scene.cameras[0].isOrthographic = true
        try expect(maker.scene, 0.8 * 2 * factor, within: 0.005, side: 32)
    }

    /// A ball lit from its middle: each wall sees as much of every other, so that k bounces bring
    /// the first light's share 1 + r + … + r^k.
    @Test(arguments: [0, 2, 9]) func integratingSphere(bounces: Int) throws {
        var maker = SceneMaker()
        let wall = maker.material([0.5, 0.5, 0.5])
        maker.sphere(.zero, radius: 2, level: 4, wall)
        var light = Light(kind: .point)
        light.intensity = [4, 4, 4]
        maker.scene.lights = [light]
        maker.camera(at: [0.3, 0.2, 0.1], halfHeight: 1)
        var wanted = 0.0
        var share = 0.5 / Double.pi
        for _ in 0...bounces {
            wanted += share
            share *= 0.5
        }
        try expect(maker.scene, wanted, within: 0.012, bounces: bounces, side: 12)
    }

    // MARK: - Rough mirrors

    /// What a white rough mirror sends back under white light: the integral of GGX facets with
    /// height-correlated shadowing and no further bounces, by roughness and angle.
    @Test(arguments: [0.3, 0.6, 1.0] as [Float], [1, 0.5, 0.2] as [Float])
    func ggxLosesWhatItsFacetsShadow(roughness: Float, cosine: Float) throws {
        var maker = SceneMaker(environment: .one)
        let mirror = maker.material([1, 1, 1]) {
            $0.metallic = 1
            $0.roughness = roughness
        }
        maker.quad([-50, 0, 50], [50, 0, 50], [50, 0, -50], [-50, 0, -50], mirror)
        let sine = (1 - cosine * cosine).squareRoot()
        maker.look(from: [0, 3 * cosine, 3 * sine], at: .zero, halfHeight: 0.002)
        let wanted = Self.albedo(
            alpha: Double(roughness * roughness), cosine: Double(cosine))
        try expect(maker.scene, wanted, within: 0.006, samples: 1024, "\(roughness), \(cosine)")
    }

    /// ∫ D G2 / (4 cos_o) over light directions, on a grid of facets' normals: cos_h dω_h D is one
    /// in all, and a facet sends wo to 2 (wo·h) h − wo.
    private static func albedo(alpha: Double, cosine: Double) -> Double {
        let wo = SIMD3<Double>((1 - cosine * cosine).squareRoot(), 0, cosine)
        func lambda(_ c: Double) -> Double {
            let tangent = (1 - c * c) / (c * c)
            return ((1 + alpha * alpha * tangent).squareRoot() - 1) / 2
        }
        let steps = 400
        var sum = 0.0
        for row in 0..<steps {
            // By the distribution: tan² h = α² s / (1 − s).
            let s = (Double(row) + 0.5) / Double(steps)
            let tangent = alpha * alpha * s / (1 - s)
            let hz = 1 / (1 + tangent).squareRoot()
            let out = (1 - hz * hz).squareRoot()
            for column in 0..<steps {
                let turn = (Float(column) + 0.5) / Float(steps)
                let h = SIMD3<Double>(
                    out * Double(Angle.cosine(turn)), out * Double(Angle.sine(turn)), hz)
                let oh = (wo * h).sum()
                let z = 2 * oh * h.z - wo.z
                guard oh > 0, z > 0 else { continue }
                // D hz dω_h is 1 / steps²; the rest of f cos_i dω_i = D G2 oh dω_h / cos_o.
                let g2 = 1 / (1 + lambda(cosine) + lambda(z))
                sum += g2 * oh / (cosine * hz)
            }
        }
        return sum / Double(steps * steps)
    }

    // MARK: - Smooth interfaces

    private static func fresnel(_ cosine: Double, _ eta: Double) -> Double {
        let squared = (1 - cosine * cosine) / (eta * eta)
        guard squared < 1 else { return 1 }
        let t = (1 - squared).squareRoot()
        let s = (cosine - eta * t) / (cosine + eta * t)
        let p = (eta * cosine - t) / (eta * cosine + t)
        return (s * s + p * p) / 2
    }

    /// Half a world of glass under a white sky over a black ground: what is bright was reflected.
    /// From below the other way round, and beyond 42° nothing passes.
    @Test(arguments: [1, 0.7, 0.5, 0.26] as [Float], [true, false])
    func smoothGlassReflects(cosine: Float, isFromAbove: Bool) throws {
        var maker = SceneMaker()
        let rows = (0..<64).map { row in
            SIMD3<Float>(repeating: (row < 32) == isFromAbove ? 1 : 0)
        }
        maker.scene.environment = Environment(width: 1, height: 64, texels: rows)
        let glass = maker.material([1, 1, 1]) {
            $0.transmission = 1
            $0.roughness = 0
            $0.ior = 1.5
            $0.isThinWalled = false
        }
        maker.quad([-50, 0, 50], [50, 0, 50], [50, 0, -50], [-50, 0, -50], glass)
        let sine = (1 - cosine * cosine).squareRoot()
        let height: Float = isFromAbove ? 3 : -3
        maker.look(from: [0, height * cosine, 3 * sine], at: .zero, halfHeight: 0.002)
        let wanted = Self.fresnel(Double(cosine), isFromAbove ? 1.5 : 1 / 1.5)
        try expect(
            maker.scene, wanted, within: 0.03, samples: 4096, bounces: 1, "\(cosine)")
    }

    /// A lamp under glass is where Snell's law says, and not where it would be without.
    @Test func lampUnderGlassIsShifted() throws {
        let sine = 0.6 / 1.5
        let shift = Float(sine / (1 - sine * sine).squareRoot())
        func radiance(lampAt x: Float) throws -> Double? {
            var maker = SceneMaker()
            let glass = maker.material([1, 1, 1]) {
                $0.transmission = 1
                $0.roughness = 0
                $0.ior = 1.5
                $0.isThinWalled = false
            }
            let lamp = maker.material([0, 0, 0], emissive: [2, 2, 2])
            maker.quad([-50, 0, 50], [50, 0, 50], [50, 0, -50], [-50, 0, -50], glass)
            let (low, high) = (x - 0.05, x + 0.05)
            maker.quad(
                [low, -1, 0.05], [high, -1, 0.05], [high, -1, -0.05], [low, -1, -0.05], lamp)
            maker.look(from: [-1.8, 2.4, 0], at: .zero, halfHeight: 0.002)
            return try meanRadiance(maker.scene, samples: 64, bounces: 1)?.x
        }
        guard let seen = try radiance(lampAt: shift), let beside = try radiance(lampAt: 0.75)
        else { return }
        let wanted = 2 * (1 - Self.fresnel(0.8, 1.5))
        #expect((seen / wanted - 1).magnitude < 0.03, "\(seen), \(wanted) expected")
        #expect(beside < 0.02)
    }

    /// A white veil without an index around air: half of the light goes straight on, the rest is
    /// scattered, and under white light nothing of it is to be seen.
    @Test func whiteVeilWithoutAnIndex() throws {
        var maker = SceneMaker(environment: .one)
        let veil = maker.material([1, 1, 1]) {
            $0.transmission = 0.5
            $0.ior = 1
            $0.isThinWalled = false
        }
        maker.sphere(.zero, radius: 1, level: 3, veil, isSmooth: false)
        maker.camera(at: [0, 0, 4], halfHeight: 0.2)
        try expect(maker.scene, 1, within: 0.005, bounces: 32)
    }

    // MARK: - Vectors

    private func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
        [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
    }

    private func length(_ a: SIMD3<Float>) -> Float { (a * a).sum().squareRoot() }
}

extension SceneMaker {
    /// A camera with square pixels that looks from one place at another.
    mutating func look(from position: SIMD3<Float>, at target: SIMD3<Float>, halfHeight: Float) {
        func unit(_ a: SIMD3<Float>) -> SIMD3<Float> { a / (a * a).sum().squareRoot() }
        func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
            [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
        }
        var camera = Camera()
        camera.position = position
        camera.forward = unit(target - position)
        let isSteep = camera.forward.y.magnitude > 0.99
        camera.right = unit(cross(camera.forward, isSteep ? [0, 0, -1] : [0, 1, 0]))
        camera.up = cross(camera.right, camera.forward)
        camera.halfWidth = halfHeight
        camera.halfHeight = halfHeight
        scene.cameras = [camera]
    }
}
