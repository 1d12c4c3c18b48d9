import Core
import Foundation
import Glibc
import MarketTestKit
import Testing

/// `kill -9` at random moments of a demo, of any of its processes: it ends with the same results,
/// paid exactly once. RIGOR_KILL_POINTS sets how many; RIGOR_SEED repeats a campaign's choices.
@Suite(.serialized) struct KillCampaignTests {
    private static let kinds = ["agent", "pool", "device", "prepare", "demo"]
    private static let killsARound = 3

    @Test func killedAnywhereItEndsPaidOnce() throws {
        let environment = ProcessInfo.processInfo.environment
        let points = environment["RIGOR_KILL_POINTS"].flatMap { Int($0) } ?? 6
        let seed = environment["RIGOR_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let home = NSTemporaryDirectory() + "kill-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, rounds: 20_000)

        // Undisturbed first: it sets the results, the time, and the certificates.
        for _ in 0..<2 { try finish(demo, try demo.start(isResumed: false)) }
        let start = ProcessInfo.processInfo.systemUptime
        try finish(demo, try demo.start(isResumed: false))
        let seconds = ProcessInfo.processInfo.systemUptime - start
        let expected = try demo.check()
        print("undisturbed: \(expected.count) tasks in \(seconds) s")

        var killed: [String: Int] = [:]
        var rounds = 0
        while killed.values.reduce(0, +) < points {
            rounds += 1
            try #require(rounds <= 4 * points, "the kills do not hit")
            try disturb(demo, seconds: seconds, &random, &killed)
            let digests = try demo.check()
            #expect(digests == expected)
            try? FileManager.default.removeItem(atPath: home + "/market")
        }
        let total = killed.values.reduce(0, +)
        print("\(total) kills in \(rounds) rounds: \(killed.sorted { $0.key < $1.key })")
    }

    private func disturb(
        _ demo: Demo, seconds: Double, _ random: inout SeededGenerator,
        _ killed: inout [String: Int]
    ) throws {
        var process = try demo.start(isResumed: false)
        for _ in 0..<Self.killsARound {
            guard process.isRunning else { break }
            let kind = Self.kinds[Int(random.next() % UInt64(Self.kinds.count))]
            let wait = Double(random.next() >> 11) * 0x1p-53 * seconds * 0.6
            usleep(UInt32(wait * 1e6))
            guard let victim = victim(kind, of: process, &random) else { continue }
            kill(victim, SIGKILL)
            killed[kind, default: 0] += 1
            if kind == "demo" {
                process.waitUntilExit()
                process = try demo.start(isResumed: demo.hasPlan)
            }
        }
        try finish(demo, process)
    }

    /// Waits for a process of that kind to be there: a prepare host lives for a moment only.
    private func victim(
        _ kind: String, of demo: Process, _ random: inout SeededGenerator
    ) -> Int32? {
        for _ in 0..<500 where demo.isRunning {
            let found = Processes.find(kind, below: demo.processIdentifier, using: &random)
            if let found { return found }
            usleep(2000)
        }
        return nil
    }

    private func finish(_ demo: Demo, _ process: Process) throws {
        let deadline = ProcessInfo.processInfo.systemUptime + 180
        while process.isRunning, ProcessInfo.processInfo.systemUptime < deadline {
            usleep(20_000)
        }
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            Issue.record("the demo hangs")
        }
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the demo failed: \(demo.said)")
    }
}

@Suite(.serialized) struct ReceiptTests {
    @Test func aReceiptHoldsAndATamperedOneDoesNot() throws {
        let home = NSTemporaryDirectory() + "receipt-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, rounds: 10)
        let process = try demo.start(isResumed: false)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the demo failed: \(demo.said)")
        _ = try demo.check()
        let paths = try #require(try demo.document()["receipts"] as? [String])
        let path = try #require(paths.first)
        #expect(try verify([path]) == 0)
        #expect(try verify([path, "--home", home, "--json"]) == 0)

        let text = try String(contentsOfFile: path, encoding: .utf8)
        let tampered = home + "/tampered.json"
        // One digit of each field that is a hash, a signature or an amount.
        var changes = 0
        for line in text.split(separator: "\n") where line.contains("\"0x") {
            let digit = try #require(line.last { $0.isHexDigit })
            let place = try #require(line.lastIndex(of: digit))
            let other = digit == "1" ? "2" : "1"
            let changed = line[..<place] + other + line[line.index(after: place)...]
            try text.replacingOccurrences(of: line, with: changed)
                .write(toFile: tampered, atomically: true, encoding: .utf8)
            #expect(try verify([tampered, "--home", home]) == 1, "\(line)")
            changes += 1
        }
        #expect(changes > 10)
        let ledger = home + "/other.sqlite"
        #expect(try verify([path, "--ledger", ledger]) == 1)
        #expect(!FileManager.default.fileExists(atPath: ledger))
        #expect(try verify([home + "/none.json"]) == 1)
        #expect(try verify([]) == 64)
    }

    private func verify(_ arguments: [String]) throws -> Int32 {
        let output = NSTemporaryDirectory() + "verify-\(UInt64.random(in: 0 ... .max))"
        defer {
            try? FileManager.default.removeItem(atPath: output)
            try? FileManager.default.removeItem(atPath: output + ".log")
        }
        let process = try Demo.start(["verify"] + arguments, output: output)
        process.waitUntilExit()
        return process.terminationStatus
    }
}
