import Core
import Inference
import RigorTestKit
import Serving
import Testing

/// Models that draw random numbers.
@Suite struct DrawTests {
    private static func request(_ parameters: String, items: Int = 2) throws -> InferRequest {
        let zeros = Array(repeating: "0", count: items * 3).joined(separator: ",")
        return try InferRequest(
            decoding: Bytes(
                """
                {\(parameters)"inputs":[{"name":"x","datatype":"FP32","shape":[\(items),3],\
                "data":[\(zeros)]}]}
                """.utf8))
    }

    @Test func seedsAreWholeNumbers() throws {
        #expect(try Self.request("").seed == 0)
        #expect(try Self.request("\"parameters\":{\"seed\":7},").seed == 7)
        for wrong in ["-1", "\"7\"", "0.5", "true"] {
            #expect(throws: Failure.self, "\(wrong)") {
                try Self.request("\"parameters\":{\"seed\":\(wrong)},")
            }
        }
    }

    /// Each request is computed alone, by its own seed.
    @Test func requestsDrawBySeedAndStayApart() throws {
        guard let test = TestDevices.any else { return }
        let node = Node(
            index: 0, name: "", domain: "", type: "RandomNormalLike", inputs: ["x"],
            outputs: ["y"], attributes: [:])
        let model = Model(
            opsets: ["": 22],
            graph: Graph(
                nodes: [node], constants: [:],
                inputs: [.init(name: "x", type: .float32, shape: [nil, 3])], outputs: ["y"]))
        let runner = ModelRunner(
            try ServedModel(model, name: "noise"), on: try test.open(), batchMax: 8,
            bytesMax: 1 << 28)
        runner.warm()
        let group = try ["", "\"parameters\":{\"seed\":0},", "\"parameters\":{\"seed\":7},"].map {
            try Self.request($0)
        }
        for _ in 0..<3 {
            let found = try runner.answers(group).map { try $0.get() }
            #expect(found[0] == found[1] && found[0] != found[2])
            #expect(try found[2] == runner.answers([group[2]])[0].get())
        }
        #expect(runner.items == .mixed(nil))
    }
}
