import Foundation
import Testing

/// Renders that are interrupted, and gone on with.
@Suite struct SittingTests {
    private static let render = [
        "render", "demo.glb", "--size", "200x120", "--bounces", "3", "--json",
    ]

    private func arguments(_ more: String...) throws -> [String] {
        var arguments = Self.render + more
        arguments[1] = try CommandLineRun.example("scene/demo.glb")
        return arguments
    }

    private func hasDevice(_ run: CommandLineRun) throws -> Bool {
        let probe = try run.run(arguments("--spp", "1"))
        if probe.status != 0 { print("skip: \(probe.line)") }
        return probe.status == 0
    }

    /// Ends by signal at moments of all kinds, and still comes to the bits of an undisturbed run.
    @Test(arguments: [("INT", "0"), ("TERM", "0"), ("KILL", "1")])
    func anyEndCanBeGoneOnFrom(signal: String, checkpoint: String) throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let undisturbed = try run.run(arguments("--spp", "300")).document()
        // Ended while it computes: sooner or later, by how long it lasts.
        let line = """
            # With job control, what runs in the background is not made deaf to ctrl-C.
            set -m; "$RIGOR" "$@" & pid=$!
            sleep "$PAUSE"; kill -$SIGNAL $pid; wait $pid
            """
        let picture = run.path("picture.exr")
        var ends = 0
        for attempt in 0..<30 {
            let isKept = FileManager.default.fileExists(atPath: picture + ".rigor")
            let more = ["-o", picture, "--checkpoint", checkpoint] + (isKept ? ["--resume"] : [])
            let result = try run.shell(
                line, arguments("--spp", "300") + more,
                environment: ["SIGNAL": signal, "PAUSE": "\(0.7 + 0.31 * Double(attempt))"])
            if result.status == 0 {
                let document = try result.document()
                #expect(document["digest"] as? String == undisturbed["digest"] as? String)
                #expect(!FileManager.default.fileExists(atPath: picture + ".rigor"))
                print("whole after \(ends) ends by \(signal)")
                return
            }
            ends += 1
            if result.status == 75 {
                let document = try result.document()
                #expect(document["kept"] as? String == picture + ".rigor")
                #expect(document["digest"] is NSNull)
                #expect(FileManager.default.fileExists(atPath: picture))
            } else {
                // By the signal itself: before it was taken, or because nothing can take it.
                #expect(result.status == 128 + (signal == "KILL" ? 9 : signal == "INT" ? 2 : 15))
            }
        }
        Issue.record("never came to its end")
    }

    @Test func refusals() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let picture = run.path("picture.exr")
        func fails(_ arguments: [String], _ piece: String) throws {
            let result = try run.run(arguments)
            #expect(result.status == 1 && result.line.contains(piece), "\(result.errors)")
        }
        try fails(arguments("--spp", "1", "--resume"), "name it with -o")
        try fails(arguments("--spp", "1", "--resume", "-o", picture), "no such file")
        try fails(arguments("--spp", "9", "--share", "--noise", "0.1"), "--noise: not with")
        try fails(
            arguments("--spp", "9", "--share", "-o", picture, "--aov", "all"), "--aov: not with")
        try run.write("picture.exr.rigor", Array("RIGORRS1 and more".utf8))
        try fails(arguments("--spp", "1", "--resume", "-o", picture), "checksum")
        try run.write("picture.exr.rigor", Array("something else".utf8))
        try fails(
            arguments("--spp", "1", "--resume", "-o", picture), "no interrupted render is in it")
    }

    /// Layers and previews stand beside the settled result, and never move it.
    @Test func layersAndPreviewsMoveNothing() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let plain = try run.run(arguments("--spp", "40")).document()
        let picture = run.path("picture.exr")
        let layered = try run.run(
            arguments("--spp", "40", "-o", picture, "--aov", "all", "--preview", "1"))
        #expect(try layered.document()["digest"] as? String == plain["digest"] as? String)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: picture))
        for text in ["CryptoObject02.A", "CryptoMaterial00.R", "albedo.B", "normal.X", "depth.Z"] {
            #expect(bytes.range(of: Data(text.utf8)) != nil, "\(text)")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: run.folder)
        #expect(Set(left).isSubset(of: ["picture.exr", "home", "stdout", "stderr"]), "\(left)")
    }

    @Test func noiseEndsTilesEarly() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let document = try run.run(arguments("--spp", "256", "--noise", "0.05")).document()
        let mean = try #require(document["samples_mean"] as? Double)
        #expect(mean >= 16 && mean < 256, "\(mean)")
    }
}
