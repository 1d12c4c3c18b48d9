import Compute
import Core
import Digest
import Foundation
import Inference
import RigorTestKit
import Testing

/// Models in use, unchanged, where they are at hand (scripts/install-test-models): the same bits on
/// every device, in every batch and with every tuning, as `Benchmarks/models.json` has them.
@Suite(.serialized) struct RealModelTests {
    struct Item: CustomStringConvertible, Sendable {
        var description: String
        var path: String
        /// Shapes of float inputs; values are drawn from -1 to 1.
        var floats: [String: [Int]] = [:]
        /// Greatest values of integer inputs, below which they are drawn, and shapes.
        var integers: [String: (Int, [Int])] = [:]
        var scalars: [String: Int] = [:]
        /// What puts it there.
        var source = "scripts/install-test-models"

        var url: URL { RealModelTests.folder.appendingPathComponent(path) }
    }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let folder = repository.appendingPathComponent(".build/test-models")
    static let goldenFile = repository.appendingPathComponent("Benchmarks/models.json")

    static let items =
        [
            Item(
                description: "ppocr-v4-det", path: "rapidocr/ch_PP-OCRv4_det_infer.onnx",
                floats: ["x": [1, 3, 160, 160]]),
            Item(
                description: "ppocr-v4-rec", path: "rapidocr/ch_PP-OCRv4_rec_infer.onnx",
                floats: ["x": [1, 3, 48, 160]]),
            Item(
                description: "ppocr-v2-cls", path: "rapidocr/ch_ppocr_mobile_v2.0_cls_infer.onnx",
                floats: ["x": [2, 3, 48, 192]]),
            Item(
                description: "magika-3.3", path: "magika/model.onnx",
                integers: ["bytes": (257, [2, 2048])]),
            Item(
                description: "silero-vad-16k", path: "silero/silero_vad_16k_op15.onnx",
                floats: ["input": [1, 576], "state": [2, 1, 128]], scalars: ["sr": 16000]),
            Item(
                description: "silero-vad", path: "silero/silero_vad.onnx",
                floats: ["input": [1, 576], "state": [2, 1, 128]], scalars: ["sr": 16000]),
            Item(
                description: "silero-vad-sequence", path: "silero/silero_vad_16k_sequence.onnx",
                floats: ["input": [5, 576], "h": [1, 1, 128], "c": [1, 1, 128]]),
            Item(
                description: "silero-vad-half", path: "silero/silero_vad_half.onnx",
                floats: ["input": [1, 576], "state": [2, 1, 128]], scalars: ["sr": 16000]),
            Item(
                description: "minilm", path: "minilm/minilm.onnx",
                integers: [
                    "input_ids": (30000, [2, 16]), "attention_mask": (2, [2, 16]),
                    "token_type_ids": (1, [2, 16]),
                ]),
        ] + light

    /// Networks of the onnx wheel with seeded weights (scripts/models/reseed_light.py), what they
    /// call their input, and whether they are large.
    private static let light: [Item] = [
        ("bvlc_alexnet", "data_0", true), ("densenet121", "data_0", false),
        ("inception_v1", "data_0", false), ("inception_v2", "data_0", false),
        ("resnet50", "gpu_0/data_0", false), ("shufflenet", "gpu_0/data_0", false),
        ("squeezenet", "data_0", false), ("vgg19", "data_0", true),
        ("zfnet512", "gpu_0/data_0", true),
    ].map { name, input, isLarge in
        Item(
            description: "light-\(name)", path: "light/\(name).onnx",
            floats: [input: [1, 3, 224, 224]],
            source: isLarge ? "scripts/install-test-models all" : "scripts/install-test-models")
    }

    /// Those at hand; says which are not.
    static let present = items.filter { item in
        let isThere = FileManager.default.fileExists(atPath: item.url.path)
        if !isThere { TestDevices.skip("\(item): no \(item.path) (\(item.source))") }
        return isThere
    }

    static func inputs(_ item: Item, _ model: Model) throws -> [ModelValue] {
        var generator = SplitMix64(seed: 2026)
        return try model.inputs.map { input in
            if let shape = item.floats[input.name] {
                let values = generator.floats(shape.reduce(1, *))
                return .tensor(Tensor(values, shape: shape))
            }
            if let (limit, shape) = item.integers[input.name] {
                let values = (0..<shape.reduce(1, *)).map { _ in
                    Int64.random(in: 0..<Int64(limit), using: &generator)
                }
                return .tensor(Tensor(values, type: input.type, shape: shape))
            }
            let value = try #require(item.scalars[input.name])
            return .tensor(Tensor([Int64(value)], type: input.type, shape: []))
        }
    }

    /// Root over the outputs, each a leaf.
    static func root(_ model: Model, _ outputs: [ModelValue]) throws -> Hash256 {
        let named = try zip(model.outputs, outputs).map { name, value in
            guard case .tensor(let tensor) = value else { throw Failure(.malformed, "a tensor") }
            return (name: name, tensor: tensor)
        }
        return MerkleTree(leaves: InferenceLeaves.leaves(named, isByItem: false)).root
    }

    static func golden() throws -> [String: String] {
        let data = try Data(contentsOf: goldenFile)
        return try JSONDecoder().decode([String: String].self, from: data)
    }

    /// `RIGOR_RECORD_MODELS=1` writes the file anew: only with a reason in CHANGELOG.
    @Test(arguments: TestDevices.exact.filter { !$0.isSlow })
    func haveTheirGoldenRoots(_ test: TestDevice) throws {
        let device = try test.open()
        let isRecording = ProcessInfo.processInfo.environment["RIGOR_RECORD_MODELS"] == "1"
        var golden = try Self.golden()
        for item in Self.present {
            let model = try ModelLoader.load(path: item.url.path)
            let inputs = try Self.inputs(item, model)
            let session = ModelSession(model, on: device)
            let root = try Self.root(model, try session.run(inputs))
            if isRecording { golden[item.description] = "\(root)" }
            #expect(golden[item.description] == "\(root)", "\(item) on \(test)")
            // Stages are found again, and their memory used again.
            #expect(try Self.root(model, try session.run(inputs)) == root, "\(item) on \(test)")
        }
        if isRecording {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try (encoder.encode(golden) + Data("\n".utf8)).write(to: Self.goldenFile)
        }
    }

    /// Each item's bits are its own: in batches of 1, 7 and 64, on every device, wide and narrow,
    /// on one compute unit, and with other tuning.
    @Test(arguments: TestDevices.exact.filter { !$0.isSlow })
    func itemsAreIndependent(_ test: TestDevice) throws {
        let name = "ppocr-v2-cls"
        guard let item = Self.present.first(where: { $0.description == name }) else { return }
        let model = try ModelLoader.load(path: item.url.path)
        var generator = SplitMix64(seed: 64)
        let each = 3 * 48 * 96
        let pictures = Tensor(generator.floats(64 * each), shape: [64, 3, 48, 96])
        var devices: [(String, OpenCLDevice, Bool)] = [("as shipped", try test.open(), false)]
        devices.append(("narrow", devices[0].1, true))
        if let one = try? test.open(computeUnits: 1).first {
            devices.append(("one unit", one, false))
        }
        for (rows, columns, panel, group) in [(5, 16, 1 << 14, 8), (14, 32, 1 << 22, 16)] {
            var options = OpenCLDevice.Options()
            var tuning = devices[0].1.tuning
            tuning[.gemmRows] = rows
            tuning[.gemmColumns] = columns
            tuning[.inferPanelBytes] = panel
            tuning[.inferGroupItems] = group
            options.tuning = tuning
            devices.append(("tuned \(rows)x\(columns)", try test.open(options), false))
        }
        var expected: [Float]?
        for (label, device, isNarrow) in devices {
            for batch in label == "as shipped" ? [1, 7, 64] : [7] {
                let count = label == "as shipped" ? 64 : 14
                let prepared = try PreparedModel(
                    model, inputs: ["x": pictures.items(0..<count)], batchMax: batch)
                let session = try Session(prepared.plan, on: device, isNarrow: isNarrow)
                let outputs = try session.run(prepared.inputs, items: 0..<count)
                let found = try #require(outputs[0].floats)
                let known = expected ?? found
                expected = known
                #expect(found.bits == Array(known.prefix(found.count)).bits, "\(label), \(batch)")
            }
        }
    }
}
