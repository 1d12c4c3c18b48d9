import Core
import Foundation
import Imaging
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
        let anew = try run.run(arguments("--spp", "1", "--resume", "-o", picture))
        #expect(anew.status == 0 && anew.errors.contains("nothing is kept"), "\(anew.errors)")
        try run.write("picture.exr.rigor", Array("RIGORRS1 and more".utf8))
        try fails(arguments("--spp", "1", "--resume", "-o", picture), "checksum")
        try run.write("picture.exr.rigor", Array("something else".utf8))
        try fails(
            arguments("--spp", "1", "--resume", "-o", picture), "no interrupted render is in it")
    }

    /// What combines badly is a wrong command line, found before anything is opened.
    @Test func combinations() throws {
        let run = try CommandLineRun()
        for (options, pieces) in [
            (["--resume"], ["--resume", "name it with -o"]),
            (["--preview", "3"], ["--preview", "name it with -o"]),
            (
                ["--noise", "0.1", "--spp", "8", "--spp-min", "9"],
                ["--spp-min 9: at most --spp, 8"]
            ),
            (["--share", "--resume"], ["--resume", "name it with -o"]),
            (["--part", "x.part", "--preview", "3"], ["--preview", "name it with -o"]),
            (
                ["--part", "x.part", "--samples", "0-3", "--noise", "0.1"],
                ["--samples", "--noise", "--tiles 0-"]
            ),
            (["--tiles", "0-3", "--part", "x.part", "-o", "x.png"], ["-o: tiles 0-3", "merge"]),
            (["--png-bits", "16", "-o", "x.exr"], ["--png-bits", "a .png", "x.exr"]),
            (["--view", "agx", "-o", "x.exr"], ["--view", "a .png", "x.exr"]),
            (["--exr", "half", "-o", "x.png"], ["--exr", "a .exr", "x.png"]),
        ] {
            let result = try run.run(["render", "none.glb"] + options)
            #expect(result.status == 64 && result.output.isEmpty, "\(options): \(result.errors)")
            for piece in pieces { #expect(result.line.contains(piece), "\(result.line)") }
        }
    }

    /// Frames are gone on with from any state: whole, missing, cut short.
    @Test func framesAreGoneOnWithFromAnyState() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        func render(_ more: String...) throws -> [[String: Any]] {
            let fixed = ["--spp", "2", "--frames", "1-4", "-o", run.path("f.png")]
            let result = try run.run(try arguments() + fixed + more)
            try #require(result.status == 0, "\(result.errors)")
            return try #require(try result.document()["frames"] as? [[String: Any]])
        }
        func skipped(_ frames: [[String: Any]]) -> [Int] {
            frames.filter { $0["skipped"] as? Bool == true }.compactMap { $0["frame"] as? Int }
        }
        let whole = try render("--resume")
        #expect(skipped(whole).isEmpty && whole.count == 4)
        let files = FileManager.default
        try files.removeItem(atPath: run.path("f.0002.png"))
        _ = try run.shell("truncate -s -20 f.0003.png")
        let mended = try render("--resume")
        #expect(skipped(mended) == [1, 4])
        #expect(
            mended.map { $0["digest"] as? String } == whole.map { $0["digest"] as? String })
        #expect(skipped(try render("--resume")) == [1, 2, 3, 4])
        // Without --resume nothing is believed.
        #expect(skipped(try render()).isEmpty)
    }

    /// A picture that was changed, and is a sound one still, is not the one that was rendered.
    @Test func changedPicturesAreRenderedAgain() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        for name in ["f.png", "f.exr"] {
            let fixed = ["--spp", "1", "--frames", "1-2", "--size", "64x48", "-o", run.path(name)]
            let base = try arguments() + fixed
            try #require(try run.run(base).status == 0)
            let second = run.path(name == "f.png" ? "f.0002.png" : "f.0002.exr")
            let bytes = Bytes(try Data(contentsOf: URL(fileURLWithPath: second)))
            try Data(try Self.darkened(bytes)).write(to: URL(fileURLWithPath: second))
            let again = try run.run(base + ["--resume"])
            let frames = try #require(try again.document()["frames"] as? [[String: Any]])
            #expect(frames.map { $0["skipped"] as? Bool ?? false } == [true, false])
            #expect(again.errors.contains("\(second): not whole, or changed"), "\(again.errors)")
            #expect(Bytes(try Data(contentsOf: URL(fileURLWithPath: second))) == bytes)
        }
    }

    /// As a program leaves it that keeps what it does not know.
    private static func darkened(_ file: Bytes) throws -> Bytes {
        if let text = PNG.text("rigor", in: file) {
            let image = try PNG.decode(file)
            let png = try PNG.encode(
                width: image.width, height: image.height, pixels: image.pixels.map { $0 / 2 })
            return PNG.adding(text, as: "rigor", to: png)
        }
        let text = try #require(EXR.text("rigor", in: file))
        let image = try EXR.decode(file)
        return try EXR.encode(
            width: image.width, height: image.height,
            channels: EXR.channels(
                ImageFloat(
                    width: image.width, height: image.height, pixels: image.pixels.map { $0 / 2 }),
                isHalf: false), attributes: ["rigor": text])
    }

    /// Most of the time of small frames is not spent computing them; ctrl-C is heeded then too.
    @Test func interruptedBetweenFrames() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        var base = try arguments("--spp", "1", "--frames", "1-500", "-o", run.path("f.png"))
        base[base.firstIndex(of: "200x120") ?? 0] = "8x8"
        let result = try run.shell(
            """
            set -m; "$RIGOR" "$@" & pid=$!
            until test -e f.0003.png; do sleep 0.01; done
            kill -INT $pid; wait $pid
            """, base)
        #expect(result.status == 75, "\(result)")
        #expect(result.errors.contains("--resume goes on with frame"), "\(result.errors)")
        let frames = try #require(try result.document()["frames"] as? [[String: Any]])
        #expect((3..<500).contains(frames.count))
    }

    /// What another render left beside the picture is told, and not taken away.
    @Test func whatAnotherRenderLeft() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let picture = run.path("picture.png")
        let kept = try run.write("picture.png.rigor", Array("RIGORRS1 of something else".utf8))
        let result = try run.run(arguments("--spp", "1", "-o", picture))
        #expect(result.status == 0 && result.errors.contains("still there"), "\(result.errors)")
        #expect(FileManager.default.fileExists(atPath: kept))
    }

    /// What is read is not written over, whatever it is called.
    @Test func outputsAreNoInputs() throws {
        let run = try CommandLineRun()
        let scene = try CommandLineRun.example("scene/demo.glb")
        _ = try run.shell("cp \(scene) own.glb; ln -s own.glb x.png; ln own.glb y.exr")
        for output in ["x.png", "y.exr"] {
            try run.expectUsage(["render", "own.glb", "-o", output], output, "own.glb")
            try run.expectUsage(["merge", "own.glb", "-o", output], output, "own.glb")
        }
        guard try hasDevice(run) else { return }
        // A picture that the scene has.
        let png = try run.run(["render", scene, "--size", "8x8", "--spp", "1", "-o", "tex.png"])
        try #require(png.status == 0, "\(png.errors)")
        let text =
            #"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"#
            + #""nodes":[{"mesh":0}],"meshes":[{"primitives":[{"attributes":{"POSITION":0},"#
            + #""material":0}]}],"accessors":[{"componentType":5126,"count":3,"type":"VEC3"}],"#
            + #""materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}],"#
            + #""textures":[{"source":0}],"images":[{"uri":"tex.png"}]}"#
        try run.write("s.gltf", text.utf8)
        try run.expectUsage(["render", "s.gltf", "-o", "tex.png"], "tex.png: is the input")
        #expect(try run.run(["render", "s.gltf", "--size", "8x8", "--spp", "1"]).status == 0)
    }

    /// Two devices, where PoCL is there to be asked for them.
    private static let twins = ["POCL_DEVICES": "pthread pthread"]

    private static let interrupt = """
        set -m; "$RIGOR" "$@" & pid=$!
        sleep "$PAUSE"; kill -INT $pid; wait $pid
        """

    /// Shared renders and parts are kept like any other, and gone on with by whatever is there.
    @Test(arguments: [
        (["--share", "--spp", "160"], "p.exr"),
        (["--share", "--spp", "160", "--noise", "0.02"], "p.exr"),
        (["--spp", "260", "--samples", "10-259", "--tiles", "4-19"], "p.part"),
    ])
    func sharedWorkIsGoneOnWith(options: [String], name: String) throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let isPart = name.hasSuffix(".part")
        func target(_ name: String) -> [String] { [isPart ? "--part" : "-o", run.path(name)] }
        let whole = run.path("whole." + (isPart ? "part" : "exr"))
        let alone = options.filter { $0 != "--share" }
        let undisturbed = try run.run(
            try arguments() + ["--device", "0", isPart ? "--part" : "-o", whole] + alone)
        try #require(undisturbed.status == 0, "\(undisturbed.errors)")
        let kept = run.path(name + ".rigor")
        var ends = 0
        for attempt in 0..<30 {
            let isKept = FileManager.default.fileExists(atPath: kept)
            // Sharing, then one device alone, and again.
            let how = attempt % 3 == 2 ? alone + ["--device", "0"] : options
            let result = try run.shell(
                Self.interrupt, try arguments() + how + target(name) + (isKept ? ["--resume"] : []),
                environment: Self.twins.merging(
                    ["PAUSE": "\(0.9 + 0.6 * Double(attempt))"]) { $1 })
            if result.status == 0 {
                #expect(
                    FileManager.default.contentsEqual(atPath: run.path(name), andPath: whole))
                #expect(!FileManager.default.fileExists(atPath: kept))
                print("whole after \(ends) ends")
                return
            }
            ends += 1
            guard result.status == 75 else {
                #expect(result.status == 130, "\(result.errors)")
                continue
            }
            let document = try result.document()
            #expect(document["kept"] as? String == kept && document["digest"] is NSNull)
            #expect((document["done"] as? Double).map { $0 > 0 && $0 < 1 } == true)
            #expect(!isPart || document["part"] is NSNull)
        }
        Issue.record("never came to its end")
    }

    /// What was kept is gone on with even after another render has used the picture's name, and is
    /// taken away by nobody but a render that has all of it.
    @Test func whatIsKeptIsNeverReplaced() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let picture = run.path("p.exr")
        let files = FileManager.default
        func interrupted(_ pause: Double, _ more: String...) throws -> [String: Any] {
            for attempt in 0..<12 {
                let result = try run.shell(
                    Self.interrupt, try arguments("-o", picture) + more,
                    environment: ["PAUSE": "\(pause + 0.4 * Double(attempt))"])
                if result.status == 75 { return try result.document() }
                try #require(result.status == 130, "\(result)")
            }
            Issue.record("never kept anything")
            return [:]
        }
        let first = try interrupted(2.5, "--spp", "4000")
        #expect(first["kept"] as? String == picture + ".rigor")
        let bytes = files.contents(atPath: picture + ".rigor")
        // The same anew, and another one: each beside the first.
        let again = try interrupted(0.8, "--spp", "4000")
        #expect(again["kept"] as? String == picture + ".rigor.1")
        let other = try interrupted(0.8, "--spp", "4000", "--seed", "3")
        #expect(other["kept"] as? String == picture + ".rigor.2")
        let quick = try run.run(try arguments("--spp", "1", "-o", picture, "--seed", "5"))
        #expect(quick.status == 0 && quick.errors.contains("p.exr.rigor: still there"))
        #expect(files.contents(atPath: picture + ".rigor") == bytes)

        // The furthest of its own.
        let done = try #require(first["done"] as? Double)
        let resumed = try interrupted(0.5, "--spp", "4000", "--resume")
        #expect(resumed["kept"] as? String == picture + ".rigor")
        #expect((resumed["done"] as? Double).map { $0 >= done } == true)
        // Whole with as few samples as none of these would have lost.
        #expect(try run.run(try arguments("--spp", "1", "-o", picture)).status == 0)
        #expect(files.fileExists(atPath: picture + ".rigor"))
    }

    /// Two renders of one name at once: each keeps its own, and says where.
    @Test func rendersBesideEachOther() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let result = try run.shell(
            """
            set -m
            "$RIGOR" "$@" > a.json & a=$!
            sleep 2; "$RIGOR" "$@" > b.json & b=$!
            sleep 2; kill -INT $a $b; wait $a; wait $b
            """, try arguments("--spp", "9000", "--checkpoint", "1", "-o", run.path("p.exr")))
        let kept = try ["a.json", "b.json"].map { name in
            let text = try Data(contentsOf: URL(fileURLWithPath: run.path(name)))
            let document = try JSONSerialization.jsonObject(with: text) as? [String: Any]
            return try #require(document?["kept"] as? String, "\(result)")
        }
        #expect(Set(kept).count == 2)
        for path in kept { #expect(FileManager.default.fileExists(atPath: path)) }
    }

    /// A whole picture outlives a render of its name that was ended, and one signal that comes
    /// twice ends nothing twice.
    @Test func aPictureThatIsThereStays() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let picture = run.path("p.exr")
        try #require(try run.run(arguments("--spp", "1", "-o", picture)).status == 0)
        let bytes = FileManager.default.contents(atPath: picture)
        let result = try run.shell(
            """
            set -m; "$RIGOR" "$@" & pid=$!
            sleep 3; kill -INT $pid; sleep 0.02; kill -INT $pid; wait $pid
            """, try arguments("--spp", "20000", "-o", picture))
        #expect(result.status == 75, "\(result)")
        #expect(try result.document()["image"] is NSNull)
        #expect(FileManager.default.contents(atPath: picture) == bytes)
    }

    /// What was rendered is not lost with a picture that cannot be written.
    @Test func aPictureThatCannotBeWritten() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let picture = run.path("p.exr")
        let base = try arguments("--spp", "250", "-o", picture)
        let result = try run.shell(
            """
            "$RIGOR" "$@" & pid=$!
            sleep 1; mkdir -p p.exr/x; wait $pid
            """, base)
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("all samples are kept in"), "\(result)")
        try FileManager.default.removeItem(atPath: picture)
        let resumed = try run.run(base + ["--resume"]).document()
        let undisturbed = try run.run(try arguments("--spp", "250")).document()
        #expect(resumed["digest"] as? String == undisturbed["digest"] as? String)
        #expect(!FileManager.default.fileExists(atPath: picture + ".rigor"))
    }

    /// `--resume` takes no whole frame of other options away.
    @Test func framesOfAnotherJobStay() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        let base = try arguments("--frames", "1-2", "-o", run.path("f.png"))
        try #require(try run.run(base + ["--spp", "2"]).status == 0)
        let bytes = FileManager.default.contents(atPath: run.path("f.0001.png"))
        let result = try run.run(base + ["--spp", "1", "--resume"])
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("leave out --resume"), "\(result)")
        #expect(FileManager.default.contents(atPath: run.path("f.0001.png")) == bytes)
    }

    /// Parts of frames that are whole are left by `--resume`.
    @Test func framesInPartsAreGoneOnWith() throws {
        let run = try CommandLineRun()
        guard try hasDevice(run) else { return }
        func skipped(_ more: String...) throws -> [Int] {
            let fixed = ["--spp", "4", "--frames", "1-3", "--resume", "--part", run.path("f.part")]
            let result = try run.run(try arguments() + fixed + more)
            try #require(result.status == 0, "\(result.errors)")
            let frames = try #require(try result.document()["frames"] as? [[String: Any]])
            return frames.filter { $0["skipped"] as? Bool == true }.compactMap {
                $0["frame"] as? Int
            }
        }
        #expect(try skipped("--tiles", "0-3").isEmpty)
        try FileManager.default.removeItem(atPath: run.path("f.0002.part"))
        #expect(try skipped("--tiles", "0-3") == [1, 3])
        _ = try run.shell("truncate -s -20 f.0003.part")
        #expect(try skipped("--tiles", "0-3") == [1, 2])
        // Other parts of those names, which nobody has merged yet.
        for (more, reason) in [("0-4", "tiles 0-3"), ("0-3", "seed 0, not 1")] {
            let result = try run.run(
                try arguments() + [
                    "--spp", "4", "--frames", "1-3", "--part", run.path("f.part"), "--tiles", more,
                ] + (more == "0-3" ? ["--seed", "1"] : []))
            #expect(result.status == 1 && result.errors.contains(reason), "\(result.errors)")
        }
        #expect(try skipped("--tiles", "0-3") == [1, 2, 3])
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
