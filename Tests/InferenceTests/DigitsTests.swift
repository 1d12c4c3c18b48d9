import Compute
import Core
import Digest
import Foundation
import Inference
import RigorTestKit
import Testing

/// The shipped classifier, as the program and as the app run it.
@Suite struct DigitsTests {
    static let shown = [0, 1, 2, 3, 4, 5, 7, 9]

    static func model() throws -> Model {
        try ModelLoader.load(path: Fixtures.digits.appendingPathComponent("digits.onnx").path)
    }

    static func images(_ model: Model) throws -> Tensor {
        try InputFiles.read(
            shown.map { .file(Fixtures.digits.appendingPathComponent("digit-\($0).png").path) },
            for: model.inputs[0], .init())
    }

    @Test(arguments: TestDevices.quick)
    func readsDigits(_ test: TestDevice) throws {
        let model = try Self.model()
        let images = try Self.images(model)
        let prepared = try PreparedModel(model, inputs: ["image": images])
        let session = try Session(prepared.plan, on: try test.open())
        let scores = try session.run([images])[0]
        #expect(ClassLabels.best(1, of: scores, labels: nil).map { $0[0].index } == Self.shown)
    }

    /// Every item has the same bits alone, in any batch, and on every device.
    @Test func bitsAreEachItemsOwn() throws {
        let model = try Self.model()
        let images = try Self.images(model)
        var roots: Set<Hash256> = []
        for test in TestDevices.quick where test.verdict == .exact {
            for batch in [1, 3, 8] {
                let prepared = try PreparedModel(model, inputs: ["image": images], batchMax: batch)
                let session = try Session(prepared.plan, on: try test.open())
                let scores = try session.run(prepared.inputs, items: 0..<8)
                let leaves = InferenceLeaves.leaves(
                    zip(prepared.plan.outputs, scores).map { ($0.name, $1) },
                    isByItem: prepared.plan.isByItem)
                roots.insert(MerkleTree(leaves: leaves).root)
            }
        }
        #expect(roots.count == 1, "\(roots)")
    }

    // MARK: Blobs

    @Test func blobsComeBack() throws {
        let model = try Self.model()
        let prepared = try PreparedModel(model, inputs: ["image": try Self.images(model)])
        #expect(try PreparedModel(decoding: prepared.encoded) == prepared)
    }

    /// A damaged blob is refused, or is another sound plan; nothing crashes.
    @Test func damagedBlobsNeverCrash() throws {
        let model = try Self.model()
        let images = try Self.images(model).items(0..<1)
        let blob = try PreparedModel(model, inputs: ["image": images]).encoded
        var generator = SplitMix64(seed: 5)
        var refused = 0
        for _ in 0..<400 {
            var damaged = blob
            for _ in 0..<3 {
                let at = Int.random(in: 0..<1500, using: &generator)
                damaged[at] = UInt8.random(in: 0...255, using: &generator)
            }
            do {
                _ = try PreparedModel(decoding: damaged)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 50)
        #expect(throws: Failure.self) { try PreparedModel(decoding: Bytes(blob.prefix(5000))) }
    }

    // MARK: The app

    final class Collector: AppObserver {
        var leaves: [Leaf] = []
        var parts: [Double] = []
        func advance(_ fraction: Double) { parts.append(fraction) }
        func leaf(_ leaf: Leaf) { leaves.append(leaf) }
    }

    static func spec(_ parts: [TaskSpec.Part]) throws -> TaskSpec {
        try InferApp().specification(
            model: "digits.onnx", inputs: ["image": shown.map { "digit-\($0).png" }],
            labels: "labels.txt", top: 1, folder: Fixtures.digits.path, parts: parts)
    }

    static func run(_ spec: TaskSpec, on device: any ComputeDevice) throws -> [[Leaf]] {
        let blob = try InferApp().prepare(spec, inputs: Fixtures.digits.path)
        return try spec.parts.indices.map { part in
            let collector = Collector()
            _ = try InferApp().run(
                AppRun(
                    spec: spec, part: part, blob: blob, sliceSeconds: 0.05,
                    clock: MonotonicClock()), on: device, observer: collector)
            #expect(collector.leaves.map(\.index) == Array(collector.leaves.indices))
            return collector.leaves
        }
    }

    @Test func partsAndWholeAgree() throws {
        guard let device = try TestDevices.any?.open() else { return }
        let whole = try Self.run(try Self.spec([.init()]), on: device)
        let cut = try Self.run(
            try Self.spec([.init(items: 0..<5), .init(items: 5..<8)]), on: device)
        #expect(whole[0].map(\.name) == (0..<8).map { "item/\($0)/probabilities" })
        #expect(cut.joined().map(\.name) == whole[0].map(\.name))
        #expect(cut.joined().map(\.bytes) == whole[0].map(\.bytes))

        let folder = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = try InferApp().present(try Self.spec([.init()]), leaves: whole, folder: folder)
        let text = try String(contentsOfFile: files[0], encoding: .utf8)
        let classes = text.split(separator: "\n").map { $0.split(separator: " ")[1] }
        #expect(classes.map(String.init) == Self.shown.map(String.init))
    }
}
