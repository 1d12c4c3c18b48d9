public import Core
public import Ethereum

extension Hub {
    /// Everything the hub knows beside its settings, as rows that a store can keep one by one.
    public struct Tables: Hashable, Sendable {
        public var accounts: [Address: Account] = [:]
        public var scores: [Address: Int] = [:]
        public var categories: [Int: Category] = [:]
        public var apps: [Address: App] = [:]
        public var datasets: [Address: Dataset] = [:]
        public var workerpools: [Address: Workerpool] = [:]
        /// Order hash → volume used up.
        public var consumed: [Hash256: UInt256] = [:]
        /// Order hash → who signed it by a call.
        public var presigned: [Hash256: Address] = [:]
        public var deals: [Hash256: Deal] = [:]
        public var tasks: [Hash256: Task] = [:]
        public var contributions: [ContributionKey: Contribution] = [:]

        public init() {}

        /// Takes over every row of `changes`.
        mutating func merge(_ changes: Tables) {
            accounts.merge(changes.accounts) { $1 }
            scores.merge(changes.scores) { $1 }
            categories.merge(changes.categories) { $1 }
            apps.merge(changes.apps) { $1 }
            datasets.merge(changes.datasets) { $1 }
            workerpools.merge(changes.workerpools) { $1 }
            consumed.merge(changes.consumed) { $1 }
            presigned.merge(changes.presigned) { $1 }
            deals.merge(changes.deals) { $1 }
            tasks.merge(changes.tasks) { $1 }
            contributions.merge(changes.contributions) { $1 }
        }
    }

    /// One row of a table: table, key and value, each with one encoding.
    public struct Row: Hashable, Sendable {
        public var table: String
        public var key: Bytes
        /// Deterministic CBOR.
        public var value: Bytes

        public init(table: String, key: Bytes, value: Bytes) {
            self.table = table
            self.key = key
            self.value = value
        }
    }
}

extension Hub.Tables {
    /// All rows, in order of table and key: equal tables have equal rows.
    public var rows: [Hub.Row] {
        var rows: [Hub.Row] = []
        func add<Key, Value>(
            _ table: String, _ values: [Key: Value], _ key: (Key) -> Bytes, _ value: (Value) -> CBOR
        ) {
            let made = values.map {
                Hub.Row(table: table, key: key($0.key), value: value($0.value).encoded)
            }
            rows += made.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        }
        add("account", accounts, \.bytes, \.cbor)
        add("app", apps, \.bytes, \.cbor)
        add("category", categories, \.bigEndianBytes, \.cbor)
        add("consumed", consumed, \.bytes) { CBOR($0) }
        add("contribution", contributions, { $0.taskID.bytes + $0.worker.bytes }, \.cbor)
        add("dataset", datasets, \.bytes, \.cbor)
        add("deal", deals, \.bytes, \.cbor)
        add("presigned", presigned, \.bytes) { CBOR($0) }
        add("score", scores, \.bytes) { CBOR($0) }
        add("task", tasks, \.bytes, \.cbor)
        add("workerpool", workerpools, \.bytes, \.cbor)
        return rows
    }

    /// Reads rows back, in any order.
    ///
    /// - Throws: ``Failure`` (malformed) naming the table and what was expected.
    public init(rows: some Sequence<Hub.Row>) throws(Failure) {
        self.init()
        for row in rows { try take(row) }
    }

    private mutating func take(_ row: Hub.Row) throws(Failure) {
        let value = try CBOR(decoding: row.value)
        var reader = try RecordReader(.array([.bytes(row.key), value]), "table \(row.table)")
        switch row.table {
        case "account": accounts[try reader.address()] = try .init(value)
        case "app": apps[try reader.address()] = try .init(value)
        case "category": categories[try Self.number(row.key)] = try .init(value)
        case "consumed": consumed[try reader.hash()] = try reader.uint()
        case "contribution": contributions[try Self.contributionKey(row.key)] = try .init(value)
        case "dataset": datasets[try reader.address()] = try .init(value)
        case "deal": deals[try reader.hash()] = try .init(value)
        case "presigned": presigned[try reader.hash()] = try reader.address()
        case "score": scores[try reader.address()] = try reader.count()
        case "task": tasks[try reader.hash()] = try .init(value)
        case "workerpool": workerpools[try reader.address()] = try .init(value)
        default: throw Failure(.malformed, "market state: no table is named \"\(row.table)\"")
        }
    }

    private static func number(_ key: Bytes) throws(Failure) -> Int {
        guard key.count == 8, let value = UInt256(bytes: key)?.int else {
            throw Failure(.malformed, "table category: a key of 8 bytes expected")
        }
        return value
    }

    private static func contributionKey(_ key: Bytes) throws(Failure) -> Hub.ContributionKey {
        guard key.count == 52, let task = Hash256(key[..<32]), let worker = Address(key[32...])
        else { throw Failure(.malformed, "table contribution: a key of 52 bytes expected") }
        return Hub.ContributionKey(taskID: task, worker: worker)
    }
}
