import Contribution
import Core
import Ethereum
import Foundation
import Glibc
import Ledger
import ProgramTestKit
import Testing

/// Runs the built program as a user would.
struct Demo {
    let home: String
    /// Work of the toy job.
    let rounds: Int

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

    func start(isResumed: Bool) throws -> Process {
        let mode =
            isResumed
            ? ["--resume"] : ["--apps", "hash", "--hash-rounds", "\(rounds)"]
        return try Self.start(
            ["demo", "--home", home, "--json"] + mode, output: "\(home)/out.json")
    }

    /// What the last demo said on standard error.
    var said: String {
        (try? String(contentsOfFile: "\(home)/out.json.log", encoding: .utf8)) ?? ""
    }

    var hasPlan: Bool { FileManager.default.fileExists(atPath: "\(home)/market/plan") }

    /// What a finished demo printed.
    func document() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(home)/out.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// Checks that every task was done by two workers who agree, each paid once, and gives the
    /// digests in order.
    func check() throws -> [String] {
        let document = try document()
        let tasks = try #require(document["tasks"] as? [[String: Any]])
        var paid: [String: UInt64] = [:]
        var digests: [String] = []
        for task in tasks {
            let workers = try #require(task["workers"] as? [[String: Any]])
            #expect(workers.count == 2)
            #expect(Set(workers.compactMap { $0["result_hash"] as? String }).count == 1)
            for worker in workers {
                let address = try #require(worker["address"] as? String)
                let tokens = try #require((worker["paid"] as? String).flatMap { UInt64($0) })
                #expect(tokens == 495_000_000)
                paid[address, default: 0] += tokens
            }
            digests.append(try #require(task["digest"] as? String))
        }
        #expect(paid.count == 2)
        let receipts = try #require(document["receipts"] as? [String])
        #expect(Set(receipts).count == 2 * tasks.count)

        let ledger = try MarketLedger.open("\(home)/market/ledger.sqlite")
        let history = try ledger.verifyHistory()
        #expect(history.supply == 500_000_000_000)
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
        #expect(counts == each.mapValues { $0 * tasks.count })
        return digests
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
