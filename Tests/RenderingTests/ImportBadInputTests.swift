import Core
import Foundation
import Imaging
import Rendering
import Testing

/// Everything that can be wrong with a scene ends in one line that names the place.
@Suite struct ImportBadInputTests {
    /// Sets one value of the fixture and expects a message.
    static let breaks: [(path: String, json: String, message: String)] = [
        ("asset/version", #""1.0""#, "asset.version: 2.0 expected, \"1.0\" there"),
        ("asset/version", #"2"#, "asset.version: text expected"),
        (
            "extensionsRequired", #"["KHR_texture_basisu"]"#,
            "extensionsRequired: KHR_texture_basisu is not supported"
        ),
        ("scene", #"7"#, "scene 7: 0 to 0 expected"),
        ("scenes/0/nodes", #"[0, 0]"#, "nodes[0]: reached twice, by a cycle or two parents"),
        ("nodes/0/children", #"[0]"#, "nodes[0]: reached twice, by a cycle or two parents"),
        ("nodes/0/children", #"[-1]"#, "nodes[0].children: node -1: 0 to 0 expected"),
        ("scenes/0/nodes", #"[3]"#, "scenes[0].nodes: node 3: 0 to 0 expected"),
        ("nodes/0/mesh", #"9"#, "nodes[0]: mesh 9: 0 to 0 expected"),
        ("nodes/0/mesh", #"1.5"#, "nodes[0].mesh: a whole number expected"),
        ("nodes/0/matrix", #"[1, 2]"#, "nodes[0]: matrix: 16 numbers expected, 2 there"),
        (
            "nodes/0/matrix", #"[1, 0, 0, 9, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]"#,
            "nodes[0]: matrix: a last row of 0 0 0 1 expected"
        ),
        ("nodes/0/rotation", #"[0, 0, 0, 0]"#, "nodes[0]: rotation: a unit quaternion expected"),
        ("nodes/0/scale", #"[1e308, 1, 1]"#, ""),
        ("nodes/0/camera", #"0"#, "nodes[0]: camera 0: the file has none"),
        (
            "meshes/0/primitives/0/mode", #"7"#,
            "meshes[0].primitives[0].mode: 0 to 6 expected, 7 there"
        ),
        (
            "meshes/0/primitives/0/indices", #"44"#,
            "meshes[0].primitives[0].indices: accessor 44: 0 to 3 expected"
        ),
        (
            "meshes/0/primitives/0/indices", #"0"#,
            "meshes[0].primitives[0].indices: accessor 0: SCALAR expected, VEC3 float there"
        ),
        (
            "meshes/0/primitives/0/attributes/POSITION", #"2"#,
            "meshes[0].primitives[0].attributes.POSITION: accessor 2: VEC3 float expected, "
                + "VEC2 float there"
        ),
        (
            "meshes/0/primitives/0/attributes/NORMAL", #"3"#,
            "meshes[0].primitives[0].attributes.NORMAL: accessor 3: VEC3 float expected, "
                + "SCALAR uint16 there"
        ),
        (
            "meshes/0/primitives/0/material", #"3"#,
            "meshes[0].primitives[0].material 3: 0 to 0 expected"
        ),
        (
            "accessors/0/count", #"4"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0]: 48 bytes expected in its "
                + "view, 36 there"
        ),
        (
            "accessors/0/count", #"2147483648"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].count: 1 to 67108864 "
                + "expected, 2147483648 there"
        ),
        (
            "accessors/0/count", #"-1"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].count: 1 to 67108864 "
                + "expected, -1 there"
        ),
        (
            "accessors/0/componentType", #"5124"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].componentType: 5124 unknown"
        ),
        (
            "accessors/0/type", #""VEC9""#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].type: \"VEC9\" not expected"
        ),
        (
            "accessors/0/byteOffset", #"9223372036854775807"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].byteOffset: "
                + "9223372036854775807 out of range"
        ),
        (
            "accessors/0/byteOffset", #"-4"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0].byteOffset: -4 out of range"
        ),
        (
            "accessors/1/count", #"2"#,
            "meshes[0].primitives[0].attributes.NORMAL: accessor 1: 3 elements expected, 2 there"
        ),
        (
            "bufferViews/0/buffer", #"1"#,
            "meshes[0].primitives[0].attributes.POSITION: bufferViews[0].buffer 1: 0 to 0 expected"
        ),
        (
            "bufferViews/0/byteLength", #"4096"#,
            "meshes[0].primitives[0].attributes.POSITION: bufferViews[0]: bytes 0..<4096 of a "
                + "buffer of 102"
        ),
        (
            "bufferViews/0/byteOffset", #"9223372036854775807"#,
            "meshes[0].primitives[0].attributes.POSITION: bufferViews[0].byteOffset: "
                + "9223372036854775807 out of range"
        ),
        (
            "bufferViews/0/byteStride", #"253"#,
            "meshes[0].primitives[0].attributes.POSITION: bufferViews[0].byteStride: 4 to 252 "
                + "expected, 253 there"
        ),
        (
            "bufferViews/0/byteStride", #"8"#,
            "meshes[0].primitives[0].attributes.POSITION: accessors[0]: stride 8 for elements of "
                + "12 bytes"
        ),
        (
            "buffers", #"[{"uri": "s.bin", "byteLength": 400}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: 400 bytes expected, 102 there"
        ),
        (
            "buffers", #"[{"uri": "../s.bin", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri \"../s.bin\": a path "
                + "inside the scene's folder expected"
        ),
        (
            "buffers", #"[{"uri": "../../s.bin", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri \"../../s.bin\": a path "
                + "inside the scene's folder expected"
        ),
        (
            "buffers", #"[{"uri": "a/%2e%2e/%2E./s.bin", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri \"a/%2e%2e/%2E./s.bin\": "
                + "a path inside the scene's folder expected"
        ),
        (
            "buffers", #"[{"uri": "/etc/passwd", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri \"/etc/passwd\": a path "
                + "inside the scene's folder expected"
        ),
        (
            "buffers", #"[{"uri": "http://example.org/s.bin", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri "
                + "\"http://example.org/s.bin\": a relative path or data: expected"
        ),
        (
            "buffers", #"[{"uri": "data:;base64,!!!", "byteLength": 102}]"#,
            "meshes[0].primitives[0].attributes.POSITION: buffers[0]: uri \"data:;base64,!!!\": "
                + "base64 expected"
        ),
        (
            "materials/0/alphaMode", #""GLOW\u001b[2J\t\u0007é""#,
            "materials[0]: alphaMode: OPAQUE, MASK or BLEND expected, "
                + "\"GLOW?[2J???\" there"
        ),
        (
            "materials/0/emissiveFactor", #"[1, 2]"#,
            "materials[0]: emissiveFactor: 3 numbers expected, 2 there"
        ),
        (
            "materials/0/normalTexture", #"{"index": 0}"#,
            "materials[0]: normalTexture: texture 0: the file has none"
        ),
    ]

    @Test(arguments: breaks.indices)
    func oneValueWrong(index: Int) throws {
        let (path, json, expected) = Self.breaks[index]
        var fixture = GLTFFixture()
        fixture.set(
            path,
            try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed))
        if path == "nodes/0/scale" {
            // Within double's range, far beyond float's: the triangles go, the scene stays.
            #expect(try fixture.scene().triangles.isEmpty)
            return
        }
        let message = try fixture.message()
        #expect(message == "s.gltf: " + expected)
    }

    @Test func indicesBeyondTheVertices() throws {
        var fixture = GLTFFixture()
        fixture.binary[fixture.binary.count - 2] = 3
        #expect(
            try fixture.message()
                == "s.gltf: meshes[0].primitives[0].indices: accessor 3: index 3 of 3 vertices")
    }

    @Test func limitsHoldBeforeAnythingIsBuilt() throws {
        var fixture = GLTFFixture()
        // 10,000 instances of a mesh with a million zero vertices that cost the file nothing.
        fixture.set("accessors/0", ["componentType": 5126, "count": 1 << 20, "type": "VEC3"])
        fixture.set("meshes/0/primitives/0/attributes", ["POSITION": 0])
        fixture.set("meshes/0/primitives/0/indices", nil)
        fixture.set("nodes", (0..<10_000).map { _ in ["mesh": 0] })
        fixture.set("scenes/0/nodes", Array(0..<10_000))
        #expect(try fixture.message().contains("more than 536870912 triangles drawn"))
        var flat = ImportOptions()
        flat.sharesMeshes = false
        #expect(
            try fixture.message(options: flat).contains("more than 33554432 vertices in the scene"))
        fixture.set("accessors/0/count", 1 << 25)
        #expect(try fixture.message().contains("accessors[0].count: 1 to 1048576 expected"))
        var limits = ImportLimits()
        limits.nodesMax = 5
        #expect(try fixture.message(limits: limits).contains("nodes: at most 5 expected"))
        limits.jsonBytesMax = 100
        #expect(try fixture.message(limits: limits).contains("bytes of JSON: at most 100"))
    }

    @Test func deepTreesAreWalked() throws {
        var fixture = GLTFFixture()
        let count = 20_000
        fixture.set(
            "nodes",
            (0..<count).map { index -> [String: Any] in
                index + 1 < count ? ["children": [index + 1]] : ["mesh": 0]
            })
        #expect(try fixture.scene().triangles.count == 1)
        fixture.set("nodes/\(count - 1)/children", [50])
        #expect(try fixture.message().contains("reached twice"))
    }

    /// Readers disagree on which of two values counts.
    @Test func aNameTwiceInOneObjectIsRefused() {
        func message(_ members: String) -> String {
            let text = #"{"asset":{"version":"2.0"},"scenes":[{}],"# + members + "}"
            let files = SceneFiles(memory: ["x.gltf": Bytes(text.utf8)])
            do throws(Failure) {
                _ = try Scene(importing: "x.gltf", from: files)
                return ""
            } catch { return error.message }
        }
        let said = "x.gltf: scene: twice in one object, once expected"
        #expect(message(#""scene":0,"scene":0"#) == said)
        #expect(message(#""scene" : 0, "scen\u0065" : 0"#) == said)
        #expect(message(#""nodes":[{"name":"a","name":"b"}]"#).contains("name: twice"))
        // The same name in another object, or as a value, is none of it.
        let apart = #""nodes":[{"name":"name"},{"name":"\\\"name\":"}],"scene":0"#
        #expect(!message(apart).contains("twice"))
    }

    /// glTF 2.0, 2.7: UTF-8 without a byte order mark. Foundation would read the others as well.
    @Test func otherEncodingsAreRefused() throws {
        let text = #"{"asset":{"version":"2.0"}}"#
        let utf8 = Bytes(text.utf8)
        let little = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let big = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        let wide = text.unicodeScalars.flatMap { [UInt8($0.value & 255), 0, 0, 0] }
        func scene(_ bytes: Bytes) throws(Failure) -> Scene {
            try Scene(importing: "x.gltf", from: SceneFiles(memory: ["x.gltf": bytes]))
        }
        for bytes in [
            [0xef, 0xbb, 0xbf] + utf8, little, big, wide, [0xff, 0xfe] + little,
            [0xfe, 0xff] + big,
        ] {
            let error = #expect(throws: Failure.self) { _ = try scene(bytes) }
            #expect(
                error?.message == "x.gltf: JSON in UTF-8 without a byte order mark expected",
                "\(bytes.prefix(4))")
        }
        for other in ["", "a text\n", "\u{89}PNG"] {
            let error = #expect(throws: Failure.self) { _ = try scene(Bytes(other.utf8)) }
            #expect(error?.message == "x.gltf: a GLB or the JSON of a glTF expected", "\(other)")
        }
        #expect(
            try scene(utf8).warnings == ["no triangles: there is nothing to see but the sky"])
    }

    @Test func deepJSONIsRefused() {
        for text in [
            String(repeating: "[", count: 1_000_000),
            "{\"asset\":" + String(repeating: "{\"a\":", count: 100_000),
            "", "{}", "[1]", "null", "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[1e999]}",
            "\u{feff}{", "{\"asset\":{\"version\":\"2.0\"},\"scene\":99999999999999999999}",
        ] {
            let files = SceneFiles(memory: ["x.gltf": Bytes(text.utf8)])
            let error = #expect(throws: Failure.self) {
                _ = try Scene(importing: "x.gltf", from: files)
            }
            #expect(error?.message.hasPrefix("x.gltf: ") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("\n") == false)
        }
    }

    @Test func everyTruncationOfAGLBFails() throws {
        let whole = try ImportMaterialTests.textured().glb()
        _ = try Scene(importing: "x", from: SceneFiles(memory: ["x": whole]))
        for count in whole.indices {
            #expect(throws: Failure.self) {
                _ = try Scene(
                    importing: "x", from: SceneFiles(memory: ["x": Bytes(whole[..<count])]))
            }
        }
    }

    @Test func filesStayInTheirFolder() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-scene-\(ProcessInfo.processInfo.processIdentifier)")
        let inner = folder.appendingPathComponent("scene")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let fixture = GLTFFixture()
        try Data(try fixture.text(bufferURI: "s.bin")).write(
            to: inner.appendingPathComponent("s.gltf"))
        try Data(fixture.binary).write(to: folder.appendingPathComponent("s.bin"))
        let path = inner.appendingPathComponent("s.gltf")
        let missing = #expect(throws: Failure.self) { _ = try Scene(contentsOf: path) }
        #expect(missing?.message.hasSuffix("buffers[0]: s.bin: no such file") == true)
        // A link out of the folder is not followed.
        try FileManager.default.createSymbolicLink(
            at: inner.appendingPathComponent("s.bin"),
            withDestinationURL: folder.appendingPathComponent("s.bin"))
        let outside = #expect(throws: Failure.self) { _ = try Scene(contentsOf: path) }
        #expect(outside?.code == .untrusted)
        try FileManager.default.removeItem(at: inner.appendingPathComponent("s.bin"))
        try FileManager.default.createDirectory(
            at: inner.appendingPathComponent("s.bin"), withIntermediateDirectories: false)
        let directory = #expect(throws: Failure.self) { _ = try Scene(contentsOf: path) }
        #expect(directory?.message.hasSuffix("a plain file expected") == true)
        // The same files as a closed set.
        let closed = SceneFiles(closed: [
            "s.gltf": path, "s.bin": folder.appendingPathComponent("s.bin"),
        ])
        #expect(try Scene(importing: "s.gltf", from: closed).triangles.count == 1)
        #expect(throws: Failure(.missing, "t.gltf: not among the scene's files")) {
            _ = try Scene(importing: "t.gltf", from: closed)
        }
    }

    @Test func imagesFailWithTheirName() throws {
        var fixture = GLTFFixture()
        fixture.set("images", [["uri": "a%20b.png"]])
        fixture.set("textures", [["source": 0]])
        fixture.set("materials/0/emissiveTexture", ["index": 0])
        let files = SceneFiles(memory: [
            "s.gltf": try fixture.text(bufferURI: "s.bin"), "s.bin": fixture.binary,
            "a b.png": Bytes(try GLTFFixture.image().dropLast(20)),
        ])
        let error = #expect(throws: Failure.self) {
            _ = try Scene(importing: "s.gltf", from: files)
        }
        #expect(
            error?.message
                == "s.gltf: materials[0]: emissiveTexture: images[0]: "
                + "a%20b.png: PNG: the file ends before its last chunk")
        fixture.set("textures", [["extensions": ["KHR_texture_basisu": ["source": 0]]]])
        #expect(try fixture.message().contains("KHR_texture_basisu"))
    }
}
