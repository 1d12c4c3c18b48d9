import Contribution
import Core
import Ethereum
import Foundation
import Ledger
import MarketTestKit
import Testing
import Wallet

/// Two writing processes are killed at random points; what they were told stays, and all of it
/// agrees.
@Suite struct CrashTests {
    @Test func killedWritersLoseNothingTheyWerePromised() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = SplitMix64(seed: seed)
        let founded = try FoundedLedger(workers: 1, seed: 5)
        let (requester, worker) = (founded.market.requester, founded.market.workers[0])
        var promised = ["requester": -1, "worker": -1]
        for round in 0..<15 {
            let writers = try ["requester", "worker"].map {
                (name: $0, writer: try Writer(founded.folder.ledger, seed: 5, sender: $0))
            }
            // From before their first writes to a few dozen calls in.
            for (name, writer) in writers {
                if round % 3 > 0 { writer.waitForWord() }
                usleep(UInt32.random(in: 1_000..<40_000, using: &generator))
                promised[name] = max(promised[name] ?? -1, writer.kill() ?? -1)
            }
            let ledger = try MarketLedger.open(founded.folder.ledger)
            let sent = try ledger.nextNonce(of: requester.address)
            let received = try ledger.nextNonce(of: worker.address)
            #expect(sent > promised["requester"] ?? -1, "round \(round): a call is lost")
            #expect(received > promised["worker"] ?? -1, "round \(round): a call is lost")
            let history = try ledger.verifyHistory()
            #expect(history.supply == 300_000_000_000)
            // The requester's first call was the match; every other call moved three tokens.
            let account = try ledger.account(requester.address)
            let out = UInt256(UInt64(3 * (sent - 1)))
            let back = UInt256(UInt64(3 * received))
            let before = account.available.adding(out)?.adding(account.locked)
            #expect(before?.subtracting(back) == TestMarket.deposit)
        }
        #expect((promised["requester"] ?? 0) > 5, "the writers hardly wrote")
        #expect((promised["worker"] ?? 0) > 5, "the writers hardly wrote")
    }
}

/// The `LedgerWriter` program, which lies beside the tests.
final class Writer {
    private let process = Process()
    private let output = Pipe()
    private var said = Data()

    init(_ path: String, seed: UInt64, sender: String) throws {
        process.executableURL = Self.program
        process.arguments = [path, "\(seed)", sender]
        process.standardOutput = output
        try process.run()
    }

    /// Returns when it has had an answer for a call, or has ended.
    func waitForWord() { said += output.fileHandleForReading.availableData }

    /// Kills it at once. Returns the last nonce that it had an answer for.
    func kill() -> Int? {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        said += output.fileHandleForReading.readDataToEndOfFile()
        return String(decoding: said, as: UTF8.self).split(separator: "\n").last.flatMap { Int($0) }
    }

    private static var program: URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        // The test bundle is a file in the build folder on Linux, and nested folders elsewhere.
        while !FileManager.default.fileExists(atPath: folder.path + "/LedgerWriter"),
            folder.path != "/"
        {
            folder = folder.deletingLastPathComponent()
        }
        return folder.appendingPathComponent("LedgerWriter")
    }
}
