import Core
import Foundation
import Inference
import RigorTestKit
import Testing

/// Writes protocol buffers field by field, as another program would have.
private enum Proto {
    static func varint(_ value: Int) -> Bytes {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
    }

    static func number(_ field: Int, _ value: Int) -> Bytes { varint(field << 3) + varint(value) }

    static func bytes(_ field: Int, _ bytes: Bytes) -> Bytes {
        varint(field << 3 | 2) + varint(bytes.count) + bytes
    }

    static func text(_ field: Int, _ text: String) -> Bytes { bytes(field, Bytes(text.utf8)) }

    static func tensor(_ tensor: Tensor) -> Bytes {
        tensor.shape.flatMap { number(1, $0) } + number(2, Int(tensor.type.rawValue))
            + bytes(9, tensor.bytes)
    }

    static func port(_ name: String, _ type: Bytes) -> Bytes { text(1, name) + bytes(2, type) }
}

@Suite struct ConformanceTests {
    private let one = Tensor([1, -2.5], shape: [2])
    private let two = Tensor([7], type: .int64, shape: [])

    // MARK: Files of values

    @Test func typesSayWhatAFileHolds() throws {
        let float = Proto.bytes(1, Proto.number(1, 1))
        let sequence = Proto.bytes(4, Proto.bytes(1, float))
        let graph =
            Proto.bytes(5, Proto.text(8, "weights"))
            + Proto.bytes(11, Proto.port("x", float))
            + Proto.bytes(11, Proto.port("weights", float))
            + Proto.bytes(11, Proto.port("s", sequence))
            + Proto.bytes(12, Proto.port("o", Proto.bytes(9, Proto.bytes(1, sequence))))
            + Proto.bytes(12, Proto.port("m", Proto.bytes(5, [])))
            + Proto.bytes(12, Proto.text(1, "y"))
        let ports = try GraphPorts(Data(Proto.number(1, 8) + Proto.bytes(7, graph)))
        #expect(
            ports.inputs == [.init(name: "x", kind: .tensor), .init(name: "s", kind: .sequence)])
        #expect(
            ports.outputs == [
                .init(name: "o", kind: .optional), .init(name: "m", kind: .other),
                .init(name: "y", kind: .tensor),
            ])
    }

    private func value(_ kind: GraphPorts.Kind, _ bytes: Bytes) throws(Failure) -> ModelValue {
        try ModelLoader.value(Data(bytes), for: .init(name: "x", kind: kind), "input_0.pb")
    }

    @Test func tensorsSequencesAndOptionals() throws {
        let tensors = [one, two].map { Proto.bytes(3, Proto.tensor($0)) }
        let sequence = Proto.text(1, "x") + Proto.number(2, 1) + tensors[0] + tensors[1]
        #expect(try value(.tensor, Proto.tensor(one)) == .tensor(one))
        #expect(try value(.sequence, sequence) == .sequence([one, two]))
        #expect(try value(.sequence, Proto.text(1, "x")) == .sequence([]))
        #expect(try value(.optional, Proto.number(2, 1) + tensors[1]) == .tensor(two))
        let inner = Proto.bytes(5, sequence)
        #expect(try value(.optional, Proto.number(2, 3) + inner) == .sequence([one, two]))
        #expect(try value(.optional, Proto.bytes(5, [])) == .sequence([]))
        #expect(try value(.optional, []) == .absent)
    }

    @Test func otherValuesAreRefusedAndDamageIsSaid() throws {
        let nested = Proto.bytes(5, Proto.text(1, "x"))
        let map = Proto.bytes(6, [])
        for (kind, bytes) in [
            (GraphPorts.Kind.sequence, nested), (.sequence, map), (.optional, map), (.other, []),
        ] {
            let failure = #expect(throws: Failure.self) { try value(kind, bytes) }
            #expect(
                failure?.code == .unsupported && failure?.message.hasPrefix("input_0.pb") == true)
        }
        for kind in [GraphPorts.Kind.tensor, .sequence, .optional] {
            let failure = #expect(throws: Failure.self) { try value(kind, [0x1a, 5, 1]) }
            #expect(failure?.code == .malformed && failure?.message.hasPrefix("input_0.pb") == true)
        }
        // An element says which it is.
        let bad = Proto.bytes(3, Proto.tensor(one)) + Proto.bytes(3, [0x08, 2, 0x10, 1])
        let failure = #expect(throws: Failure.self) { try value(.sequence, bad) }
        #expect(failure?.message.contains("element 1: 0 elements; 2 expected") == true)
    }

    // MARK: Cases

    /// A folder of cases, gone with the last use of it.
    private final class Cases {
        let path = NSTemporaryDirectory() + "/conformance-\(UUID().uuidString)"

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ place: String, _ bytes: Bytes) throws {
            let file = URL(fileURLWithPath: "\(path)/\(place)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }

        /// One of the fixtures with the values in it as files.
        func add(_ name: String, as place: String, _ edit: (Tensor) -> Tensor = { $0 }) throws {
            let data = try Data(contentsOf: URL(filePath: Fixtures.path("operators", name)))
            try write("\(place)/model.onnx", Bytes(data))
            let item = try OperatorTests.Case(name)
            for (index, input) in item.model.inputs.enumerated() {
                let value = try #require(item.inputs[input.name])
                try write("\(place)/test_data_set_0/input_\(index).pb", Proto.tensor(value))
            }
            for (index, value) in item.expected.enumerated() {
                let file = "\(place)/test_data_set_0/output_\(index).pb"
                try write(file, Proto.tensor(edit(value)))
            }
        }

        func verdict(_ name: String) throws -> ConformanceCase.Verdict {
            let all = try ConformanceCase.all(below: path)
            let item = try #require(all.first { $0.name == name })
            return item.verdict(on: try #require(TestDevices.any).open())
        }
    }

    @Test func casesAreFoundByName() throws {
        let cases = Cases()
        let nothing = #expect(throws: Failure.self) { try ConformanceCase.all(below: cases.path) }
        #expect(nothing?.message.contains("no case in it") == true)
        try cases.add("add.onnx", as: "b/two")
        try cases.add("abs.onnx", as: "a/one")
        try cases.write("c/model.onnx", [])
        #expect(try ConformanceCase.all(below: cases.path).map(\.name) == ["a/one", "b/two"])
        #expect(try ConformanceCase.all(below: "\(cases.path)/b/two").map(\.name) == ["two"])
    }

    @Test func aCasePassesOrSaysWhyNot() throws {
        let cases = Cases()
        try cases.add("add.onnx", as: "right")
        #expect(try cases.verdict("right") == .passed)
        try cases.add("add.onnx", as: "wrong") { tensor in
            var values = tensor.floats ?? []
            values[values.count - 1] += 1
            return Tensor(values, shape: tensor.shape)
        }
        let wrong = try cases.verdict("wrong")
        #expect(wrong.name == "failed" && wrong.reason?.contains("; 1 of ") == true, "\(wrong)")
        // Its own tolerance lets the same pass.
        try cases.add("add.onnx", as: "loose") { tensor in
            Tensor((tensor.floats ?? []).map { $0 + 1 }, shape: tensor.shape)
        }
        #expect(try cases.verdict("loose").name == "failed")
        try cases.write("loose/tolerance.json", Bytes("{\"rtol\": 0, \"atol\": 1.01}".utf8))
        #expect(try cases.verdict("loose") == .passed)
        try cases.write("loose/tolerance.json", Bytes("{\"rtol\": -1}".utf8))
        #expect(try cases.verdict("loose").reason?.contains("tolerance.json") == true)
    }

    /// A second set of values counts as the first does.
    @Test func everyDataSetIsCompared() throws {
        let cases = Cases()
        try cases.add("abs.onnx", as: "x")
        let item = try OperatorTests.Case("abs.onnx")
        let input = try #require(item.inputs[item.model.inputs[0].name])
        try cases.write("x/test_data_set_1/input_0.pb", Proto.tensor(input))
        try cases.write("x/test_data_set_1/output_0.pb", Proto.tensor(input))
        #expect(try cases.verdict("x").reason?.hasPrefix("test_data_set_1: output") == true)
        try cases.write("x/test_data_set_1/output_1.pb", Proto.tensor(input))
        #expect(try cases.verdict("x").reason?.contains("2 files output_N.pb; 1 expected") == true)
    }

    /// Only what the model asks for may be refused: nothing passes as such that was not compared.
    @Test func refusalsAreOfModels() throws {
        let cases = Cases()
        try cases.add("abs.onnx", as: "x")
        for name in ["unknown-operator", "domain"] {
            let path = Fixtures.path("hostile", "\(name).onnx")
            try cases.write("x/model.onnx", Bytes(try Data(contentsOf: URL(filePath: path))))
            let verdict = try cases.verdict("x")
            #expect(verdict.name == "refused" && verdict.reason?.contains("supported") == true)
        }
        try cases.add("abs.onnx", as: "x")
        let output = Proto.number(1, 1) + Proto.number(2, 99) + Proto.bytes(9, [0])
        try cases.write("x/test_data_set_0/output_0.pb", output)
        #expect(try cases.verdict("x").name == "failed")
        try cases.write("x/model.onnx", [1, 2, 3])
        #expect(try cases.verdict("x").name == "broken")
    }
}
