import Core
import Foundation
import Rendering
import Testing

@Suite struct ImportGeometryTests {
    @Test func oneTriangle() throws {
        let scene = try GLTFFixture().scene()
        #expect(scene.positions == [[0, 0, 0], [1, 0, 0], [0, 1, 0]])
        #expect(scene.normals == [[0, 0, 1], [0, 0, 1], [0, 0, 1]])
        #expect(scene.triangles == [[0, 1, 2]])
        #expect(scene.triangleMaterials == [0])
        #expect(scene.colors == [.one, .one, .one])
        #expect(scene.materials[0].name == "plain")
        #expect(scene.warnings.isEmpty)
    }

    @Test func containersAndURIsGiveTheSameScene() throws {
        var fixture = GLTFFixture()
        let expected = try fixture.scene()
        let glb = SceneFiles(memory: ["a/x.glb": try fixture.glb()])
        #expect(try Scene(importing: "a/x.glb", from: glb).positions == expected.positions)
        #expect(glb.pathsRead == ["a/x.glb"])

        let uri =
            "data:application/octet-stream;base64," + Data(fixture.binary).base64EncodedString()
        let inline = SceneFiles(memory: ["x.gltf": try fixture.text(bufferURI: uri)])
        #expect(try Scene(importing: "x.gltf", from: inline).positions == expected.positions)

        let spaced = SceneFiles(memory: [
            "a/x.gltf": try fixture.text(bufferURI: "./sub/my%20buffer.bin"),
            "a/sub/my buffer.bin": fixture.binary,
        ])
        #expect(try Scene(importing: "a/x.gltf", from: spaced).positions == expected.positions)
        #expect(spaced.pathsRead == ["a/x.gltf", "a/sub/my buffer.bin"])

        // A longer buffer than the document says is fine; GLB pads it.
        fixture.binary += [1, 2, 3]
        #expect(try fixture.scene().positions == expected.positions)
    }

    @Test func stripsAndFans() throws {
        var fixture = GLTFFixture()
        let quad = fixture.add([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0], "VEC3")
        let normals = fixture.add([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1], "VEC3")
        fixture.set("meshes/0/primitives/0/indices", nil)
        fixture.set("meshes/0/primitives/0/attributes", ["POSITION": quad, "NORMAL": normals])
        fixture.set("meshes/0/primitives/0/mode", 5)
        #expect(try fixture.scene().triangles == [[0, 1, 2], [1, 3, 2]])
        fixture.set("meshes/0/primitives/0/mode", 6)
        #expect(try fixture.scene().triangles == [[1, 2, 0], [2, 3, 0]])
        fixture.set("meshes/0/primitives/0/mode", 1)
        let lines = try fixture.scene()
        #expect(lines.triangles.isEmpty)
        #expect(lines.warnings.first == "points and lines have no surface and are left out")
    }

    @Test func normalsAreMadeFlatWhereMissing() throws {
        var fixture = GLTFFixture()
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", nil)
        let positions = fixture.add([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], "VEC3")
        let coordinates = fixture.add([0, 0, 1, 0, 0, 1, 1, 1], "VEC2")
        let indices = fixture.add(
            bytes: [0, 1, 2, 0, 3, 1], "SCALAR", component: 5121, count: 6)
        fixture.set(
            "meshes/0/primitives/0/attributes",
            ["POSITION": positions, "TEXCOORD_0": coordinates])
        fixture.set("meshes/0/primitives/0/indices", indices)
        let scene = try fixture.scene()
        #expect(scene.positions.count == 6)
        #expect(
            scene.normals == [
                [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 1, 0],
            ])
        #expect(scene.triangles == [[0, 1, 2], [3, 4, 5]])
    }

    @Test func nodesComposeAndMirrorsFlipWinding() throws {
        var fixture = GLTFFixture()
        fixture.set(
            "nodes",
            [
                ["children": [1], "translation": [10, 0, 0]] as [String: Any],
                [
                    "mesh": 0, "scale": [-2, 1, 1],
                    "rotation": [0, 0, 0.7071067811865476, 0.7071067811865476],
                ]
                    as [String: Any],
            ])
        let scene = try fixture.scene()
        // x is mirrored and doubled, then turned a quarter about z: (1, 0, 0) → (10, −2, 0).
        #expect(distance(scene.positions[1], [10, -2, 0]) < 1e-6)
        #expect(distance(scene.positions[2], [9, 0, 0]) < 1e-6)
        #expect(scene.normals[0] == [0, 0, 1])
        #expect(scene.triangles == [[0, 2, 1]])
    }

    @Test func normalsFollowTheInverseTranspose() throws {
        var fixture = GLTFFixture()
        let slope = Float(0.5).squareRoot()
        let normals = fixture.add(
            [slope, slope, 0, slope, slope, 0, slope, slope, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", normals)
        fixture.set("nodes/0/scale", [2, 1, 1])
        // A plane x + y = c, stretched along x, is x/2 + y = c.
        let expected = SIMD3<Float>(0.4472136, 0.8944272, 0)
        #expect(distance(try fixture.scene().normals[0], expected) < 1e-6)
    }

    @Test func matrixAndTRSAgree() throws {
        var one = GLTFFixture()
        one.set("nodes/0/matrix", [0, 2, 0, 0, -3, 0, 0, 0, 0, 0, 4, 0, 5, 6, 7, 1])
        var two = GLTFFixture()
        two.set("nodes/0/translation", [5, 6, 7])
        two.set("nodes/0/rotation", [0, 0, 0.7071067811865476, 0.7071067811865476])
        two.set("nodes/0/scale", [2, 3, 4])
        for (a, b) in zip(try one.scene().positions, try two.scene().positions) {
            #expect(distance(a, b) < 1e-6)
        }
    }

    @Test func quantizedAndSparseAttributes() throws {
        var fixture = GLTFFixture()
        let positions = fixture.add(
            bytes: [0, 0, 0, 0, 127, 0, 0, 0, 0, 129, 0, 0], "VEC3", component: 5120, count: 3,
            normalized: true)
        fixture.set(
            "accessors/\(positions)/bufferView",
            fixture.addView([
                0, 0, 0, 9, 127, 0, 0, 9, 0, 128, 0, 9,
            ]))
        fixture.set("bufferViews/\(positions + 1)/byteStride", 4)
        fixture.set("meshes/0/primitives/0/attributes/POSITION", positions)
        #expect(
            try fixture.message()
                == "s.gltf: meshes[0].primitives[0].attributes.POSITION: accessor 4: VEC3 float "
                + "expected, VEC3 normalized int8 there")
        fixture.set("extensionsUsed", ["KHR_mesh_quantization"])
        #expect(try fixture.scene().positions == [[0, 0, 0], [1, 0, 0], [0, -1, 0]])

        var sparse = GLTFFixture()
        let indices = sparse.addView([2])
        let values = sparse.addView(
            [Float(7), 8, 9].flatMap { $0.bitPattern.littleEndianBytes })
        sparse.set(
            "accessors/0/sparse",
            [
                "count": 1, "indices": ["bufferView": indices, "componentType": 5121],
                "values": ["bufferView": values],
            ] as [String: Any])
        #expect(try sparse.scene().positions == [[0, 0, 0], [1, 0, 0], [7, 8, 9]])
        sparse.set("accessors/0/bufferView", nil)
        #expect(try sparse.scene().positions == [[0, 0, 0], [0, 0, 0], [7, 8, 9]])
    }

    @Test func colorsOfAllKinds() throws {
        var fixture = GLTFFixture()
        let bytes = fixture.add(
            bytes: [255, 0, 51, 255, 0, 0, 0, 0, 255, 255, 255, 255], "VEC4", component: 5121,
            count: 3, normalized: true)
        fixture.set("meshes/0/primitives/0/attributes/COLOR_0", bytes)
        #expect(try fixture.scene().colors == [[1, 0, 0.2, 1], [0, 0, 0, 0], [1, 1, 1, 1]])
        let floats = fixture.add([0.5, 2, -1, .nan, 0.25, 0, 1, 1, 1], "VEC3")
        fixture.set("meshes/0/primitives/0/attributes/COLOR_0", floats)
        let scene = try fixture.scene()
        #expect(scene.colors == [[0.5, 1, 0, 1], [1, 0.25, 0, 1], [1, 1, 1, 1]])
        #expect(
            scene.warnings == [
                "meshes[0].primitives[0]: COLOR_0: 1 NaN, taken as 1"
            ])
    }

    @Test func cornersThatAreNotFiniteLoseTheirTriangles() throws {
        var fixture = GLTFFixture()
        let positions = fixture.add([0, 0, 0, .infinity, 0, 0, 0, .nan, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/attributes/POSITION", positions)
        let scene = try fixture.scene()
        #expect(scene.triangles.isEmpty)
        #expect(scene.positions.allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.z.isFinite })
        #expect(scene.warnings.count == 2)
        #expect(
            scene.warnings[0].hasPrefix("triangles left out: 1, with corners that are not finite"))
    }

    @Test func subnormalsBecomeZero() throws {
        var fixture = GLTFFixture()
        let positions = fixture.add([0x1p-140, 0, 0, 1, 0, 0, 0, 1, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/attributes/POSITION", positions)
        #expect(try fixture.scene().positions[0] == .zero)
    }

    private func distance(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float {
        let d = a - b
        return (d * d).sum().squareRoot()
    }
}
