import Core
import Foundation
import Imaging
import MeshCodecs
import Rendering
import Testing

/// Extensions of geometry: compressed meshes, instances, variants, quantised attributes.
@Suite struct ImportExtensionTests {
    private static func known(_ name: String) throws -> MeshKnownAnswers.KnownFile {
        try #require(MeshKnownAnswers.files.first { $0.name == name })
    }

    // MARK: meshopt

    /// A view of `bytes` that unpacks to what the known file holds.
    private static func addPacked(
        _ name: String, count: Int, stride: Int, mode: String, filter: String?,
        to fixture: inout GLTFFixture
    ) throws -> Int {
        let view = fixture.addView(try known(name).bytes)
        var packed = (fixture.json["bufferViews"] as? [[String: Any]] ?? [])[view]
        packed["byteStride"] = stride
        packed["count"] = count
        packed["mode"] = mode
        packed["filter"] = filter
        return fixture.append(
            "bufferViews",
            [
                "buffer": 0, "byteLength": count * stride, "byteStride": stride,
                "extensions": ["EXT_meshopt_compression": packed],
            ])
    }

    @Test func meshoptNormalsAndIndices() throws {
        var fixture = GLTFFixture()
        fixture.set("extensionsUsed", ["EXT_meshopt_compression", "KHR_mesh_quantization"])
        fixture.set("extensionsRequired", ["EXT_meshopt_compression"])
        let view = try Self.addPacked(
            "meshopt octahedral 8", count: 40, stride: 4, mode: "ATTRIBUTES",
            filter: "OCTAHEDRAL", to: &fixture)
        let normals = fixture.append(
            "accessors",
            [
                "bufferView": view, "componentType": 5120, "normalized": true, "count": 3,
                "type": "VEC3",
            ])
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", normals)
        let file = try Self.known("meshopt octahedral 8")
        let bytes = try file.decoded()
        let scene = try fixture.scene()
        for vertex in 0..<3 {
            var expected = SIMD3<Float>()
            for lane in 0..<3 {
                expected[lane] = Float(Int8(bitPattern: bytes[4 * vertex + lane])) / 127
            }
            let off = scene.normals[vertex] - expected / (expected * expected).sum().squareRoot()
            #expect(off.max().magnitude < 1e-6 && (expected * expected).sum() > 0.97)
        }
        // Corner numbers beyond the vertices are refused behind the codec as anywhere.
        let packed = try Self.addPacked(
            "meshopt triangles 16", count: 294, stride: 2, mode: "TRIANGLES", filter: nil,
            to: &fixture)
        fixture.set("bufferViews/\(packed)/byteStride", nil)
        let indices = fixture.append(
            "accessors",
            ["bufferView": packed, "componentType": 5123, "count": 294, "type": "SCALAR"])
        fixture.set("meshes/0/primitives/0/indices", indices)
        #expect(
            try fixture.message().hasSuffix("indices: accessor \(indices): index 8 of 3 vertices"))
    }

    static let meshoptBreaks: [(key: String, value: any Sendable, message: String)] = [
        ("mode", "MAGIC", "mode: ATTRIBUTES, TRIANGLES or INDICES expected, \"MAGIC\" there"),
        (
            "filter", "MAGIC",
            "filter: NONE, OCTAHEDRAL, QUATERNION or EXPONENTIAL expected, \"MAGIC\" there"
        ),
        ("count", 41, "41 elements of 4 bytes for a view of 160"),
        ("count", -1, "count: -1 out of range"),
        ("byteStride", 0, "40 elements of 0 bytes for a view of 160"),
        ("byteLength", 100_000, "packed: bytes 104..<100104 of a buffer of 229"),
        ("byteLength", 30, "meshopt: damaged (-2)"),
        ("buffer", 3, "packed.buffer 3: 0 to 0 expected"),
    ]

    @Test(arguments: meshoptBreaks.indices)
    func meshoptSaysWhatIsWrong(index: Int) throws {
        let (key, value, expected) = Self.meshoptBreaks[index]
        var fixture = GLTFFixture()
        let view = try Self.addPacked(
            "meshopt octahedral 8", count: 40, stride: 4, mode: "ATTRIBUTES",
            filter: "OCTAHEDRAL", to: &fixture)
        fixture.set("bufferViews/\(view)/extensions/EXT_meshopt_compression/\(key)", value)
        let normals = fixture.append(
            "accessors",
            ["bufferView": view, "componentType": 5120, "count": 3, "type": "VEC3"])
        fixture.set("meshes/0/primitives/0/attributes/NORMAL", normals)
        fixture.set("extensionsUsed", ["KHR_mesh_quantization"])
        #expect(
            try fixture.message()
                == "s.gltf: meshes[0].primitives[0].attributes.NORMAL: bufferViews[\(view)]."
                + "EXT_meshopt_compression: \(expected)")
    }

    // MARK: Draco

    /// The known grid as a primitive.
    static func draco(_ name: String) throws -> GLTFFixture {
        var fixture = GLTFFixture()
        fixture.set("extensionsUsed", ["KHR_draco_mesh_compression"])
        fixture.set("extensionsRequired", ["KHR_draco_mesh_compression"])
        let view = fixture.addView(try known(name).bytes)
        func accessor(_ component: Int, _ count: Int, _ type: String) -> Int {
            fixture.append(
                "accessors", ["componentType": component, "count": count, "type": type])
        }
        let indices = accessor(5123, 150, "SCALAR")
        let attributes: [String: Any] = [
            "POSITION": accessor(5126, 36, "VEC3"), "NORMAL": accessor(5126, 36, "VEC3"),
            "TEXCOORD_0": accessor(5126, 36, "VEC2"), "JOINTS_0": accessor(5121, 36, "VEC4"),
        ]
        let compressed: [String: Any] = [
            "bufferView": view,
            "attributes": ["POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2, "JOINTS_0": 3],
        ]
        fixture.set(
            "meshes/0/primitives/0",
            [
                "attributes": attributes, "indices": indices, "material": 0,
                "extensions": ["KHR_draco_mesh_compression": compressed],
            ] as [String: Any])
        return fixture
    }

    @Test(arguments: ["draco edgebreaker", "draco sequential"])
    func dracoMeshes(name: String) throws {
        let scene = try Self.draco(name).scene()
        #expect(scene.positions.count == 36 && scene.triangles.count == 50)
        #expect(scene.warnings.isEmpty && scene.codecsInDoubt.isEmpty)
        for (position, normal) in zip(scene.positions, scene.normals) {
            // On a cylinder around the y axis, normals point away from it.
            #expect((position.x * position.x + position.z * position.z - 1).magnitude < 2e-3)
            #expect((position.x - normal.x).magnitude < 0.02 && normal.y.magnitude < 0.02)
        }
    }

    @Test func dracoSaysWhatIsWrong() throws {
        let place = "s.gltf: meshes[0].primitives[0].KHR_draco_mesh_compression: "
        for (path, value, said) in [
            (
                "accessors/5/count", 35,
                "attributes.POSITION: accessor 5: 35 elements expected, 36 there"
            ),
            ("accessors/4/count", 149, "accessor 4: 149 elements expected, 150 there"),
            (
                "accessors/5/componentType", 5123,
                "attributes.POSITION: accessor 5: floats cannot be read as uint16"
            ),
            (
                "meshes/0/primitives/0/extensions/KHR_draco_mesh_compression/attributes/NORMAL", 7,
                "attributes.NORMAL: Draco: attribute 7: not there, or not readable"
            ),
            (
                "meshes/0/primitives/0/extensions/KHR_draco_mesh_compression/attributes/COLOR_0", 0,
                "attributes.COLOR_0: not the primitive's"
            ),
            (
                "meshes/0/primitives/0/extensions/KHR_draco_mesh_compression/bufferView", 0,
                "Draco: a file that begins with DRACO expected"
            ),
        ] as [(String, Int, String)] {
            var fixture = try Self.draco("draco edgebreaker")
            fixture.set(path, value)
            #expect(try fixture.message() == place + said)
        }
        var limits = ImportLimits()
        limits.trianglesMax = 49
        #expect(
            try Self.draco("draco edgebreaker").message(limits: limits).contains(
                "36 points and 50 triangles; at most"))
    }

    // MARK: WebP

    @Test func webpTextures() throws {
        let file = try #require(
            ImagingKnownAnswers.files.first { $0.name == "webp lossless with alpha" })
        var fixture = GLTFFixture()
        fixture.set("extensionsUsed", ["EXT_texture_webp"])
        fixture.set("extensionsRequired", ["EXT_texture_webp"])
        let view = fixture.addView(file.bytes)
        fixture.set("images", [["bufferView": view, "mimeType": "image/webp"] as [String: Any]])
        fixture.set("textures", [["extensions": ["EXT_texture_webp": ["source": 0]]]])
        fixture.set("materials/0/emissiveTexture", ["index": 0])
        let texture = try fixture.scene().textures[0]
        #expect(texture.width == 21 && texture.height == 19)
        #expect(texture.rgba8 == (try WebP.decode(file.bytes).pixels))
    }

    // MARK: Instances

    @Test func instancesAreMeshesPlaced() throws {
        var fixture = GLTFFixture()
        let moves = fixture.add([1, 0, 0, 2, 0, 0], "VEC3")
        let turns = fixture.add(
            bytes: [0, 0, 0, 127, 0, 0, 127, 0], "VEC4", component: 5120, count: 2,
            normalized: true)
        let sizes = fixture.add([1, 1, 1, 3, 3, 3], "VEC3")
        fixture.set("nodes/0/translation", [0, 0, 10])
        fixture.set(
            "nodes/0/extensions",
            [
                "EXT_mesh_gpu_instancing": [
                    "attributes": ["TRANSLATION": moves, "ROTATION": turns, "SCALE": sizes]
                ]
            ])
        let scene = try fixture.scene()
        #expect(scene.triangles == [[0, 1, 2], [3, 4, 5]])
        #expect(scene.positions[1] == [2, 0, 10])
        #expect(scene.positions[3] == [2, 0, 10])
        // (1, 0, 0) three times as large, turned half around z.
        #expect(scene.positions[4] == [-1, 0, 10])
        let short = fixture.add([1, 1, 1], "VEC3")
        let path = "nodes/0/extensions/EXT_mesh_gpu_instancing/attributes"
        let place = "s.gltf: nodes[0]: EXT_mesh_gpu_instancing: "
        for (attributes, said) in [
            (
                ["TRANSLATION": moves, "SCALE": short],
                "attributes: as many elements in each expected"
            ),
            ([:], "attributes: TRANSLATION, ROTATION or SCALE expected"),
            (["ROTATION": moves], "ROTATION: accessor 4: VEC4 float expected, VEC3 float there"),
        ] as [([String: Int], String)] {
            fixture.set(path, attributes)
            #expect(try fixture.message() == place + said)
        }
        fixture.set(path, ["TRANSLATION": fixture.add([.nan, 0, 0], "VEC3")])
        #expect(
            try fixture.message() == place + "instance 0: translation: finite numbers expected")
        fixture.set(path, ["TRANSLATION": moves])
        var limits = ImportLimits()
        limits.instancesMax = 1
        #expect(try fixture.message(limits: limits) == place + "more than 1 instances")
    }

    // MARK: Variants

    @Test func variantsChooseMaterials() throws {
        var fixture = GLTFFixture()
        fixture.set("materials", [["name": "plain"], ["name": "gold"]])
        fixture.set(
            "extensions",
            ["KHR_materials_variants": ["variants": [["name": "day"], ["name": "night"]]]])
        fixture.set(
            "meshes/0/primitives/0/extensions",
            [
                "KHR_materials_variants": [
                    "mappings": [["material": 1, "variants": [1]] as [String: Any]]
                ]
            ])
        func material(_ variant: String?) throws -> String {
            try fixture.scene(options: ImportOptions(variant: variant)).materials[0].name
        }
        #expect(try material(nil) == "plain")
        #expect(try material("day") == "plain")
        #expect(try material("night") == "gold")
        #expect(
            try fixture.message(options: ImportOptions(variant: "dusk"))
                == "s.gltf: variant \"dusk\": the file has \"day\", \"night\"")
        #expect(
            try GLTFFixture().message(options: ImportOptions(variant: "dusk"))
                == "s.gltf: variant \"dusk\": the file has none")
        fixture.set(
            "meshes/0/primitives/0/extensions/KHR_materials_variants/mappings/0/variants", [2])
        #expect(
            try fixture.message()
                == "s.gltf: meshes[0].primitives[0].KHR_materials_variants: variant 2 of 2")
    }

    // MARK: Component types

    /// Every type that core glTF and KHR_mesh_quantization let positions, coordinates and corner
    /// numbers have.
    private static let units: [(component: Int, isNormalized: Bool, unit: Double)] = [
        (5120, false, 1), (5120, true, 1.0 / 127), (5121, false, 1), (5121, true, 1.0 / 255),
        (5122, false, 1), (5122, true, 1.0 / 32_767), (5123, false, 1),
        (5123, true, 1.0 / 65_535),
    ]

    @Test(arguments: units.indices)
    func componentTypes(index: Int) throws {
        let (component, isNormalized, unit) = Self.units[index]
        var fixture = GLTFFixture()
        fixture.set("extensionsUsed", ["KHR_mesh_quantization"])
        let isWide = component >= 5122
        // The fourth lane pads an element to a multiple of four bytes.
        let low = component % 2 == 0 ? -100 : 0
        let rows: [[Int]] = [[0, 0, 0, 9], [100, 0, 0, 9], [low, 100, 7, 9]]
        var bytes = Bytes()
        for value in rows.joined() {
            let word = UInt16(truncatingIfNeeded: value).littleEndianBytes
            bytes += isWide ? word : [word[0]]
        }
        let positions = fixture.add(
            bytes: bytes, "VEC3", component: component, count: 3, normalized: isNormalized)
        let accessors = try #require(fixture.json["accessors"] as? [[String: Any]])
        let view = try #require(accessors[positions]["bufferView"] as? Int)
        fixture.set("bufferViews/\(view)/byteStride", isWide ? 8 : 4)
        fixture.set("meshes/0/primitives/0/attributes/POSITION", positions)
        let found = try fixture.scene().positions
        for (vertex, row) in rows.enumerated() {
            for lane in 0..<3 {
                let expected = Double(row[lane]) * unit
                #expect((Double(found[vertex][lane]) - expected).magnitude < 1e-5)
            }
        }
    }

    @Test(arguments: [(5121, 1), (5123, 2), (5125, 4)])
    func cornerNumbersOfAllWidths(component: Int, width: Int) throws {
        var fixture = GLTFFixture()
        let bytes = [2, 0, 1].flatMap { Bytes(UInt32($0).littleEndianBytes.prefix(width)) }
        let indices = fixture.add(bytes: bytes, "SCALAR", component: component, count: 3)
        fixture.set("meshes/0/primitives/0/indices", indices)
        #expect(try fixture.scene().triangles == [[2, 0, 1]])
    }
}
