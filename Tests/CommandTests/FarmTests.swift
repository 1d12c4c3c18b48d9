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
        try document(["render", scene, "--device", "0"] + small + more)
    }

    /// A device, if there is one: one alone, whatever drivers other tests have switched on.
    private func hasDevice() throws -> Bool {
        let probe = try run.run(["render", scene, "--size", "8x8", "--spp", "1", "--device", "0"])
        if probe.status != 0 { print("skip: no OpenCL device: \(probe.line)") }
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
                ["render", scene, "--device", "0"] + small + range
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
        // Layers are those of one device alone, to the byte.
        _ = try render("-o", run.path("alone.exr"), "--aov", "all")
        _ = try render("--share", "-o", run.path("shared.exr"), "--aov", "all")
        expectSame("alone.exr", "shared.exr")
    }

    private func expectSame(
        _ first: String, _ second: String, location: SourceLocation = #_sourceLocation
    ) {
        let isSame = FileManager.default.contentsEqual(
            atPath: run.path(first), andPath: run.path(second))
        #expect(isSame, "\(first), \(second)", sourceLocation: location)
    }

    /// With a noise target a picture is cut by tiles, and joined to the bits of one device.
    @Test func tilesThatEndEarlyAreCutAndJoined() throws {
        guard try hasDevice() else { return }
        let noise = ["--spp", "64", "--noise", "0.3", "--spp-min", "4"]
        let base =
            ["render", scene, "--device", "0", "--size", "70x40", "--bounces", "2"] + noise
        let whole = try document(base + ["-o", run.path("whole.exr")])
        let mean = try #require(whole["samples_mean"] as? Double)
        #expect(mean > 4 && mean < 64)
        let shared = try document(base + ["--share"])
        #expect(shared["digest"] as? String == whole["digest"] as? String)
        #expect(shared["samples_mean"] as? Double == mean)
        for (name, tiles) in [("a", "0-3"), ("b", "4-5")] {
            _ = try document(base + ["--tiles", tiles, "--part", run.path("\(name).part")])
        }
        let parts = ["b", "a"].map { run.path("\($0).part") }
        let merged = try document(["merge"] + parts + ["-o", run.path("merged.exr")])
        #expect(merged["digest"] as? String == whole["digest"] as? String)
        expectSame("whole.exr", "merged.exr")
        try run.expectFailure(["merge", parts[0]], "tiles 0-3: in no part")
        try run.expectFailure(["merge"] + parts + [parts[0]], "tile 4 is in")
        try run.expectUsage(
            base + ["--samples", "0-9", "--part", "x.part"],
            "--samples: a render with --noise is cut by tiles alone, such as --tiles 0-2")
        _ = try render("--tiles", "0-3", "--part", run.path("plain.part"), "--spp", "64")
        try run.expectFailure(
            ["merge", parts[0], run.path("plain.part")], "noise target none, not 0.3")

        let devices = ["dispute", "devices"] + base.dropFirst() + ["--against"]
        #expect(try document(devices + [parts[1]])["same"] as? Bool == true)
        #expect(try document(devices + ["0"])["same"] as? Bool == true)
        try expectDispute(devices, over: parts[1])
    }

    /// A part that says that a tile ended elsewhere, or whose sums are another's.
    private func expectDispute(_ devices: [String], over part: String) throws {
        let read = try RenderPart(
            leaves: LeafFile.leaves([UInt8](try Data(contentsOf: URL(fileURLWithPath: part)))))
        var early = read
        let count = read.tiles[1].sampleCount
        early.tiles[1] = try tile(read.tiles[1], samples: count == 64 ? 32 : 64)
        let path = try run.write("early.part", LeafFile.bytes(early.leaves))
        for arguments in [["dispute", part, path], devices + [path]] {
            let result = try run.run(arguments + ["--json"])
            #expect(result.status == 1, "\(result.errors)")
            let found = try result.document()
            #expect(found["leaf"] as? String == "tile/1")
            let counts = [count, count == 64 ? 32 : 64]
            #expect(found["sample_counts"] as? [Int] == counts, "\(found)")
            #expect(found["differing_leaves"] as? Int == 1)
            // Only who computes them can say in which pixel sums of other samples are wrong.
            #expect((found["pixel"] is NSNull) == (arguments.count == 3), "\(found)")
        }
    }

    /// The leaf with another count of samples.
    private func tile(_ tile: TileSums, samples: Int) throws -> TileSums {
        var bytes = tile.bytes
        bytes.replaceSubrange(8..<12, with: UInt32(samples).littleEndianBytes)
        for place in stride(from: 16, to: bytes.count, by: 8) {
            bytes.replaceSubrange(place..<place + 8, with: UInt64(samples).littleEndianBytes)
        }
        return try TileSums(Leaf(index: 0, name: tile.leafName, bytes: bytes))
    }

    /// Frames in parts, a part a frame: merged, they are what one device makes of them.
    @Test func framesAreCutAndJoined() throws {
        guard try hasDevice() else { return }
        let moving = ["--frames", "2-4", "--fps", "12"]
        let base = ["render", scene, "--device", "0"] + small + moving
        func digests(_ document: [String: Any]) throws -> [String?] {
            try #require(document["frames"] as? [[String: Any]]).map { $0["digest"] as? String }
        }
        let alone = try digests(
            try document(base + ["-o", run.path("alone.####.exr"), "--aov", "all"]))
        #expect(alone.count == 3)
        #expect(try digests(try document(base + ["--share"])) == alone)
        for (name, samples) in [("a", "0-1"), ("b", "2-5")] {
            let made = try document(
                base + ["--samples", samples, "--part", run.path("\(name).part")])
            #expect(try digests(made) == [nil, nil, nil])
        }
        let parts = ["b", "a"].flatMap { name in
            (2...4).map { run.path("\(name).000\($0).part") }
        }
        let layers = ["--aov", "all", "--scene", scene, "--device", "0"] + moving
        let merged = try document(["merge"] + parts + ["-o", run.path("m.####.exr")] + layers)
        #expect(try digests(merged) == alone)
        for number in 2...4 {
            #expect(FileManager.default.fileExists(atPath: run.path("m.000\(number).exr")))
        }
        let short = try run.run(["merge"] + parts.dropLast() + ["--json"])
        #expect(short.status == 1, "\(short.output)")
        #expect(short.line == "error: frame 4: tiles 0-5, samples 0-1: in no part")
        #expect(
            try document(
                ["dispute", "devices", scene, "--device", "0", "--against", "0"] + small
                    + moving)["leaves"] as? Int == 18)
        try run.expectUsage(
            ["dispute", "devices", scene, "--device", "0", "--against", parts[0]] + small
                + moving, "--frames: one frame expected")
        let found = try document(
            ["dispute", "devices", scene, "--device", "0", "--against", parts[0]] + small
                + ["--frames", "2", "--fps", "12"])
        #expect(found["frame"] as? Int == 2 && found["same"] as? Bool == true)
    }

    /// Layers of merged parts are made of the scene, and only of that one.
    @Test func layersOfMergedParts() throws {
        guard try hasDevice() else { return }
        let part = run.path("a.part")
        _ = try render("--part", part, "--clamp", "3")
        _ = try render("-o", run.path("whole.exr"), "--clamp", "3", "--aov", "all")
        let merge = ["merge", part, "-o", run.path("merged.exr"), "--aov", "all"]
        _ = try document(merge + ["--scene", scene, "--clamp", "3", "--device", "0"])
        expectSame("whole.exr", "merged.exr")
        try run.expectUsage(merge, "--aov: parts hold no layers", "--scene")
        try run.expectUsage(
            ["merge", part, "-o", run.path("x.exr"), "--scene", scene], "--scene: is for the layers"
        )
        try run.expectFailure(
            merge + ["--scene", scene, "--device", "0"], "a.part: of another picture than --scene"
        )
        try run.expectUsage(
            ["render", scene, "--part", part, "--aov", "all"], "`rigor merge --aov`")
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
            ["dispute", "devices", scene, "--device", "0", "--against", other, "--json"] + small)
        #expect(again.status == 1, "\(again.errors)")
        #expect(try again.document()["pixel"] as? [Int] == [65, 32])
        #expect(
            try document(
                ["dispute", "devices", scene, "--device", "0", "--against", path] + small)["same"]
                as? Bool == true)
        #expect(
            try document(
                ["dispute", "devices", scene, "--device", "0", "--against", "0"] + small)[
                    "same"] as? Bool == true)
        try run.expectFailure(["dispute", path, scene], "demo.glb", "leaf file")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "0", "--against", path, "--size", "9x9"],
            "of another job than these options say: size 70x40, not 9x9")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "0", "--against", path, "--seed", "7"]
                + small, "own.part", "seed 0, not 7")
        let light = try run.write("sky.exr", [])
        _ = try run.shell("\"$RIGOR\" render \(scene) --size 8x8 --spp 1 -o sky.exr")
        try run.expectFailure(
            ["dispute", "devices", scene, "--device", "0", "--against", path, "--env", light]
                + small, "own.part", "environment none, not sky.exr")
    }

    /// All frames, by three of them.
    @Test func animationsAreQuotedWhole() throws {
        guard try hasDevice() else { return }
        func quote(_ frames: String) throws -> [String: Any] {
            try document(
                ["quote", scene, "--device", "0", "--budget", "0.3", "--frames", frames] + small)
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
                "quote", scene, "--device", "0", "--budget", "0.1", "--frames", "3-4", "-o",
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
            ["dispute", "devices", scene, "--device", "0", "--against", run.path("other.part")]
                + small, "--clamp 10.0, not without")
    }

    @Test func quotesComeBeforeTheWork() throws {
        guard try hasDevice() else { return }
        let quote = try document(
            ["quote", scene, "--device", "0", "--budget", "0.3", "--price-per-hour", "3.6"]
                + small)
        let seconds = try #require(quote["total_seconds"] as? Double)
        let price = try #require(quote["price"] as? Double)
        #expect(seconds > 0 && (price * 1000 - seconds).magnitude < 0.01)
        #expect((quote["samples_per_second"] as? Double ?? 0) > 0)
        // Tiles that may end early are priced as if none did.
        let most = try document(
            ["quote", scene, "--device", "0", "--budget", "0.3", "--noise", "0.9"] + small
                + ["--spp", "4096"])
        let seconds4096 = try #require((most["seconds"] as? [String: Any])?["compute"] as? Double)
        let rate = try #require(most["samples_per_second"] as? Double)
        #expect((seconds4096 * rate / (70 * 40 * 4096) - 1).magnitude < 0.01)
        #expect(most["at_most"] as? Bool == true && quote["at_most"] as? Bool == false)
        try run.expectUsage(["quote", scene, "--budget", "-1"], "--budget")
        for option in ["--explain", "--share", "--kernels"] {
            try run.expectUsage(["quote", scene, option], option, "a quote is for whole pictures")
            try run.expectUsage(
                ["dispute", "devices", scene, "--against", "0", option], option, "a dispute")
        }
        try run.expectUsage(["quote", scene, "--tiles", "0-1"], "for `rigor render` alone")
        for option in [["--side", "64"], ["--runs", "2"], ["--tree-only"], ["--export", "x"]] {
            try run.expectUsage(["bench"] + option, option[0], "--scene FILE expected")
        }
    }
}
