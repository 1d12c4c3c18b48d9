import Foundation
import Testing

/// Files that are not what a command expects: one line each, at once.
@Suite(.serialized) struct InputTests {
    /// Where a file is expected there is a pipe that nobody writes to, a device without end, ….
    @Test(arguments: ["fifo", "/dev/zero", ".", "empty", "none"])
    func notAFile(_ name: String) throws {
        let run = try CommandLineRun()
        _ = try run.shell("mkfifo fifo; : > empty")
        let picture = try CommandLineRun.example("digits/digit-1.png")
        let model = try CommandLineRun.example("digits/digits.onnx")
        let scene = try CommandLineRun.example("scene/demo.glb")
        let place = name == "." ? "a folder" : (name as NSString).lastPathComponent
        try run.expectFailure(["render", name], place)
        try run.expectFailure(["render", scene, "--env", name], place)
        try run.expectFailure(["infer", name, "--input", "image=\(picture)"], place)
        try run.expectFailure(["infer", model, "--input", "image=\(name)"], place)
        try run.expectFailure(["verify", name], place)
        if name != "empty" {
            try run.expectFailure(
                ["infer", model, "--input", "image=\(picture)", "--top", "1", "--labels", name],
                place)
        }
    }

    @Test func outputsAreTriedBeforeTheWork() throws {
        let run = try CommandLineRun()
        _ = try run.shell("mkdir folder.png folder.npz; : > file")
        // The scene is not there either: the output is complained of first.
        try run.expectFailure(
            ["render", "none.glb", "-o", "none/x.png"], "none/x.png", "no folder", "none")
        try run.expectFailure(["render", "none.glb", "-o", "folder.png"], "folder.png", "a folder")
        try run.expectFailure(
            ["render", "none.glb", "-o", "file/x.png"], "file/x.png", "Not a directory")
        try run.expectFailure(["infer", "none.onnx", "-o", "folder.npz"], "folder.npz", "a folder")
        try run.expectFailure(["probe", "--save", "none/x"], "none/x", "no folder")
        let long = String(repeating: "n", count: 300) + ".png"
        try run.expectFailure(["render", "none.glb", "-o", long], "File name too long")
    }

    @Test func aFullDisk() throws {
        let run = try CommandLineRun()
        _ = try run.shell("ln -s /dev/full full")
        try run.expectFailure(["probe", "--save", "full"], "full", "No space left")
        // Not replaced by a file either, as writing beside it and renaming would: so a superuser
        // could lose a device.
        #expect(try run.shell("test -L full && test -c /dev/full").status == 0)
    }

    @Test func labelsOfOtherClasses() throws {
        let run = try CommandLineRun()
        let labels = try run.write("short.txt", Array("one\ntwo\n".utf8))
        let model = try CommandLineRun.example("digits/digits.onnx")
        let picture = try CommandLineRun.example("digits/digit-1.png")
        let result = try run.run([
            "infer", model, "--input", "image=\(picture)", "--top", "3", "--labels", labels,
        ])
        if result.errors.contains("no OpenCL device") {
            print("skip: no OpenCL device")
            return
        }
        #expect(result.status == 1, "\(result)")
        #expect(result.line.contains("short.txt: 2 names; 10 expected"), "\(result.line)")
    }

    @Test func arraysWhoseHeadersLie() throws {
        let run = try CommandLineRun()
        let model = try CommandLineRun.example("digits/digits.onnx")
        func array(_ header: String, version: UInt8 = 1) -> [UInt8] {
            [0x93] + Array("NUMPY".utf8) + [version, 0]
                + [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
                + Array(header.utf8)
        }
        let shapes = ["(1000000000000, 1, 8, 8)", "(1, 1, 8, 9223372036854775807)", "(1, 1, 8, 8)"]
        for shape in shapes {
            let header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
            let file = try run.write("x.npy", array(header))
            try run.expectFailure(
                ["infer", model, "--input", "image=\(file)"], "x.npy", "expected")
        }
        // A type whose name would colour the terminal.
        let hostile = "{'descr': '\u{1b}[31m', 'fortran_order': False, 'shape': (1,), }"
        let file = try run.write("x.npy", array(hostile))
        let result = try run.expectFailure(["infer", model, "--input", "image=\(file)"], "x.npy")
        #expect(!result.errors.contains("\u{1b}"))
    }

    @Test func namesCannotDriveTheTerminal() throws {
        let run = try CommandLineRun()
        let result = try run.expectFailure(
            ["render", "a\u{1b}[2J\nerror: b\u{202e}.glb"], "no such")
        #expect(!result.errors.contains("\u{1b}") && !result.errors.contains("\u{202e}"))
    }

    /// What a driver does while it is loaded must not be what the user sees.
    @Test func aDriverThatCrashes() throws {
        let run = try CommandLineRun()
        let built = try run.shell(
            """
            printf '#include <stdlib.h>\\n__attribute__((constructor)) static void f(void) { \
            *(volatile int *)0 = 1; }\\n' >d.c && cc -shared -fPIC -o d.so d.c \
            && mkdir drivers && echo "$PWD/d.so" >drivers/d.icd
            """)
        guard built.status == 0 else {
            print("skip: no C compiler")
            return
        }
        let drivers = ["OCL_ICD_VENDORS": run.path("drivers")]
        let scene = try CommandLineRun.example("scene/demo.glb")
        for arguments in [["render", scene], ["certify"], ["bench", "--quick"]] {
            let result = try run.run(arguments + ["--json"], environment: drivers)
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            #expect(result.line.contains("driver crashed") && result.line.contains("rigor doctor"))
            #expect(try result.document()["error"] != nil)
        }
    }

    /// A service manager may give no search path, along which drivers look for their linker.
    @Test func aFirstStartWithoutASearchPath() throws {
        let run = try CommandLineRun()
        let model = try CommandLineRun.example("digits/digits.onnx")
        let picture = try CommandLineRun.example("digits/digit-1.png")
        let result = try run.run(
            ["infer", model, "--input", "image=\(picture)"],
            environment: [
                "PATH": nil, "POCL_CACHE_DIR": run.path("pocl"), "XDG_CACHE_HOME": run.path("xdg"),
            ])
        if result.errors.contains("no OpenCL device") {
            print("skip: no OpenCL device")
            return
        }
        #expect(result.status == 0, "\(result)")
    }

    /// Each of the devices that are named computes, and says so.
    @Test func allDevicesInfer() throws {
        guard let intel = ProcessInfo.processInfo.environment["RIGOR_INTEL_OPENCL"] else {
            print("skip: a second driver is not installed: make install-test")
            return
        }
        let run = try CommandLineRun()
        _ = try run.shell("mkdir drivers; cp /etc/OpenCL/vendors/pocl*.icd drivers")
        try run.write("drivers/intel.icd", Array("\(intel)\n".utf8))
        let model = try CommandLineRun.example("digits/digits.onnx")
        let digits = try CommandLineRun.example("digits")
        let drivers: [String: String?] = ["OCL_ICD_VENDORS": run.path("drivers")]
        for input in ["image=\(digits)/digit-1.png", "image=\(digits)"] {
            let arguments = ["infer", model, "--input", input, "--device", "all"]
            let result = try run.run(arguments + ["--json"], environment: drivers)
            #expect(result.status == 0, "\(result)")
            let reports = try #require(try result.document()["devices"] as? [[String: Any]])
            let names = Set(reports.compactMap { $0["device"] as? String })
            #expect(names.count >= 2 && names.count == reports.count, "\(names)")
            #expect(Set(reports.compactMap { $0["digest"] as? String }).count == 1)
            let text = try run.run(arguments, environment: drivers).output
            #expect(names.allSatisfy { text.contains(" on \($0)\n") }, "\(text)")
        }
    }

    /// Several devices are one document, and must agree.
    @Test func everyDeviceInfersAlike() throws {
        let run = try CommandLineRun()
        let model = try CommandLineRun.example("digits/digits.onnx")
        let picture = try CommandLineRun.example("digits/digit-1.png")
        let result = try run.run([
            "infer", model, "--input", "image=\(picture)", "--device", "all", "--json",
        ])
        if result.errors.contains("no OpenCL device") {
            print("skip: no OpenCL device")
            return
        }
        #expect(result.status == 0, "\(result)")
        let document = try result.document()
        let reports = document["devices"] as? [[String: Any]] ?? [document]
        #expect(!reports.isEmpty)
        for report in reports {
            #expect((report["digest"] as? String)?.hasPrefix("0x") == true)
            // One run is the warm-up, and no median.
            #expect(report["milliseconds"] is NSNull)
        }
    }
}
