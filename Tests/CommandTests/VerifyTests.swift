import Foundation
import Testing

/// Receipts and ledgers that are none: the key or the file, and what was expected, in the user's
/// words.
@Suite(.serialized) struct VerifyTests {
    /// A receipt that reads well; nothing in it is true.
    private static let fields: [(key: String, value: String)] = {
        let hash = "\"0x" + String(repeating: "0", count: 64) + "\""
        let address = "\"0x" + String(repeating: "0", count: 40) + "\""
        let signature = "\"0x" + String(repeating: "11", count: 64) + "1b\""
        return [
            ("format", "1"), ("chain_id", "\"133\""), ("market", address), ("dealid", hash),
            ("taskid", hash), ("index", "\"0\""), ("app", address), ("app_version", hash),
            ("task_spec", hash), ("leaf_count", "1"), ("merkle_root", hash),
            ("result_digest", hash), ("result_hash", hash), ("result_seal", hash),
            ("worker", address), ("workerpool", address), ("workerpool_owner", address),
            ("paid", "\"1\""), ("requester", address), ("trust", "\"3\""), ("device", "\"d\""),
            ("verdict", "\"exact\""), ("conformance", hash), ("contributed_at", "1"),
            ("finalized_at", "1"), ("worker_signature", signature),
            ("workerpool_signature", signature),
        ]
    }()

    private static func text(_ fields: [(key: String, value: String)]) -> String {
        "{" + fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",\n") + "}"
    }

    private static func text(_ key: String, _ value: String) -> String {
        text(fields.map { $0.key == key ? ($0.key, value) : $0 })
    }

    private let run: CommandLineRun

    init() throws { run = try CommandLineRun() }

    private func expectRefusal(
        _ bytes: some Sequence<UInt8>, _ pieces: String...,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let file = try run.write("receipt.json", bytes)
        let result = try run.expectFailure(["verify", file], "receipt.json", location: location)
        for piece in pieces {
            #expect(result.line.contains(piece), "\(result.line)", sourceLocation: location)
        }
        for word in ["String", "Int ", "Decod", "SQLite"] {
            #expect(!result.line.contains(word), "\(result.line)", sourceLocation: location)
        }
    }

    @Test(arguments: fields.map(\.key))
    func fieldsOfAnotherKind(_ key: String) throws {
        for value in ["null", "[]", "{}", "1.5", "true", "1e999", "123456789012345678901234"] {
            try expectRefusal(Self.text(key, value).utf8, key, "expected")
        }
        try expectRefusal(Self.text(Self.fields.filter { $0.key != key }).utf8, "\(key) is missing")
    }

    @Test func documentsOfAnotherKind() throws {
        let good = Self.text(Self.fields)
        try expectRefusal((good + "x").utf8, "nothing behind")
        try expectRefusal(good.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, "expected")
        try expectRefusal(Array(good.utf8).map { $0 == UInt8(ascii: "d") ? 0xff : $0 }, "UTF-8")
        try expectRefusal(
            good.replacingOccurrences(of: "\"format\"", with: "\"paid\": \"9\", \"format\"").utf8,
            "paid: a second time")
        try expectRefusal(Self.text(Self.fields + [("bonus", "1")]).utf8, "bonus: not a key")
        try expectRefusal(String(repeating: "[", count: 16_000).utf8, "{ expected")
        try expectRefusal(String(repeating: "{\"a\":", count: 3000).utf8, "a: text or")
        try expectRefusal(Self.text("format", "2").utf8, "format 1 expected")
        try expectRefusal(Self.text("verdict", "\"a\\ud800\"").utf8, "surrogates")
        _ = try run.shell("truncate -s 1G huge.json")
        try run.expectFailure(["verify", run.path("huge.json")], "huge.json", "at most 16384")
    }

    @Test func ledgersThatAreNone() throws {
        let receipt = try run.write("receipt.json", Self.text(Self.fields).utf8)
        _ = try run.shell("mkfifo fifo; : > empty; head -c 9000 /dev/urandom > noise; mkdir folder")
        for (name, piece) in [
            ("folder", "a folder; a market's ledger expected"), ("none", "no such file"),
            ("fifo", "a market's ledger expected"), ("empty", "no market"),
            ("noise", "not a market's"),
            ("receipt.json", "not a market's"),
        ] {
            let result = try run.expectFailure(["verify", receipt, "--ledger", name], name, piece)
            #expect(!result.errors.contains("SQLite"), "\(result.errors)")
        }
        try run.expectFailure(["verify", receipt], "home/market/ledger.sqlite", "no such file")
        // A receipt's own market counts before that of a data folder.
        _ = try run.shell(
            "mkdir -p m/receipts; cp receipt.json m/receipts; echo none > m/ledger.sqlite")
        for more in [[], ["--home", "elsewhere"]] {
            try run.expectFailure(
                ["verify", "m/receipts/receipt.json"] + more, "m/ledger.sqlite", "not a market's")
        }
    }

    /// Looking at another program's database leaves it as it was.
    @Test func databasesOfOthersStayUntouched() throws {
        let receipt = try run.write("receipt.json", Self.text(Self.fields).utf8)
        let made = try run.shell(
            "python3 -c 'import sqlite3; c = sqlite3.connect(\"other\"); "
                + "c.execute(\"create table t (x)\"); c.commit()' || exit 77; sha256sum other")
        guard made.status == 0 else {
            print("skip: python3 with sqlite3 is not installed")
            return
        }
        try run.expectFailure(["verify", receipt, "--ledger", "other"], "other", "no market")
        #expect(try run.shell("sha256sum other").output == made.output)
        #expect(try run.shell("ls").output.contains("other-wal") == false)
    }
}
