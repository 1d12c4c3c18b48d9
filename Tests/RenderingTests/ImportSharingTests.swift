import Core
import Foundation
import Rendering
import Testing

/// Which meshes of a file are stored once.
@Suite struct ImportSharingTests {
    /// A fan of triangles around a corner, used by as many nodes as there are transforms.
    private static func fixture(_ nodes: [[String: Any]], triangles: Int = 40) -> GLTFFixture {
        var fixture = GLTFFixture()
        var positions: [Float] = [0, 0, 0]
        var normals: [Float] = [0, 0, 1]
        for place in 0...triangles {
            let x = Float(place) / Float(triangles)
            positions += [1 + x, 1 + x * x, x * 0.5]
            normals += [0, 0, 1]
        }
        fixture.set("meshes/0/primitives/0/mode", 6)
        fixture.set("meshes/0/primitives/0/indices", nil)
        fixture.set("meshes/0/primitives/0/attributes/TEXCOORD_0", nil)
        fixture.set(
            "meshes/0/primitives/0/attributes/POSITION", fixture.add(positions, "VEC3"))
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", fixture.add(normals, "VEC3"))
        fixture.set("nodes", nodes.map { $0.merging(["mesh": 0]) { $1 } })
        fixture.set("scenes/0/nodes", Array(nodes.indices))
        return fixture
    }

    private static func row(_ count: Int) -> [[String: Any]] {
        (0..<count).map {
            [
                "name": "Fan \($0)", "translation": [Double($0), 0, 0],
                "rotation": [0, 0, 0.6, 0.8], "scale": [1, $0 % 2 == 0 ? -1 : 2, 0.5],
            ]
        }
    }

    private func flat(_ fixture: GLTFFixture) throws -> Scene {
        var options = ImportOptions()
        options.sharesMeshes = false
        return try fixture.scene(options: options)
    }

    @Test func aThousandUsesAreStoredOnce() throws {
        let fixture = Self.fixture(Self.row(1000))
        let scene = try fixture.scene()
        #expect(scene.meshes.count == 1 && scene.instances.count == 1000)
        #expect(scene.triangles.count == 40 && scene.drawnTriangleCount == 40_000)
        #expect(scene.worldTriangles.isEmpty && scene.objects.count == 1000)
        let flat = try flat(fixture)
        #expect(flat.triangles.count == 40_000 && flat.instances.isEmpty)
        let blob = try RenderBlob(scene, RenderParameters(width: 4, height: 4))
        let large = try RenderBlob(flat, RenderParameters(width: 4, height: 4))
        #expect(blob.count(.triangles) == 40 && large.bytes.count - blob.bytes.count > 3_000_000)

        // The same triangles in the same places, of the same names.
        let again = scene.flattened()
        #expect(again.triangles == flat.triangles)
        for vertex in flat.positions.indices {
            let off = again.positions[vertex] - flat.positions[vertex]
            let turned = again.normals[vertex] - flat.normals[vertex]
            guard (off * off).sum() < 1e-7, (turned * turned).sum() < 1e-9 else {
                Issue.record("vertex \(vertex): \(off), \(turned)")
                break
            }
        }
        let (names, flatNames) = (SceneNames(scene), SceneNames(flat))
        #expect(names.objects == flatNames.objects)
        // An automatic camera sees the same.
        let cameras = [scene, flat].map { Camera.automatic(framing: $0, width: 4, height: 3) }
        let moved = cameras[0].position - cameras[1].position
        #expect((moved * moved).sum() < 1e-4)
    }

    @Test func gpuInstancesAreStoredOnce() throws {
        var fixture = Self.fixture([["name": "Many"]])
        let places = fixture.add((0..<600).flatMap { [Float($0), 0, 1] }, "VEC3")
        fixture.set("extensionsUsed", ["EXT_mesh_gpu_instancing"])
        fixture.set(
            "nodes/0/extensions/EXT_mesh_gpu_instancing/attributes", ["TRANSLATION": places])
        fixture.set(
            "nodes/0/extensions",
            ["EXT_mesh_gpu_instancing": ["attributes": ["TRANSLATION": places]]])
        let scene = try fixture.scene()
        #expect(scene.triangles.count == 40 && scene.instances.count == 600)
        #expect(SceneNames(scene).objects.count == 600)
    }

    /// Few uses and small meshes are flat: as they were before there were instances.
    @Test func littleIsNotShared() throws {
        for (uses, triangles) in [(2, 40), (1, 5000), (500, 8)] {
            let scene = try Self.fixture(Self.row(uses), triangles: triangles).scene()
            #expect(scene.instances.isEmpty && scene.triangles.count == uses * triangles)
        }
    }

    @Test func whatShinesIsNotShared() throws {
        var fixture = Self.fixture(Self.row(300))
        fixture.set("materials/0/emissiveFactor", [1, 1, 1])
        let primitive = try #require(
            ((fixture.json["meshes"] as? [[String: Any]])?[0]["primitives"] as? [[String: Any]])?[0]
        )
        fixture.set("meshes/0/primitives/1", primitive)
        fixture.set("meshes/0/primitives/1/material", fixture.append("materials", [:]))
        let scene = try fixture.scene()
        #expect(scene.instances.count == 300 && scene.meshes.count == 1)
        #expect(scene.worldTriangles.count == 300 * 40 && scene.drawnTriangleCount == 300 * 80)
        #expect(scene.objects[7].triangles == 280..<320)
        let names = SceneNames(scene)
        #expect(names.object(of: 290) == 7 && names.material(of: 290) == 0)
        let start = scene.instanceStarts[7]
        #expect(names.object(of: start) == 7 && names.material(of: start) == 1)
        #expect(names.object(of: scene.drawnTriangleCount) == nil)
        _ = try RenderBlob(scene, RenderParameters(width: 4, height: 4))
    }

    /// What cannot be an instance is there by itself; what is far smaller shares with its like.
    @Test func oddUsesStayInTheWorld() throws {
        var nodes = Self.row(300)
        nodes[3]["scale"] = [0, 0, 0]
        nodes[4]["scale"] = [1, 0, 1]
        nodes[5]["scale"] = [1e-9, 1e-9, 1e-9]
        nodes[6]["scale"] = [1e12, 1e12, 1e12]
        let scene = try Self.fixture(nodes).scene()
        #expect(scene.instances.count == 296 && scene.meshes.count == 1)
        #expect(scene.worldTriangles.count > 100)
        #expect(Set(scene.instances.compactMap(\.object)).isDisjoint(with: [3, 4, 5, 6]))
        for index in 0..<150 { nodes[2 * index]["scale"] = [0.001, 0.001, 0.001] }
        let sizes = try Self.fixture(nodes).scene()
        #expect(sizes.meshes.count == 2 && sizes.triangles.count < 80 + 4 * 40 + 1)
        _ = try RenderBlob(sizes, RenderParameters(width: 4, height: 4))
    }

    @Test func limitsCountWhatIsStored() throws {
        let fixture = Self.fixture(Self.row(300))
        var limits = ImportLimits()
        limits.trianglesMax = 100
        #expect(try fixture.scene(limits: limits).drawnTriangleCount == 12_000)
        limits.drawnTrianglesMax = 11_999
        #expect(
            try fixture.message(limits: limits)
                == "s.gltf: nodes[299]: more than 11999 triangles drawn")
    }

    @Test func explained() throws {
        let fixture = Self.fixture(Self.row(300))
        let files = SceneFiles(memory: [
            "s.gltf": try fixture.text(bufferURI: "s.bin"), "s.bin": fixture.binary,
        ])
        let counts = try SceneExplanation("s.gltf", from: files).counts
        for (name, count) in [
            ("instances", 300), ("shared_meshes", 1), ("shared_instances", 300),
            ("triangles", 12_000), ("triangles_stored", 40),
        ] {
            #expect(counts.first { $0.name == name }?.count == count, "\(name)")
        }
    }
}
