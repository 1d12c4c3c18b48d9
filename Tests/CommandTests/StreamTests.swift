import Foundation
import Testing

/// What a command does where its streams are not what it expects, and without a device.
@Suite(.serialized) struct StreamTests {
    /// Standard output that is closed or full is a failure said in one line, never a crash.
    @Test(arguments: [">&-", ">/dev/full"])
    func outputThatTakesNothing(_ redirection: String) throws {
        let run = try CommandLineRun()
        for command in ["--help", "doctor", "doctor --json", "render none.glb --json"] {
            let result = try run.shell("$RIGOR \(command) \(redirection)")
            #expect(result.status == 1, "\(command): \(result)")
            let line = "error: standard output: cannot be written"
            #expect(result.errors.contains(line), "\(command): \(result)")
        }
        let result = try run.shell("$RIGOR doctor <&- >&- 2>&-")
        #expect(result.status == 1)
    }

    /// With a stream closed, a file opened next would get its number, and the results with it.
    @Test func outputNeverGoesIntoAnotherFile() throws {
        let run = try CommandLineRun()
        let result = try run.shell("$RIGOR probe --save saved.json >&-")
        #expect(result.status == 1)
        let saved = try Data(contentsOf: URL(fileURLWithPath: run.path("saved.json")))
        #expect(try JSONSerialization.jsonObject(with: saved) is [String: Any])
    }

    @Test func readersMayLeave() throws {
        let run = try CommandLineRun()
        let result = try run.shell("set -o pipefail; $RIGOR --help | head -n 1")
        #expect(result.errors.isEmpty && result.output.contains("OVERVIEW"), "\(result)")
    }

    @Test(arguments: ["certify", "bench", "render", "infer"])
    func noDevice(_ command: String) throws {
        let run = try CommandLineRun()
        let file =
            switch command {
            case "render": [try CommandLineRun.example("scene/demo.glb")]
            case "infer":
                [
                    try CommandLineRun.example("digits/digits.onnx"), "--input",
                    "image=" + (try CommandLineRun.example("digits/digit-1.png")),
                ]
            default: [String]()
            }
        let environment = ["OCL_ICD_VENDORS": "/nonexistent", "OPENCL_VENDOR_PATH": "/nonexistent"]
        try run.expectFailure([command] + file, environment: environment, "no OpenCL device")
    }

    @Test func noDeviceIsADiagnosis() throws {
        let run = try CommandLineRun()
        let environment = ["OCL_ICD_VENDORS": "/nonexistent", "OPENCL_VENDOR_PATH": "/nonexistent"]
        let result = try run.run(["doctor", "--json"], environment: environment)
        #expect(result.status == 1)
        #expect(try result.document()["findings"] != nil)
        let bare = try run.run(
            ["probe"], environment: ["HOME": nil, "RIGOR_HOME": nil, "LANG": "C", "LC_ALL": "C"])
        #expect(bare.status == 0 && bare.errors.isEmpty, "\(bare)")
    }

    /// Neither the loader nor a driver says that an `.icd` file leads nowhere.
    @Test func driverWithoutLibrary() throws {
        let run = try CommandLineRun()
        let file = run.path("c.icd")
        try Data("/nonexistent/lib.so\n".utf8).write(to: URL(fileURLWithPath: file))
        let environment = ["OCL_ICD_VENDORS": file, "OPENCL_VENDOR_PATH": nil]
        let doctor = try run.run(["doctor"], environment: environment)
        #expect(doctor.status == 1)
        #expect(doctor.output.hasPrefix("blocks   /"), "\(doctor)")
        let named = "/c.icd names the library /nonexistent/lib.so, which is not there\n"
        #expect(doctor.output.contains(named), "\(doctor)")
        #expect(doctor.output.contains("certificate (no driver)"), "\(doctor)")
        let probe = try run.run(["probe"], environment: environment)
        #expect(probe.output.contains("/c.icd (/nonexistent/lib.so): no such library"))
    }

    /// On a terminal: colour, unless it is not wanted. Elsewhere neither colour nor progress.
    @Test func colors() throws {
        let run = try CommandLineRun()
        guard try run.shell("command -v script").status == 0 else {
            print("skip: script (util-linux) is not installed")
            return
        }
        let terminal = "script -qec \"$RIGOR render none.glb\" /dev/null"
        let set = ["TERM": "xterm", "NO_COLOR": nil]
        #expect(try run.shell(terminal, environment: set).output.contains("\u{1b}[31merror"))
        let unwanted = try run.shell(terminal, environment: ["TERM": "xterm", "NO_COLOR": "1"])
        #expect(unwanted.output.contains("error: ") && !unwanted.output.contains("\u{1b}[31m"))
        let dumb = try run.shell(terminal, environment: ["TERM": "dumb", "NO_COLOR": nil])
        #expect(dumb.output.contains("error: ") && !dumb.output.contains("\u{1b}"))
        #expect(try !run.run(["render", "none.glb"], environment: set).errors.contains("\u{1b}"))
    }
}
