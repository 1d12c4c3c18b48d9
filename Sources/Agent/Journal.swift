public import Contribution
public import Core
internal import Foundation
internal import GRDB
internal import PoolProtocol
internal import Synchronization

/// What an agent must not forget: every assignment's record, and a line for each thing it did. One
/// SQLite file.
///
/// No commit is lost when the process dies. What nobody else could say again is also flushed, with
/// all before it, so that it survives the machine's own death: see ``AssignmentRecord/isFlushed``.
/// Nothing that locks a stake is sent before its result is.
public final class Journal: Sendable {
    private let database: DatabaseQueue

    private static let schema = """
        CREATE TABLE assignment (task BLOB PRIMARY KEY, stage TEXT NOT NULL, data BLOB NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX assignment_stage ON assignment (stage);
        CREATE TABLE step (number INTEGER PRIMARY KEY, at_seconds INTEGER NOT NULL,
            task BLOB NOT NULL, text TEXT NOT NULL);
        CREATE TABLE receipt (task BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
        """

    /// Opens the journal, creating it when there is none.
    public init(path: String) throws(Failure) {
        var configuration = Configuration()
        // A reader beside us, or a process that has just been killed, may hold the file a moment.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try Self.flush(true, in: db)
        }
        let made = try Self.guarding(path) {
            try DatabaseQueue(path: path, configuration: configuration)
        }
        database = made
        try Self.guarding(path) {
            try made.write { db in
                if try db.tableExists("assignment") == false { try db.execute(sql: Self.schema) }
            }
        }
    }

    /// Whether commits are flushed now; changed on the database's queue alone.
    private let isFlushing = Mutex(true)

    /// Whether the next commits are flushed. In WAL mode one that is flushes all before it, and one
    /// that is not keeps the file sound all the same (SQLite, "PRAGMA synchronous").
    private static func flush(_ isFlushed: Bool, in db: Database) throws {
        let level = isFlushed ? 2 : 1
        try db.execute(sql: "PRAGMA synchronous = \(level)")
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == level else {
            throw Failure(.io, "SQLite does not take synchronous = \(level)")
        }
    }

    /// Whether SQLite was told to flush the latest commit.
    package func wasFlushed() throws(Failure) -> Bool {
        try Self.guarding("journal") {
            try database.read { try Int.fetchOne($0, sql: "PRAGMA synchronous") == 2 }
        }
    }

    /// One transaction, flushed or not.
    private func write(
        isFlushed: Bool, _ body: (Database) throws -> Void
    ) throws(Failure) {
        try Self.guarding("journal") {
            try database.writeWithoutTransaction { db in
                if isFlushing.withLock({ $0 }) != isFlushed {
                    try Self.flush(isFlushed, in: db)
                    isFlushing.withLock { $0 = isFlushed }
                }
                try db.inTransaction(.immediate) {
                    try body(db)
                    return .commit
                }
            }
        }
    }

    /// Keeps a record, and the line that says what led to it, in one transaction.
    ///
    /// - Parameter isFlushed: flushes the record though it need not be.
    /// - Throws: ``Failure``: `journal` when a journalled result would change.
    public func save(
        _ record: AssignmentRecord, step: String, atSeconds: Int, isFlushed: Bool = false
    ) throws(Failure) {
        let task = Data(record.assignment.taskID.bytes)
        try write(isFlushed: isFlushed || record.isFlushed) { db in
            if let old = try Self.record(task, in: db), let result = old.result,
                result != record.result
            {
                throw Failure(
                    .journal, "journal: task \(record.assignment.taskID) has a result already")
            }
            try Self.put(task, record, in: db)
            try Self.note(task, step, atSeconds: atSeconds, in: db)
        }
    }

    private static func put(
        _ task: Data, _ record: AssignmentRecord, in db: Database
    ) throws {
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO assignment (task, stage, data) VALUES (?, ?, ?)"
        ).execute(arguments: [task, record.stage.rawValue, Data(record.cbor.encoded)])
    }

    private static func note(
        _ task: Data, _ text: String, atSeconds: Int, in db: Database
    ) throws {
        try db.cachedStatement(sql: "INSERT INTO step (at_seconds, task, text) VALUES (?, ?, ?)")
            .execute(arguments: [atSeconds, task, text])
    }

    public func record(_ taskID: Hash256) throws(Failure) -> AssignmentRecord? {
        try Self.guarding("journal") {
            try database.read { try Self.record(Data(taskID.bytes), in: $0) }
        }
    }

    /// Records that are not over, in order of task.
    public func open() throws(Failure) -> [AssignmentRecord] {
        try Self.guarding("journal") {
            try database.read { db in
                try Data.fetchAll(
                    db,
                    sql: "SELECT data FROM assignment WHERE stage NOT IN ('paid', 'abandoned') "
                        + "ORDER BY task"
                ).map { try AssignmentRecord(try CBOR(decoding: Bytes($0))) }
            }
        }
    }

    private static func record(_ task: Data, in db: Database) throws -> AssignmentRecord? {
        try Data.fetchOne(
            db.cachedStatement(sql: "SELECT data FROM assignment WHERE task = ?"),
            arguments: [task]
        ).map { try AssignmentRecord(try CBOR(decoding: Bytes($0))) }
    }

    /// All lines about a task, oldest first.
    public func steps(_ taskID: Hash256) throws(Failure) -> [String] {
        try Self.guarding("journal") {
            try database.read { db in
                try String.fetchAll(
                    db, sql: "SELECT text FROM step WHERE task = ? ORDER BY number",
                    arguments: [Data(taskID.bytes)])
            }
        }
    }

    // MARK: Receipts

    /// Keeps a receipt and closes its record, in one transaction.
    public func settle(
        _ record: AssignmentRecord, _ receipt: SignedReceipt, atSeconds: Int
    ) throws(Failure) {
        let task = Data(record.assignment.taskID.bytes)
        try write(isFlushed: true) { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO receipt (task, data) VALUES (?, ?)",
                arguments: [task, Data(receipt.cbor.encoded)])
            try Self.put(task, record, in: db)
            try Self.note(
                task, "paid \(receipt.receipt.paid) tokens", atSeconds: atSeconds, in: db)
        }
    }

    public func receipts() throws(Failure) -> [SignedReceipt] {
        try Self.guarding("journal") {
            try database.read { db in
                try Data.fetchAll(db, sql: "SELECT data FROM receipt ORDER BY task")
                    .map { try SignedReceipt(try CBOR(decoding: Bytes($0))) }
            }
        }
    }

    private static func guarding<T>(_ place: String, _ body: () throws -> T) throws(Failure) -> T {
        do { return try body() } catch let failure as Failure { throw failure } catch {
            throw Failure(.journal, "\(place): \(error)")
        }
    }
}

extension Failure.Code {
    /// The journal could not be read or written: nothing may be sent without it.
    public static let journal = Failure.Code(rawValue: "journal")
}
