import Foundation
import ProgramTestKit
import Testing

/// A disk that is full, read-only or no folder at all: one clear line, exit code 1, no stake
/// without a journalled result; and with room again the demo goes on.
@Suite(.serialized) struct FullDiskTests {
    /// Runs a demo on a file system of little more than the program's size, then with room; leaves
    /// both exit codes, what was said, and the market in `$folder`.
    private static let script = """
        set -u
        disk=$folder/disk; mkdir -p $disk $folder/full/market
        mount -t tmpfs -o size=${kib}k none $disk || exit 77
        [ $mode = ro ] && mount -o remount,ro $disk
        $program demo --home $disk --json $jobs >$folder/out.json 2>$folder/first.log
        echo $? >$folder/first
        [ $mode = ro ] && exit 0
        cp -a $disk/market/ledger.sqlite* $disk/market/agent-* $folder/full/market/ 2>/dev/null
        mount -o remount,size=400m $disk
        if [ -e $disk/market/plan ]; then jobs=--resume; fi
        $program demo --home $disk --json $jobs >$folder/out.json 2>$folder/out.json.log
        echo $? >$folder/second
        sed -i 's|/disk/market|/market|' $folder/out.json
        rm -rf $disk/market/programs
        cp -a $disk/market $folder/
        """

    /// What a run with `kib` KiB beside the program came to; nil where nothing can be mounted.
    private func run(_ demo: Demo, kib: Int, mode: String = "rw") throws -> Int? {
        let program = try BuiltProgram.path()
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: program)[.size] as? Int)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // A mount that only this script sees; who is not root becomes so in a namespace of its own.
        process.arguments = [
            "unshare", getuid() == 0 ? "--mount" : "--map-root-user", "--mount", "bash", "-c",
            Self.script,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "folder": demo.home, "program": program, "jobs": demo.jobs.joined(separator: " "),
            "kib": "\(size / 1024 + kib)", "mode": mode,
        ]) { $1 }
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try? number("first", in: demo.home)
    }

    private func number(_ name: String, in folder: String) throws -> Int? {
        Int(
            try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The one line that says why.
    private func reason(_ log: String) throws -> Substring {
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("error: ") }.count == 1, "\(lines)")
        return try #require(lines.last { $0.hasPrefix("error: ") })
    }

    // While the program is copied; while the market is founded; while agents and pool work.
    @Test(arguments: [-1000, 250, 900, 1400])
    func aFullDiskEndsInOneLineAndThenGoesOn(kib: Int) throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, jobs: ["--apps", "hash", "--hash-rounds", "10"])
        guard let first = try run(demo, kib: kib) else {
            return print("skip: no file system can be mounted here, so none is filled")
        }
        print("\(kib) KiB beside the program: exit \(first)")
        #expect(first == 1 || kib > 1000)
        if first == 1 { print(try reason("\(home)/first.log")) }
        try Demo(home: "\(home)/full", jobs: []).checkStakes()
        #expect(try number("second", in: home) == 0, "\(demo.said)")
        _ = try demo.check()
    }

    @Test func whatCannotBeWrittenIsNamed() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let file = "\(home)/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        let ended = try Demo.run(["demo", "--home", "\(file)/home"])
        #expect(ended.code == 1)
        #expect(ended.said == "error: \(file): cannot be created: a file; a folder expected\n")

        let demo = Demo(home: home, jobs: [])
        guard let code = try run(demo, kib: 1000, mode: "ro") else {
            return print("skip: no file system can be mounted here, so none is read-only")
        }
        #expect(code == 1)
        #expect(try reason("\(home)/first.log").contains("Read-only file system"))
    }
}
