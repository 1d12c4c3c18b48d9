import Compute
import Core
import Foundation
import Rendering
import RigorTestKit
import Testing

/// The kernels against the slow tracer, which knows neither trees nor queues: every sum is equal.
@Suite(.serialized) struct ReferenceTests {
    private static let small = RenderParameters(width: 14, height: 10, samples: 2, bounces: 3)

    /// The first difference of a render from the reference, tile by tile; nil where there is none.
    private func difference(
        _ blob: RenderBlob, samples: Int, on device: any ComputeDevice,
        isNarrow: Bool? = nil
    ) throws -> ReferenceTracer.Difference? {
        let reference = ReferenceTracer(blob)
        let grid = RenderParameters(width: blob.width, height: blob.height)
        for tile in 0..<grid.tileCount {
            let found = try reference.difference(
                in: tile, samples: 0..<samples
            ) { (blob: RenderBlob, samples: Range<Int>) throws(Failure) in
                let run = try RenderRun(
                    blob, on: device, clock: MonotonicClock(), tuning: .init(isNarrow: isNarrow))
                var sums: [TileSums] = []
                try run.render(
                    tiles: tile..<tile + 1, samples: samples,
                    advance: { (_: Double) throws(Failure) in },
                    finish: { (tile: TileSums) throws(Failure) in sums.append(tile) })
                return sums[0]
            }
            if let found { return found }
        }
        return nil
    }

    private func text(_ difference: ReferenceTracer.Difference?) -> String {
        difference?.description ?? ""
    }

    private static func blob(
        _ scene: Scene, _ parameters: RenderParameters = small
    ) throws -> RenderBlob { try RenderBlob(scene, parameters) }

    /// Implementations that keep subnormals, each with the kernels it prefers (nil), and the
    /// narrow ones on one.
    private static let variants: [(TestDevice, Bool?)] = {
        let quick = TestDevices.exact.filter { !$0.isSlow }
        return quick.map { ($0, nil) } + quick.prefix(1).map { ($0, true) }
    }()

    @Test(arguments: variants) func throughALens(_ test: TestDevice, isNarrow: Bool?) throws {
        var parameters = Self.small
        parameters.lens = Lens(.metres(0.4), focusDistance: 3)
        let blob = try Self.blob(SceneMaker.room, parameters)
        let device = try test.open()
        let found = try difference(blob, samples: 2, on: device, isNarrow: isNarrow)
        #expect(found == nil, "\(text(found))")
    }

    @Test(arguments: variants) func everyFeature(_ test: TestDevice, isNarrow: Bool?) throws {
        let device = try test.open()
        for (name, scene) in FeatureScene.all {
            let blob = try Self.blob(scene)
            let found = try difference(blob, samples: 2, on: device, isNarrow: isNarrow)
            #expect(found == nil, "\(name): \(text(found))")
        }
    }

    @Test(arguments: variants) func randomScenes(_ test: TestDevice, isNarrow: Bool?) throws {
        let device = try test.open()
        let given = ProcessInfo.processInfo.environment["RIGOR_SEED"].flatMap { UInt64($0) }
        let seed = UInt64.random(in: 0..<1 << 40)
        let first = given ?? seed
        let count = ProcessInfo.processInfo.environment["RIGOR_SCENES"].flatMap { UInt64($0) } ?? 12
        print("seeds from \(first)")
        for seed in first..<first + count {
            let parameters = RenderParameters(
                width: 12, height: 9, samples: 2, bounces: 4, seed: seed,
                indirectMax: seed % 3 == 0 ? 0.8 : nil)
            // Every other one with all its lights in a tree.
            let blob = try RenderBlob(
                RandomScene.make(seed: seed), parameters, treeLightsMin: seed % 2 == 0 ? 2 : .max)
            let found = try difference(blob, samples: 2, on: device, isNarrow: isNarrow)
            #expect(found == nil, "RIGOR_SEED=\(seed): \(text(found))")
        }
    }

    /// Micro-sized, so that simulators finish; kernels by each device's own preference.
    @Test func everyImplementation() throws {
        let micro = RenderParameters(width: 6, height: 5, samples: 1, bounces: 2)
        let blob = try Self.blob(SceneMaker.room, micro)
        for test in TestDevices.all {
            let found = try difference(blob, samples: 1, on: test.open())
            #expect(found == nil, "\(test): \(text(found))")
        }
    }

    @Test func demoScene() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let files = SceneFiles(folder: ImportDemoSceneTests.folder)
        let scene = try Scene(importing: "demo.glb", from: files)
        let blob = try Self.blob(
            scene, RenderParameters(width: 16, height: 9, samples: 1, bounces: 4))
        let found = try difference(blob, samples: 1, on: device)
        #expect(found == nil, "\(text(found))")
    }

    /// A blob is bytes from strangers: where its camera is nowhere, rays find the same texel
    /// everywhere, and none outside the picture.
    @Test(arguments: [Float.nan, .infinity]) func aCameraThatIsNowhere(_ nowhere: Float) throws {
        guard let device = try TestDevices.any?.open() else { return }
        let blob = try Self.blob(SceneMaker.room)
        for word in [BlobLayout.Word.camera, BlobLayout.Word.forward, BlobLayout.Word.up] {
            var bytes = blob.bytes
            bytes.replaceSubrange(
                4 * word..<4 * word + 4, with: nowhere.bitPattern.littleEndianBytes)
            let found = try difference(RenderBlob(bytes: bytes), samples: 2, on: device)
            #expect(found == nil, "\(text(found))")
        }
    }

    // MARK: - Whether the comparison can fail

    /// One number of the blob larger by about 2⁻⁷ of itself, for the reference alone: seen wherever
    /// it stands.
    @Test func aChangedNumberIsSeen() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let blob = try Self.blob(SceneMaker.room)
        let tile = try renderTiles(SceneMaker.room, Self.small, on: device)[0]
        #expect(tile == ReferenceTracer(blob).tile(0, samples: 0..<2))
        typealias Word = BlobLayout.Word
        let places: [(String, Int)] = [
            ("the camera's place", Word.camera + 2), ("the picture's width", Word.twoOverWidth),
            ("a vertex", blob.offset(.vertices) + 1), ("a colour", blob.offset(.materials)),
            ("a roughness", blob.offset(.materials) + BlobLayout.Section.materials.stride * 4 + 5),
            ("a light", blob.offset(.lights) + 7), ("a chance", blob.offset(.emitters) + 6),
            ("the environment", blob.offset(.environmentTexels)),
            ("the environment's density", Word.environmentDensity),
        ]
        for (name, word) in places {
            var bytes = blob.bytes
            bytes[4 * word + 2] ^= 1
            let other = try ReferenceTracer(RenderBlob(bytes: bytes))
            let isSeen = tile != other.tile(0, samples: 0..<2)
            #expect(isSeen, "\(name)")
        }
    }

    /// One constant or one comparison of the kernels changed: seen, with the bounce where it tells.
    @Test(arguments: [
        ("0x1.45f306p-2f", "0x1.45f308p-2f", 0), ("depth > 0u", "depth > 1u", 1),
        ("0x1.ffep-1f", "0x1.0p-1f", 0),
    ])
    func aChangedKernelIsSeen(_ text: String, _ other: String, _ bounce: Int) throws {
        guard let base = try TestDevices.any?.open() else { return }
        let device = FlakyDevice(
            base,
            [
                .rewrite { source in
                    guard let own = try? source.text(), own.contains(text) else { return source }
                    return ProgramSource(
                        source.name, customText: own.replacing(text, with: other),
                        defines: source.defines)
                }
            ])
        let blob = try Self.blob(SceneMaker.room)
        let found = try #require(
            try difference(blob, samples: 2, on: device, isNarrow: true), "\(text)")
        #expect(found.bounce >= bounce)
        #expect(found.trace.count >= found.bounce, "\(found)")
    }
}
