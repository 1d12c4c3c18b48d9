internal import Contribution
internal import Core
internal import Ethereum
internal import Foundation
internal import GRDB

/// The tables and the statements on them: all SQL is here and in its extensions.
enum Store {
    static let format = 1
    /// Another process may hold the file for this long before a write gives up.
    private static let busySeconds = 10.0

    /// Tables: `call` is the append-only log; `posting` and `balance` are the books; `state` is the
    /// snapshot, row by row; `event` is what subscribers follow.
    private static let schema = """
        CREATE TABLE market (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
            settings BLOB NOT NULL);
        CREATE TABLE call (sequence INTEGER PRIMARY KEY, at_seconds INTEGER NOT NULL,
            sender BLOB NOT NULL, nonce INTEGER NOT NULL, digest BLOB NOT NULL,
            envelope BLOB NOT NULL, UNIQUE (sender, nonce));
        CREATE TABLE posting (sequence INTEGER NOT NULL REFERENCES call, position INTEGER NOT NULL,
            kind TEXT NOT NULL, bucket TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount <> 0),
            reference BLOB NOT NULL, PRIMARY KEY (sequence, position)) WITHOUT ROWID;
        CREATE INDEX posting_bucket ON posting (bucket);
        CREATE TABLE balance (bucket TEXT PRIMARY KEY, amount INTEGER NOT NULL,
            CHECK (amount >= 0 OR bucket = 'issuance'),
            CHECK (amount = 0 OR bucket <> 'pot')) WITHOUT ROWID;
        CREATE TABLE state (name TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (name, key)) WITHOUT ROWID;
        CREATE TABLE event (number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL REFERENCES call,
            task BLOB, data BLOB NOT NULL);
        CREATE INDEX event_sequence ON event (sequence);
        CREATE INDEX event_task ON event (task) WHERE task IS NOT NULL;
        CREATE TRIGGER call_is_final BEFORE UPDATE ON call
            BEGIN SELECT RAISE (ABORT, 'the log is append-only'); END;
        CREATE TRIGGER call_stays BEFORE DELETE ON call
            BEGIN SELECT RAISE (ABORT, 'the log is append-only'); END;
        CREATE TRIGGER posting_is_final BEFORE UPDATE ON posting
            BEGIN SELECT RAISE (ABORT, 'postings are append-only'); END;
        CREATE TRIGGER posting_stays BEFORE DELETE ON posting
            BEGIN SELECT RAISE (ABORT, 'postings are append-only'); END;
        """

    static func open(_ path: String, creating: Bool) throws(Failure) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busySeconds)
        configuration.prepareDatabase { db in
            // A call that was answered survives power loss: the log is flushed at every commit.
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA foreign_keys = ON")
            guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
                throw Failure(.io, "SQLite does not take synchronous = FULL")
            }
        }
        if !creating {
            // Opening read-only first: a mistyped path must not leave an empty file behind.
            try MarketLedger.guarding(path) {
                var probe = Configuration()
                probe.readonly = true
                try DatabaseQueue(path: path, configuration: probe).read { db in
                    // Nor may another program's database be made one with a log.
                    guard try db.tableExists("market") else {
                        throw Failure(.malformed, "no market in this file")
                    }
                }
            }
        }
        return try MarketLedger.guarding(path) {
            try DatabaseQueue(path: path, configuration: configuration)
        }
    }

    static func found(_ settings: Hub.Settings, in db: Database) throws {
        guard try db.tableExists("market") == false else {
            throw Failure(.refused, "there is a market in this file already")
        }
        try db.execute(sql: schema)
        try db.execute(
            sql: "INSERT INTO market (id, format, settings) VALUES (1, ?, ?)",
            arguments: [format, Data(settings.cbor.encoded)])
        try db.execute(sql: "INSERT INTO balance VALUES ('issuance', 0), ('pot', 0)")
    }

    static func settings(in db: Database) throws -> Hub.Settings {
        guard try db.tableExists("market"),
            let row = try Row.fetchOne(db, sql: "SELECT format, settings FROM market")
        else { throw Failure(.malformed, "no market in this file") }
        guard try row.decode(Int.self, forColumn: "format") == format else {
            throw Failure(.unsupported, "market of another format; \(format) expected")
        }
        let bytes = try row.decode(Data.self, forColumn: "settings")
        return try Hub.Settings(try CBOR(decoding: Bytes(bytes)))
    }

    static func tables(in db: Database) throws -> Hub.Tables {
        try Hub.Tables(rows: try rows(in: db))
    }

    static func rows(in db: Database) throws -> [Hub.Row] {
        try Row.fetchAll(db, sql: "SELECT name, key, value FROM state ORDER BY name, key").map {
            Hub.Row(
                table: try $0.decode(String.self, forColumn: "name"),
                key: Bytes(try $0.decode(Data.self, forColumn: "key")),
                value: Bytes(try $0.decode(Data.self, forColumn: "value")))
        }
    }

    static func describe(_ error: any Error) -> String {
        if error is RowDecodingError { return "a value of a kind that no market writes" }
        guard let error = error as? DatabaseError else { return "\(error)" }
        switch error.resultCode {
        case .SQLITE_NOTADB: return "not a market's ledger"
        case .SQLITE_CANTOPEN:
            return "cannot be opened; a file in a folder that may be written expected"
        default: break
        }
        return "SQLite: \(error.message ?? "error \(error.extendedResultCode.rawValue)")"
    }
}
