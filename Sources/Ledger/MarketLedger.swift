public import Contribution
public import Core
internal import Ethereum
internal import GRDB
internal import Synchronization

/// The market on one machine: a ``Hub`` whose every step is durable in one SQLite file.
///
/// A signed call is verified, decided, logged, booked in double entry and taken into the state in
/// one transaction, with `synchronous = FULL`. Several processes may hold the same file open: each
/// catches up with the log before it decides.
public final class MarketLedger: Sendable {
    /// What the market was founded with.
    public let settings: Hub.Settings

    let database: DatabaseQueue
    private let cache: Mutex<Cache>

    private struct Cache {
        var hub: Hub
        /// The last call that `hub` has taken in.
        var sequence: Int
    }

    /// Founds a market in a new file.
    ///
    /// - Throws: ``Failure`` (io) when the file cannot be written, (refused) when it holds a
    ///   market.
    public static func found(
        _ settings: Hub.Settings, at path: String
    ) throws(Failure)
        -> MarketLedger
    {
        let database = try Store.open(path, creating: true)
        try guarding(path) {
            try database.write { try Store.found(settings, in: $0) }
        }
        return try MarketLedger(database, path)
    }

    /// Opens a market that was founded before.
    ///
    /// - Throws: ``Failure`` naming the file when it is missing or holds no market.
    public static func open(_ path: String) throws(Failure) -> MarketLedger {
        try MarketLedger(try Store.open(path, creating: false), path)
    }

    private init(_ database: DatabaseQueue, _ path: String) throws(Failure) {
        let (settings, tables, sequence) = try Self.guarding(path) {
            try database.read { db in
                let settings = try Store.settings(in: db)
                return (settings, try Store.tables(in: db), try Store.lastSequence(in: db))
            }
        }
        self.database = database
        self.settings = settings
        cache = Mutex(Cache(hub: Hub(settings: settings, tables: tables), sequence: sequence))
    }

    /// Takes a signed call, or refuses it and changes nothing.
    ///
    /// The same call again gives the recorded answer, so a sender that died before it heard one
    /// just sends again. A refused call has used no nonce.
    ///
    /// - Parameters:
    ///   - bytes: an ``Envelope``'s.
    ///   - atSeconds: the time, in seconds since 1970. The ledger's time never goes back.
    /// - Throws: ``Failure``: malformed or untrusted for bytes, market, signature or nonce that do
    ///   not hold; a ``Rejection``'s code when the hub's rules refuse; io when the store fails.
    @discardableResult
    public func submit(_ bytes: Bytes, atSeconds: Int) throws(Failure) -> Submission {
        try submit(try Envelope(decoding: bytes), atSeconds: atSeconds)
    }

    /// The same for an envelope that has been read.
    @discardableResult
    public func submit(_ envelope: Envelope, atSeconds: Int) throws(Failure) -> Submission {
        let call = try envelope.verify(for: settings)
        // Held throughout: within a process, calls are decided one after another.
        return try cache.withLock { (cache) throws(Failure) in
            let decided = try Self.guarding {
                try database.write { db in
                    try Self.decide(envelope, call, atSeconds: atSeconds, &cache, in: db)
                }
            }
            if let outcome = decided.outcome {
                cache.hub.commit(outcome)
                cache.sequence = decided.submission.sequence
            }
            return decided.submission
        }
    }

    /// The state after the last call that is durable now.
    public func hub() throws(Failure) -> Hub {
        try cache.withLock { (cache) throws(Failure) in
            try Self.guarding {
                try database.read { try Self.catchUp(&cache, in: $0) }
            }
            return cache.hub
        }
    }

    // MARK: Inside a transaction

    private static func decide(
        _ envelope: Envelope, _ call: VerifiedCall, atSeconds: Int, _ cache: inout Cache,
        in db: Database
    ) throws -> (submission: Submission, outcome: Outcome?) {
        if let recorded = try Store.submission(of: envelope.sender, nonce: envelope.nonce, in: db) {
            guard recorded.digest == envelope.digest else {
                throw Failure(
                    .untrusted, "call: nonce \(envelope.nonce) of \(envelope.sender) is used")
            }
            return (recorded, nil)
        }
        let expected = try Store.nextNonce(of: envelope.sender, in: db)
        guard envelope.nonce == expected else {
            throw Failure(
                .untrusted,
                "call: nonce \(envelope.nonce) of \(envelope.sender), \(expected) expected")
        }
        try catchUp(&cache, in: db)
        let time = max(atSeconds, try Store.lastSeconds(in: db))
        let outcome: Outcome
        do { outcome = try cache.hub.decide(call, atSeconds: time) } catch {
            throw error.failure
        }
        let submission = Submission(
            sequence: cache.sequence + 1, atSeconds: time, digest: envelope.digest,
            events: outcome.events, transfers: outcome.transfers, isRecorded: false)
        try Store.append(submission, envelope, changes: outcome.changes, in: db)
        return (submission, outcome)
    }

    /// Takes in calls that other processes have logged.
    private static func catchUp(_ cache: inout Cache, in db: Database) throws {
        guard try Store.lastSequence(in: db) > cache.sequence else { return }
        for entry in try Store.log(after: cache.sequence, in: db) {
            let call = VerifiedCall(
                verifiedSender: entry.envelope.sender,
                call: try Call(decoding: entry.envelope.call))
            do { try cache.hub.apply(call, atSeconds: entry.atSeconds) } catch {
                throw Failure(.malformed, "ledger: call \(entry.sequence) does not apply: \(error)")
            }
            cache.sequence = entry.sequence
        }
    }

    /// Turns whatever a store throws into one line.
    ///
    /// - Parameter path: the file, where it is what the failure is about.
    static func guarding<T>(_ path: String? = nil, _ body: () throws -> T) throws(Failure) -> T {
        do { return try body() } catch let failure as Failure {
            throw path.map(failure.at) ?? failure
        } catch {
            // Another process that holds the file does so for a while only.
            let isBusy = (error as? DatabaseError)?.resultCode == .SQLITE_BUSY
            throw Failure(
                isBusy ? .timeout : .storage, "\(path ?? "ledger"): \(Store.describe(error))")
        }
    }
}

/// A call that the ledger has taken.
public struct Submission: Hashable, Sendable {
    /// Its place in the log, from 1.
    public var sequence: Int
    /// The time it counts as sent at.
    public var atSeconds: Int
    /// ``Envelope/digest``.
    public var digest: Hash256
    public var events: [Event]
    public var transfers: [Transfer]
    /// Whether it had been taken before, and this is the recorded answer.
    public var isRecorded: Bool

    /// Events and transfers, with ``Outcome``'s conveniences: `dealID`, `taskID`, `created`.
    public var outcome: Outcome { Outcome(events: events, transfers: transfers) }
}
