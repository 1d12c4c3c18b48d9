import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Scenes whose radiance can be written down.
@Suite struct KnownLightTests {
    /// Mean radiance of a small picture.
    private func render(
        _ scene: Scene, samples: Int = 256, bounces: Int = 4, side: Int = 8
    ) throws -> SIMD3<Double>? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let parameters = RenderParameters(
            width: side, height: side, samples: samples, bounces: bounces, seed: 7)
        let tiles = try renderTiles(scene, parameters, on: device)
        #expect(tiles.allSatisfy { $0.nanCount == 0 })
        return try mean(tiles, parameters)
    }

    private func expect(_ found: SIMD3<Double>?, _ wanted: Double, within share: Double) {
        guard let found else { return }
        #expect((found.x / wanted - 1).magnitude < share, "\(found), expected \(wanted)")
    }

    private let pi = Double.pi

    @Test func pointLightFollowsTheInverseSquare() throws {
        let scene = SceneMaker.plane {
            var light = Light(kind: .point)
            light.position = [0, 0, 3]
            light.intensity = [90, 90, 90]
            $0.scene.lights = [light]
        }
        expect(try render(scene, samples: 4, bounces: 0), 0.5 / pi * 10, within: 1e-3)
    }

    @Test func directionalLightFollowsTheCosine() throws {
        let scene = SceneMaker.plane {
            var light = Light(kind: .directional)
            light.direction = [0.6, 0, -0.8]
            light.intensity = [10, 10, 10]
            $0.scene.lights = [light]
        }
        expect(try render(scene, samples: 4, bounces: 0), 0.5 / pi * 8, within: 1e-3)
    }

    @Test func spotLightHasACone() throws {
        func lit(cosine: Float) -> Scene {
            SceneMaker.plane {
                var light = Light(kind: .spot)
                light.position = [0, 0, 3]
                let sine = (1 - cosine * cosine).squareRoot()
                light.direction = [sine, 0, -cosine]
                light.intensity = [90, 90, 90]
                light.cosInner = 0.9
                light.cosOuter = 0.8
                $0.scene.lights = [light]
            }
        }
        expect(try render(lit(cosine: 0.95), samples: 4, bounces: 0), 0.5 / pi * 10, within: 1e-3)
        expect(
            try render(lit(cosine: 0.85), samples: 4, bounces: 0), 0.5 / pi * 10 * 0.25,
            within: 2e-2)
        #expect(try render(lit(cosine: 0.7), samples: 4, bounces: 0) ?? .zero == .zero)
    }

    /// The form factor of a square above the middle of a patch, from Howell's catalogue, B-3.
    @Test func emissiveQuadFollowsItsFormFactor() throws {
        let scene = SceneMaker.plane {
            let lamp = $0.material([0, 0, 0], emissive: [5, 5, 5])
            $0.quad([-1, 1, 4], [1, 1, 4], [1, -1, 4], [-1, -1, 4], lamp)
            $0.scene.cameras[0].position = [0, 0, 2]
        }
        let a = 0.25
        let root = (1 + a * a).squareRoot()
        // atan(x) for x = 0.2425 by its series.
        let x = a / root
        let arc = x - x * x * x / 3 + x * x * x * x * x / 5 - x * x * x * x * x * x * x / 7
        let factor = 4 / (2 * pi) * 2 * (a / root) * arc
        expect(try render(scene, bounces: 0), 0.5 * 5 * factor, within: 0.01)
    }

    /// Inside a closed box of which every wall shines with 1 and reflects a half, k bounces see
    /// 1 + 1/2 + … + 1/2^(k+1): the light asked at the last vertex counts.
    @Test(arguments: [0, 1, 3]) func closedBoxSumsItsBounces(bounces: Int) throws {
        var expected = 0.0
        var term = 1.0
        for _ in 0...bounces + 1 {
            expected += term
            term /= 2
        }
        expect(try render(Self.box, bounces: bounces, side: 16), expected, within: 0.01)
    }

    private static var box: Scene {
        var maker = SceneMaker()
        let wall = maker.material([0.5, 0.5, 0.5], emissive: [1, 1, 1])
        let s: Float = 1
        maker.quad([-s, -s, s], [s, -s, s], [s, -s, -s], [-s, -s, -s], wall)
        maker.quad([-s, s, -s], [s, s, -s], [s, s, s], [-s, s, s], wall)
        maker.quad([-s, -s, -s], [s, -s, -s], [s, s, -s], [-s, s, -s], wall)
        maker.quad([s, -s, s], [-s, -s, s], [-s, s, s], [s, s, s], wall)
        maker.quad([-s, -s, s], [-s, -s, -s], [-s, s, -s], [-s, s, s], wall)
        maker.quad([s, -s, -s], [s, -s, s], [s, s, s], [s, s, -s], wall)
        maker.camera(at: [0.1, 0.2, 0.3], halfHeight: 1)
        return maker.scene
    }

    /// The walls' own light and their first answer are as they were; what comes later is cut.
    @Test func clampCutsIndirectLightAlone() throws {
        guard let device = try TestDevices.any?.open() else { return }
        func brightness(_ most: Float?) throws -> Double {
            let parameters = RenderParameters(
                width: 16, height: 16, samples: 64, bounces: 3, seed: 7, indirectMax: most)
            let tiles = try renderTiles(Self.box, parameters, on: device)
            return try mean(tiles, parameters).x
        }
        let free = try brightness(nil)
        #expect(try brightness(0x1p20) == free)
        let cut = try brightness(0x1p-10)
        #expect(cut > 1.49 && cut < 1.52 && free > 1.85, "\(cut), \(free)")
    }

    private func ball(
        environment: SIMD3<Float> = .one, isSmooth: Bool = false,
        _ change: (inout Material) -> Void
    ) -> Scene {
        var maker = SceneMaker(environment: environment)
        let material = maker.material([1, 1, 1], emissive: .zero, change)
        maker.sphere([0, 0, 0], radius: 1, level: 4, material, isSmooth: isSmooth)
        maker.camera(at: [0, 0, 4], halfHeight: 0.28)
        return maker.scene
    }

    /// White under white light cannot be told from it.
    @Test func whiteFurnace() throws {
        expect(try render(ball { _ in }, side: 16), 1, within: 0.005)
        let metal = ball {
            $0.metallic = 1
            $0.roughness = 0.15
        }
        expect(try render(metal, side: 16), 1, within: 0.02)
        let wall = ball {
            $0.transmission = 1
            $0.ior = 1.5
            $0.roughness = 0.1
        }
        expect(try render(wall, bounces: 32, side: 16), 1, within: 0.02)
        let solid = ball {
            $0.transmission = 1
            $0.ior = 1.5
            $0.roughness = 0.05
            $0.isThinWalled = false
        }
        expect(try render(solid, bounces: 32, side: 16), 1, within: 0.03)
    }

    /// Layers keep the light that comes, all but what falls between facets or below the surface.
    @Test(arguments: [
        ("coat", 0.93), ("sheen", 0.9), ("film", 0.75), ("dispersion", 0.97), ("through", 0.93),
        ("brushed", 0.75), ("specular", 0.85),
    ])
    func layersKeepLight(_ name: String, _ least: Double) throws {
        let scene = ball(isSmooth: true) {
            switch name {
            case "coat":
                $0.layers.clearcoat = 1
                $0.layers.clearcoatRoughness = 0.2
            case "sheen":
                $0.layers.sheenColor = .one
                $0.layers.sheenRoughness = 0.5
            case "film":
                $0.metallic = 1
                $0.roughness = 0.3
                $0.layers.iridescence = 1
            case "dispersion":
                $0.transmission = 1
                $0.isThinWalled = false
                $0.roughness = 0.05
                $0.ior = 1.5
                $0.layers.dispersion = 2
            case "through": $0.layers.diffuseTransmission = 0.7
            case "brushed":
                $0.metallic = 1
                $0.roughness = 0.3
                $0.layers.anisotropy = 0.8
            default:
                $0.ior = 1.5
                $0.layers.specularColor = [4, 4, 4]
            }
        }
        guard let found = try render(scene, bounces: 32, side: 16) else { return }
        for channel in 0..<3 {
            #expect(found[channel] < 1.01 && found[channel] > least, "\(name): \(found)")
        }
    }

    /// Rough surfaces may lose light between their facets, but never make any.
    @Test(arguments: [0.3, 0.6, 1.0] as [Float])
    func roughnessMakesNoLight(_ roughness: Float) throws {
        let scene = ball(isSmooth: true) {
            $0.roughness = roughness
            $0.ior = 1.5
            $0.metallic = 0.5
        }
        guard let found = try render(scene, side: 16) else { return }
        #expect(found.x < 1.003 && found.x > 0.6, "\(found)")
    }

    @Test func coverageByMaskAndByChance() throws {
        func veil(_ change: (inout Material) -> Void) -> Scene {
            var maker = SceneMaker(environment: .one)
            let material = maker.material([0, 0, 0], emissive: .zero, change)
            maker.quad([-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0], material)
            maker.camera(at: [0, 0, 2], halfHeight: 0.1)
            return maker.scene
        }
        let half = veil {
            $0.alphaMode = .blend
            $0.baseColor.w = 0.25
        }
        expect(try render(half), 0.75, within: 0.02)
        let open = veil {
            $0.alphaMode = .mask
            $0.baseColor.w = 0.4
        }
        expect(try render(open, samples: 1), 1, within: 1e-6)
        let shut = veil {
            $0.alphaMode = .mask
            $0.baseColor.w = 0.6
        }
        #expect(try render(shut, samples: 1) ?? .zero == .zero)
    }

    @Test func cameraSeesNoBacksOfSingleSidedSurfaces() throws {
        func wall(isFront: Bool, isDoubleSided: Bool) -> Scene {
            var maker = SceneMaker(environment: .one)
            let black = maker.material([0, 0, 0]) { $0.isDoubleSided = isDoubleSided }
            let x: Float = isFront ? 9 : -9
            maker.quad([-x, -9, 0], [x, -9, 0], [x, 9, 0], [-x, 9, 0], black)
            maker.camera(at: [0, 0, 2], halfHeight: 0.1)
            return maker.scene
        }
        for (isFront, isDoubleSided, seen) in [
            (true, false, 0.0), (false, false, 1), (true, true, 0), (false, true, 0),
        ] {
            let scene = wall(isFront: isFront, isDoubleSided: isDoubleSided)
            guard let found = try render(scene, samples: 1) else { return }
            #expect(found.x == seen, "front \(isFront), double-sided \(isDoubleSided)")
        }
    }

    /// The middle of the panorama lies toward +x, its right half toward +z, its top is up.
    @Test func environmentStandsTheRightWayRound() throws {
        var maker = SceneMaker()
        var texels = [SIMD3<Float>](repeating: .zero, count: 8 * 4)
        for y in 0..<4 {
            for x in 0..<8 { texels[y * 8 + x] = [Float(x), Float(y), 1] }
        }
        maker.scene.environment = Environment(width: 8, height: 4, texels: texels)
        func look(_ forward: SIMD3<Float>, _ right: SIMD3<Float>, _ up: SIMD3<Float>) {
            var camera = Camera()
            (camera.forward, camera.right, camera.up) = (forward, right, up)
            camera.halfWidth = 0.001
            camera.halfHeight = 0.001
            maker.scene.cameras = [camera]
        }
        look([1, 0, 0], [0, 0, 1], [0, 1, 0])
        expect(try render(maker.scene, samples: 1), 3.5, within: 0.01)
        look([0, 0, 1], [-1, 0, 0], [0, 1, 0])
        expect(try render(maker.scene, samples: 1), 5.5, within: 0.01)
        look([0, 0, -1], [1, 0, 0], [0, 1, 0])
        expect(try render(maker.scene, samples: 1), 1.5, within: 0.01)
        look([0, 1, 0], [1, 0, 0], [0, 0, 1])
        #expect((try render(maker.scene, samples: 1)?.y ?? 0) < 0.01)
    }

    /// KHR_materials_unlit: the base colour as it is, times the vertices' colour.
    @Test func unlitHasTheVerticesColour() throws {
        guard let device = try TestDevices.any?.open() else { return }
        var maker = SceneMaker()
        let light = maker.material(.zero, emissive: [1, 0.5, 0.25]) { $0.isUnlit = true }
        maker.quad([-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0], light)
        maker.camera(at: [0, 0, 3], halfHeight: 0.4)
        for vertex in maker.scene.colors.indices { maker.scene.colors[vertex] = [0.5, 1, 0.25, 1] }
        let parameters = RenderParameters(width: 4, height: 4, samples: 2, bounces: 1)
        let tiles = try renderTiles(maker.scene, parameters, on: device)
        let picture = try Picture(tiles, width: 4, height: 4)
        for pixel in picture.image.pixels {
            #expect((pixel - [0.5, 0.5, 0.0625]).max().magnitude < 1e-5, "\(pixel)")
        }
    }
}
