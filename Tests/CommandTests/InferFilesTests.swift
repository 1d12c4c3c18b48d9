import Foundation
import Testing

/// `rigor infer` on folders and archives.
@Suite(.serialized) struct InferFilesTests {
    private static func model() throws -> String {
        try CommandLineRun.example("digits/digits.onnx")
    }

    /// Nil, said, where there is nothing to compute on.
    private func document(
        _ run: CommandLineRun, _ arguments: [String], of model: String? = nil
    ) throws -> [String: Any]? {
        let result = try run.run(["infer", try model ?? Self.model(), "--json"] + arguments)
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
    private func array(count: Int) -> [UInt8] { array([count, 1, 8, 8]) }

    /// - Parameters:
    ///   - first: where the numbers begin, so that arrays may differ.
    ///   - isEmpty: leaves them out.
    private func array(_ shape: [Int], first: Int = 0, isEmpty: Bool = false) -> [UInt8] {
        let axes = shape.map(String.init).joined(separator: ", ")
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(axes)), }\n"
        let count = isEmpty ? 0 : shape.reduce(1, *)
        let values = (0..<count).flatMap { index in
            let bits = (Float((first + index) % 17) / 16).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
            + Array(header.utf8) + values
    }

    /// Memory that the system does not give is said as such.
    @Test func missingMemoryIsOneLine() throws {
        let run = try CommandLineRun()
        // An array that is longer than what the process may have, most of it a hole.
        let count = 470_000_000
        let header = array([1, count], isEmpty: true)
        try run.write("x.npy", header)
        _ = try run.shell("truncate -s \(header.count + 4 * count) x.npy")
        let result = try run.shell(
            "ulimit -v 2200000; "
                + "exec \"$RIGOR\" infer \(CommandLineRun.served("wide")) --input x=x.npy"
        )
        guard !result.errors.contains("no OpenCL device") else {
            return print("skip: no OpenCL device")
        }
        #expect(result.status == 1, "\(result)")
        #expect(result.line.hasPrefix("error: x.npy: out of memory: "), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result)")
    }

    /// However little memory there is, a run ends, and its last line says why; drivers that give up
    /// may say so before.
    @Test func littleMemoryIsSaid() throws {
        let run = try CommandLineRun()
        try run.write("x.npy", array([1, 4]))
        let line = "exec \"$RIGOR\" infer \(CommandLineRun.served("dense")) --input x=x.npy"
        func digest(_ result: CommandLineRun.Result) -> Substring? {
            result.output.split(separator: "\n").first { $0.contains("digest") }
        }
        // Each driver has needs of its own.
        let drivers = ["OCL_ICD_VENDORS": "/etc/OpenCL/vendors/pocl.icd"]
        let free = try run.shell(line, environment: drivers)
        guard free.status == 0 else { return print("skip: \(free.line)") }
        #expect(digest(free) != nil, "\(free)")
        for kibibytes in stride(from: 350_000, through: 950_000, by: 50_000) {
            let result = try run.shell("ulimit -v \(kibibytes); \(line)", environment: drivers)
            guard result.status != 0 else {
                #expect(digest(result) == digest(free))
                continue
            }
            let last = result.errors.split(separator: "\n").last.map(String.init) ?? ""
            #expect(
                result.status == 1 && last.hasPrefix("error: ")
                    && (last.contains("memory") || last.contains("ulimit -v")),
                "\(kibibytes): \(result)")
        }
    }

    /// What is written into a folder of inputs would be read the next time.
    @Test func foldersAreNotWrittenInto() throws {
        let run = try CommandLineRun()
        _ = try pictures(run)
        _ = try run.shell("ln -s pictures other")
        for output in ["pictures/", "./other/"] {
            try run.expectUsage(
                ["infer", try Self.model(), "--input", "image=pictures", "-o", output], output,
                "is the folder of inputs pictures", "another one expected")
        }
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

    /// Items that depend on each other give what each file gives alone, however many are read at a
    /// time.
    @Test func batchesDoNotMoveTheDigest() throws {
        let run = try CommandLineRun()
        let counts = [1, 2, 1, 1, 3]
        _ = try run.shell("mkdir mixed dense range count")
        for (index, count) in counts.enumerated() {
            try run.write("mixed/\(index).npy", array([count, 3], first: 5 * index))
            try run.write("dense/\(index).npy", array([count, 4], first: 5 * index))
            // Rising, so that the last file decides the range of a batch.
            try run.write("range/\(index).npy", array([count, 4], first: 5 * index))
            try run.write("count/\(index).npy", array([count, 4], first: 5 * index))
        }
        for name in ["mixed", "dense", "range", "count"] {
            var digests: Set<String> = []
            for batch in ["1", "2", "3", "7", "16"] {
                let result = try document(
                    run, ["--input", "x=\(name)", "--batch", batch],
                    of: CommandLineRun.served(name))
                guard let result else { return }
                digests.insert(result["digest"] as? String ?? "")
                #expect(result["items"] as? Int == counts.reduce(0, +))
            }
            #expect(digests.count == 1, "\(name): \(digests)")
        }
        let said = try run.run(["infer", CommandLineRun.served("mixed"), "--input", "x=mixed"])
        #expect(said.errors.contains("items may depend on each other in node 0"), "\(said)")
        let plain = try run.run(["infer", CommandLineRun.served("dense"), "--input", "x=dense"])
        #expect(!plain.errors.contains("depend"), "\(plain)")
    }

    /// A batch that the model itself has.
    @Test func fixedBatchesAreCutAlike() throws {
        let run = try CommandLineRun()
        let model = CommandLineRun.served("pair")
        try run.write("six.npy", array([6, 4]))
        try run.write("five.npy", array([5, 4]))
        guard let whole = try document(run, ["--input", "x=six.npy"], of: model) else { return }
        for more in [["--batch", "1"], ["--batch", "6"], ["-o", "each/"]] {
            let cut = try document(run, ["--input", "x=six.npy"] + more, of: model)
            #expect(cut?["digest"] as? String == whole["digest"] as? String, "\(more)")
            #expect(cut?["items"] as? Int == 6)
        }
        for more in [[], ["--batch", "2"]] {
            let result = try run.run(["infer", model, "--input", "x=five.npy"] + more)
            #expect(result.status == 1, "\(result)")
            let line = "5 items; a multiple of the model's batch of 2 expected"
            #expect(result.line.contains(line), "\(result)")
        }
    }

    /// As the user's own files are.
    @Test func foldersOfOutputsFollowTheMask() throws {
        let run = try CommandLineRun()
        let picture = try CommandLineRun.example("digits/digit-1.png")
        let result = try run.shell(
            "umask 027; exec \"$RIGOR\" \"$@\"",
            ["infer", try Self.model(), "--input", "image=\(picture)", "-o", "a/b/"])
        if result.errors.contains("no OpenCL device") { return }
        #expect(result.status == 0, "\(result)")
        #expect(try run.shell("stat -c %a a a/b").output == "750\n750\n")
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
