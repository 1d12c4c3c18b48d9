import Core
import Foundation
import Rendering
import Testing

/// Skins and morph targets.
@Suite struct ImportSkinTests {
    /// The fixture's triangle on two joints: corners 0 and 1 follow the first, corner 2 the second.
    static func skinned() -> GLTFFixture {
        var fixture = GLTFFixture()
        let joints = fixture.add(
            bytes: [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], "VEC4", component: 5121, count: 3)
        let weights = fixture.add([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], "VEC4")
        fixture.set("meshes/0/primitives/0/attributes/JOINTS_0", joints)
        fixture.set("meshes/0/primitives/0/attributes/WEIGHTS_0", weights)
        // The second joint is bound a metre up.
        let binds = fixture.add(
            [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
                + [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, -1, 0, 1], "MAT4")
        fixture.set("skins", [["joints": [1, 2], "inverseBindMatrices": binds] as [String: Any]])
        fixture.set("nodes/0/skin", 0)
        fixture.set("nodes/1", ["children": [2]])
        fixture.set("nodes/2", ["translation": [0, 1, 0]])
        fixture.set("scenes/0/nodes", [0, 1])
        return fixture
    }

    @Test func inTheBindPoseNothingMoves() throws {
        let plain = try GLTFFixture().scene()
        let scene = try Self.skinned().scene()
        #expect(scene.positions == plain.positions && scene.normals == plain.normals)
        #expect(scene.triangles == plain.triangles && scene.warnings.isEmpty)
    }

    @Test func jointsMoveTheirVerticesAndTheNodeDoesNot() throws {
        var fixture = Self.skinned()
        fixture.set("nodes/0/translation", [100, 100, 100])
        fixture.set("nodes/1/translation", [0, 0, 5])
        fixture.set("nodes/2/scale", [1, 1, 1])
        fixture.set("nodes/2/translation", [3, 1, 0])
        let scene = try fixture.scene()
        #expect(scene.positions == [[0, 0, 5], [1, 0, 5], [3, 1, 5]])
        // And by an animation.
        fixture.animate("translation", times: [0], values: [0, 0, 7], "VEC3", "STEP")
        fixture.set("animations/0/channels/0/target/node", 1)
        let moved = try fixture.scene(options: ImportOptions(seconds: 0))
        #expect(moved.positions == [[0, 0, 7], [1, 0, 7], [3, 1, 7]])
    }

    @Test func weightsBlendTransforms() throws {
        var fixture = Self.skinned()
        fixture.set("nodes/2/translation", [4, 1, 0])
        let weights = fixture.add(
            bytes: [255, 0, 0, 0, 255, 0, 0, 0, 51, 204, 0, 0], "VEC4", component: 5121, count: 3,
            normalized: true)
        let joints = fixture.add(
            bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].dropLast(4)
                + [0, 0, 1, 0, 0, 0, 0, 0], "VEC4", component: 5123, count: 3)
        fixture.set("meshes/0/primitives/0/attributes/JOINTS_0", joints)
        fixture.set("meshes/0/primitives/0/attributes/WEIGHTS_0", weights)
        let corner = try fixture.scene().positions[2]
        #expect((corner - SIMD3(3.2, 1, 0)).max().magnitude < 1e-6)
    }

    @Test func aSecondSetAddsInfluences() throws {
        var fixture = Self.skinned()
        fixture.set("nodes/2/translation", [4, 1, 0])
        let joints = fixture.add(
            bytes: Bytes(repeating: 1, count: 12), "VEC4", component: 5121, count: 3)
        let weights = fixture.add([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "VEC4")
        fixture.set("meshes/0/primitives/0/attributes/JOINTS_1", joints)
        fixture.set("meshes/0/primitives/0/attributes/WEIGHTS_1", weights)
        let scene = try fixture.scene()
        // Half of joint 0 and half of joint 1, since the weights of both sets add up to 2.
        #expect(scene.positions[0] == [2, 0, 0] && scene.positions[2] == [4, 1, 0])
        #expect(
            scene.warnings == [
                "meshes[0].primitives[0]: 1 vertices' weights do not add up to 1: scaled"
            ])
    }

    /// A plane x + y = c, stretched along x by its joint, is x/2 + y = c.
    @Test func normalsFollowTheInverseTranspose() throws {
        var fixture = Self.skinned()
        let slope = Float(0.5).squareRoot()
        let normals = fixture.add([slope, slope, 0, slope, slope, 0, slope, slope, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", normals)
        fixture.set("nodes/1/scale", [2, 1, 1])
        let normal = try fixture.scene().normals[0]
        #expect((normal - SIMD3(0.4472136, 0.8944272, 0)).max().magnitude < 1e-6)
        // A mirroring joint turns winding around and leaves normals outside.
        fixture.set("nodes/1/scale", [1, 1, -1])
        let mirrored = try fixture.scene()
        #expect(mirrored.triangles == [[0, 2, 1]])
        // Without normals in the file, they are those of the moved triangle.
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", nil)
        fixture.set("nodes/1/scale", [1, 1, 1])
        fixture.set("nodes/1/rotation", [0, 1, 0, 0])
        #expect(try fixture.scene().normals[0] == [0, 0, -1])
    }

    @Test func weightsAreRepaired() throws {
        var fixture = Self.skinned()
        fixture.set("nodes/2/translation", [4, 1, 0])
        let weights = fixture.add([0, 0, 0, 0, -1, .nan, 0, 0, 0.25, 0, 0, 0], "VEC4")
        fixture.set("meshes/0/primitives/0/attributes/WEIGHTS_0", weights)
        let scene = try fixture.scene()
        #expect(scene.positions == [[0, 0, 0], [1, 0, 0], [4, 1, 0]])
        #expect(
            scene.warnings == [
                "meshes[0].primitives[0]: 2 weights not finite or below 0, taken as 0",
                "meshes[0].primitives[0]: 1 vertices' weights do not add up to 1: scaled",
                "meshes[0].primitives[0]: 2 vertices without weights follow their first joint",
            ])
        fixture.set("meshes/0/primitives/0/attributes/JOINTS_0", nil)
        fixture.set("nodes/0/translation", [9, 0, 0])
        let rigid = try fixture.scene()
        #expect(rigid.positions[0] == [9, 0, 0])
        #expect(rigid.warnings[0].hasSuffix("the skin is not applied, the node's transform is"))
    }

    static let breaks: [(path: String, value: any Sendable, message: String)] = [
        ("nodes/0/skin", 4, "nodes[0]: skin 4: 0 to 0 expected"),
        ("skins/0/joints", [Int](), "nodes[0]: skins[0].joints: at least one expected"),
        ("skins/0/joints", [1, 9], "nodes[0]: skins[0].joints[1]: node 9: 0 to 2 expected"),
        (
            "skins/0/joints", [1],
            "meshes[0].primitives[0]: vertex 2: joint 1 of 1"
        ),
        (
            "scenes/0/nodes", [0],
            "nodes[0]: skins[0].joints[0]: nodes[1] is not in the scene"
        ),
        (
            "skins/0/inverseBindMatrices", 0,
            "nodes[0]: skins[0].inverseBindMatrices: accessor 0: 2 of MAT4 float expected, 3 of "
                + "VEC3 float there"
        ),
        (
            "skins/0/joints", [1, 2, 0],
            "nodes[0]: skins[0].inverseBindMatrices: accessor 6: 3 of MAT4 float expected, 2 of "
                + "MAT4 float there"
        ),
        (
            "meshes/0/primitives/0/attributes/JOINTS_0", 5,
            "meshes[0].primitives[0].attributes.JOINTS_0: accessor 5: VEC4 of uint8 or uint16 "
                + "expected, VEC4 float there"
        ),
    ]

    @Test(arguments: breaks.indices)
    func oneValueWrong(index: Int) throws {
        let (path, value, expected) = Self.breaks[index]
        var fixture = Self.skinned()
        fixture.set(path, value)
        #expect(try fixture.message() == "s.gltf: " + expected)
    }

    @Test func matricesThatAreNotFiniteAreRefused() throws {
        for (at, value) in [(0, Float.nan), (13, .infinity), (3, 1), (15, 0)] {
            var fixture = Self.skinned()
            var matrix: [Float] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
            matrix[at] = value
            fixture.set("skins/0/inverseBindMatrices", fixture.add(matrix + matrix, "MAT4"))
            #expect(
                try fixture.message().hasSuffix(
                    "matrix 0: finite numbers and a last row of 0 0 0 1 expected"))
        }
        // Within floats, but far beyond them after the joint's own scale: the triangle goes.
        var fixture = Self.skinned()
        fixture.set("nodes/1/scale", [1e300, 1e300, 1e300])
        #expect(try fixture.scene().triangles.isEmpty)
    }

    // MARK: Morph targets

    /// The fixture with two targets: one lifts corner 2, the other tilts normals and moves all.
    static func morphing() -> GLTFFixture {
        var fixture = GLTFFixture()
        let lift = fixture.add([0, 0, 0, 0, 0, 0, 0, 2, 0], "VEC3")
        let move = fixture.add([1, 0, 0, 1, 0, 0, 1, 0, 0], "VEC3")
        let tilt = fixture.add([0, 1, -1, 0, 1, -1, 0, 1, -1], "VEC3")
        fixture.set(
            "meshes/0/primitives/0/targets",
            [["POSITION": lift], ["POSITION": move, "NORMAL": tilt]])
        return fixture
    }

    @Test func targetsAddUp() throws {
        var fixture = Self.morphing()
        #expect(try fixture.scene().positions == GLTFFixture().scene().positions)
        fixture.set("meshes/0/weights", [0.5, 0])
        #expect(try fixture.scene().positions == [[0, 0, 0], [1, 0, 0], [0, 2, 0]])
        fixture.set("nodes/0/weights", [1, 1])
        let scene = try fixture.scene()
        #expect(scene.positions == [[1, 0, 0], [2, 0, 0], [1, 3, 0]])
        #expect(scene.normals == [[0, 1, 0], [0, 1, 0], [0, 1, 0]])
        #expect(scene.warnings.isEmpty)
    }

    @Test func animationsMoveWeights() throws {
        var fixture = Self.morphing()
        fixture.set("nodes/0/weights", [1, 1])
        fixture.animate("weights", times: [0, 1], values: [0, 0, 1, 2], "SCALAR", "LINEAR")
        let scene = try fixture.scene(options: ImportOptions(seconds: 0.5))
        #expect(scene.positions == [[1, 0, 0], [2, 0, 0], [1, 2, 0]])
    }

    @Test func sparseTargets() throws {
        var fixture = Self.morphing()
        let indices = fixture.addView([1])
        let values = fixture.addView([Float(0), 0, 4].flatMap { $0.bitPattern.littleEndianBytes })
        let sparse = fixture.append(
            "accessors",
            [
                "componentType": 5126, "count": 3, "type": "VEC3",
                "sparse": [
                    "count": 1, "indices": ["bufferView": indices, "componentType": 5121],
                    "values": ["bufferView": values],
                ] as [String: Any],
            ])
        fixture.set("meshes/0/primitives/0/targets/0/POSITION", sparse)
        fixture.set("meshes/0/weights", [1, 0])
        #expect(try fixture.scene().positions == [[0, 0, 0], [1, 0, 4], [0, 1, 0]])
    }

    @Test func tangentsMorph() throws {
        var fixture = try ImportMaterialTests.textured()
        fixture.set("materials/0/normalTexture", ["index": 0])
        let tangents = fixture.add([1, 0, 0, -1, 1, 0, 0, -1, 1, 0, 0, -1], "VEC4")
        fixture.set("meshes/0/primitives/0/attributes/TANGENT", tangents)
        let turn = fixture.add([-1, 1, 0, -1, 1, 0, -1, 1, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/targets", [["TANGENT": turn]])
        fixture.set("meshes/0/weights", [1])
        #expect(try fixture.scene().tangents[0] == [0, 1, 0, -1])
    }

    @Test func morphingComesBeforeTheSkin() throws {
        var fixture = Self.skinned()
        let lift = fixture.add([0, 0, 0, 0, 0, 0, 0, 2, 0], "VEC3")
        fixture.set("meshes/0/primitives/0/targets", [["POSITION": lift]])
        fixture.set("meshes/0/weights", [1])
        fixture.set("nodes/2/scale", [1, 10, 1])
        // (0, 3) is two above its joint: ten times that.
        #expect(try fixture.scene().positions[2] == [0, 21, 0])
    }

    @Test func targetsAreCheckedUsedOrNot() throws {
        for weights in [[0.0, 0], [1, 1]] {
            var fixture = Self.morphing()
            fixture.set("meshes/0/weights", weights)
            fixture.set("meshes/0/primitives/0/targets/1/POSITION", 77)
            #expect(
                try fixture.message()
                    == "s.gltf: meshes[0].primitives[0].targets[1].POSITION: accessor 77: 0 to 6 "
                    + "expected")
            fixture.set("meshes/0/primitives/0/targets/1/POSITION", 5)
            fixture.set("accessors/5/count", 2)
            #expect(try fixture.message().hasSuffix("accessor 5: 3 elements expected, 2 there"))
        }
        var fixture = Self.morphing()
        fixture.set("meshes/0/weights", [1])
        #expect(
            try fixture.message() == "s.gltf: nodes[0]: weights: 2 numbers expected, 1 there")
        fixture.set("meshes/0/weights", [1, 1])
        var limits = ImportLimits()
        limits.morphedVerticesMax = 5
        #expect(try fixture.message(limits: limits).hasSuffix("more than 5 vertices to morph"))
        fixture.set("meshes/0/primitives/0/targets/0/COLOR_1", 0)
        #expect(try fixture.scene().warnings == ["morph targets' COLOR_1 is left out"])
    }

    /// Both coordinate sets in use and the colours move; alpha stays where differences have none.
    @Test func coordinatesAndColorsMorph() throws {
        var fixture = try ImportMaterialTests.textured()
        fixture.set("materials/0/pbrMetallicRoughness", ["baseColorTexture": ["index": 0]])
        fixture.set("materials/0/emissiveTexture", ["index": 0, "texCoord": 3])
        let base = "meshes/0/primitives/0/"
        let uvs = fixture.add([0, 0, 0.5, 0, 0, 0.5], "VEC2")
        let colors = fixture.add([0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 0, 0, 0, 1], "VEC4")
        fixture.set(base + "attributes/TEXCOORD_3", uvs)
        fixture.set(base + "attributes/COLOR_0", colors)
        let shift = fixture.add([1, 0, 1, 0, 1, 0], "VEC2")
        let bytes = fixture.add(
            bytes: [127, 0, 0, 0, 0x81, 0, 0, 0, 0, 127, 0, 0], "VEC2", component: 5120, count: 3,
            normalized: true)
        fixture.set("bufferViews/\(try viewCount(fixture) - 1)/byteStride", 4)
        let tint = fixture.add([0.25, 0, -1, -0.5, 9, .nan, 0.5, 0, 0], "VEC3")
        fixture.set(
            base + "targets",
            [["TEXCOORD_0": shift, "COLOR_0": tint], ["TEXCOORD_3": bytes]])
        #expect(try fixture.scene().uv0[0] == [0, 1])
        fixture.set("meshes/0/weights", [0.5, 2])
        let scene = try fixture.scene()
        #expect(scene.uv0 == [[0.5, 1], [1.5, 1], [0.5, 0]])
        #expect(scene.uv1 == [[2, 0], [-1.5, 0], [0, 2.5]])
        #expect(scene.colors == [[0.625, 0.5, 0, 0.5], [0.75, 1, 1, 1], [0.25, 0, 0, 1]])
        #expect(scene.warnings.isEmpty, "\(scene.warnings)")
        // What the mesh does not have cannot be changed.
        fixture.set(base + "attributes/COLOR_0", nil)
        let plain = try fixture.scene()
        #expect(plain.colors == [.one, .one, .one])
        #expect(plain.warnings.count == 1 && plain.warnings[0].contains("no COLOR_0: what morph"))
        // A difference of another shape.
        fixture.set(base + "targets/0/TEXCOORD_0", tint)
        #expect(try fixture.message().contains("targets[0].TEXCOORD_0: accessor"))
    }

    private func viewCount(_ fixture: GLTFFixture) throws -> Int {
        try #require(fixture.json["bufferViews"] as? [Any]).count
    }
}
