internal import Contribution
internal import Core
internal import Ethereum
internal import Foundation
internal import GRDB

extension Store {
    /// One line of the log.
    struct LogEntry {
        let sequence: Int
        let atSeconds: Int
        let envelope: Envelope
    }

    static func lastSequence(in db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT MAX(sequence) FROM call") ?? 0
    }

    static func lastSeconds(in db: Database) throws -> Int {
        let sql = "SELECT at_seconds FROM call ORDER BY sequence DESC LIMIT 1"
        return try Int.fetchOne(db, sql: sql) ?? 0
    }

    static func nextNonce(of sender: Address, in db: Database) throws -> Int {
        let sql = "SELECT MAX(nonce) + 1 FROM call WHERE sender = ?"
        return try Int.fetchOne(db, sql: sql, arguments: [Data(sender.bytes)]) ?? 0
    }

    static func log(after sequence: Int, in db: Database) throws -> [LogEntry] {
        let sql = """
            SELECT sequence, at_seconds, envelope FROM call WHERE sequence > ? ORDER BY sequence
            """
        return try Row.fetchAll(db, sql: sql, arguments: [sequence]).map(logEntry)
    }

    /// - Throws: what is wrong with the row: nothing stops another hand from writing there.
    static func logEntry(_ row: Row) throws -> LogEntry {
        let envelope = try row.decode(Data.self, forColumn: "envelope")
        return LogEntry(
            sequence: try row.decode(Int.self, forColumn: "sequence"),
            atSeconds: try row.decode(Int.self, forColumn: "at_seconds"),
            envelope: try Envelope(decoding: Bytes(envelope)))
    }

    /// The row of `call`.
    static func values(_ entry: LogEntry) -> [DatabaseValue] {
        [
            entry.sequence.databaseValue, entry.atSeconds.databaseValue,
            Data(entry.envelope.sender.bytes).databaseValue, entry.envelope.nonce.databaseValue,
            Data(entry.envelope.digest.bytes).databaseValue,
            Data(entry.envelope.encoded).databaseValue,
        ]
    }

    /// The row of `event`, but for its number.
    static func values(_ event: Event, sequence: Int) -> [DatabaseValue] {
        [
            sequence.databaseValue, event.taskID.map { Data($0.bytes) }.databaseValue,
            Data(event.cbor.encoded).databaseValue,
        ]
    }

    /// The row of `state`.
    static func values(_ row: Hub.Row) -> [DatabaseValue] {
        [row.table.databaseValue, Data(row.key).databaseValue, Data(row.value).databaseValue]
    }

    /// The recorded answer to a call, when there is one.
    static func submission(
        of sender: Address, nonce: Int, in db: Database
    ) throws -> Submission? {
        let sql = """
            SELECT sequence, at_seconds, digest FROM call WHERE sender = ? AND nonce = ?
            """
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [Data(sender.bytes), nonce])
        else { return nil }
        guard let digest = Hash256(row["digest"] as Data) else {
            throw Failure(.malformed, "ledger: a digest of 32 bytes expected")
        }
        let sequence: Int = row["sequence"]
        return Submission(
            sequence: sequence, atSeconds: row["at_seconds"], digest: digest,
            events: try events(of: sequence, in: db),
            transfers: try transfers(of: sequence, in: db), isRecorded: true)
    }

    static func events(of sequence: Int, in db: Database) throws -> [Event] {
        let sql = "SELECT data FROM event WHERE sequence = ? ORDER BY number"
        return try Data.fetchAll(db, sql: sql, arguments: [sequence]).map {
            try Event(try CBOR(decoding: Bytes($0)))
        }
    }

    static func append(
        _ submission: Submission, _ envelope: Envelope, changes: Hub.Tables, in db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO call (sequence, at_seconds, sender, nonce, digest, envelope)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(
                values(
                    LogEntry(
                        sequence: submission.sequence, atSeconds: submission.atSeconds,
                        envelope: envelope))))
        try book(submission.transfers, sequence: submission.sequence, in: db)
        try requireBooksAgree(with: changes, in: db)
        for row in changes.rows {
            try db.execute(
                sql: """
                    INSERT INTO state (name, key, value) VALUES (?, ?, ?)
                    ON CONFLICT (name, key) DO UPDATE SET value = excluded.value
                    """,
                arguments: StatementArguments(values(row)))
        }
        for event in submission.events {
            try db.execute(
                sql: "INSERT INTO event (sequence, task, data) VALUES (?, ?, ?)",
                arguments: StatementArguments(values(event, sequence: submission.sequence)))
        }
    }
}
