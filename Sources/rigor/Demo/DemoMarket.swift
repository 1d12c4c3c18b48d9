internal import Contribution
internal import Core
internal import Digest
internal import Ethereum
internal import Foundation
internal import HostProtocol
internal import Ledger
internal import Wallet

/// The demo's market: parties, tokens, apps and the workerpool, all set up by signed calls.
///
/// Each party's calls have fixed nonces and signatures are deterministic, so doing all of it again
/// after a crash sends the same envelopes, which the ledger answers from its record.
struct DemoMarket {
    let ledger: MarketLedger
    let keys: [DemoPlan.Role: PrivateKey]
    let workerpool: Address
    /// App name → address.
    let apps: [String: Address]

    /// What every party but the market's owner gets.
    static let deposit: UInt256 = 100_000_000_000
    static let appPrice: UInt256 = 500_000_000
    static let poolPrice: UInt256 = 1_000_000_000
    /// T: contributions end 7T after the deal, everything ends after 10T.
    static let timeReferenceSeconds = 300
    private static let chainID: UInt256 = 133

    // MARK: Keys

    /// New keys, each in a keystore under one password that lies beside them: a demo's tokens are
    /// worth nothing.
    static func makeKeys(
        in folder: DemoFolder, entropy: any Entropy
    ) throws(Failure) -> [DemoPlan.Role: Address] {
        let password = entropy.bytes(16).hex
        try FileHash.writeDurably(Bytes("\(password)\n".utf8), to: folder.password)
        var addresses: [DemoPlan.Role: Address] = [:]
        for role in DemoPlan.Role.allCases {
            let key = PrivateKey(entropy: entropy)
            try Keystore(locking: key, password: password, strength: .light, entropy: entropy)
                .write(in: folder.keys)
            addresses[role] = key.address
        }
        return addresses
    }

    private static func unlock(
        _ plan: DemoPlan, in folder: DemoFolder
    ) throws(Failure) -> [DemoPlan.Role: PrivateKey] {
        let bytes = try FileHash.contents(path: folder.password, bytesMax: 4096)
        let password = String(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
        var keys: [DemoPlan.Role: PrivateKey] = [:]
        for role in DemoPlan.Role.allCases {
            let path = Keystore.path(of: plan.address(role), in: folder.keys)
            keys[role] = try Keystore.read(path).unlock(password: password)
        }
        return keys
    }

    // MARK: Founding

    /// Opens the plan's market, founding what is not there yet.
    init(
        _ plan: DemoPlan, in folder: DemoFolder, appNames: [String], clock: any Clock
    ) throws(Failure) {
        keys = try Self.unlock(plan, in: folder)
        let owner = plan.address(.marketOwner)
        let settings = Hub.Settings(
            chainID: Self.chainID, market: Hub.marketID(owner: owner), owner: owner)
        do throws(Failure) {
            ledger = try MarketLedger.open(folder.ledger)
        } catch {
            ledger = try MarketLedger.found(settings, at: folder.ledger)
        }
        guard ledger.settings == settings else {
            throw Failure(.untrusted, "\(folder.ledger): not the market of this plan")
        }
        var founding: [Call] = [
            .createCategory(name: "XS", workClockTimeReferenceSeconds: Self.timeReferenceSeconds)
        ]
        for role in DemoPlan.Role.allCases where role != .marketOwner {
            founding.append(.issue(to: plan.address(role), amount: Self.deposit))
        }
        let time = clock.nowSeconds
        try Self.send(founding, by: keys[.marketOwner], to: ledger, atSeconds: time)
        let appCalls = appNames.map { name in
            Call.createApp(
                name: name, kind: "RIGOR", location: "sha256:\(plan.program.bytes.hex)",
                version: plan.program)
        }
        let created = try Self.send(appCalls, by: keys[.appOwner], to: ledger, atSeconds: time)
        var apps: [String: Address] = [:]
        for (name, address) in zip(appNames, created) { apps[name] = address }
        self.apps = apps
        let pools = try Self.send(
            [.createWorkerpool(description: "demo")], by: keys[.poolOwner], to: ledger,
            atSeconds: time)
        guard let workerpool = pools.first ?? nil else {
            throw Failure(.malformed, "ledger: no workerpool was made")
        }
        self.workerpool = workerpool
    }

    /// Sends a party's first calls, with nonces from 0; gives what each created.
    @discardableResult
    private static func send(
        _ calls: [Call], by key: PrivateKey?, to ledger: MarketLedger, atSeconds: Int
    ) throws(Failure) -> [Address?] {
        guard let key else { preconditionFailure("every role has a key") }
        var created: [Address?] = []
        for (nonce, call) in calls.enumerated() {
            let envelope = Envelope(
                call, from: key.address, nonce: nonce, in: ledger.settings, sign: key.sign)
            created.append(
                try ledger.submit(envelope, atSeconds: atSeconds).outcome.created)
        }
        return created
    }

    // MARK: Orders

    /// The trust at which two workers must agree on each of the next tasks, with the scores that
    /// they have in the plan's market and gain on the way.
    static func trust(
        _ plan: DemoPlan, in folder: DemoFolder, taskCount: Int
    ) throws(Failure) -> Int {
        var scores = [0]
        if FileManager.default.fileExists(atPath: folder.ledger) {
            let hub = try MarketLedger.open(folder.ledger).hub()
            scores = DemoPlan.Role.workers.map { hub.score(plan.address($0)) }
        }
        let lowest = scores.min() ?? 0
        // A score rises by one with each task that was paid, at last before the last contribution.
        let highest = (scores.max() ?? 0) + max(taskCount - 1, 0)
        guard let trust = Replication.trustForTwo(scores: lowest...highest)?.int else {
            throw Failure(
                .limit,
                "\(taskCount) tasks in one demo: scores would grow from \(lowest) to \(highest), "
                    + "and one worker's word would weigh as much as two did; buy fewer at once")
        }
        return trust
    }

    func key(_ role: DemoPlan.Role) -> PrivateKey {
        guard let key = keys[role] else { preconditionFailure("every role has a key") }
        return key
    }

    /// The envelope that matches a job's orders: the same each time it is made.
    func match(_ orders: Call.Orders, of job: DemoPlan.Job) -> Envelope {
        let requester = key(.requester)
        return Envelope(
            .matchOrders(orders, sponsored: false), from: requester.address, nonce: job.number,
            in: ledger.settings, sign: requester.sign)
    }

    /// A job's orders, signed by their owners.
    func orders(_ job: DemoPlan.Job, _ spec: TaskSpec) throws(Failure) -> Call.Orders {
        guard let app = apps[spec.app] else {
            throw Failure(.unsupported, "the market has no app \(spec.app)")
        }
        let volume = UInt256(UInt64(spec.parts.count))
        let trust = UInt256(UInt64(job.trust))
        func salt(_ order: String) -> Hash256 {
            Keccak256.hash(Bytes("\(order) order \(job.number)".utf8))
        }
        let appOrder = AppOrder(
            app: app, price: Self.appPrice, volume: volume, salt: salt("app"))
        let poolOrder = WorkerpoolOrder(
            workerpool: workerpool, price: Self.poolPrice, volume: volume, category: 0,
            trust: trust, salt: salt("workerpool"))
        let request = RequestOrder(
            app: app, appPriceMax: Self.appPrice, workerpool: workerpool,
            workerpoolPriceMax: Self.poolPrice, requester: key(.requester).address, volume: volume,
            category: 0, trust: trust,
            params: RequestParameters(taskSpec: Keccak256.hash(job.spec)).text,
            salt: salt("request"))
        let domain = Hub(settings: ledger.settings).orderDomain
        func signed<O: Order>(_ order: O, _ role: DemoPlan.Role) -> Signed<O> {
            Signed(order, signature: key(role).sign(order.hash(in: domain)).bytes)
        }
        return Call.Orders(
            app: signed(appOrder, .appOwner), workerpool: signed(poolOrder, .poolOwner),
            request: signed(request, .requester))
    }
}
