import Compute
import Core
import Foundation
import Inference
import RigorTestKit
import Testing

/// Traces name the value, and tensors the element, in which two runs part.
@Suite struct TraceTests {
    private func digits() throws -> (Model, Tensor) {
        let model = try ModelLoader.load(
            path: Fixtures.digits.appendingPathComponent("digits.onnx").path)
        var generator = SplitMix64(seed: 5)
        let shape = model.inputs[0].shape.map { $0 ?? 2 }
        return (model, Tensor(generator.floats(shape.reduce(1, *)), shape: shape))
    }

    @Test func namesWhereRunsPart() throws {
        guard let test = TestDevices.any else { return }
        let device = try test.open()
        let (model, image) = try digits()
        let session = ModelSession(model, on: device)
        let trace = try ModelTrace(of: session, [.tensor(image)])
        #expect(trace.entries.count > 3)
        #expect(trace.entries.last?.output.name == model.outputs.last)
        // Traced, chained and narrow runs hold the same values.
        let narrow = ModelSession(model, on: device, isNarrow: true)
        #expect(try ModelTrace(of: narrow, [.tensor(image)]) == trace)
        #expect(trace.firstDifference(from: trace) == nil)

        var pixels = try #require(image.floats)
        pixels[17] += 0.5
        let other = try ModelTrace(
            of: session, [.tensor(Tensor(pixels, shape: image.shape))])
        #expect(trace.firstDifference(from: other) == 0)
        var short = ModelTrace()
        for entry in trace.entries.dropLast() {
            short.append(entry.output, Tensor([0], shape: [1]))
        }
        #expect(trace.firstDifference(from: short) == 0)
    }

    /// Outputs that the host computed are in a trace too: without them other inputs look the same.
    @Test func outputsOfTheHostAreTraced() throws {
        guard let test = TestDevices.any else { return }
        let node = Node(
            index: 0, name: "", domain: "", type: "NonZero", inputs: ["x"], outputs: ["y"],
            attributes: [:])
        let model = Model(
            opsets: ["": 22],
            graph: Graph(
                nodes: [node], constants: [:],
                inputs: [.init(name: "x", type: .float32, shape: [4])], outputs: ["y"]))
        let session = ModelSession(model, on: try test.open())
        let traces = try [[1, 0, 0, 0], [0, 1, 0, 0]].map { (values: [Float]) in
            try ModelTrace(of: session, [.tensor(Tensor(values, shape: [4]))])
        }
        #expect(traces[0].entries.map(\.output.name) == ["y"])
        #expect(traces[0].firstDifference(from: traces[1]) == 0)
    }

    @Test func comesBackFromJSON() throws {
        guard let test = TestDevices.any else { return }
        let (model, image) = try digits()
        let trace = try ModelTrace(
            of: ModelSession(model, on: try test.open()), [.tensor(image)])
        let data = Data(trace.json.text.utf8)
        #expect(try ModelTrace(decoding: data) == trace)
        for bad in ["", "[]", "{\"format\": 2, \"values\": []}", "{\"format\": 1}"] {
            #expect(throws: Failure.self) { try ModelTrace(decoding: Data(bad.utf8)) }
        }
        let text = String(decoding: data, as: UTF8.self)
        let broken = text.replacingOccurrences(of: "float32", with: "float33")
        #expect(throws: Failure.self) { try ModelTrace(decoding: Data(broken.utf8)) }
    }

    @Test func namesTheElement() throws {
        let a = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        var values: [Float] = [1, 2, 3, 4, 5, 6]
        values[4] = 5.000_000_5
        values[5] = -6
        let difference = try #require(ElementDifference(a, Tensor(values, shape: [2, 3])))
        #expect(difference.place == [1, 1] && difference.count == 2)
        #expect(difference.first == "5.0 (0x40a00000)")
        #expect(difference.second == "5.0000005 (0x40a00001)")
        #expect(ElementDifference(a, a) == nil)
        // Zeros of both signs differ as bits do.
        let zeros = (Tensor([0.0], shape: [1]), Tensor([-0.0 as Float], shape: [1]))
        #expect(ElementDifference(zeros.0, zeros.1) != nil)
    }
}
