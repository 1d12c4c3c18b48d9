import Foundation
import Testing

/// `rigor infer --seed` on a model that draws random numbers.
@Suite(.serialized) struct SeedTests {
    /// y is drawn like x: an ONNX file, field by field.
    private static let noise: [UInt8] = {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(bytes.count)] + bytes
        }
        func text(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
        let float = field(2, field(1, [8, 1]))
        let node = text(1, "x") + text(2, "y") + text(4, "RandomNormalLike")
        let graph =
            field(1, node) + text(2, "noise") + field(11, text(1, "x") + float)
            + field(12, text(1, "y") + float)
        return [8, 10] + field(7, graph) + field(8, [16, 22])
    }()

    /// An array of zeros, [2, 3], as NumPy writes it.
    private static let zeros: [UInt8] = {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
            + Array(header.utf8) + Array(repeating: 0, count: 24)
    }()

    @Test func seedsDecideAndAreSaid() throws {
        let run = try CommandLineRun()
        try run.write("noise.onnx", Self.noise)
        try run.write("x.npy", Self.zeros)
        func document(_ arguments: [String]) throws -> [String: Any]? {
            let result = try run.run(["infer", "noise.onnx", "--json"] + arguments)
            if result.errors.contains("no OpenCL device") {
                print("skip: no OpenCL device")
                return nil
            }
            #expect(result.status == 0, "\(result)")
            return try result.document()
        }
        guard let plain = try document(["--input", "x=x.npy"]) else { return }
        #expect(plain["seed"] as? String == "0")
        var digests: [String?] = [plain["digest"] as? String]
        for seed in ["0", "5", "5", "18446744073709551615"] {
            let found = try document(["--input", "x=x.npy", "--seed", seed])
            #expect(found?["seed"] as? String == seed)
            digests.append(found?["digest"] as? String)
        }
        #expect(digests[0] == digests[1] && digests[2] == digests[3])
        #expect(Set(digests).count == 3)
        // Of a folder each file draws what it does alone.
        _ = try run.shell("mkdir many; cp x.npy many/a.npy; cp x.npy many/b.npy")
        let one = try document(["--input", "x=x.npy", "--seed", "5", "-o", "one.npz"])
        let many = try document(["--input", "x=many", "--seed", "5", "-o", "out/"])
        #expect(one?["seed"] as? String == "5" && many?["seed"] as? String == "5")
        #expect(try run.shell("cmp out/a.npz one.npz && cmp out/b.npz one.npz").status == 0)
        let wrong = try run.run(["infer", "noise.onnx", "--input", "x=x.npy", "--seed", "-1"])
        #expect(wrong.status == 64, "\(wrong)")
    }

    /// Models that draw nothing say no seed, and jobs without a model take none.
    @Test func othersHaveNoSeed() throws {
        let run = try CommandLineRun()
        let digits = try CommandLineRun.example("digits")
        let result = try run.run(
            [
                "infer", "\(digits)/digits.onnx", "--input", "image=\(digits)/digit-7.png",
                "--seed", "5", "--json",
            ])
        if result.errors.contains("no OpenCL device") { return print("skip: no OpenCL device") }
        #expect(result.status == 0, "\(result)")
        #expect(try result.document()["seed"] == nil)
        let demo = try run.run(["demo", "--seed", "5"])
        #expect(demo.status == 64 && demo.line.contains("--seed"), "\(demo)")
    }
}
