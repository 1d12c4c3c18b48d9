public import Contribution
public import Core
internal import GRDB

extension MarketLedger {
    /// What a replay of the log went through.
    public struct History: Hashable, Sendable {
        public var calls: Int
        public var events: Int
        public var postings: Int
        /// All tokens.
        public var supply: Int
    }

    /// What a replay of the log showed.
    public struct Audit: Sendable {
        public var history: History
        /// The market's own name, its calls, events, postings, balances and state, in this order.
        /// What calls that do not replay should have led to is unknown: the rest is left out then.
        public var checks: [Check]
        /// The state that the signed calls give, whatever else the file says.
        public var hub: Hub
    }

    /// Replays the log from the beginning, signatures and nonces included, and holds every event,
    /// posting, balance and row of the state against it.
    ///
    /// - Throws: ``Failure`` when the file cannot be read; what does not hold is in the checks.
    public func audit() throws(Failure) -> Audit {
        try Self.guarding(database.path) {
            try database.read { db in
                var replay = Replay(try Store.settings(in: db))
                try replay.run(in: db)
                return Audit(history: replay.history, checks: replay.checks, hub: replay.hub)
            }
        }
    }

    /// The same for those who need it all to hold.
    ///
    /// - Throws: ``Failure`` (untrusted) naming the first thing that differs.
    @discardableResult
    public func verifyHistory() throws(Failure) -> History {
        let audit = try audit()
        for check in audit.checks where !check.holds {
            throw Failure(.untrusted, "\(database.path): \(check.name): \(check.detail)")
        }
        return audit.history
    }
}
