internal import Contribution
internal import Core
internal import Foundation
internal import GRDB
internal import HostProtocol
internal import PoolProtocol

/// What a pool knows that the market does not: who was given what, which leaves have arrived, and
/// receipts. One SQLite file, flushed at every commit.
final class PoolStore: Sendable {
    private let database: DatabaseQueue

    private static let schema = """
        CREATE TABLE given (task BLOB NOT NULL, worker BLOB NOT NULL, device TEXT NOT NULL,
            at_seconds INTEGER NOT NULL, refused TEXT, PRIMARY KEY (task, worker)) WITHOUT ROWID;
        CREATE TABLE delivery (task BLOB PRIMARY KEY, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE receipt (task BLOB NOT NULL, worker BLOB NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (task, worker)) WITHOUT ROWID;
        """

    init(path: String) throws(Failure) {
        var configuration = Configuration()
        // A reader beside us, or a process that has just been killed, may hold the file a moment.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        let made = try Self.guarding { try DatabaseQueue(path: path, configuration: configuration) }
        database = made
        try Self.guarding {
            try made.write { db in
                if try db.tableExists("given") == false { try db.execute(sql: Self.schema) }
            }
        }
    }

    // MARK: Given

    /// Everyone who was given each task, in order of time.
    func given() throws(Failure) -> [Hash256: [Scheduler.Given]] {
        try read { db in
            var out: [Hash256: [Scheduler.Given]] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM given ORDER BY at_seconds") {
                guard let task = Hash256(row["task"] as Data),
                    let worker = Address(row["worker"] as Data)
                else { throw Failure(.malformed, "pool's store: given: 32 and 20 bytes expected") }
                out[task, default: []].append(
                    Scheduler.Given(
                        worker: worker, atSeconds: row["at_seconds"],
                        isRefused: (row["refused"] as String?) != nil))
            }
            return out
        }
    }

    func give(
        _ task: Hash256, to worker: Address, device: String, atSeconds: Int
    ) throws(Failure) {
        try write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO given (task, worker, device, at_seconds) "
                    + "VALUES (?, ?, ?, ?)",
                arguments: [Data(task.bytes), Data(worker.bytes), device, atSeconds])
        }
    }

    func refuse(_ task: Hash256, by worker: Address, reason: String) throws(Failure) {
        try write { db in
            try db.execute(
                sql: "UPDATE given SET refused = ? WHERE task = ? AND worker = ?",
                arguments: [reason, Data(task.bytes), Data(worker.bytes)])
        }
    }

    /// Worker and device of everyone who was given the task, with a refusal's reason.
    func workers(
        on task: Hash256
    ) throws(Failure) -> [(worker: Address, device: String, refused: String?)] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM given WHERE task = ? ORDER BY at_seconds, worker",
                arguments: [Data(task.bytes)]
            ).compactMap { row in
                Address(row["worker"] as Data).map { ($0, row["device"], row["refused"]) }
            }
        }
    }

    // MARK: Deliveries

    func delivery(_ task: Hash256) throws(Failure) -> TaskSpec.ContentID? {
        try read { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT * FROM delivery WHERE task = ?",
                    arguments: [Data(task.bytes)]),
                let hash = Hash256(row["sha256"] as Data)
            else { return nil }
            return TaskSpec.ContentID(sha256: hash, byteCount: row["bytes"])
        }
    }

    func deliveredTasks() throws(Failure) -> Set<Hash256> {
        try read { db in
            Set(try Data.fetchAll(db, sql: "SELECT task FROM delivery").compactMap { Hash256($0) })
        }
    }

    func deliver(_ task: Hash256, _ leaves: TaskSpec.ContentID) throws(Failure) {
        try write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO delivery (task, sha256, bytes) VALUES (?, ?, ?)",
                arguments: [Data(task.bytes), Data(leaves.sha256.bytes), leaves.byteCount])
        }
    }

    // MARK: Receipts

    func keep(_ receipt: SignedReceipt) throws(Failure) {
        let data = Data(receipt.cbor.encoded)
        try write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO receipt (task, worker, data) VALUES (?, ?, ?)",
                arguments: [
                    Data(receipt.receipt.taskID.bytes), Data(receipt.receipt.worker.bytes), data,
                ])
        }
    }

    func receipts(_ task: Hash256) throws(Failure) -> [SignedReceipt] {
        try read { db in
            try Data.fetchAll(
                db, sql: "SELECT data FROM receipt WHERE task = ? ORDER BY worker",
                arguments: [Data(task.bytes)]
            ).map { try SignedReceipt(try CBOR(decoding: Bytes($0))) }
        }
    }

    // MARK: Plumbing

    private func read<T>(_ body: (Database) throws -> T) throws(Failure) -> T {
        try Self.guarding { try database.read(body) }
    }

    private func write(_ body: (Database) throws -> Void) throws(Failure) {
        try Self.guarding { try database.write(body) }
    }

    private static func guarding<T>(_ body: () throws -> T) throws(Failure) -> T {
        do { return try body() } catch let failure as Failure { throw failure } catch {
            throw Failure(.storage, "pool's store: \(error)")
        }
    }
}
