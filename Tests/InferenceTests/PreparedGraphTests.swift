import Compute
import Core
import Foundation
import Inference
import RigorTestKit
import Testing

/// Models of which no plan can be made before they run, as tasks.
@Suite struct PreparedGraphTests {
    private static func prepared(_ item: OperatorTests.Case) throws -> PreparedGraph {
        try PreparedGraph(item.model, inputs: item.inputs, seed: 5)
    }

    /// What comes out of the bytes is the model: it gives the same, and the same bytes again.
    @Test func everyFixtureComesBack() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        var count = 0
        for name in Fixtures.names("operators") {
            let item = try OperatorTests.Case(name)
            let blob = try Self.prepared(item).encoded
            #expect(try PreparedGraph.begins(blob) && blob == Self.prepared(item).encoded)
            let read = try PreparedGraph(decoding: blob)
            #expect(read.encoded == blob && read.seed == 5, "\(name)")
            // Those of which there is no plan.
            guard (try? PreparedModel(item.model, inputs: item.inputs)) == nil else { continue }
            let inputs = read.inputs.map(ModelValue.tensor)
            let found = try ModelSession(read.model, on: device).run(inputs)
            #expect(try found == ModelSession(item.model, on: device).run(inputs), "\(name)")
            count += 1
        }
        #expect(count > 5)
    }

    /// A damaged blob is refused, or is another sound model that runs or says why not; nothing
    /// crashes.
    @Test func damagedBlobsNeverCrash() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix64(seed: seed)
        var (refused, ran) = (0, 0)
        for name in ["loop-condition.onnx", "loop-turns.onnx", "lstm.onnx", "einsum-three.onnx"] {
            let blob = try Self.prepared(try OperatorTests.Case(name)).encoded
            let header = blob[8..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
            for _ in 0..<300 {
                var damaged = blob
                for _ in 0..<Int.random(in: 1...2, using: &generator) {
                    let at = Int.random(in: 16..<(16 + header), using: &generator)
                    damaged[at] = UInt8.random(in: 0...255, using: &generator)
                }
                guard let read = try? PreparedGraph(decoding: damaged) else {
                    refused += 1
                    continue
                }
                let values = read.inputs.map(ModelValue.tensor)
                ran += (try? ModelSession(read.model, on: device).run(values)) == nil ? 0 : 1
            }
        }
        #expect(refused > 100 && ran > 10, "seed \(seed): \(refused) refused, \(ran) ran")
    }

    /// Names, operators and counts are checked before anything is computed.
    @Test func unsoundModelsAreRefused() throws {
        func model(_ nodes: [Node], inputs: [String] = ["x"], outputs: [String] = ["y"]) -> Model {
            Model(
                opsets: ["": 17],
                graph: Graph(
                    nodes: nodes, constants: [:],
                    inputs: inputs.map { .init(name: $0, type: .float32, shape: nil) },
                    outputs: outputs))
        }
        func node(
            _ type: String, _ inputs: [String], _ output: String,
            _ attributes: [String: Node.Attribute] = [:]
        ) -> Node {
            Node(
                index: 0, name: "", domain: "", type: type, inputs: inputs, outputs: [output],
                attributes: attributes)
        }
        let inner = Graph(
            nodes: [node("Neg", ["later"], "z")], constants: [:], inputs: [], outputs: ["z"])
        let unsound: [Model] = [
            model([node("Neg", ["later"], "y")]), model([node("Nothing", ["x"], "y")]),
            model([node("Neg", ["x"], "x")]), model([node("Neg", ["x", "x"], "y")]),
            model([node("Neg", ["x"], "y")], outputs: ["z"]),
            model([node("Neg", ["x"], "y")], outputs: []),
            model([node("Neg", ["x"], "y")], outputs: ["y", "y"]),
            model([node("Neg", ["x"], "y")], inputs: [""]),
            model([node("If", ["x"], "y", ["then_branch": .graph(inner)])]),
        ]
        let x = Tensor([1], shape: [1])
        for (index, model) in unsound.enumerated() {
            let inputs = Dictionary(
                model.inputs.map { ($0.name, x) }, uniquingKeysWith: { a, _ in a })
            let blob = try PreparedGraph(model, inputs: inputs).encoded
            #expect(throws: Failure.self, "model \(index)") { try PreparedGraph(decoding: blob) }
        }
        let sound = try PreparedGraph(model([node("Neg", ["x"], "y")]), inputs: ["x": x])
        #expect(try PreparedGraph(decoding: sound.encoded).inputs == [x])
        #expect(throws: Failure.self) {
            try PreparedGraph(decoding: Bytes(sound.encoded.dropLast()))
        }
    }

    /// From a specification to leaves: prepared without a plan, computed in stages, stopped when
    /// somebody asks for it.
    @Test func aTaskRunsInStages() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let folder = NSTemporaryDirectory() + "/rigor-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let item = try OperatorTests.Case("loop-turns.onnx")
        try FileManager.default.copyItem(
            atPath: Fixtures.path("operators", item.name), toPath: "\(folder)/model.onnx")
        let x = try #require(item.inputs["x"])
        try Data(NumPy.encode(x)).write(to: URL(fileURLWithPath: "\(folder)/x.npy"))
        let app = InferApp()
        let spec = try app.specification(
            model: "model.onnx", inputs: ["x": ["x.npy"]], seed: 3, folder: folder)
        let blob = try app.prepare(spec, inputs: folder)
        #expect(try PreparedGraph.begins(blob) && PreparedGraph(decoding: blob).seed == 3)
        func run(_ observer: any AppObserver, items: Range<Int>? = nil) throws {
            var spec = spec
            spec.parts = [.init(items: items)]
            _ = try app.run(
                AppRun(
                    spec: spec, part: 0, blob: blob, sliceSeconds: 1e-4, clock: MonotonicClock()),
                on: device, observer: observer)
        }
        let collector = DigitsTests.Collector()
        try run(collector)
        let direct = try ModelSession(item.model, on: device).run([.tensor(x)])
        guard case .tensor(let expected) = direct[0] else { return }
        #expect(collector.leaves.map(\.name) == ["item/0/y"])
        #expect(try InferenceLeaves.tensor(collector.leaves[0].bytes) == expected)
        #expect(collector.parts.count > 5 && collector.parts.last == 1)
        #expect(throws: Failure.self) { try run(DigitsTests.Collector(), items: 0..<2) }

        final class Stopping: AppObserver {
            var slices = 0
            func advance(_ fraction: Double) throws(Failure) {
                slices += 1
                if slices == 3 { throw Failure(.cancelled, "enough") }
            }
            func leaf(_ leaf: Leaf) {}
        }
        let stopping = Stopping()
        let failure = #expect(throws: Failure.self) { try run(stopping) }
        #expect(failure?.code == .cancelled && stopping.slices == 3)
    }
}
