import Foundation
import Testing

@Suite(.serialized) struct ReceiptTests {
    @Test func aReceiptHoldsAndATamperedOneDoesNot() throws {
        let home = try Demo.newHome()
        defer { try? FileManager.default.removeItem(atPath: home) }
        let demo = Demo(home: home, jobs: ["--apps", "hash", "--hash-rounds", "10"])
        try demo.finish(try demo.start())
        _ = try demo.check()
        let paths = try #require(try demo.document()["receipts"] as? [String])
        let path = try #require(paths.first)
        #expect(try Demo.verify([path]) == 0)
        #expect(try Demo.verify([path, "--home", home, "--json"]) == 0)

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
            #expect(try Demo.verify([tampered, "--home", home]) == 1, "\(line)")
            changes += 1
        }
        #expect(changes > 10)
        let ledger = home + "/other.sqlite"
        #expect(try Demo.verify([path, "--ledger", ledger]) == 1)
        #expect(!FileManager.default.fileExists(atPath: ledger))
        #expect(try Demo.verify([home + "/none.json"]) == 1)
        #expect(try Demo.verify([]) == 64)
        try expectGuttedLedgersFail(path, home: home)
    }

    /// The receipt's own rows are all there; what they should have come from is not.
    private func expectGuttedLedgersFail(_ receipt: String, home: String) throws {
        let gutted = "\(home)/gutted.sqlite"
        for (sql, check) in [
            ("SELECT 1", nil),
            (
                "DROP TRIGGER call_stays; DROP TRIGGER posting_stays; DELETE FROM posting; "
                    + "DELETE FROM event; DELETE FROM balance; DELETE FROM call", "balances"
            ),
            ("UPDATE balance SET amount = amount + 1 WHERE bucket LIKE 'available%'", "balances"),
            ("DELETE FROM event", "events"), ("DELETE FROM state", "state"),
        ] as [(String, String?)] {
            try? FileManager.default.removeItem(atPath: gutted)
            let python = Process()
            python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            python.arguments = [
                "python3", "-c",
                "import sqlite3, sys; c = sqlite3.connect(sys.argv[2]); "
                    + "sqlite3.connect(sys.argv[1]).backup(c); c.executescript(sys.argv[3])",
                "\(home)/market/ledger.sqlite", gutted, sql,
            ]
            try python.run()
            python.waitUntilExit()
            guard python.terminationStatus == 0 else {
                print("skip: python3 with sqlite3 is not installed")
                return
            }
            let result = try Demo.run(["verify", receipt, "--ledger", gutted])
            #expect(result.code == (check == nil ? 0 : 1), "\(sql): \(result.said)")
            guard let check else { continue }
            #expect(result.said.contains("gutted.sqlite: ledger's \(check): "), "\(result.said)")
        }
    }
}
