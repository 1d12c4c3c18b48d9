public import Core
public import Ethereum

/// The market's rules as a value: verified calls go in, events and transfers come out.
///
/// It follows iExec's Proof-of-Contribution hub, version 6: the same identifiers, deadlines,
/// weights, stakes and roundings. It reads no clock and does no input or output; who calls has been
/// verified before. What the hub leaves to other contracts is left out here: groups behind
/// restriction addresses (ERC-734), contract signatures (ERC-1271), and calls to callbacks.
public struct Hub: Hashable, Sendable {
    /// What a market is founded with and never changes.
    public struct Settings: Hashable, Sendable {
        public var chainID: UInt256
        /// The market's own address: the contract on a chain, ``Hub/marketID(owner:)`` on a ledger.
        public var market: Address
        /// Who may issue tokens and add categories.
        public var owner: Address
        /// Signs authorisations for tasks in enclaves; zero for none.
        public var enclaveBroker: Address

        public init(
            chainID: UInt256, market: Address, owner: Address, enclaveBroker: Address = .zero
        ) {
            self.chainID = chainID
            self.market = market
            self.owner = owner
            self.enclaveBroker = enclaveBroker
        }
    }

    public let settings: Settings
    /// The state. Only ``apply(_:atSeconds:)`` changes it.
    public internal(set) var tables: Tables

    /// An empty market.
    public init(settings: Settings) { self.init(settings: settings, tables: Tables()) }

    /// A market whose state was kept elsewhere.
    public init(settings: Settings, tables: Tables) {
        self.settings = settings
        self.tables = tables
    }

    /// The EIP-712 domain of orders.
    public var orderDomain: TypedData.Domain {
        .init(
            name: "iExecODB", version: "5.0.0", chainID: settings.chainID,
            verifyingContract: settings.market)
    }

    /// Takes one call, or refuses it and stays as it was.
    ///
    /// - Parameter atSeconds: the time of the call, in seconds since 1970, as a block's time.
    /// - Throws: ``Rejection`` naming the rule; nothing has changed then.
    @discardableResult
    public mutating func apply(
        _ call: VerifiedCall, atSeconds: Int
    ) throws(Rejection) -> Outcome {
        let outcome = try decide(call, atSeconds: atSeconds)
        commit(outcome)
        return outcome
    }

    /// Takes over what ``decide(_:atSeconds:)`` decided on this very state; so a store can make it
    /// durable in between.
    public mutating func commit(_ outcome: Outcome) { tables.merge(outcome.changes) }

    /// What ``apply(_:atSeconds:)`` would do, without doing it.
    ///
    /// - Throws: ``Rejection`` naming the rule.
    public func decide(_ call: VerifiedCall, atSeconds: Int) throws(Rejection) -> Outcome {
        guard (0..<Self.secondsMax).contains(atSeconds) else {
            throw Rejection(.limit, "time \(atSeconds): 0 to \(Self.secondsMax) expected")
        }
        var draft = Draft(hub: self, sender: call.sender, nowSeconds: atSeconds)
        try draft.perform(call.call)
        return draft.outcome
    }
}

// MARK: - Constants

extension Hub {
    /// Contributions end this many T after the deal's start.
    public static let contributionDeadlineRatio = 7
    /// Reveals end this many T after consensus.
    public static let revealDeadlineRatio = 2
    /// Everything ends this many T after the deal's start.
    public static let finalDeadlineRatio = 10
    /// Percent of the pool's price that the pool's owner locks a task.
    public static let workerpoolStakeRatio: UInt256 = 30
    /// Percent of the kitty that a finalized task takes out.
    public static let kittyRatio: UInt256 = 10
    /// The least that a finalized task takes out of the kitty, where it holds as much.
    public static let kittyMin: UInt256 = 1_000_000_000
    /// All tokens of a market together fit a signed 64-bit integer, so that any store can add them.
    public static let supplyMax = UInt256(UInt64(Int64.max))
    /// Texts and bytes in calls are at most this long.
    public static let textBytesMax = 65_536
    /// T is at most this long; so no deadline overflows.
    public static let timeReferenceSecondsMax = 1_000_000_000
    static let secondsMax = 1 << 50

    /// The address of a market that lives on a ledger: derived from its owner's.
    public static func marketID(owner: Address) -> Address {
        Address(lastOf: ABI.topic("Rigor Market \(owner)"))
    }
}

// MARK: - Views

extension Hub {
    /// Tokens of `address`; zeros when it was never seen.
    public func account(_ address: Address) -> Account { tables.accounts[address] ?? Account() }

    /// What the kitty holds; all of it is locked.
    public var kitty: UInt256 { account(Identifiers.kitty).locked }

    /// The sum of all tokens.
    public var supply: UInt256 {
        // The sum cannot overflow: issuing checks it against `supplyMax`.
        tables.accounts.values.reduce(0) { sum, account in
            sum.adding(account.available)?.adding(account.locked) ?? .max
        }
    }

    /// A worker's score; 0 when it was never seen.
    public func score(_ worker: Address) -> Int { tables.scores[worker] ?? 0 }

    public func deal(_ id: Hash256) -> Deal? { tables.deals[id] }
    public func task(_ id: Hash256) -> Task? { tables.tasks[id] }
    public func contribution(_ taskID: Hash256, by worker: Address) -> Contribution? {
        tables.contributions[ContributionKey(taskID: taskID, worker: worker)]
    }
    public func category(_ number: Int) -> Category? { tables.categories[number] }
    public func app(_ address: Address) -> App? { tables.apps[address] }
    public func dataset(_ address: Address) -> Dataset? { tables.datasets[address] }
    public func workerpool(_ address: Address) -> Workerpool? { tables.workerpools[address] }

    /// How much of an order is used up.
    public func consumed(_ orderHash: Hash256) -> UInt256 { tables.consumed[orderHash] ?? 0 }
}

// MARK: - Snapshot

extension Hub {
    /// Version of the snapshot's layout.
    static let format = 1

    /// Settings and state in one deterministic encoding.
    public var snapshot: Bytes {
        let rows = tables.rows.map { row in
            CBOR.array([.text(row.table), .bytes(row.key), .bytes(row.value)])
        }
        return CBOR.array([CBOR(Self.format), settings.cbor, .array(rows)]).encoded
    }

    /// Reads a snapshot back.
    ///
    /// - Throws: ``Failure`` (malformed) saying where it is not one.
    public init(snapshot: Bytes) throws(Failure) {
        var reader = try RecordReader(try CBOR(decoding: snapshot), "market snapshot")
        guard try reader.int() == Self.format else {
            throw Failure(.unsupported, "market snapshot: format \(Self.format) expected")
        }
        let settings = try Settings(try reader.next())
        let rows = try reader.list { (item) throws(Failure) in
            var row = try RecordReader(item, "market snapshot row")
            let made = Row(table: try row.text(), key: try row.bytes(), value: try row.bytes())
            try row.end()
            return made
        }
        try reader.end()
        self.init(settings: settings, tables: try Tables(rows: rows))
    }
}

extension Hub.Settings: Record {
    package var cbor: CBOR {
        .array([CBOR(chainID), CBOR(market), CBOR(owner), CBOR(enclaveBroker)])
    }

    package init(_ cbor: CBOR) throws(Failure) {
        var reader = try RecordReader(cbor, "market settings")
        self.init(
            chainID: try reader.uint(), market: try reader.address(),
            owner: try reader.address(), enclaveBroker: try reader.address())
        try reader.end()
    }
}
