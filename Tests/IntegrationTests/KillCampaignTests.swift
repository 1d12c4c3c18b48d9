import Core
import Foundation
import Glibc
import MarketTestKit
import Testing

/// `kill -9` of any process in any phase of a demo: it ends with the same results, paid exactly
/// once. RIGOR_KILL_POINTS sets how many; RIGOR_SEED repeats a campaign's choices.
@Suite(.serialized) struct KillCampaignTests {
    /// Where in a demo's life to kill, and what.
    private struct Point {
        let phase: String
        let victim: String
    }

    /// Phase → the line of an agent's log that begins it. The next turn, at most 0.1 s later, does
    /// what the phase is named for.
    private static let phases: KeyValuePairs = [
        "start": "", "intake": "accepted", "prepare": "computing", "compute": "computing",
        "contribute": "computed", "reveal": "contributed", "upload": "revealed",
        "finalize": "delivered",
    ]
    /// Two agents do two tasks each.
    private static let occurrences = 4
    private static let victims = ["agent", "pool", "device", "demo"]

    /// Every victim in every phase, and prepare hosts, which live in one phase alone.
    private static let points =
        phases.flatMap { phase in victims.map { Point(phase: phase.key, victim: $0) } }
        + (0..<4).map { _ in Point(phase: "prepare", victim: "prepare") }

    @Test func killedAnywhereItEndsPaidOnce() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["RIGOR_KILL_POINTS"].flatMap { Int($0) } ?? 5
        let seed = environment["RIGOR_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        // The demo's own jobs, with fewer pixels.
        let demo = Demo(home: home, jobs: ["--size", "96x54", "--spp", "32"])

        // Undisturbed first: the first run fills the caches, the second sets results and time.
        try demo.finish(try demo.start())
        let start = ProcessInfo.processInfo.systemUptime
        try demo.finish(try demo.start())
        let expected = try demo.check()
        demo.checkHosts()
        print("undisturbed: \(ProcessInfo.processInfo.systemUptime - start) s")

        let began = ProcessInfo.processInfo.systemUptime
        var killed: [String: Int] = [:]
        var deck: [Point] = []
        for _ in 0..<count {
            if deck.isEmpty { deck = Self.points.shuffled(using: &random) }
            let point = deck.removeLast()
            try? FileManager.default.removeItem(atPath: home + "/market")
            try disturb(demo, at: point, &random, &killed)
            let outcome = try demo.check()
            #expect(outcome.digests == expected.digests, "\(point)")
        }
        let seconds = ProcessInfo.processInfo.systemUptime - began
        let total = killed.values.reduce(0, +)
        print("\(total) kills in \(count) rounds, \(seconds) s")
        for (what, times) in killed.sorted(by: { $0.key < $1.key }) { print("  \(what): \(times)") }
        #expect(total >= count * 3 / 4, "the kills do not hit")
    }

    /// Runs a demo to its end with one kill at `point`, and in half of the runs a second one while
    /// it recovers.
    private func disturb(
        _ demo: Demo, at point: Point, _ random: inout SplitMix64,
        _ killed: inout [String: Int]
    ) throws {
        var process = try demo.start()
        func strike(_ victim: String, as what: String) throws {
            guard let id = find(victim, of: process, &random) else { return }
            kill(id, SIGKILL)
            killed[what, default: 0] += 1
            if victim == "demo" {
                process.waitUntilExit()
                process = try demo.start(demo.hasPlan ? "--resume" : nil)
            }
            try demo.checkStakes()
        }
        lieInWait(point.phase, of: demo, process, &random)
        try strike(point.victim, as: "\(point.phase), \(point.victim)")
        if Bool.random(using: &random) {
            usleep(.random(in: 0..<1_000_000, using: &random))
            let again = ["agent", "pool", "demo"].randomElement(using: &random) ?? "pool"
            try strike(again, as: "recovery, \(again)")
        }
        try demo.finish(process)
    }

    /// Waits until the phase has begun for one of the tasks, and then a little.
    private func lieInWait(
        _ phase: String, of demo: Demo, _ process: Process, _ random: inout SplitMix64
    ) {
        let line = Self.phases.first { $0.key == phase }?.value ?? ""
        let which = Int.random(in: 1...Self.occurrences, using: &random)
        // What is computed begins after inputs are fetched and prepared.
        let microseconds: Range<UInt32> =
            switch phase {
            case "start": 0..<800_000
            case "compute": 200_000..<800_000
            default: 0..<120_000
            }
        let wait = UInt32.random(in: microseconds, using: &random)
        while process.isRunning, !line.isEmpty, demo.agentLines(line) < which { usleep(1000) }
        usleep(wait)
    }

    /// Waits for a process of that kind to be there: a prepare host lives for a moment only.
    private func find(
        _ kind: String, of demo: Process, _ random: inout SplitMix64
    ) -> Int32? {
        for _ in 0..<500 where demo.isRunning {
            let found = Processes.find(kind, below: demo.processIdentifier, using: &random)
            if let found { return found }
            usleep(2000)
        }
        return nil
    }
}
