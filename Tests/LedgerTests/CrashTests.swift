import Contribution
import Ethereum
import Foundation
import Ledger
import MarketTestKit
import Testing
import Wallet

/// A writing process is killed at random points; what it was told stays, and all of it agrees.
@Suite struct CrashTests {
    @Test func killedWritersLoseNothingTheyWerePromised() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let founded = try FoundedLedger(workers: 1, seed: 5)
        let requester = founded.market.requester.address
        var promised = -1
        for round in 0..<15 {
            let writer = try Writer(founded.folder.ledger, seed: 5)
            // From before its first write to a few dozen calls in.
            usleep(UInt32.random(in: 5_000..<150_000, using: &generator))
            let last = writer.kill()
            promised = max(promised, last ?? -1)
            let ledger = try MarketLedger.open(founded.folder.ledger)
            let nonce = try ledger.nextNonce(of: requester)
            #expect(nonce > promised, "round \(round): call \(promised) is lost")
            let history = try ledger.verifyHistory()
            #expect(history.supply == 300_000_000_000)
            // The requester's first call was the match; each one after moved three tokens.
            let account = try ledger.account(requester)
            let moved = UInt256(UInt64(3 * (nonce - 1)))
            #expect(account.available.adding(moved)?.adding(account.locked) == TestMarket.deposit)
        }
        #expect(promised > 15, "the writers hardly wrote")
    }
}

/// The `LedgerWriter` program, which lies beside the tests.
final class Writer {
    private let process = Process()
    private let output = Pipe()

    init(_ path: String, seed: UInt64) throws {
        process.executableURL = Self.program
        process.arguments = [path, "\(seed)"]
        process.standardOutput = output
        try process.run()
    }

    /// Kills it at once. Returns the last nonce that it had an answer for.
    func kill() -> Int? {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let said = output.fileHandleForReading.readDataToEndOfFile()
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
