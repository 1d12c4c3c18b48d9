import Compute
import Core
import Foundation
import Rendering
import RigorTestKit
import Testing

/// Frames, from numbers to a job whose parts are frames.
@Suite struct SceneMomentTests {
    @Test func framesAreSeconds() throws {
        let clock = FrameClock(start: "0.5", fps: "24")
        #expect(try clock.seconds(frame: 0) == 0.5)
        #expect(try clock.seconds(frame: 12) == 1)
        #expect(try FrameClock(fps: "23.976").seconds(frame: 1) == 1 / 23.976)
        #expect(try FrameClock(start: "-2").seconds(frame: 0) == -2)
        for (clock, frame, said) in [
            (FrameClock(start: "soon"), 0, "parameter start: seconds expected"),
            (FrameClock(start: "nan"), 0, "parameter start: seconds expected"),
            (FrameClock(fps: "0"), 0, "parameter fps: more than 0, at most 1000 expected"),
            (FrameClock(fps: "many"), 0, "parameter fps: more than 0, at most 1000 expected"),
            (FrameClock(), 1, "parameter fps: expected, since parts have frames"),
            (FrameClock(fps: "24"), -1, "frame -1: 0 to 1000000 expected"),
            (FrameClock(fps: "24"), 1_000_001, "frame 1000001: 0 to 1000000 expected"),
        ] {
            let failure = #expect(throws: Failure.self) { _ = try clock.seconds(frame: frame) }
            #expect(failure?.message.hasSuffix(said) == true)
        }
    }

    @Test(arguments: [
        ("picture.png", 7, "picture.0007.png"),
        ("a.b/picture.exr", 12_345, "a.b/picture.12345.exr"),
        ("a/shot_##.png", 7, "a/shot_07.png"), ("####", 1, "0001"),
        ("a#b/###-x.png", 250, "a#b/250-x.png"),
        ("folder.d/picture", 3, "folder.d/picture.0003"), ("picture", 3, "picture.0003"),
        (".png", 3, ".png.0003"), ("a#1_##.png", 5, "a#1_05.png"),
    ])
    func namesGetNumbers(path: String, frame: Int, expected: String) {
        #expect(FrameClock.path(path, frame: frame) == expected)
    }

    /// A folder with a scene in which node 0 moves one metre a second.
    private func moving(hasCamera: Bool = true) throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-frames-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var fixture = ImportAnimationTests.animated(
            "translation", times: [0, 2], values: [0, 0, 0, 2, 0, 0])
        fixture.set("materials/0/emissiveFactor", [1, 1, 1])
        fixture.set("scenes/0/nodes", hasCamera ? [0, 1] : [0])
        fixture.set("cameras", [["type": "orthographic", "orthographic": ["xmag": 2, "ymag": 2]]])
        fixture.set("nodes/1", ["camera": 0, "translation": [0, 0, 3]] as [String: Any])
        let path = folder.appendingPathComponent("s.glb")
        try Data(fixture.glb()).write(to: path)
        return folder
    }

    private final class Collector: AppObserver {
        var leaves: [Leaf] = []
        func advance(_ fraction: Double) throws(Failure) {}
        func leaf(_ leaf: Leaf) throws(Failure) { leaves.append(leaf) }
    }

    @Test func aJobSplitsByFrame() throws {
        let folder = try moving()
        defer { try? FileManager.default.removeItem(at: folder) }
        let app = RenderApp()
        let parameters = RenderParameters(width: 16, height: 16, samples: 2, bounces: 1)
        let spec = try app.specification(
            scene: "s.glb", folder: folder.path, parameters,
            moment: SceneMoment(clock: FrameClock(fps: "10")),
            parts: [
                .init(frame: 0), .init(frame: 5, samples: 0..<1), .init(frame: 5, samples: 1..<2),
            ])
        #expect(spec.parameters["fps"] == .string("10") && spec.parameters["start"] == .string("0"))
        #expect(try TaskSpec(canonical: spec.canonical) == spec)
        let blobs = try spec.parts.map { part in
            try app.prepare(spec, frame: part.frame, inputs: folder.path)
        }
        #expect(blobs[0] != blobs[1] && blobs[1] == blobs[2])
        // Frame 5 is what the scene is at half a second.
        let options = ImportOptions(seconds: 0.5)
        let scene = try Scene(contentsOf: folder.appendingPathComponent("s.glb"), options: options)
        #expect(try RenderBlob(scene, parameters).bytes == blobs[1])
        #expect(scene.positions[0].x == 0.5)

        guard let device = try TestDevices.any?.open() else { return }
        var leaves: [[Leaf]] = []
        for part in spec.parts.indices {
            let collector = Collector()
            let run = AppRun(
                spec: spec, part: part, blob: blobs[part], sliceSeconds: 0.05,
                clock: MonotonicClock())
            _ = try app.run(run, on: device, observer: collector)
            leaves.append(collector.leaves)
        }
        #expect(leaves[0][0].bytes != leaves[1][0].bytes)
        let files = try app.present(spec, leaves: leaves, folder: folder.path)
        #expect(
            files.map { $0.dropFirst(folder.path.count + 1) } == [
                "picture.0000.png", "picture.0000.exr", "picture.0005.png", "picture.0005.exr",
            ])
        #expect(files.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    /// A task says how long its shutter is open, and its blob has the moments that are meant.
    @Test func aJobKeepsItsShutter() throws {
        let folder = try moving()
        defer { try? FileManager.default.removeItem(at: folder) }
        let app = RenderApp()
        let parameters = RenderParameters(width: 16, height: 16, samples: 4, bounces: 1)
        let moment = SceneMoment(
            clock: FrameClock(fps: "4"), shutter: Shutter(fraction: "0.8", steps: 2))
        let spec = try app.specification(
            scene: "s.glb", folder: folder.path, parameters, moment: moment,
            parts: [.init(frame: 3)])
        #expect(try TaskSpec(canonical: spec.canonical) == spec)
        #expect(try SceneMoment(spec) == moment)
        let blob = try RenderBlob(bytes: app.prepare(spec, frame: 3, inputs: folder.path))
        // Frame 3 is at 0.75 s, where the shutter is open from 0.65 s to 0.85 s.
        let places = blob.steps.map { Float(bitPattern: $0.words[$0.offset(.vertices)]) }
        #expect(places.count == 2)
        #expect((places[0] - 0.7).magnitude < 1e-6 && (places[1] - 0.8).magnitude < 1e-6)
        var sharp = spec
        sharp.parameters["shutter"] = nil
        #expect(try app.prepare(sharp, frame: 3, inputs: folder.path) != blob.bytes)
        var wrong = spec
        wrong.parameters["shutter"] = .string("2")
        let failure = #expect(throws: Failure.self) {
            _ = try app.prepare(wrong, frame: 3, inputs: folder.path)
        }
        #expect(
            failure?.message == "render: parameter shutter: more than 0, at most 1 expected")
    }

    @Test func specificationsThatMakeNoSenseAreRefused() throws {
        let folder = try moving()
        defer { try? FileManager.default.removeItem(at: folder) }
        let app = RenderApp()
        var spec = try app.specification(scene: "s.glb", folder: folder.path, RenderParameters())
        #expect(spec.parameters["start"] == nil && spec.parameters["fps"] == nil)
        spec.parts = [.init(frame: 3)]
        let frame = #expect(throws: Failure.self) {
            _ = try app.prepare(spec, frame: 3, inputs: folder.path)
        }
        #expect(frame?.message == "render: parameter fps: expected, since parts have frames")
        for (name, value, said) in [
            ("fps", .int(24), "render: parameter fps: text expected"),
            ("start", .string("x"), "render: parameter start: seconds expected"),
            ("animation", .string("Run"), "s.glb: animation: no time given"),
            ("variant", .string("red"), "s.glb: variant \"red\": the file has none"),
        ] as [(String, TaskSpec.Parameter, String)] {
            var wrong = spec
            wrong.parameters[name] = value
            let failure = #expect(throws: Failure.self) {
                _ = try app.prepare(wrong, frame: 0, inputs: folder.path)
            }
            #expect(failure?.message == said)
        }
    }

    /// A scene without a camera is seen from one place in all frames, however they are cut.
    @Test func theAutomaticCameraStandsStill() throws {
        let folder = try moving(hasCamera: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let app = RenderApp()
        let parameters = RenderParameters(width: 16, height: 16, samples: 2, bounces: 1)
        let url = folder.appendingPathComponent("s.glb")
        let still = try Scene(contentsOf: url, options: ImportOptions(seconds: 1))
        let place = Camera.automatic(framing: still, width: 16, height: 16)
        for frames in [[5, 10], [10]] {
            let spec = try app.specification(
                scene: "s.glb", folder: folder.path, parameters,
                moment: SceneMoment(clock: FrameClock(start: "1", fps: "10")),
                parts: frames.map { .init(frame: $0) })
            var scene = try Scene(contentsOf: url, options: ImportOptions(seconds: 2))
            let own = try RenderBlob(scene, parameters).bytes
            scene.steadyCamera = place
            let blob = try app.prepare(spec, frame: 10, inputs: folder.path)
            #expect(try RenderBlob(scene, parameters).bytes == blob && own != blob)
        }
    }
}
