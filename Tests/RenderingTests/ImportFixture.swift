import Core
import Foundation
import Imaging
import Rendering
import Testing

/// A small glTF document built as JSON values, to be broken in one place at a time.
struct GLTFFixture {
    var json: [String: Any]
    var binary = Bytes()

    /// One triangle with indices, normals, coordinates and a textured material.
    init() {
        json = ["asset": ["version": "2.0"]]
        json["scene"] = 0
        json["scenes"] = [["nodes": [0]]]
        json["nodes"] = [["mesh": 0]]
        json["accessors"] = [[String: Any]]()
        json["bufferViews"] = [[String: Any]]()
        let positions = add([0, 0, 0, 1, 0, 0, 0, 1, 0], "VEC3")
        let normals = add([0, 0, 1, 0, 0, 1, 0, 0, 1], "VEC3")
        let coordinates = add([0, 1, 1, 1, 0, 0], "VEC2")
        let indices = add(bytes: [0, 0, 1, 0, 2, 0], "SCALAR", component: 5123, count: 3)
        json["meshes"] = [
            [
                "primitives": [
                    [
                        "attributes": [
                            "POSITION": positions, "NORMAL": normals, "TEXCOORD_0": coordinates,
                        ], "indices": indices, "material": 0,
                    ] as [String: Any]
                ]
            ]
        ]
        json["materials"] = [["name": "plain"]]
    }

    /// Appends floats as an accessor; returns its index.
    mutating func add(_ values: [Float], _ type: String) -> Int {
        let lanes = ["SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16][type] ?? 1
        let bytes = values.flatMap { $0.bitPattern.littleEndianBytes }
        return add(bytes: bytes, type, component: 5126, count: values.count / lanes)
    }

    mutating func add(
        bytes: Bytes, _ type: String, component: Int, count: Int, normalized: Bool = false
    ) -> Int {
        append(
            "accessors",
            [
                "bufferView": addView(bytes), "componentType": component, "count": count,
                "type": type, "normalized": normalized,
            ])
    }

    /// Appends bytes as a buffer view, four-byte aligned; returns its index.
    mutating func addView(_ bytes: Bytes) -> Int {
        while binary.count % 4 != 0 { binary.append(0) }
        binary += bytes
        return append(
            "bufferViews",
            ["buffer": 0, "byteOffset": binary.count - bytes.count, "byteLength": bytes.count])
    }

    @discardableResult
    mutating func append(_ key: String, _ value: [String: Any]) -> Int {
        var list = json[key] as? [[String: Any]] ?? []
        list.append(value)
        json[key] = list
        return list.count - 1
    }

    /// Sets a value by path, such as `meshes/0/primitives/0/mode`; nil takes it away.
    mutating func set(_ path: String, _ value: Any?) {
        json =
            Self.setting(json, path.split(separator: "/").map(String.init), value)
            as? [String: Any] ?? [:]
    }

    private static func setting(_ node: Any?, _ path: [String], _ value: Any?) -> Any? {
        guard let key = path.first else { return value }
        if let index = Int(key) {
            var list = node as? [Any] ?? []
            if let new = setting(
                index < list.count ? list[index] : nil, Array(path.dropFirst()), value)
            {
                if index < list.count { list[index] = new } else { list.append(new) }
            } else {
                list.remove(at: index)
            }
            return list
        }
        var object = node as? [String: Any] ?? [:]
        object[key] = setting(object[key], Array(path.dropFirst()), value)
        return object
    }

    /// The document as text, its one buffer beside it or within.
    func text(bufferURI: String?) throws -> Bytes {
        var json = json
        if json["buffers"] == nil {
            var buffer: [String: Any] = ["byteLength": binary.count]
            if let bufferURI { buffer["uri"] = bufferURI }
            json["buffers"] = [buffer]
        }
        return Bytes(try JSONSerialization.data(withJSONObject: json, options: [.sortedKeys]))
    }

    /// A GLB file.
    func glb() throws -> Bytes {
        func chunk(_ type: String, _ data: Bytes, _ filler: UInt8) -> Bytes {
            let padded = data + Bytes(repeating: filler, count: (4 - data.count % 4) % 4)
            return UInt32(padded.count).littleEndianBytes + Bytes(type.utf8) + padded
        }
        let chunks = chunk("JSON", try text(bufferURI: nil), 0x20) + chunk("BIN\0", binary, 0)
        return Bytes("glTF".utf8) + UInt32(2).littleEndianBytes
            + UInt32(12 + chunks.count).littleEndianBytes + chunks
    }

    func scene(
        limits: ImportLimits = ImportLimits(), options: ImportOptions = ImportOptions()
    ) throws -> Scene {
        let files = SceneFiles(memory: [
            "s.gltf": try text(bufferURI: "s.bin"), "s.bin": binary,
        ])
        return try Scene(importing: "s.gltf", from: files, limits: limits, options: options)
    }

    /// The message with which importing fails.
    func message(
        limits: ImportLimits = ImportLimits(), options: ImportOptions = ImportOptions()
    ) throws -> String {
        let error = try #require(throws: Failure.self) {
            _ = try scene(limits: limits, options: options)
        }
        #expect(!error.message.contains("\n") && error.message.count < 300)
        return error.message
    }

    /// A 2×1 PNG: red, then green.
    static func image() throws -> Bytes {
        try PNG.encode(width: 2, height: 1, pixels: [255, 0, 0, 0, 255, 0])
    }
}
