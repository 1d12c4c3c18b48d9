import Core
import Foundation
import PoolProtocol
import Rendering
import Testing

/// Pictures in parts, several devices at one, quotes and disputes, as a farm's people type them.
@Suite(.serialized) struct FarmTests {
    private let run: CommandLineRun
    private let scene: String
    private let small = ["--size", "70x40", "--spp", "6", "--bounces", "2"]

    init() throws {
        run = try CommandLineRun()
        scene = try CommandLineRun.example("scene/demo.glb")
    }

    private func document(_ arguments: [String]) throws -> [String: Any] {
        let result = try run.run(arguments + ["--json"])
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return try result.document()
    }

    private func render(_ more: String...) throws -> [String: Any] {
        try document(["render", scene, "--device", "cpu"] + small + more)
    }

    /// A processor's device, if there is one.
    private func hasDevice() throws -> Bool {
        let probe = try run.run(["render", scene, "--size", "8x8", "--spp", "1", "--device", "cpu"])
        if probe.status != 0 { print("skip: no OpenCL processor device: \(probe.line)") }
        return probe.status == 0
    }

    @Test func partsMergeToTheSamePicture() throws {
        guard try hasDevice() else { return }
        let whole = try render("-o", run.path("whole.exr"))
        for (name, range) in [
            ("a", ["--tiles", "0-1"]), ("b", ["--tiles", "2-5", "--samples", "0-3"]),
            ("c", ["--tiles", "2-5", "--samples", "4-5"]),
        ] {
            let part = try document(
                ["render", scene, "--device", "cpu"] + small + range
                    + ["--part", run.path("\(name).part")])
            #expect(part["digest"] is NSNull)
        }
        let parts = ["c", "a", "b"].map { run.path("\($0).part") }
        let merged = try document(["merge"] + parts + ["-o", run.path("merged.exr")])
        #expect(merged["digest"] as? String == whole["digest"] as? String)
        #expect(
            FileManager.default.contentsEqual(
                atPath: run.path("whole.exr"), andPath: run.path("merged.exr")))

        try run.expectFailure(["merge", parts[0], parts[1]], "tiles 2-5, samples 0-3: in no part")
        try run.expectFailure(["merge"] + parts + [parts[2]], "samples 0-3 of tile 2 are in")
        _ = try render("--seed", "5", "--tiles", "0", "--part", run.path("other.part"))
        try run.expectFailure(
            ["merge", parts[0], run.path("other.part")], "other.part: of another job",
            "seed 5, not 0")
        try run.expectFailure(["merge", scene], "demo.glb", "leaf file")
        try run.expectUsage(
            ["render", scene] + small + ["--tiles", "4-6", "--part", run.path("x.part")],
            "--tiles 4-6: the picture has 6 tiles, 0-5")
        try run.expectUsage(
            ["render", scene, "--spp", "1", "--samples", "1", "--part", "x.part"],
            "--samples 1-1: the picture has 1 sample, 0-0")
        try run.expectUsage(["render", scene, "--tiles", "0-1"], "add --part FILE")
        try run.expectUsage(["render", scene, "--part", "x.png"], "ending in .part")
        try run.expectUsage(["render", scene, "--samples", "4-2", "--part", "x.part"], "0-63")
    }

    @Test func devicesShareAPicture() throws {
        guard try hasDevice() else { return }
        let alone = try render()
        let shared = try render("--share", "-o", run.path("shared.png"))
        #expect(shared["digest"] as? String == alone["digest"] as? String)
        let shares = try #require(shared["shares"] as? [[String: Any]])
        let sum = shares.compactMap { $0["share"] as? Double }.reduce(0, +)
        #expect((sum - 1).magnitude < 0.001 * Double(shares.count))
        #expect(shared["finish_spread"] as? Double != nil)
        #expect(FileManager.default.fileExists(atPath: run.path("shared.png")))
        for option in [["--noise", "0.1"], ["--resume"], ["--aov", "all"]] {
            try run.expectUsage(
                ["render", scene, "--share", "-o", run.path("x.exr")] + option,
                "\(option[0]): not with --share")
        }
    }

    @Test func storedResultsAreNarrowedToAPixel() throws {
        guard try hasDevice() else { return }
        let path = run.path("own.part")
        _ = try render("--part", path)
        #expect(try document(["dispute", path, path])["same"] as? Bool == true)
        // One bit of a sum in the last tile: its second pixel's green.
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var content = Array(try LeafFile.leaves(bytes).dropLast())
        let place = content[content.count - 1].bytes.count - 24 * (6 * 8) + 24 + 8
        content[content.count - 1].bytes[place] ^= 1
        let damaged = try run.write("damaged.part", LeafFile.bytes(content))
        try run.expectFailure(["merge", damaged], "its checksum does not hold")
        let other = try run.write("other.part", LeafFile.bytes(RenderPart.sealed(content)))
        let result = try run.run(["dispute", path, other, "--json"])
        #expect(result.status == 1)
        let found = try result.document()
        #expect(found["leaf"] as? String == "tile/5")
        #expect(found["pixel"] as? [Int] == [65, 32])
        #expect(found["channel"] as? String == "green")
        #expect(found["differing_leaves"] as? Int == 1 && found["differing_pixels"] as? Int == 1)

        let again = try run.run(
            ["dispute", "devices", scene, "--device", "cpu", "--against", other, "--json"] + small)
        #expect(again.status == 1, "\(again.errors)")
        #expect(try again.document()["pixel"] as? [Int] == [65, 32])
        #expect(
            try document(
                ["dispute", "devices", scene, "--device", "cpu", "--against", path] + small)["same"]
                as? Bool == true)
        #expect(
            try document(
                ["dispute", "devices", scene, "--device", "cpu", "--against", "cpu"] + small)[
                    "same"] as? Bool == true)
        try run.expectFailure(["dispute", path, scene], "demo.glb", "leaf file")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "cpu", "--against", path, "--size", "9x9"],
            "of another job than these options say: size 70x40, not 9x9")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "cpu", "--against", path, "--seed", "7"]
                + small, "own.part", "seed 0, not 7")
        let light = try run.write("sky.exr", [])
        _ = try run.shell("\"$RIGOR\" render \(scene) --size 8x8 --spp 1 -o sky.exr")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "cpu", "--against", path, "--env", light]
                + small, "own.part", "environment none, not sky.exr")
    }

    /// All frames, by three of them.
    @Test func animationsAreQuotedWhole() throws {
        guard try hasDevice() else { return }
        func quote(_ frames: String) throws -> [String: Any] {
            try document(
                ["quote", scene, "--device", "cpu", "--budget", "0.3", "--frames", frames] + small)
        }
        func seconds(_ quote: [String: Any]) throws -> Double {
            try #require((quote["seconds"] as? [String: Any])?["compute"] as? Double)
        }
        let ten = try quote("1-10")
        let frames = try #require(ten["frames"] as? [String: Any])
        #expect(frames["count"] as? Int == 10 && frames["tried"] as? [Int] == [1, 5, 10])
        let many = try quote("1-1000")
        // Whatever else the machine does: a hundred times as many take more than ten times as long.
        #expect(try seconds(many) > 10 * seconds(ten))
        #expect(try quote("7")["frames"] is NSNull)
        let result = try run.run(
            [
                "quote", scene, "--device", "cpu", "--budget", "0.1", "--frames", "3-4", "-o",
                "f.png",
            ]
                + small)
        #expect(result.output.contains("frames   2, by those that were tried: 3, 4"))
        #expect(result.errors.contains("-o f.png: nothing is written"))
    }

    @Test func otherOptionsAreNamed() throws {
        guard try hasDevice() else { return }
        _ = try render("--tiles", "0-1", "--part", run.path("plain.part"))
        _ = try render("--tiles", "2-5", "--clamp", "10", "--part", run.path("other.part"))
        try run.expectFailure(
            ["merge", run.path("plain.part"), run.path("other.part")], "of another job",
            "--clamp 10.0, not without")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "cpu", "--against", run.path("other.part")]
                + small, "--clamp 10.0, not without")
    }

    @Test func quotesComeBeforeTheWork() throws {
        guard try hasDevice() else { return }
        let quote = try document(
            ["quote", scene, "--device", "cpu", "--budget", "0.3", "--price-per-hour", "3.6"]
                + small)
        let seconds = try #require(quote["total_seconds"] as? Double)
        let price = try #require(quote["price"] as? Double)
        #expect(seconds > 0 && (price * 1000 - seconds).magnitude < 0.01)
        #expect((quote["samples_per_second"] as? Double ?? 0) > 0)
        try run.expectUsage(["quote", scene, "--budget", "-1"], "--budget")
        for option in ["--explain", "--share", "--kernels"] {
            try run.expectUsage(["quote", scene, option], option, "a quote is for whole pictures")
            try run.expectUsage(
                ["dispute", "devices", scene, "--against", "cpu", option], option, "a dispute")
        }
        try run.expectUsage(["quote", scene, "--tiles", "0-1"], "for `rigor render` alone")
        try run.expectUsage(
            ["dispute", "devices", scene, "--against", "cpu", "--frames", "1-2"], "one frame")
        for option in [["--side", "64"], ["--runs", "2"], ["--tree-only"], ["--export", "x"]] {
            try run.expectUsage(["bench"] + option, option[0], "--scene FILE expected")
        }
    }
}
