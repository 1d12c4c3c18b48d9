import Core
import Foundation
import Rendering
import Testing

/// The scene that the project ships.
@Suite struct ImportDemoSceneTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Examples/scene", isDirectory: true)

    @Test func everyKindOfSurfaceAndLightIsThere() throws {
        let files = SceneFiles(folder: Self.folder)
        let bytes = try files.read("demo.glb")
        #expect(bytes.count < 600_000)
        let scene = try Scene(importing: "demo.glb", from: files)
        #expect(scene.warnings.isEmpty)
        #expect(scene.triangles.count > 10_000)
        #expect(scene.materials.contains { $0.transmission == 1 && !$0.isThinWalled })
        #expect(scene.materials.contains { $0.transmission > 0 && $0.roughness > 0.1 })
        #expect(scene.materials.contains { $0.metallic == 1 && $0.roughness < 0.1 })
        #expect(scene.materials.contains { $0.metallicRoughnessTexture != nil })
        #expect(scene.materials.contains { $0.normalTexture != nil })
        #expect(scene.materials.contains { $0.alphaMode == .mask && $0.isDoubleSided })
        #expect(scene.materials.contains { $0.emissive.x > 1 })
        #expect(scene.colors.contains { $0 != .one })
        #expect(Set(scene.lights.map(\.kind)) == [.directional, .point, .spot])
        #expect(scene.cameras.count == 1)
        #expect(scene.textures.filter(\.isSRGB).count == 3)
    }

    @Test func framesAreOrthonormal() throws {
        let scene = try Scene(importing: "demo.glb", from: SceneFiles(folder: Self.folder))
        func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { (a * b).sum() }
        for (normal, tangent) in zip(scene.normals, scene.tangents) {
            #expect((dot(normal, normal) - 1).magnitude < 1e-5)
            if tangent == .zero { continue }
            let direction = SIMD3(tangent.x, tangent.y, tangent.z)
            #expect((dot(direction, direction) - 1).magnitude < 1e-5)
            #expect(dot(direction, normal).magnitude < 1e-5)
            #expect(tangent.w.magnitude == 1)
        }
        // Only the vase has a normal map.
        #expect(scene.tangents.contains { $0 != .zero })
        #expect(scene.tangents.contains { $0 == .zero })
    }

    /// Where corners wind the way that normals look, for solid shapes.
    @Test func windingFollowsNormals() throws {
        let scene = try Scene(importing: "demo.glb", from: SceneFiles(folder: Self.folder))
        for triangle in scene.triangles {
            let (a, b, c) = (Int(triangle.x), Int(triangle.y), Int(triangle.z))
            let e1 = scene.positions[b] - scene.positions[a]
            let e2 = scene.positions[c] - scene.positions[a]
            let cross = SIMD3(
                e1.y * e2.z - e1.z * e2.y, e1.z * e2.x - e1.x * e2.z, e1.x * e2.y - e1.y * e2.x)
            let normal = scene.normals[a] + scene.normals[b] + scene.normals[c]
            #expect((cross * normal).sum() >= -1e-9)
        }
    }
}
