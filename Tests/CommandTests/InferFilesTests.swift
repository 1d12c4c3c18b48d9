import Foundation
import Testing

/// `rigor infer` on folders and archives.
@Suite(.serialized) struct InferFilesTests {
    private static func model() throws -> String {
        try CommandLineRun.example("digits/digits.onnx")
    }

    /// Nil, said, where there is nothing to compute on.
    private func document(_ run: CommandLineRun, _ arguments: [String]) throws -> [String: Any]? {
        let result = try run.run(["infer", try Self.model(), "--json"] + arguments)
        if result.errors.contains("no OpenCL device") {
            print("skip: no OpenCL device")
            return nil
        }
        #expect(result.status == 0, "\(result)")
        return try result.document()
    }

    private func pictures(_ run: CommandLineRun) throws -> [String] {
        let digits = try CommandLineRun.example("digits")
        _ = try run.shell("mkdir pictures; cp \(digits)/*.png pictures; echo no > pictures/notes")
        return try FileManager.default.contentsOfDirectory(atPath: run.path("pictures"))
            .filter { $0.hasSuffix(".png") }.sorted()
    }

    /// An array of `count` pictures of digits' size, as NumPy writes it.
    private func array(count: Int) -> [UInt8] {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count), 1, 8, 8), }\n"
        let values = (0..<(64 * count)).flatMap { index in
            let bits = (Float(index % 17) / 16).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
            + Array(header.utf8) + values
    }

    @Test func foldersGiveWhatTheirFilesGive() throws {
        let run = try CommandLineRun()
        let names = try pictures(run)
        let files = names.flatMap { ["--input", "image=\(run.path("pictures/\($0)"))"] }
        guard let whole = try document(run, files + ["-o", "whole.npz"]) else { return }
        for batch in [[], ["--batch", "1"], ["--batch", "3"]] {
            let folder = try document(
                run, ["--input", "image=pictures", "--top", "1", "-o", "folder.npz"] + batch)
            #expect(folder?["digest"] as? String == whole["digest"] as? String)
            #expect(folder?["items"] as? Int == names.count)
            let list = folder?["files"] as? [[String: Any]] ?? []
            #expect(list.compactMap { $0["file"] as? String } == names.map { "\($0.dropLast(4))" })
            let best = list.compactMap { ($0["top"] as? [[[String: Any]]])?[0][0]["label"] }
            #expect(best as? [String] == names.map { "\($0.dropLast(4).last ?? " ")" })
            #expect(try run.shell("cmp whole.npz folder.npz").status == 0)
        }
        _ = try document(run, ["--input", "image=pictures/", "-o", "each/"])
        #expect(try run.shell("ls each").output.split(separator: "\n").count == names.count)
        // Each as alone.
        _ = try document(run, ["--input", "image=pictures/\(names[2])", "-o", "one.npz"])
        #expect(try run.shell("cmp one.npz each/\(names[2].dropLast(4)).npz").status == 0)
    }

    @Test func archivesGiveWhatTheirArraysGive() throws {
        let run = try CommandLineRun()
        try run.write("image.npy", array(count: 5))
        try run.write("other.npy", array(count: 2))
        let zipped = try run.shell(
            """
            python3 -c 'import zipfile
            for n, k in ("stored", 0), ("deflated", 8):
                z = zipfile.ZipFile(n + ".npz", "w", k)
                z.write("image.npy"); z.write("other.npy", "labels.npy"); z.close()
            z = zipfile.ZipFile("named.npz", "w"); z.write("image.npy", "foo.npy"); z.close()'
            """)
        guard zipped.status == 0 else {
            print("skip: no python3")
            return
        }
        guard let plain = try document(run, ["--input", "image=image.npy"]) else { return }
        for input in ["stored.npz", "deflated.npz", "image=stored.npz", "image=named.npz"] {
            let digest = try document(run, ["--input", input])?["digest"]
            #expect(digest as? String == plain["digest"] as? String, "\(input)")
        }
        let model = try Self.model()
        try run.expectFailure(
            ["infer", model, "--input", "named.npz"], "named.npz", "foo", "image")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: run.path("deflated.npz")))
        try run.write("short.npz", bytes.prefix(bytes.count / 2))
        try run.expectFailure(["infer", model, "--input", "short.npz"], "short.npz", "archive")
        var broken = Array(bytes)
        for place in 60..<70 { broken[place] ^= 0x55 }
        try run.write("broken.npz", broken)
        try run.expectFailure(["infer", model, "--input", "broken.npz"], "broken.npz", "image.npy")
    }

    @Test func whatDoesNotGoTogether() throws {
        let run = try CommandLineRun()
        let names = try pictures(run)
        let model = try Self.model()
        try run.write("two.npy", array(count: 2))
        _ = try run.shell("mkdir none; mkdir twice; cp pictures/\(names[0]) twice/x.png")
        _ = try run.shell("cp pictures/\(names[0]) twice/x.jpg; echo no > pictures/z.png")
        try run.expectFailure(["infer", model, "--input", "image=none"], "none", ".npy")
        let both = try run.run(["infer", model, "--input", "image=twice", "-o", "out/"])
        #expect(both.status == 64 && both.line.contains("x.jpg and "), "\(both)")
        try run.expectFailure(["infer", model, "--input", "image=pictures"], "z.png", "picture")
        let repeated = try run.run(
            ["infer", model, "--input", "image=pictures", "--repeat", "2"])
        #expect(repeated.status == 64 && repeated.line.contains("--repeat"), "\(repeated)")
    }
}
