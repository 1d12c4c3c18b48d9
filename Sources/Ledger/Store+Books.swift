internal import Contribution
internal import Core
internal import Ethereum
internal import Foundation
internal import GRDB

// Double entry: a transfer is two postings, minus on what gives and plus on what takes. A bucket's
// balance is the sum of its postings; all balances together are zero.
extension Store {
    /// One side of a transfer: what it changes a bucket by.
    struct Posting {
        /// Its place among the call's.
        let position: Int
        let bucket: Transfer.Bucket
        let change: Int
        let transfer: Transfer
    }

    static func postings(_ transfers: [Transfer]) throws(Failure) -> [Posting] {
        var postings: [Posting] = []
        for transfer in transfers {
            // The supply is limited to what fits, and nobody moves more than there is.
            guard let amount = transfer.amount.int else {
                throw Failure(.limit, "ledger: \(transfer.amount) tokens do not fit")
            }
            for (bucket, change) in [(transfer.from, -amount), (transfer.to, amount)] {
                postings.append(
                    Posting(
                        position: postings.count, bucket: bucket, change: change,
                        transfer: transfer))
            }
        }
        return postings
    }

    /// The row of `posting`.
    static func values(_ posting: Posting, sequence: Int) -> [DatabaseValue] {
        [
            sequence.databaseValue, posting.position.databaseValue,
            posting.transfer.kind.rawValue.databaseValue, posting.bucket.name.databaseValue,
            posting.change.databaseValue, Data(posting.transfer.reference.bytes).databaseValue,
        ]
    }

    static func book(_ transfers: [Transfer], sequence: Int, in db: Database) throws {
        for posting in try postings(transfers) {
            try db.execute(
                sql: """
                    INSERT INTO posting (sequence, position, kind, bucket, amount, reference)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: StatementArguments(values(posting, sequence: sequence)))
        }
        try addUp(sequence, in: db)
    }

    /// Adds a call's postings to the balances, each bucket once, so that only what a call leaves
    /// behind is held against the limits.
    private static func addUp(_ sequence: Int, in db: Database) throws {
        let sum = "SELECT COALESCE(SUM(amount), 0) FROM posting WHERE sequence = ?"
        guard try Int.fetchOne(db, sql: sum, arguments: [sequence]) == 0 else {
            throw Failure(.malformed, "ledger: debit and credit of call \(sequence) differ")
        }
        try db.execute(
            sql: """
                INSERT INTO balance (bucket, amount)
                SELECT bucket, 0 FROM posting WHERE sequence = ? ON CONFLICT DO NOTHING
                """,
            arguments: [sequence])
        try db.execute(
            sql: """
                UPDATE balance SET amount = amount + posted.change
                FROM (SELECT bucket, SUM(amount) AS change FROM posting WHERE sequence = ?
                    GROUP BY bucket) AS posted
                WHERE balance.bucket = posted.bucket
                """,
            arguments: [sequence])
    }

    /// Each account that the hub changed must hold in the books what it holds in the state.
    static func requireBooksAgree(with changes: Hub.Tables, in db: Database) throws {
        for (owner, account) in changes.accounts {
            let sides = [
                (Transfer.Bucket.available(owner), account.available),
                (.locked(owner), account.locked),
            ]
            for (bucket, amount) in sides {
                let booked = try balance(of: bucket, in: db)
                guard amount.int == booked else {
                    throw Failure(
                        .malformed, "ledger: \(bucket) has \(booked) booked and holds \(amount)")
                }
            }
        }
    }

    static func balance(of bucket: Transfer.Bucket, in db: Database) throws -> Int {
        let sql = "SELECT amount FROM balance WHERE bucket = ?"
        return try Int.fetchOne(db, sql: sql, arguments: [bucket.name]) ?? 0
    }

    static func transfers(of sequence: Int, in db: Database) throws -> [Transfer] {
        let sql = """
            SELECT kind, bucket, amount, reference FROM posting WHERE sequence = ? ORDER BY position
            """
        let rows = try Row.fetchAll(db, sql: sql, arguments: [sequence])
        return try stride(from: 0, to: rows.count - 1, by: 2).map { index in
            let (giver, taker) = (rows[index], rows[index + 1])
            guard let kind = Transfer.Kind(rawValue: taker["kind"]),
                let from = Transfer.Bucket(name: giver["bucket"]),
                let to = Transfer.Bucket(name: taker["bucket"]),
                let amount = UInt256(exactly: taker["amount"]),
                let reference = Hash256(taker["reference"] as Data)
            else { throw Failure(.malformed, "ledger: posting \(sequence)/\(index)") }
            return Transfer(kind: kind, from: from, to: to, amount: amount, reference: reference)
        }
    }
}

extension Transfer.Bucket {
    /// How the books call it.
    var name: String {
        switch self {
        case .available(let owner): "available:\(owner.bytes.hex)"
        case .locked(let owner): "locked:\(owner.bytes.hex)"
        case .pot: "pot"
        case .issuance: "issuance"
        }
    }

    init?(name: String) {
        let parts = name.split(separator: ":", maxSplits: 1)
        switch (parts.first, parts.dropFirst().first.flatMap { Address(hex: $0) }) {
        case ("available", let owner?): self = .available(owner)
        case ("locked", let owner?): self = .locked(owner)
        case ("pot", nil): self = .pot
        case ("issuance", nil): self = .issuance
        default: return nil
        }
    }
}
