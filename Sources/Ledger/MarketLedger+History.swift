internal import Contribution
public import Core
internal import Ethereum
internal import Foundation
internal import GRDB

extension MarketLedger {
    /// What ``verifyHistory()`` went through.
    public struct History: Hashable, Sendable {
        public var calls: Int
        public var events: Int
        public var postings: Int
        /// All tokens.
        public var supply: Int
    }

    /// Replays the log from the beginning, signatures and nonces included, and holds every event,
    /// posting, balance and row of the state against it.
    ///
    /// - Throws: ``Failure`` (malformed or untrusted) naming the first thing that differs.
    @discardableResult
    public func verifyHistory() throws(Failure) -> History {
        try reading { db in
            var hub = Hub(settings: try Store.settings(in: db))
            var nonces: [Address: Int] = [:]
            var history = History(calls: 0, events: 0, postings: 0, supply: 0)
            var lastSeconds = 0
            for entry in try Store.log(after: 0, in: db) {
                let sender = entry.envelope.sender
                guard entry.sequence == history.calls + 1, entry.atSeconds >= lastSeconds,
                    entry.envelope.nonce == nonces[sender, default: 0]
                else { throw Self.differs("order of call \(entry.sequence)") }
                let call = try entry.envelope.verify(for: hub.settings)
                let outcome = try hub.apply(call, atSeconds: entry.atSeconds)
                guard outcome.events == (try Store.events(of: entry.sequence, in: db)) else {
                    throw Self.differs("events of call \(entry.sequence)")
                }
                guard outcome.transfers == (try Store.transfers(of: entry.sequence, in: db)) else {
                    throw Self.differs("postings of call \(entry.sequence)")
                }
                history.calls += 1
                history.events += outcome.events.count
                history.postings += 2 * outcome.transfers.count
                nonces[sender] = entry.envelope.nonce + 1
                lastSeconds = entry.atSeconds
            }
            guard hub.tables.rows == (try Store.rows(in: db)) else { throw Self.differs("state") }
            try Self.verifyBooks(of: hub, history, in: db)
            history.supply = hub.supply.int ?? 0
            return history
        }
    }

    private static func verifyBooks(of hub: Hub, _ history: History, in db: Database) throws {
        let counts = [("event", history.events), ("posting", history.postings)]
        for (table, count) in counts
        where try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(table)") != count {
            throw differs("number of rows in \(table)")
        }
        let wrong = """
            SELECT COUNT(*) FROM balance WHERE amount <>
            (SELECT COALESCE(SUM(amount), 0) FROM posting WHERE posting.bucket = balance.bucket)
            """
        guard try Int.fetchOne(db, sql: wrong) == 0,
            try Int.fetchOne(db, sql: "SELECT SUM(amount) FROM balance") == 0
        else { throw differs("sum of postings") }
        try Store.requireBooksAgree(with: hub.tables, in: db)
        guard hub.supply.int == -(try Store.balance(of: .issuance, in: db)) else {
            throw differs("supply")
        }
    }

    private static func differs(_ what: String) -> Failure {
        Failure(.malformed, "ledger: the replayed log gives another \(what)")
    }
}
