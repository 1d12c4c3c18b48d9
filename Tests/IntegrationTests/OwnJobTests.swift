import Foundation
import Testing

/// The whole market path on a user's own jobs: a known scene under its HDR environment, and a model
/// in use on real files.
@Suite(.serialized) struct OwnJobTests {
    private static let files = FileManager.default

    private static func skip(_ what: String) { print("skip: \(what)") }

    @Test func flightHelmetUnderItsEnvironment() throws {
        guard let shared = ProcessInfo.processInfo.environment["RIGOR_SHARED"],
            Self.files.fileExists(atPath: "\(shared)/scenes/FlightHelmet")
        else { return Self.skip("RIGOR_SHARED is not set or has no scenes") }
        let home = try Demo.newHome()
        defer { try? Self.files.removeItem(atPath: home) }
        let scene = "\(shared)/scenes/FlightHelmet/FlightHelmet.gltf"
        let arguments = [
            "--env", "\(shared)/scenes/environments/spiaggia_di_mondello_1k.hdr",
            "--size", "64x64", "--spp", "4",
        ]
        let task = try settle(["--scene", scene] + arguments, home: home)

        let picture = "\(home)/picture.png"
        let alone = try Demo.run(["render", scene, "-o", picture, "--json"] + arguments)
        try #require(alone.code == 0, "\(alone.said)")
        #expect(try digest(alone.out) == task["merkle_root"] as? String)
        let shown = try #require((task["outputs"] as? [String])?.first)
        #expect(Self.files.contentsEqual(atPath: shown, andPath: picture))
    }

    @Test func magikaKnowsThisProjectsFiles() throws {
        let model = ".build/test-models/magika"
        guard Self.files.fileExists(atPath: "\(model)/model.onnx") else {
            return Self.skip("no magika model (scripts/install-test-models)")
        }
        let home = try Demo.newHome()
        defer { try? Self.files.removeItem(atPath: home) }
        let features = Process()
        features.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        features.arguments = [
            "python3", "scripts/models/magika_features.py", model, home, "README.md",
            "Package.swift", "Kernels/kernels.c",
        ]
        try features.run()
        features.waitUntilExit()
        try #require(features.terminationStatus == 0)
        let arguments = ["--input", "bytes=\(home)/bytes.npy", "--labels", "\(home)/labels.txt"]
        let task = try settle(["--model", "\(model)/model.onnx"] + arguments, home: home)

        let alone = try Demo.run(
            ["infer", "\(model)/model.onnx", "--top", "1", "--json"] + arguments)
        try #require(alone.code == 0, "\(alone.said)")
        #expect(try digest(alone.out) == task["merkle_root"] as? String)
        let shown = try #require((task["outputs"] as? [String])?.first)
        let best = try String(contentsOfFile: shown, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ").dropFirst().first.map(String.init) }
        #expect(best == ["markdown", "swift", "c"])
    }

    /// A model of which no plan can be made before it runs: at each turn data tell whether there is
    /// another.
    @Test func aLoopThatAsksForDataAtEachTurn() throws {
        let model = "Tests/InferenceTests/Fixtures/operators/loop-turns.onnx"
        try #require(Self.files.fileExists(atPath: model), "run where Package.swift is")
        let home = try Demo.newHome()
        defer { try? Self.files.removeItem(atPath: home) }
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8), }\n"
        let numbers = (0..<16).flatMap { index in
            let bits = (Float(index) / 8 - 1).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        let array =
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
            + numbers
        try Data(array).write(to: URL(fileURLWithPath: "\(home)/x.npy"))
        let arguments = ["--input", "x=\(home)/x.npy"]
        let task = try settle(["--model", model] + arguments, home: home)
        let alone = try Demo.run(["infer", model, "--json"] + arguments)
        try #require(alone.code == 0, "\(alone.said)")
        #expect(try digest(alone.out) == task["merkle_root"] as? String)
    }

    @Test func whatCannotBeComputedIsSaidAtOnce() throws {
        let home = try Demo.newHome()
        defer { try? Self.files.removeItem(atPath: home) }
        let scene = "Examples/scene/demo.glb"
        try #require(Self.files.fileExists(atPath: scene), "run where Package.swift is")
        for (arguments, reason) in [
            (["--scene", "\(home)/none.glb"], "none.glb: no such file"),
            (["--scene", scene, "--env", "README.md", "--size", "8x8"], "given up on "),
            (["--model", "README.md", "--input", "x=README.md"], "not an ONNX model"),
        ] {
            let ended = try Demo.run(["demo", "--home", home] + arguments)
            #expect(ended.code == 1)
            #expect(try #require(ended.said.split(separator: "\n").last).contains(reason))
        }
    }

    /// Takes one job through a market of its own, and gives the task as the demo printed it.
    private func settle(_ jobs: [String], home: String) throws -> [String: Any] {
        let demo = Demo(home: home, jobs: jobs)
        try demo.finish(try demo.start())
        _ = try demo.check()
        demo.checkHosts()
        let tasks = try #require(try demo.document()["tasks"] as? [[String: Any]])
        try #require(tasks.count == 1)
        return tasks[0]
    }

    private func digest(_ document: Data) throws -> String {
        let fields = try #require(
            try JSONSerialization.jsonObject(with: document) as? [String: Any])
        return try #require(fields["digest"] as? String)
    }
}
