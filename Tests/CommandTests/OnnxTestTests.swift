import Foundation
import Testing

/// `rigor onnx-test`: what it says, and how it ends.
@Suite struct OnnxTestTests {
    /// A case whose model is sound and whose inputs are not there.
    private func run() throws -> CommandLineRun {
        let run = try CommandLineRun()
        let model = try Data(
            contentsOf: URL(fileURLWithPath: CommandLineRun.example("digits/digits.onnx")))
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(
                atPath: run.path("\(name)/test_data_set_0"), withIntermediateDirectories: true)
            try run.write("\(name)/model.onnx", model)
        }
        return run
    }

    @Test func brokenCasesFailTheCommand() throws {
        let run = try run()
        // Nothing, where a tensor is expected: not what the model asks for is at fault.
        try run.write("b/test_data_set_0/input_0.pb", [])
        let result = try run.run(["onnx-test", "."])
        #expect(result.status == 1 && result.errors.isEmpty, "\(result)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("broken  a: test_data_set_0: "), "\(lines)")
        #expect(lines[1].hasPrefix("broken  b: test_data_set_0/input_0.pb: "), "\(lines)")
        #expect(lines.last?.hasPrefix("0 passed, 0 refused, 0 failed, 2 broken of 2 on ") == true)
    }

    @Test func failedCasesFailTheCommand() throws {
        let run = try run()
        // A tensor of [1], float, 0, which is no picture.
        try run.write(
            "a/test_data_set_0/input_0.pb", [0x08, 1, 0x10, 1, 0x4a, 4, 0, 0, 0, 0])
        let result = try run.run(["onnx-test", "a"])
        #expect(result.status == 1 && result.errors.isEmpty, "\(result)")
        #expect(result.output.hasPrefix("failed  a: "), "\(result)")
        #expect(result.output.contains("\n0 passed, 0 refused, 1 failed of 1 on "), "\(result)")
    }

    /// A model of which a part is missing is a file that cannot be read.
    @Test func truncatedModelsAreBroken() throws {
        let run = try run()
        let whole = try Data(contentsOf: URL(fileURLWithPath: run.path("a/model.onnx")))
        for count in [3, whole.count / 2, whole.count - 1] {
            try run.write("a/model.onnx", whole.prefix(count))
            let result = try run.run(["onnx-test", "a"])
            #expect(result.status == 1 && result.errors.isEmpty, "\(result)")
            #expect(result.output.hasPrefix("broken  a: "), "\(count): \(result)")
        }
    }

    @Test func listedCasesAsADocument() throws {
        let run = try run()
        try run.write("names.txt", Array("b\n".utf8))
        let result = try run.run(["onnx-test", ".", "--list", "names.txt", "--json"])
        let document = try result.document()
        #expect(result.status == 1 && document["broken"] as? Int == 1, "\(result)")
        let cases = try #require(document["cases"] as? [[String: Any]])
        #expect(cases.count == 1 && cases[0]["name"] as? String == "b")
        #expect((cases[0]["reason"] as? String)?.contains("0 files input_N.pb; 1 expected") == true)
        try run.write("names.txt", Array("b\nc\n".utf8))
        try run.expectFailure(["onnx-test", ".", "--list", "names.txt"], "names.txt", "\"c\"")
    }

    @Test func foldersWithoutCasesAreSaid() throws {
        let run = try CommandLineRun()
        try run.expectFailure(["onnx-test", "."], "no case in it", "model.onnx")
        try run.expectFailure(["onnx-test", "none"], "none: no case in it")
    }
}
