public import Contribution
public import Core
internal import Ethereum
internal import Foundation
internal import GRDB

extension MarketLedger {
    /// The nonce that `sender`'s next call must carry.
    public func nextNonce(of sender: Address) throws(Failure) -> Int {
        try reading { try Store.nextNonce(of: sender, in: $0) }
    }

    /// How many calls the log holds.
    public func callCount() throws(Failure) -> Int {
        try reading { try Store.lastSequence(in: $0) }
    }

    /// The time of the last call, 0 before the first.
    public func lastSeconds() throws(Failure) -> Int {
        try reading { try Store.lastSeconds(in: $0) }
    }

    public func account(_ address: Address) throws(Failure) -> Hub.Account {
        try hub().account(address)
    }

    /// Every deal, with its identifier, in order of start and identifier.
    public func deals() throws(Failure) -> [(id: Hash256, deal: Hub.Deal)] {
        try hub().tables.deals
            .sorted { ($0.value.startSeconds, $0.key) < ($1.value.startSeconds, $1.key) }
            .map { (id: $0.key, deal: $0.value) }
    }

    /// Tasks in one of `statuses`, in order of deal and index.
    public func tasks(
        _ statuses: Set<Hub.TaskStatus> = Set(Hub.TaskStatus.allCases)
    ) throws(Failure) -> [(id: Hash256, task: Hub.Task)] {
        try hub().tables.tasks.filter { statuses.contains($0.value.status) }
            .sorted { ($0.value.dealID, $0.value.index) < ($1.value.dealID, $1.value.index) }
            .map { (id: $0.key, task: $0.value) }
    }

    /// Events numbered above `number`, oldest first: a subscriber asks again with the last number
    /// it saw. Numbers rise by one and are never reused.
    public func events(
        after number: Int = 0, limit: Int = 1000
    ) throws(Failure) -> [LoggedEvent] {
        let sql = """
            SELECT number, event.sequence, at_seconds, data FROM event
            JOIN call ON call.sequence = event.sequence
            WHERE number > ? ORDER BY number LIMIT ?
            """
        return try reading { db in
            try Row.fetchAll(db, sql: sql, arguments: [number, limit]).map { row in
                LoggedEvent(
                    number: row["number"], sequence: row["sequence"],
                    atSeconds: row["at_seconds"],
                    event: try Event(try CBOR(decoding: Bytes(row["data"] as Data))))
            }
        }
    }

    func reading<T>(_ body: (Database) throws -> T) throws(Failure) -> T {
        try Self.guarding { try database.read(body) }
    }
}

/// An event with its place in the market's history.
public struct LoggedEvent: Hashable, Sendable {
    /// Counts events, from 1.
    public var number: Int
    /// The call that it came from.
    public var sequence: Int
    public var atSeconds: Int
    public var event: Event
}
