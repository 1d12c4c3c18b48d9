import Contribution
import Core
import Ethereum
import Foundation
import Ledger
import Testing

/// `--keep`: one demo after another in one market.
@Suite(.serialized) struct KeepTests {
    @Test func aMarketGoesOnAndStillTakesTwo() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        // Six tasks a demo, so that scores pass 12 in the third, where one word weighs 3.
        let demo = Demo(home: home, jobs: ["--apps", "hash,hash,hash", "--hash-rounds", "1"])
        var outcomes: [Demo.Outcome] = []
        for (number, trust) in [3, 3, 5, 7].enumerated() {
            try demo.finish(try demo.start("--keep"))
            let outcome = try demo.check(after: outcomes)
            #expect(outcome.trusts == Array(repeating: trust, count: 6))
            outcomes.append(outcome)
            let hub = try MarketLedger.open("\(home)/market/ledger.sqlite").hub()
            for address in outcome.paid.keys {
                #expect(hub.score(try #require(Address(hex: address))) == 6 * (number + 1))
            }
        }
        #expect(Set(outcomes.map { Set($0.paid.keys) }).count == 1, "the same two workers")
        let names = try FileManager.default.contentsOfDirectory(atPath: home)
        #expect(!names.contains("market-1"))

        // Without it there is a new market, and the old one lies beside it.
        try demo.finish(try demo.start())
        _ = try demo.check()
        #expect(FileManager.default.fileExists(atPath: "\(home)/market-1/plan"))
    }

    @Test func anInterruptedDemoComesFirst() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, jobs: ["--apps", "hash", "--hash-rounds", "1"])
        let interrupted = try demo.start()
        while interrupted.isRunning, !demo.hasPlan { usleep(1000) }
        kill(interrupted.processIdentifier, SIGKILL)
        interrupted.waitUntilExit()
        let refused = try Demo.run(["demo", "--home", home, "--keep"] + demo.jobs)
        #expect(refused.code == 1)
        #expect(refused.said.contains("--resume"))
        #expect(refused.said.split(separator: "\n").count == 1)
        try demo.finish(try demo.start("--resume"))
        let first = try demo.check()
        try demo.finish(try demo.start("--keep"))
        _ = try demo.check(after: [first])
    }
}
