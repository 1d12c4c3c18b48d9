internal import Contribution
internal import Core
internal import Ethereum
internal import GRDB

/// A market's log, gone through once more from the beginning, and what its file must then hold.
struct Replay {
    private(set) var hub: Hub
    private(set) var history = MarketLedger.History(calls: 0, events: 0, postings: 0, supply: 0)
    private(set) var checks: [Check] = []
    private var nonces: [Address: Int] = [:]
    private var lastSeconds = 0
    /// What the calls led to, row by row as the tables must have it.
    private var events: [[DatabaseValue]] = []
    private var postings: [[DatabaseValue]] = []
    private var balances: [String: Int] = [
        Transfer.Bucket.issuance.name: 0, Transfer.Bucket.pot.name: 0,
    ]

    init(_ settings: Hub.Settings) { hub = Hub(settings: settings) }

    /// - Throws: when the file cannot be read; what does not hold is in ``checks``.
    mutating func run(in db: Database) throws {
        let settings = hub.settings
        check(
            "market", settings.market == Hub.marketID(owner: settings.owner),
            "\(settings.market)", orElse: "not the one that \(settings.owner) founds")
        let calls = try Row.fetchAll(db, sql: "SELECT * FROM call ORDER BY sequence")
        do {
            for row in calls { try take(row) }
        } catch {
            check("calls", false, "", orElse: "call \(history.calls + 1): \(Store.describe(error))")
            return
        }
        check("calls", true, "\(history.calls), each signed by its sender")
        history.supply = hub.supply.int ?? 0
        try checkRows("events", events, "SELECT * FROM event ORDER BY number", in: db)
        try checkRows(
            "postings", postings, "SELECT * FROM posting ORDER BY sequence, position", in: db)
        try checkRows(
            "balances",
            balances.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { [$0.key.databaseValue, $0.value.databaseValue] },
            "SELECT * FROM balance ORDER BY bucket", in: db)
        try checkRows(
            "state", hub.tables.rows.map(Store.values), "SELECT * FROM state ORDER BY name, key",
            in: db)
    }

    // MARK: The calls

    private mutating func take(_ row: Row) throws {
        let entry = try Store.logEntry(row)
        let envelope = entry.envelope
        guard entry.sequence == history.calls + 1 else {
            throw Failure(.untrusted, "missing; call \(entry.sequence) comes next")
        }
        guard entry.atSeconds >= lastSeconds else {
            throw Failure(.untrusted, "earlier than the one before it")
        }
        let nonce = nonces[envelope.sender, default: 0]
        guard envelope.nonce == nonce else {
            throw Failure(.untrusted, "nonce \(envelope.nonce), \(nonce) expected")
        }
        let call = try envelope.verify(for: hub.settings)
        guard Array(row.databaseValues) == Store.values(entry) else {
            throw Failure(.untrusted, "its row says another thing than its envelope")
        }
        let outcome: Outcome
        do { outcome = try hub.apply(call, atSeconds: entry.atSeconds) } catch {
            throw error.failure
        }
        nonces[envelope.sender] = nonce + 1
        lastSeconds = entry.atSeconds
        history.calls += 1
        try keep(outcome)
    }

    private mutating func keep(_ outcome: Outcome) throws {
        for event in outcome.events {
            history.events += 1
            events.append(
                [history.events.databaseValue] + Store.values(event, sequence: history.calls))
        }
        for posting in try Store.postings(outcome.transfers) {
            history.postings += 1
            postings.append(Store.values(posting, sequence: history.calls))
            balances[posting.bucket.name, default: 0] += posting.change
        }
    }

    // MARK: What came of them

    private mutating func check(
        _ name: String, _ holds: Bool, _ detail: String, orElse fault: String = ""
    ) {
        checks.append(Check(name: "ledger's \(name)", holds: holds, detail: holds ? detail : fault))
    }

    /// Holds a table against the rows that it must have, and says which is the first that differs.
    private mutating func checkRows(
        _ name: String, _ expected: [[DatabaseValue]], _ sql: String, in db: Database
    ) throws {
        let found = try Row.fetchAll(db, sql: sql).map { Array($0.databaseValues) }
        let same = zip(found, expected).prefix { $0 == $1 }.count
        let fault =
            if same < min(found.count, expected.count) {
                "row \(same + 1) of \(expected.count) differs"
            } else if found.count < expected.count {
                "row \(same + 1) of \(expected.count) is missing"
            } else {
                "\(found.count) rows, \(expected.count) expected"
            }
        check(
            name, found == expected, "\(found.count), as the calls give them",
            orElse: "not what the \(history.calls) calls give: \(fault)")
    }
}
