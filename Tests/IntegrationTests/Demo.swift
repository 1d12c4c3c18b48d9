import Agent
import Contribution
import Core
import Digest
import Ethereum
import Foundation
import Glibc
import Ledger
import ProgramTestKit
import Testing

/// Runs the built program as a user would.
struct Demo {
    let home: String
    /// The options that say what is bought.
    let jobs: [String]

    /// An empty folder for a demo's data.
    static func newHome() throws -> String {
        let home = NSTemporaryDirectory() + "demo-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        return home
    }

    /// Starts a demo, or any command; standard output goes to `output`.
    static func start(_ arguments: [String], output: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try BuiltProgram.path())
        process.arguments = arguments
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: output)
        _ = FileManager.default.createFile(atPath: output + ".log", contents: nil)
        process.standardError = FileHandle(forWritingAtPath: output + ".log")
        try process.run()
        return process
    }

    /// - Parameter mode: `--keep` or `--resume`; nil for a new market.
    func start(_ mode: String? = nil) throws -> Process {
        let arguments = (mode.map { [$0] } ?? []) + (mode == "--resume" ? [] : jobs)
        return try Self.start(
            ["demo", "--home", home, "--json"] + arguments, output: "\(home)/out.json")
    }

    /// Waits for a demo, which must succeed.
    func finish(_ process: Process, secondsMax: Double = 180) throws {
        let deadline = ProcessInfo.processInfo.systemUptime + secondsMax
        while process.isRunning, ProcessInfo.processInfo.systemUptime < deadline {
            usleep(20_000)
        }
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            Issue.record("the demo hangs")
        }
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the demo failed: \(said)")
    }

    /// Runs a command to its end: its exit code, standard output and standard error.
    static func run(_ arguments: [String]) throws -> (code: Int32, out: Data, said: String) {
        let output = try newHome()
        defer { try? FileManager.default.removeItem(atPath: output) }
        let process = try start(arguments, output: "\(output)/out")
        process.waitUntilExit()
        let said = try String(contentsOfFile: "\(output)/out.log", encoding: .utf8)
        let out = try Data(contentsOf: URL(fileURLWithPath: "\(output)/out"))
        return (process.terminationStatus, out, said)
    }

    /// The exit code of `rigor verify`.
    static func verify(_ arguments: [String]) throws -> Int32 {
        try run(["verify"] + arguments).code
    }

    /// What the last demo said on standard error.
    var said: String {
        (try? String(contentsOfFile: "\(home)/out.json.log", encoding: .utf8)) ?? ""
    }

    /// The agents' logs.
    var agentLines: [Substring] {
        (1...2).flatMap { number in
            let path = "\(home)/market/logs/agent-\(number).log"
            let log = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return log.split(separator: "\n")
        }
    }

    /// How many lines of the agents' logs say so of a task.
    func agentLines(_ word: String) -> Int {
        agentLines.count { line in
            line.hasPrefix("task ")
                && line.split(separator: ": ").last?.split(separator: " ").first ?? "" == word
        }
    }

    /// No host died on its own: that costs time and hides a fault, even where it is survived.
    func checkHosts() {
        let failures = agentLines.filter { $0.contains(": host ") && $0.contains(" failed: ") }
        #expect(failures.isEmpty)
    }

    var hasPlan: Bool { FileManager.default.fileExists(atPath: "\(home)/market/plan") }

    /// What a finished demo printed.
    func document() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(home)/out.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// What a demo's tasks came to.
    struct Outcome {
        var digests: [String] = []
        var trusts: [Int] = []
        /// Worker → tokens.
        var paid: [String: UInt64] = [:]
    }

    /// Checks that every task was done by two workers who agree, each paid once, that tokens are
    /// conserved, and that the receipts hold.
    ///
    /// - Parameter earlier: what the market's earlier demos came to.
    func check(after earlier: [Outcome] = []) throws -> Outcome {
        let document = try document()
        let tasks = try #require(document["tasks"] as? [[String: Any]])
        var outcome = Outcome()
        for task in tasks {
            let workers = try #require(task["workers"] as? [[String: Any]])
            #expect(workers.count == 2)
            #expect(Set(workers.compactMap { $0["result_hash"] as? String }).count == 1)
            var sum: UInt64 = 0
            for worker in workers {
                let address = try #require(worker["address"] as? String)
                let tokens = try #require((worker["paid"] as? String).flatMap { UInt64($0) })
                // Fresh workers' words weigh the same, so they get the same.
                #expect(earlier.isEmpty ? tokens == 495_000_000 : tokens > 0)
                sum += tokens
                outcome.paid[address, default: 0] += tokens
            }
            #expect(sum == 990_000_000)
            outcome.digests.append(try #require(task["digest"] as? String))
            outcome.trusts.append(try #require(task["trust"] as? Int))
        }
        #expect(outcome.paid.count == 2)
        let receipts = try #require(document["receipts"] as? [String])
        #expect(Set(receipts).count == 2 * tasks.count)
        for path in receipts {
            #expect(try Self.verify([path, "--home", home]) == 0, "\(path)")
        }
        try checkLedger(after: earlier + [outcome])
        return outcome
    }

    private func checkLedger(after demos: [Outcome]) throws {
        let ledger = try MarketLedger.open("\(home)/market/ledger.sqlite")
        #expect(try ledger.verifyHistory().supply == 500_000_000_000)
        var paid: [String: UInt64] = [:]
        for demo in demos { paid.merge(demo.paid) { $0 + $1 } }
        for (address, tokens) in paid {
            let account = try ledger.account(try #require(Address(hex: address)))
            #expect(account.available == UInt256(100_000_000_000 + tokens))
            #expect(account.locked == 0)
        }
        var counts: [String: Int] = [:]
        for logged in try ledger.events() where logged.event.taskID != nil {
            counts["\(logged.event)".prefix { $0 != "(" }.description, default: 0] += 1
        }
        let each = [
            "taskInitialize": 1, "taskContribute": 2, "taskConsensus": 1, "taskReveal": 2,
            "taskFinalize": 1, "accurateContribution": 2,
        ]
        #expect(counts == each.mapValues { $0 * demos.map(\.digests.count).reduce(0, +) })
    }

    /// What holds at every moment: no token is lost, and no stake is locked on a result that the
    /// worker's journal does not have.
    func checkStakes() throws {
        let path = "\(home)/market/ledger.sqlite"
        // A ledger that is only just being founded has nothing to check.
        guard let ledger = try? MarketLedger.open(path) else { return }
        #expect(try ledger.verifyHistory().supply <= 500_000_000_000)
        let contributions = try ledger.hub().tables.contributions
        let journals = try (1...2).compactMap { number -> Journal? in
            let path = "\(home)/market/agent-\(number)/journal.sqlite"
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return try Journal(path: path)
        }
        for (key, contribution) in contributions {
            let results = try journals.compactMap { try $0.record(key.taskID)?.result }
            let isJournalled = results.contains {
                Identifiers.resultHash(task: key.taskID, digest: $0.digest.hash)
                    == contribution.resultHash
            }
            #expect(isJournalled, "task \(key.taskID): a stake without a journalled result")
        }
    }
}

/// The processes of a running demo, from /proc.
enum Processes {
    struct Entry {
        let id: Int32
        let parent: Int32
        let arguments: [String]
    }

    static func all() -> [Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap(entry)
    }

    private static func entry(_ id: Int32) -> Entry? {
        guard let stat = FileManager.default.contents(atPath: "/proc/\(id)/stat"),
            let line = String(data: stat, encoding: .utf8), let end = line.lastIndex(of: ")"),
            let command = FileManager.default.contents(atPath: "/proc/\(id)/cmdline")
        else { return nil }
        // After the name in brackets: state, parent.
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 1, let parent = Int32(fields[1]), fields[0] != "Z" else { return nil }
        let arguments = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return Entry(id: id, parent: parent, arguments: arguments)
    }

    /// The process of a kind below the demo; nil while there is none.
    static func find(
        _ kind: String, below demo: Int32, using random: inout some RandomNumberGenerator
    ) -> Int32? {
        let all = all()
        let children = all.filter { $0.parent == demo }
        switch kind {
        case "demo": return demo
        case "pool": return children.first { $0.arguments.contains("pool") }?.id
        case "agent":
            return children.filter { $0.arguments.dropFirst().first == "agent" }
                .randomElement(using: &random)?.id
        default:
            let agents = Set(children.map(\.id))
            return all.filter {
                agents.contains($0.parent) && $0.arguments.dropFirst().first == "host"
                    && $0.arguments.contains(kind)
            }.randomElement(using: &random)?.id
        }
    }
}
