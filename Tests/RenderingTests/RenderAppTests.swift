import Compute
import Core
import Foundation
import Imaging
import Rendering
import RigorTestKit
import Testing

/// A job's whole way through the app, on the scene that ships with the project.
@Suite struct RenderAppTests {
    private static let examples = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Examples/scene").path

    private final class Collector: AppObserver {
        var leaves: [Leaf] = []
        var fractions: [Double] = []
        var stopAfter = Int.max

        func advance(_ fraction: Double) throws(Failure) {
            fractions.append(fraction)
            if fractions.count > stopAfter { throw Failure(.cancelled, "stopped") }
        }

        func leaf(_ leaf: Leaf) throws(Failure) { leaves.append(leaf) }
    }

    private let parameters = RenderParameters(width: 48, height: 40, samples: 3, bounces: 2)

    private func run(
        _ spec: TaskSpec, _ blob: Bytes, part: Int, _ observer: Collector
    ) throws -> [Leaf]? {
        guard let device = try TestDevices.any?.open() else { return nil }
        let run = AppRun(
            spec: spec, part: part, blob: blob, sliceSeconds: 0.02, clock: MonotonicClock())
        _ = try RenderApp().run(run, on: device, observer: observer)
        return observer.leaves
    }

    @Test func partsMakeOnePicture() throws {
        let app = RenderApp()
        let spec = try app.specification(
            scene: "demo.glb", folder: Self.examples, parameters,
            parts: [.init(samples: 0..<1), .init(samples: 1..<3)])
        #expect(spec.inputs["demo.glb"] != nil)
        #expect(try TaskSpec(canonical: spec.canonical) == spec)
        let blob = try app.prepare(spec, inputs: Self.examples)
        var leaves: [[Leaf]] = []
        for part in 0..<2 {
            let collector = Collector()
            guard let found = try run(spec, blob, part: part, collector) else { return }
            #expect(found.map(\.index) == Array(0..<4))
            #expect(collector.fractions.last == 1)
            leaves.append(found)
        }
        var whole = spec
        whole.parts = [.init()]
        guard let all = try run(whole, blob, part: 0, Collector()) else { return }
        for (index, leaf) in all.enumerated() {
            var merged = try TileSums(leaves[1][index])
            try merged.add(try TileSums(leaves[0][index]))
            #expect(merged == (try TileSums(leaf)))
        }

        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-render-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try app.present(spec, leaves: leaves, folder: folder.path)
        let png = try Data(contentsOf: URL(fileURLWithPath: files[0]))
        let picture = try PNG.decode(Bytes(png))
        #expect(picture.width == 48 && picture.height == 40)
        #expect(Set(picture.pixels).count > 20)
    }

    @Test func stopsWhenAsked() throws {
        let app = RenderApp()
        let spec = try app.specification(scene: "demo.glb", folder: Self.examples, parameters)
        let blob = try app.prepare(spec, inputs: Self.examples)
        let collector = Collector()
        collector.stopAfter = 0
        guard TestDevices.any != nil else { return }
        let failure = #expect(throws: Failure.self) {
            _ = try run(spec, blob, part: 0, collector)
        }
        #expect(failure?.code == .cancelled)
    }

    @Test func refusesSpecificationsThatMakeNoSense() throws {
        let app = RenderApp()
        let spec = try app.specification(scene: "demo.glb", folder: Self.examples, parameters)
        for (name, value) in [
            ("width", TaskSpec.Parameter.int(0)), ("samples", .string("many")),
            ("seed", .string("x")), ("scene", .string("../demo.glb")), ("camera", .string("Door")),
        ] {
            var wrong = spec
            wrong.parameters[name] = value
            #expect(throws: Failure.self, "\(name)") {
                _ = try app.prepare(wrong, inputs: Self.examples)
            }
        }
    }

    /// How the picture is shown is part of the task, and of nothing that is computed.
    @Test func looksAreParameters() throws {
        let app = RenderApp()
        let plain = try app.specification(scene: "demo.glb", folder: Self.examples, parameters)
        let look = PictureLook(exposure: -1.5, view: .agx, bits: 16)
        let spec = try app.specification(
            scene: "demo.glb", folder: Self.examples, parameters, look: look)
        #expect(try PictureLook(TaskSpec(canonical: spec.canonical)) == look)
        #expect(try PictureLook(plain) == PictureLook())
        #expect(
            try app.prepare(spec, inputs: Self.examples)
                == app.prepare(plain, inputs: Self.examples))
        for (name, value) in [
            ("view", TaskSpec.Parameter.string("filmic")), ("view", .int(1)),
            ("exposure", .string("33")), ("exposure", .string("nan")), ("png_bits", .int(12)),
        ] {
            var wrong = spec
            wrong.parameters[name] = value
            let failure = #expect(throws: Failure.self) { _ = try PictureLook(wrong) }
            #expect(failure?.message.contains(name) == true)
        }
    }

    @Test func lensesAndNoiseTargetsAreParameters() throws {
        let app = RenderApp()
        var wanted = parameters
        wanted.samples = 64
        wanted.lens = Lens(.fStop(2.8), focusDistance: 1.5)
        wanted.noise = NoiseTarget(level: 0.06, samplesMin: 8)
        let spec = try app.specification(
            scene: "demo.glb", folder: Self.examples, wanted,
            parts: [.init(tiles: 0..<1), .init(tiles: 1..<4)])
        let blob = try app.prepare(spec, inputs: Self.examples)
        #expect(try blob == RenderBlob(Self.scene, wanted).bytes)
        var tiles: [TileSums] = []
        for part in 0..<2 {
            guard let found = try run(spec, blob, part: part, Collector()) else { return }
            tiles += try found.map { try TileSums($0) }
        }
        guard let device = try TestDevices.any?.open() else { return }
        var frame = try PartialFrame(width: 48, height: 40, noise: wanted.noise)
        let run = try RenderRun(
            try RenderBlob(bytes: blob), on: device, clock: MonotonicClock())
        try run.render(&frame, samples: 64) { _, _ throws(Failure) in true }
        #expect(tiles == frame.tiles)

        for (name, value) in [
            ("focus_distance", TaskSpec.Parameter?.none), ("focus_distance", .string("0")),
            ("f_stop", .string("x")), ("aperture", .string("0.1")), ("noise", .string("0")),
            ("noise", .int(1)), ("samples_min", .int(0)),
        ] {
            var wrong = spec
            wrong.parameters[name] = value
            #expect(throws: Failure.self, "\(name)") {
                _ = try app.prepare(wrong, inputs: Self.examples)
            }
        }
    }

    private static var scene: Scene {
        get throws {
            try Scene(contentsOf: URL(fileURLWithPath: examples + "/demo.glb"))
        }
    }
}
