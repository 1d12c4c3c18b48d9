import Compute
import Core
import Rendering
import RigorTestKit
import Testing

/// Light through solids, where it can be written down.
@Suite struct MediumTests {
    private func render(_ scene: Scene, samples: Int = 64) throws -> SIMD3<Double>? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let parameters = RenderParameters(
            width: 8, height: 8, samples: samples, bounces: 16, seed: 3)
        let tiles = try renderTiles(scene, parameters, on: device)
        #expect(tiles.allSatisfy { $0.nanCount == 0 })
        return try mean(tiles, parameters)
    }

    /// White all round, and a camera that looks along −z.
    private func scene(camera z: Float, _ fill: (inout SceneMaker) -> Void) -> Scene {
        var maker = SceneMaker(environment: .one)
        fill(&maker)
        maker.camera(at: [0.1, 0.2, z], halfHeight: 0.001)
        return maker.scene
    }

    /// Two wide faces that look outward.
    private func slab(
        _ maker: inout SceneMaker, from low: Float, to high: Float, _ material: UInt32
    ) {
        maker.quad([-90, -90, high], [90, -90, high], [90, 90, high], [-90, 90, high], material)
        maker.quad([-90, 90, low], [90, 90, low], [90, -90, low], [-90, -90, low], material)
    }

    private func solid(_ maker: inout SceneMaker, _ color: SIMD3<Float>, ior: Float) -> UInt32 {
        maker.material([1, 1, 1]) {
            $0.transmission = 1
            $0.roughness = 0
            $0.ior = ior
            $0.isThinWalled = false
            $0.attenuationColor = color
            $0.attenuationDistance = 1
        }
    }

    private func expect(
        _ found: SIMD3<Double>?, _ wanted: SIMD3<Double>, within share: Double = 1e-3
    ) {
        guard let found else { return }
        for axis in 0..<3 {
            #expect((found[axis] / wanted[axis] - 1).magnitude < share, "\(found), not \(wanted)")
        }
    }

    @Test func slabFollowsBeerAndLambert() throws {
        let clear = scene(camera: 4) {
            let glass = solid(&$0, [0.5, 0.25, 1], ior: 1)
            slab(&$0, from: 0, to: 2, glass)
        }
        expect(try render(clear, samples: 1), [0.25, 0.0625, 1])
        // With an index, both faces reflect, and light goes to and fro.
        let glass = scene(camera: 4) {
            let glass = solid(&$0, [0.5, 0.25, 1], ior: 1.5)
            slab(&$0, from: 0, to: 2, glass)
        }
        func through(_ a: Double) -> Double { 0.04 + 0.96 * 0.96 * a / (1 - 0.04 * a) }
        expect(
            try render(glass, samples: 1024), [through(0.25), through(0.0625), through(1)],
            within: 0.01)
    }

    @Test func cameraWithinASolidSeesThroughIt() throws {
        let inside = scene(camera: 1.5) {
            let glass = solid(&$0, [0.5, 0.25, 1], ior: 1)
            slab(&$0, from: 0, to: 2, glass)
        }
        let depth = 1.5
        expect(
            try render(inside, samples: 1),
            [Double(0.5).squareRoot() * 0.5, 0.25 * 0.5, 1], within: depth * 1e-3)
    }

    /// The solid entered last fills an overlap; nested ones come back to the outer one.
    @Test func solidsOverlapAndNest() throws {
        let overlapping = scene(camera: 5) {
            let red = solid(&$0, [0.5, 1, 1], ior: 1)
            let green = solid(&$0, [1, 0.5, 1], ior: 1)
            slab(&$0, from: 0, to: 2, red)
            slab(&$0, from: 1, to: 3, green)
        }
        expect(try render(overlapping, samples: 1), [0.25, 0.5, 1])
        let nested = scene(camera: 5) {
            let red = solid(&$0, [0.5, 1, 1], ior: 1)
            let green = solid(&$0, [1, 0.5, 1], ior: 1)
            slab(&$0, from: 0, to: 3, red)
            slab(&$0, from: 1, to: 2, green)
        }
        expect(try render(nested, samples: 1), [0.25, 0.5, 1])
    }

    /// Between solids of one index no light turns: an inner one of the same index cannot be seen.
    @Test func equalIndicesRefractNothing() throws {
        func block(isNested: Bool) -> Scene {
            scene(camera: 5) {
                let glass = solid(&$0, [0.8, 0.8, 0.8], ior: 1.5)
                slab(&$0, from: 0, to: 3, glass)
                guard isNested else { return }
                let other = solid(&$0, [0.8, 0.8, 0.8], ior: 1.5)
                slab(&$0, from: 1, to: 2, other)
            }
        }
        guard let plain = try render(block(isNested: false), samples: 1024),
            let nested = try render(block(isNested: true), samples: 1024)
        else { return }
        expect(nested, plain, within: 0.01)
    }

    /// Water in glass reflects as (1.5 − 1.33)² / (1.5 + 1.33)², not as against air.
    @Test func interfacesBetweenSolidsReflectByBothIndices() throws {
        let scene = scene(camera: 5) {
            let glass = solid(&$0, .one, ior: 1.5)
            let water = solid(&$0, [0x1p-20, 0x1p-20, 0x1p-20], ior: 1.33)
            slab(&$0, from: 0, to: 3, glass)
            // Black at its depth: what comes back was reflected at its upper face.
            slab(&$0, from: 0.5, to: 2, water)
        }
        let between = ((1.5 - 1.33) / (1.5 + 1.33)) * ((1.5 - 1.33) / (1.5 + 1.33))
        let wanted = 0.04 + 0.96 * 0.96 * between / (1 - 0.04 * between)
        expect(
            try render(scene, samples: 4096), SIMD3(repeating: wanted), within: 0.03)
    }

    // MARK: - Surfaces between one index and itself

    /// Light at a point, and nothing else.
    private func pointLight(_ maker: inout SceneMaker, at place: SIMD3<Float>) {
        maker.scene.environment = Environment(width: 1, height: 1, texels: [.zero])
        var light = Light(kind: .point)
        light.position = place
        light.intensity = .one
        maker.scene.lights = [light]
    }

    /// A layered solid in glass of its own index reflects none of the light in the glass.
    @Test func equalIndicesReflectNothingUnderLayers() throws {
        func block(_ ior: Float) -> Scene {
            scene(camera: 5) { maker in
                let glass = solid(&maker, .one, ior: 1.5)
                slab(&maker, from: 0, to: 3, glass)
                let tinted = solid(&maker, .one, ior: ior)
                maker.scene.materials[Int(tinted)].roughness = 0.6
                maker.scene.materials[Int(tinted)].layers.specularColor = [1, 0.9, 0.8]
                slab(&maker, from: 0.5, to: 1, tinted)
                pointLight(&maker, at: [0.7, 0.2, 2])
            }
        }
        guard let same = try render(block(1.5)), let other = try render(block(1.9)) else { return }
        #expect(other.x > 1e-4, "\(other)")
        #expect(same.x < 0.01 * other.x, "\(same), against \(other) with another index")
    }

    /// A clear surface without an index is not there, whatever lies on it.
    @Test func aCoatOnNothingReflectsNothing() throws {
        let coated = scene(camera: 4) { maker in
            let air = solid(&maker, .one, ior: 1)
            maker.scene.materials[Int(air)].layers.clearcoat = 1
            maker.scene.materials[Int(air)].layers.clearcoatRoughness = 0.5
            maker.scene.materials[Int(air)].layers.sheenColor = .one
            slab(&maker, from: 0, to: 2, air)
        }
        expect(try render(coated), .one)
    }

    /// Half of a surface is metal, and the other half lets light straight through: what comes back
    /// is half of what the metal sends back.
    @Test(arguments: [false, true]) func metalBesideNothingReflectsItsShare(isLayered: Bool) throws
    {
        func sheet(_ metallic: Float) -> Scene {
            scene(camera: 4) { maker in
                let metal = maker.material([0.5, 0.3, 0.8]) {
                    $0.transmission = 1
                    $0.roughness = 0.6
                    $0.ior = 1
                    $0.isThinWalled = false
                    $0.metallic = metallic
                    if isLayered { $0.layers.anisotropy = 0.5 }
                }
                maker.quad([-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0], metal)
                pointLight(&maker, at: [0.7, 0.2, 2])
            }
        }
        guard let whole = try render(sheet(1)), let half = try render(sheet(0.5)) else { return }
        #expect(whole.x > 1e-3, "\(whole)")
        expect(half, whole * 0.5)
    }
}
