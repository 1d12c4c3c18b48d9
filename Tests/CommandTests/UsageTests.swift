import Foundation
import Testing

/// What the parser refuses: exit code 64, the option, the value, and what is accepted.
@Suite(.serialized) struct UsageTests {
    @Test(arguments: [
        (["--size", "0x0"], ["'0x0'", "--size", "1 to 16384"]),
        (["--size", "1x"], ["'1x'", "--size", "640x360"]),
        (["--size", "-1x5"], ["'-1x5'", "--size"]),
        (["--size", "16384x16384"], ["--size", "134217728 pixels"]),
        (["--size", "4611686018427387904x4"], ["--size", "1 to 16384"]),
        (["--spp", "65537"], ["'65537'", "--spp", "1 to 65536"]),
        (["--spp", "many"], ["'many'", "--spp", "1 to 65536"]),
        (["--bounces", "1000"], ["--bounces", "0 to 64"]),
        (["--seed", "-1"], ["'-1'", "--seed", "0 to 18446744073709551615"]),
        (["--exposure", "-33"], ["'-33'", "--exposure", "-32 to 32"]),
        (["--exposure", "nan"], ["'nan'", "--exposure", "-32 to 32"]),
        (["--view", "filmic"], ["'filmic'", "--view", "none, standard, pbr-neutral, agx"]),
        (["--png-bits", "12"], ["'12'", "--png-bits", "8 or 16"]),
        (["--aov", "albedo,speed"], ["'albedo,speed'", "--aov", "cryptomatte"]),
        (["--aov", "all", "-o", "x.png"], ["--aov", "an .exr"]),
        (["--exr", "double"], ["'double'", "--exr", "float, half"]),
        (["--aperture", "0.1"], ["--focus-distance expected"]),
        (["--focus-distance", "2"], ["--aperture or --f-stop expected"]),
        (["--f-stop", "0", "--focus-distance", "2"], ["'0'", "--f-stop"]),
        (["--noise", "0"], ["'0'", "--noise", "from 1e-05 to 1"]),
        (["--clamp", "0"], ["'0'", "--clamp", "from 9.5367431640625e-07 to"]),
        (["--spp-min", "4"], ["--spp-min", "--noise expected"]),
        (["--preview", "0"], ["'0'", "--preview", "1 to 86400"]),
        (["--time", "soon"], ["'soon'", "--time", "a number from"]),
        (["--frames", "9-1"], ["'9-1'", "--frames", "such as 7 or 1-250"]),
        (["--frames", "-1"], ["--frames"]),
        (["--frames", "1-2", "--fps", "0"], ["'0'", "--fps", "1 to 1000"]),
        (["--fps", "24"], ["--fps", "--frames", "--shutter"]),
        (["--shutter", "0.5"], ["--shutter", "--time"]),
        (["--time", "1", "--shutter", "2"], ["'2'", "--shutter", "0 to 1"]),
        (["--time", "1", "--shutter-steps", "4"], ["--shutter-steps", "add --shutter"]),
        (
            ["--time", "1", "--shutter", "0.5", "--noise", "0.1"],
            ["--noise", "not with --shutter"]
        ),
        (["--time", "1", "--shutter", "0.5", "--spp", "4"], ["--shutter-steps 8", "--spp 4"]),
        (["--animation", "Run"], ["--animation plays at a --time or for --frames"]),
        (["--device", ""], ["--device", "cpu, gpu or all"]),
        (["--device", "cpu,"], ["'cpu,'", "--device"]),
        (["--device", "-1"], ["'-1'", "--device", "cpu, gpu or all"]),
        (["--home", ""], ["--home", "a folder"]),
        (["-o", "x.bmp"], ["'x.bmp'", "-o", ".png or .exr"]),
        (["-o", ""], ["-o", ".png or .exr"]),
        (["--seed"], ["--seed"]),
        (["--nosuch"], ["--nosuch"]),
        (["other.glb"], ["other.glb"]),
    ])
    func render(_ arguments: [String], _ pieces: [String]) throws {
        let run = try CommandLineRun()
        let result = try run.run(["render", "scene.glb"] + arguments)
        #expect(result.status == 64 && result.output.isEmpty, "\(result)")
        #expect(result.errors.split(separator: "\n").count == 2, "\(result.errors)")
        #expect(result.errors.hasSuffix("\nsee: rigor render --help\n"))
        for piece in pieces { #expect(result.line.contains(piece), "\(result.line)") }
    }

    @Test func helpOnWhatIsNotThere() throws {
        let run = try CommandLineRun()
        let result = try run.run(["help", "nosuch"])
        #expect(result.status == 64 && result.output.isEmpty, "\(result)")
        #expect(result.line.contains("'nosuch'") && result.line.contains("render"))
        #expect(try run.run(["help", "render"]).status == 0)
        #expect(try run.run(["help"]).status == 0)
    }

    @Test func infer() throws {
        let run = try CommandLineRun()
        func refused(_ arguments: String..., saying pieces: String...) throws {
            let result = try run.run(["infer", "m.onnx"] + arguments)
            #expect(result.status == 64 && result.output.isEmpty, "\(result)")
            for piece in pieces { #expect(result.line.contains(piece), "\(result.line)") }
        }
        try refused("--std", "0", saying: "'0'", "--std", "other than 0")
        try refused("--std", "1,0,1", saying: "'1,0,1'", "--std")
        try refused("--std", "", saying: "--std", "decimal numbers")
        try refused("--mean", "-a", saying: "'-a'", "--mean", "decimal numbers")
        try refused("--mean", "nan", saying: "'nan'", "--mean")
        try refused("--top", "0", saying: "'0'", "--top", "1 to 1000")
        try refused("--top", "-1", saying: "'-1'", "--top", "1 to 1000")
        try refused("--repeat", "0", saying: "'0'", "--repeat", "1 to 1000000")
        try refused("--input", "image", saying: "'image'", "--input", "NAME=FILE")
        try refused("--input", "image=", saying: "--input", "NAME=FILE")
        try refused("-o", "out.png", saying: "-o", ".npz")
        try refused("--labels", "l.txt", saying: "--labels", "--top")
    }

    @Test func elsewhere() throws {
        let run = try CommandLineRun()
        try run.expectUsage(["nosuch"], "nosuch")
        try run.expectUsage(["render"], "<scene>")
        try run.expectUsage(
            ["demo", "--apps", "nosuch"], "--apps nosuch", "one of render, infer, train expected")
        try run.expectUsage(["demo", "--apps", ""], "--apps")
        try run.expectUsage(["demo", "--keep", "--resume"], "--keep", "--resume")
        try run.expectUsage(["demo", "--resume", "--apps", "hash"], "--resume")
        try run.expectUsage(["verify"], "<receipt>")
        try run.expectUsage(["certify", "--device", ","], "--device")
        let file = try run.write("file", [])
        for command in ["probe", "doctor", "certify", "bench", "demo"] {
            try run.expectUsage([command, "--home", file], "--home \(file)", "a folder expected")
        }
        let result = try run.run(["probe"], environment: ["RIGOR_HOME": file])
        #expect(result.status == 64 && result.line.contains("RIGOR_HOME /"), "\(result)")
    }

    /// A value may begin with a minus.
    @Test func negativeValues() throws {
        let run = try CommandLineRun()
        // Refused for the file that is not there, not for the number.
        try run.expectFailure(
            ["render", "none.glb", "--exposure", "-2"], "none.glb", "no such file")
        try run.expectFailure(
            ["infer", "none.onnx", "--mean", "-0.5,0,-1"], "none.onnx", "no such file")
    }

    @Test func failuresAreDocumentsToo() throws {
        let run = try CommandLineRun()
        func error(_ arguments: String...) throws -> (Int32, [String: Any]) {
            let result = try run.run(arguments + ["--json"])
            #expect(result.line.hasPrefix("error: "), "\(result)")
            let error = try #require(try result.document()["error"] as? [String: Any])
            #expect(result.line == "error: \(error["message"] ?? "")")
            return (result.status, error)
        }
        for arguments in [
            ["render", "none.glb"], ["infer", "none.onnx"], ["verify", "none.json"],
        ] {
            let (status, document) = try error(arguments[0], arguments[1])
            #expect(status == 1 && document["code"] as? String == "io", "\(document)")
        }
        let (status, document) = try error("render", "x.glb", "--spp", "0")
        #expect(status == 64 && document["code"] as? String == "usage", "\(document)")
        // Behind "--" it is a name, not a wish.
        let result = try run.run(["render", "--", "--json"])
        #expect(result.status == 1 && result.output.isEmpty)
    }

    @Test(arguments: [
        [], ["demo"], ["verify"], ["probe"], ["doctor"], ["certify"], ["bench"], ["render"],
        ["infer"], ["onnx-test"],
    ])
    func helpHasExamples(_ command: [String]) throws {
        let result = try CommandLineRun().run(command + ["--help"])
        #expect(result.status == 0 && result.errors.isEmpty)
        let text = try #require(result.output.components(separatedBy: "EXAMPLES\n").last)
        #expect(text.contains("  rigor \(command.first ?? "demo")"), "\(result.output)")
        if !command.isEmpty { #expect(text.contains("--json")) }
    }

    /// Defaults are said, and no example is wrapped.
    @Test func helpFitsATerminal() throws {
        let run = try CommandLineRun()
        let render = try run.run(["render", "--help"]).output
        for value in ["640x360", "64", "4", "0", "first"] {
            #expect(render.contains("(default: \(value))"), "\(value)")
        }
        for command in [
            "demo", "verify", "probe", "certify", "bench", "render", "infer", "onnx-test",
        ] {
            let text = try run.run([command, "--help"]).output
            let examples = text.components(separatedBy: "EXAMPLES\n").last ?? ""
            let lines = examples.split(separator: "\n").prefix { !$0.hasPrefix("USAGE") }
            #expect(lines.allSatisfy { $0.hasPrefix("  ") }, "\(lines)")
        }
    }

    /// What the parser says of itself need not be said again.
    @Test func defaultsAreSaidOnce() throws {
        let run = try CommandLineRun()
        let list = try run.run(["--help"]).output.components(separatedBy: "SUBCOMMANDS:\n").last
        let commands = (list ?? "").split(separator: "\n").compactMap { line in
            line.hasPrefix("  ") && !line.hasPrefix("   ")
                ? line.split(separator: " ").first.map(String.init) : nil
        }
        #expect(commands.contains("serve") && commands.count > 10, "\(commands)")
        for command in commands {
            let help = try run.run([command, "--help"]).output
            let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(!words.contains(/\(default: [^)]*\) \(default/), "\(command)")
        }
    }

    @Test func serve() throws {
        let run = try CommandLineRun()
        for name in ["x", "=x.onnx", "x="] {
            try run.expectUsage(["serve", "--name", name], "'\(name)'", "--name", "NAME=MODEL")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
        let run = try CommandLineRun()
        let result = try run.run(["--generate-completion-script", shell])
        #expect(result.status == 0 && result.output.contains("exposure"))
        try run.write("script", Array(result.output.utf8))
        let check = try run.shell("command -v \(shell) >&2 || exit 77; \(shell) -n script")
        if check.status == 77 {
            print("skip: \(shell) is not installed")
        } else {
            #expect(check.status == 0, "\(check.errors)")
        }
    }
}
