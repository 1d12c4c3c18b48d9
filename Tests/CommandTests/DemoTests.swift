import Foundation
import Testing

/// `rigor demo` where it cannot begin.
@Suite(.serialized) struct DemoTests {
    @Test func homesThatCannotBe() throws {
        let run = try CommandLineRun()
        try run.expectFailure(
            ["demo", "--home", "/proc/none"], "/proc/none", "cannot be created: ")
        _ = try run.shell(": > file")
        try run.expectFailure(["demo", "--home", "file/below"], "file", "a folder expected")
        try run.expectFailure(["demo", "--resume"], "no demo was interrupted")
        _ = try run.shell("mkdir -p home/market")
        try run.expectFailure(["demo", "--resume"], "begin it again without --resume")
    }

    @Test func plansThatAreNone() throws {
        let run = try CommandLineRun()
        for content in ["", "{}", "\u{1}", String(repeating: "\u{1}", count: 4000)] {
            _ = try run.shell("mkdir -p home/market")
            try run.write("home/market/plan", Array(content.utf8))
            try run.expectFailure(["demo", "--resume"], "market/plan")
        }
    }

    @Test func oneAtATime() throws {
        let run = try CommandLineRun()
        let result = try run.shell(
            "mkdir home; exec 9>home/demo.lock; flock 9; $RIGOR demo; echo $?")
        #expect(result.output == "1\n", "\(result)")
        #expect(result.line.contains("demo.lock: another process is at work"), "\(result)")
    }
}
