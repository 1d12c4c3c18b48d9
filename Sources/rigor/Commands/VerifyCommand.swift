internal import ArgumentParser
internal import Contribution
internal import Core
internal import Files
internal import Foundation
internal import Ledger

/// `rigor verify`: does a receipt hold?
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a receipt against the market's ledger, and the ledger itself.",
        discussion: """
            Replays the ledger's signed calls from the first one and holds its events, postings, \
            balances and state against what comes of them; then recomputes the receipt's task \
            identifier, result digest, hash and seal, compares every field with what the calls \
            gave, and checks both signatures against the parties named there. Without --ledger it \
            is the ledger of the market the receipt's folder is in, whatever --home says, else the \
            one in the data folder.

            With --spot, computes tiles, items or chunks of the task again on a device of this \
            machine, from the inputs that the pool kept (or --inputs), and says which do not give \
            the bytes that were settled.

            EXAMPLES
              rigor verify demo/market/receipts/0a1b2c3d4e5f6071-89abcdef.json
              rigor verify receipt.json --ledger market/ledger.sqlite --json
              rigor verify receipt.json --spot 5
            """)

    @Argument(help: "The receipt's file.", completion: .file(extensions: ["json"]))
    var receipt: String
    @Option(
        name: .long, help: ArgumentHelp("The ledger to trust.", valueName: "file"),
        completion: .file(extensions: ["sqlite"]), transform: Accepted.text("a file"))
    var ledger: String?
    @OptionGroup var spot: SpotOptions
    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let signed = try ReceiptFile.read(receipt)
        let path = ledgerPath
        let audit = try Self.openLedger(path).audit()
        let own = signed.checks(against: audit.hub)
        let checks = audit.checks + own
        let isGood = checks.allSatisfy(\.holds)
        let spots = isGood ? try compare(signed.receipt, audit.hub, ledger: path) : nil
        if output.json {
            Console().write(Self.document(signed, checks, spots, receipt: receipt, ledger: path))
        }
        for (place, list) in [(path, audit.checks), (receipt, own), (receipt, spots?.checks ?? [])]
        {
            let failed = list.filter { !$0.holds }.map { "\($0.name): \($0.detail)" }
            guard !failed.isEmpty else { continue }
            throw Failure(.untrusted, "\(place): \(failed.joined(separator: "; "))")
        }
        guard !output.json else { return }
        let said = signed.receipt
        Console().say(
            """
            \(receipt): holds against \(path)
              task         \(said.taskID)
              result hash  \(said.resultHash)
              worker       \(said.worker) on \(said.device)
              paid         \(said.paid)
              ledger       \(audit.history.calls) calls replayed, every posting balanced
              \(checks.count) checks passed, both signatures among them
            """)
        if let spots {
            Console().say("  \(spots.checks.count - 1) spots computed again: the same bytes")
        }
    }

    static func openLedger(_ path: String) throws(Failure) -> MarketLedger {
        // SQLite says little of what is no plain file, and waits for a pipe for ever.
        try PlainFile(path, expecting: "a market's ledger").close()
        return try MarketLedger.open(path)
    }

    private var ledgerPath: String {
        if let ledger { return ledger }
        // Where a receipt says nothing else, the market it was kept by is its own.
        let beside = MarketPlaces(receipt: receipt).ledger
        if FileManager.default.fileExists(atPath: beside) { return beside }
        return DemoFolder(home: home.folder.path).ledger
    }

    private static func document(
        _ signed: SignedReceipt, _ checks: [Check], _ spots: SpotCheck.Result?,
        receipt: String, ledger: String
    ) -> JSON {
        let all = checks + (spots?.checks ?? [])
        return [
            "receipt": .string(receipt), "ledger": .string(ledger),
            "verified": .bool(all.allSatisfy(\.holds)),
            "taskid": .string("\(signed.receipt.taskID)"),
            "result_hash": .string("\(signed.receipt.resultHash)"),
            "worker": .string("\(signed.receipt.worker)"),
            "paid": .string("\(signed.receipt.paid)"),
            "checks": .array(checks.map(Self.json)),
            "spot": .optional(spots) { spots in
                [
                    "seed": .string(String(spots.seed)), "device": .string(spots.device),
                    "matches": .bool(spots.checks.allSatisfy(\.holds)),
                    "checks": .array(spots.checks.map(Self.json)),
                ]
            },
        ]
    }

    private static func json(_ check: Check) -> JSON {
        [
            "name": .string(check.name), "holds": .bool(check.holds),
            "detail": .string(check.detail),
        ]
    }

    /// Computes some of the task again, where that is asked for.
    private func compare(
        _ receipt: Receipt, _ hub: Hub, ledger: String
    ) throws(Failure) -> SpotCheck.Result? {
        guard let count = spot.spot else { return nil }
        let console = Console()
        let task = try SettledTask(
            receipt, in: hub, pool: spot.pool ?? MarketPlaces.pool(beside: ledger))
        let result = try SpotCheck(
            options: spot, count: count, home: home.given, console: console
        ).run(task)
        console.note("spot checks drawn with --seed \(result.seed) on \(result.device)")
        if result.isOtherProgram, !result.checks.allSatisfy(\.holds) {
            console.warn(
                "the task was computed by program \(receipt.appVersion), which this is not: ask "
                    + "that one before you accuse anybody")
        }
        return result
    }
}

/// Receipts on disk.
enum ReceiptFile {
    /// - Throws: ``Failure`` naming the file and what was expected.
    static func read(_ path: String) throws(Failure) -> SignedReceipt {
        let bytes = try FileBytes.read(path, byteCountMax: SignedReceipt.fileBytesMax)
        do throws(Failure) {
            return try SignedReceipt(json: Bytes(bytes))
        } catch {
            throw error.at(path)
        }
    }
}
