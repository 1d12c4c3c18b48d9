import Foundation
import Testing

/// An animation through the market: a task a frame, a receipt a worker and frame, and the same
/// pictures as one device alone.
@Suite(.serialized) struct FrameTests {
    /// A triangle that moves a metre a second, and no camera: every frame must be seen from one
    /// place, whoever computes it.
    private func scene(in folder: String) throws -> String {
        let corners: [Float] = [-1, -1, 0, 1, -1, 0, 0, 1, 0]
        let floats = corners + [0, 2, 0, 0, 0, 2, 0, 0]
        let bytes = floats.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
        let uri = "data:application/octet-stream;base64," + Data(bytes).base64EncodedString()
        let json: [String: Any] = [
            "asset": ["version": "2.0"], "scene": 0, "scenes": [["nodes": [0]]],
            "nodes": [["mesh": 0]],
            "meshes": [["primitives": [["attributes": ["POSITION": 0], "material": 0]]]],
            "materials": [["emissiveFactor": [1, 0.5, 0.25], "doubleSided": true]],
            "buffers": [["uri": uri, "byteLength": bytes.count]],
            "bufferViews": [
                ["buffer": 0, "byteLength": 36], ["buffer": 0, "byteOffset": 36, "byteLength": 8],
                ["buffer": 0, "byteOffset": 44, "byteLength": 24],
            ],
            "accessors": [
                ["bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"],
                ["bufferView": 1, "componentType": 5126, "count": 2, "type": "SCALAR"],
                ["bufferView": 2, "componentType": 5126, "count": 2, "type": "VEC3"],
            ],
            "animations": [
                [
                    "samplers": [["input": 1, "output": 2]],
                    "channels": [["sampler": 0, "target": ["node": 0, "path": "translation"]]],
                ]
            ],
        ]
        let path = "\(folder)/moving.gltf"
        try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func fields(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func anAnimationThroughTheMarket() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let scene = try scene(in: home)
        let arguments = ["--size", "40x34", "--spp", "2", "--frames", "1-3", "--fps", "2"]
        let demo = Demo(home: home, jobs: ["--scene", scene] + arguments)
        try demo.finish(try demo.start())
        _ = try demo.check()
        demo.checkHosts()
        let document = try demo.document()
        let tasks = try #require(document["tasks"] as? [[String: Any]])
        let alone = try Demo.run(
            ["render", scene, "-o", "\(home)/alone.png", "--json"] + arguments)
        try #require(alone.code == 0, "\(alone.said)")
        let frames = try #require(try fields(alone.out)["frames"] as? [[String: Any]])
        #expect(tasks.map { $0["frame"] as? Int } == [1, 2, 3])
        let roots = tasks.map { $0["merkle_root"] as? String }
        #expect(roots == frames.map { $0["digest"] as? String })
        #expect(Set(roots).count == 3)
        let outputs = try #require(tasks[0]["outputs"] as? [String])
        #expect(
            outputs.map { ($0 as NSString).lastPathComponent }.filter { $0.hasSuffix("png") } == [
                "picture.0001.png", "picture.0002.png", "picture.0003.png",
            ])
        try expectSpots(document, tasks[2])
        try expectPart(home, scene, root: roots[2])
        try expectPrice(home, scene)
    }

    /// A receipt of the last frame, computed again in part.
    private func expectSpots(_ document: [String: Any], _ task: [String: Any]) throws {
        let id = try #require(task["taskid"] as? String).dropFirst(2).prefix(16)
        let receipts = try #require(document["receipts"] as? [String])
        let receipt = try #require(receipts.first { $0.contains(id) })
        let ended = try Demo.run(["verify", receipt, "--spot", "2", "--json"])
        #expect(ended.code == 0, "\(ended.said)")
    }

    /// The last frame as a part, and in dispute, is seen from where the market's is.
    private func expectPart(_ home: String, _ scene: String, root: String?) throws {
        let part = "\(home)/third.0003.part"
        let frame = [
            scene, "--size", "40x34", "--spp", "2", "--frames", "3", "--fps", "2", "--device", "0",
        ]
        let rendered = try Demo.run(["render"] + frame + ["--part", "\(home)/third.part"])
        try #require(rendered.code == 0, "\(rendered.said)")
        let merged = try Demo.run(["merge", part, "-o", "\(home)/third.png", "--json"])
        try #require(merged.code == 0, "\(merged.said)")
        #expect(try fields(merged.out)["digest"] as? String == root)
        let held = try Demo.run(
            ["dispute", "devices"] + frame + ["--against", part, "--json"])
        #expect(held.code == 0, "\(held.said)")
    }

    /// The demo's orders price a frame before it is submitted.
    private func expectPrice(_ home: String, _ scene: String) throws {
        let orders = ["app", "workerpool"].map { "\(home)/market/orders/0-\($0).json" }
        let quoted = try Demo.run(
            [
                "quote", scene, "--size", "40x34", "--spp", "2", "--budget", "0.1", "--json",
                "--order", orders[0], "--order", orders[1],
            ])
        try #require(quoted.code == 0, "\(quoted.said)")
        let document = try fields(quoted.out)
        let quote = (document["devices"] as? [[String: Any]])?.first ?? document
        let order = try #require(quote["order"] as? [String: Any])
        #expect(order["tokens"] as? String == "1500000000" && order["workers"] as? Int == 2)
        let seconds = try #require(quote["total_seconds"] as? Double)
        let hourly = try #require(order["tokens_per_hour"] as? Double)
        #expect((hourly * seconds / 3600 / 5e8 - 1).magnitude < 0.01)
        let twice = try Demo.run(["quote", scene, "--order", orders[0], "--order", orders[0]])
        #expect(twice.code == 64 && twice.said.contains("0-app.json: a second order of kind app"))
        let none = try Demo.run(["quote", scene, "--order", scene])
        #expect(none.code == 1 && none.said.contains("moving.gltf:"), "\(none.said)")
    }
}
