import Core
import Foundation
import Imaging
import Rendering
import RigorTestKit
import Testing

/// A small picture of each thing that the integrator does, and the root of its result: the same
/// today, on the first implementation there is, as when they were recorded. docs/pictures.md shows
/// them.
///
/// With RIGOR_RECORD_PICTURES set they are recorded anew: look at each, and say in CHANGELOG why
/// it moved.
@Suite(.serialized) struct FeaturePictureTests {
    private static let parameters = RenderParameters(
        width: 96, height: 72, samples: 128, bounces: 5)
    private static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let rootsFile = repository.appendingPathComponent("Benchmarks/pictures.json")
    private static let folder = repository.appendingPathComponent("docs/images/features")
    private static let isRecording =
        ProcessInfo.processInfo.environment["RIGOR_RECORD_PICTURES"] != nil

    private static func file(_ name: String) -> URL {
        let words = name.split(separator: " ").joined(separator: "-")
        return folder.appendingPathComponent(words + ".png")
    }

    private static func recordedRoots() throws -> [String: String] {
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: rootsFile))
        return try #require(document as? [String: String])
    }

    @Test func everyPictureIsAsRecorded() throws {
        guard let device = try TestDevices.any?.open() else { return }
        var roots: [String: String] = [:]
        var recorded = Self.isRecording ? [:] : try Self.recordedRoots()
        for (name, scene) in FeatureScene.all {
            let tiles = try renderTiles(scene, Self.parameters, on: device)
            roots[name] = root(tiles).description
            let picture = try Picture(
                tiles, width: Self.parameters.width, height: Self.parameters.height)
            let png = try picture.png()
            if Self.isRecording {
                try Data(png).write(to: Self.file(name))
                continue
            }
            #expect(roots[name] == recorded.removeValue(forKey: name), "\(name)")
            let limits = ImageLimits(sideMax: 1024, pixelsMax: 1 << 20)
            let shown = try PNG.decode(png, limits: limits)
            let kept = try PNG.decode(Bytes(Data(contentsOf: Self.file(name))), limits: limits)
            #expect(shown.pixels == kept.pixels, "\(name)")
        }
        guard Self.isRecording else {
            #expect(recorded.isEmpty, "recorded, and no longer a scene: \(recorded.keys)")
            return
        }
        let bytes = try JSONSerialization.data(
            withJSONObject: roots, options: [.prettyPrinted, .sortedKeys])
        try (bytes + Data("\n".utf8)).write(to: Self.rootsFile)
    }

    /// The page shows every picture.
    @Test func thePageShowsThemAll() throws {
        let page = try String(
            contentsOf: Self.repository.appendingPathComponent("docs/pictures.md"),
            encoding: .utf8)
        for (name, _) in FeatureScene.all {
            let path = "images/features/\(Self.file(name).lastPathComponent)"
            #expect(page.contains(path), "\(path)")
        }
    }
}
