public import Contribution
public import Core
internal import Digest
internal import Ethereum
internal import Files
internal import Foundation
public import HostProtocol
internal import Ledger
public import PoolProtocol
public import Wallet

/// One rig's life on the market: it asks for work, computes it in hosts, and sees each task through
/// to its pay. All it must remember is in the journal; after any crash it goes on from there.
public final class Agent {
    /// What an agent is started with.
    public struct Configuration: Sendable {
        /// Journal, store and logs.
        public var folder: String
        /// Where signed receipts are written.
        public var receiptsFolder: String
        public var device: DeviceSelection
        /// Programs whose hosts may be started; the first one also certifies.
        public var programs: [Program]
        public var certificates: any CertificateKeeping
        public var policy: Policy
        /// How long to wait when there is nothing to do.
        public var intervalSeconds: Double
        /// How many hosts, or starts of the machine, a task may outlive.
        public var attemptsMax: Int

        /// - Precondition: there is at least one program.
        public init(
            folder: String, receiptsFolder: String, device: DeviceSelection, programs: [Program],
            certificates: any CertificateKeeping, policy: Policy = Policy(),
            intervalSeconds: Double = 1, attemptsMax: Int = 3
        ) {
            precondition(!programs.isEmpty, "an agent has a program to run")
            self.folder = folder
            self.receiptsFolder = receiptsFolder
            self.device = device
            self.programs = programs
            self.certificates = certificates
            self.policy = policy
            self.intervalSeconds = intervalSeconds
            self.attemptsMax = attemptsMax
        }
    }

    let configuration: Configuration
    let key: PrivateKey
    let pool: PoolClient
    let journal: Journal
    let store: ArtifactStore
    let clock: any Clock
    private let log: (String) -> Void
    private let runner: TaskRunner
    private let slot: DeviceSlot
    private var certificate: CertificateReport?
    /// Why the device takes no work any more; nil while it does.
    private var withdrawal: String?
    private var records: [Hash256: AssignmentRecord] = [:]
    /// Task → seconds that its last transaction took, which no record has yet.
    private var journalSeconds: [Hash256: Double] = [:]
    private var lastLines: [String: String] = [:]
    /// This start of the machine.
    private let boot: String
    /// Whether a run has had a result since the agent was started.
    private var hasComputed = false

    /// Opens the journal and takes up what is open in it.
    ///
    /// - Parameters:
    ///   - pool: a client that speaks for `key`'s address.
    ///   - log: gets a line for each step, refusal and wait.
    public init(
        _ configuration: Configuration, key: PrivateKey, pool: PoolClient, clock: any Clock,
        log: @escaping (String) -> Void
    ) throws(Failure) {
        self.configuration = configuration
        self.key = key
        self.pool = pool
        self.clock = clock
        self.log = log
        let folder = configuration.folder
        for path in [folder, "\(folder)/prepared", configuration.receiptsFolder] {
            try Folder.make(path)
        }
        boot = Self.currentBoot
        journal = try Journal(path: "\(folder)/journal.sqlite")
        store = try ArtifactStore(folder: "\(folder)/artifacts")
        store.removeIncoming()
        slot = DeviceSlot(
            selection: configuration.device, logPath: "\(folder)/device-host.log")
        runner = TaskRunner(folder: folder, store: store, pool: pool, slot: slot, clock: clock)
        for record in try journal.open() { records[record.assignment.taskID] = record }
    }

    /// What Linux calls this start of the machine; empty where it does not say.
    private static var currentBoot: String {
        let text = try? String(
            contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }

    /// Lives until `shouldStop` says otherwise.
    ///
    /// - Throws: ``Failure`` when the journal or the device fails; the pool may come and go.
    public func run(shouldStop: () -> Bool = { false }) throws(Failure) {
        try certify()
        while !shouldStop() {
            try turn()
            Thread.sleep(forTimeInterval: configuration.intervalSeconds)
        }
        slot.close()
    }

    /// Logs a line, unless the subject's last one was the same.
    private func say(_ subject: String, _ line: String) {
        guard lastLines.updateValue(line, forKey: subject) != line else { return }
        log("\(subject): \(line)")
    }

    // MARK: The device

    private func certify() throws(Failure) {
        let program = configuration.programs[0]
        let report = try slot.certificate(
            program, cache: configuration.certificates
        ) { stage, fraction in say("certify", "\(stage) \(Int(fraction * 100)) %") }
        certificate = report
        say("device", "\(report.device.label) is certified \(report.verdict.rawValue)")
        if report.verdict != .exact {
            let why = report.reasons.first ?? "no reason was given"
            withdrawal = "certified \(report.verdict.rawValue): \(why)"
        }
    }

    /// Takes no more work on the device, and has it examined again before it may.
    private func withdraw(_ reason: String) {
        withdrawal = reason
        if let certificate {
            configuration.certificates.revoke(certificate.device)
        }
        say("device", "withdrawn: \(reason); it must pass the battery again")
    }

    // MARK: Turns

    private func turn() throws(Failure) {
        for taskID in records.keys.sorted() {
            guard let record = records[taskID] else { continue }
            try tolerating("task \(taskID)") { () throws(Failure) in try step(record) }
        }
        try tolerating("pool") { () throws(Failure) in try askForWork() }
    }

    /// What a pool or the market refuses, or cannot answer now, is tried again in the next turn,
    /// from what the market says then. A journal or a disk that fails ends the agent.
    private func tolerating(
        _ subject: String, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) {
            try body()
        } catch {
            if error.code == .journal || error.code == .storage { throw error }
            say(subject, "\(error)")
        }
    }

    private func askForWork() throws(Failure) {
        if let withdrawal {
            say("idle", "device withdrawn: \(withdrawal)")
            return
        }
        let isBusy = records.values.contains { $0.stage == .given }
        guard runner.isIdle, !isBusy, let certificate else { return }
        let offer = DeviceOffer(
            label: certificate.device.label, verdict: certificate.verdict,
            conformance: certificate.conformance)
        switch try pool.ask(.poll(offer, holding: records.keys.sorted())) {
        case .idle(let reason): say("idle", reason)
        case .assignment(let assignment): try accept(assignment, certificate)
        default: throw Failure(.malformed, "pool: not an answer to poll")
        }
    }

    private func accept(
        _ assignment: Assignment, _ certificate: CertificateReport
    ) throws(Failure) {
        var record =
            try journal.record(assignment.taskID)
            ?? AssignmentRecord(assignment: assignment)
        // A task that was ended here stays ended, whatever the pool believes.
        if record.isOver {
            try refuse(record, record.reason ?? "it is over here")
            return
        }
        do throws(Failure) {
            _ = try intake(assignment, certificate)
        } catch {
            if [.io, .timeout, .journal, .storage].contains(error.code) { throw error }
            record.stage = .abandoned
            record.reason = error.message
            try save(record, "refused: \(error.message)")
            try refuse(record, error.message)
            return
        }
        // Its first run begins at once, and shares the transaction.
        if record.boot == nil, let begun = record.begun(inBoot: boot) { record = begun }
        try save(record, "accepted", isFlushed: !hasComputed)
    }

    private func intake(
        _ assignment: Assignment, _ certificate: CertificateReport
    ) throws(Failure) -> TaskSpec {
        let spec = try Intake.check(
            assignment, worker: key.address, policy: configuration.policy,
            certificate: certificate, programs: Set(configuration.programs.map(\.hash)),
            nowSeconds: try pool.timeSeconds())
        try Intake.checkInputs(spec, policy: configuration.policy)
        return spec
    }

    private func refuse(_ record: AssignmentRecord, _ reason: String) throws(Failure) {
        _ = try pool.ask(.refuse(taskID: record.assignment.taskID, reason: reason))
    }

    /// Makes the record durable, and goes on from it as the journal has it: times are kept to a
    /// microsecond there.
    private func save(
        _ record: AssignmentRecord, _ step: String, isFlushed: Bool = false
    ) throws(Failure) {
        let taskID = record.assignment.taskID
        var record = record
        record.journalSeconds += journalSeconds.removeValue(forKey: taskID) ?? 0
        let start = clock.monotonicSeconds
        try journal.save(record, step: step, atSeconds: clock.nowSeconds, isFlushed: isFlushed)
        let seconds = clock.monotonicSeconds - start
        records[taskID] = record.isOver ? nil : try journal.record(taskID)
        journalSeconds[taskID] = record.isOver ? nil : seconds
        say("task \(taskID)", step)
    }

    // MARK: Steps

    private func step(_ record: AssignmentRecord) throws(Failure) {
        let taskID = record.assignment.taskID
        let view = try pool.task(taskID, worker: key.address)
        switch record.next(view, worker: key.address) {
        case .wait(let what): say("task \(taskID)", "waits for \(what)")
        case .compute: try compute(record)
        case .contribute(let claim): try contribute(record, claim)
        case .reveal(let digest):
            let sent = try send(.reveal(taskID: taskID, digest: digest), for: record)
            try reach(.revealed, record, sent)
        case .deliver: try deliver(record)
        case .settle: try settle(record, view)
        case .claim: say("task \(taskID)", try send(.claim(taskID: taskID), for: record))
        case .advance(let stage): try reach(stage, record)
        case .abandon(let reason, let distrustsDevice):
            try abandon(record, reason)
            if distrustsDevice { withdraw(reason) }
        }
    }

    private func reach(
        _ stage: AssignmentRecord.Stage, _ record: AssignmentRecord, _ detail: String? = nil
    ) throws(Failure) {
        var next = record
        next.stage = stage
        try save(next, stage.rawValue + (detail.map { " (\($0))" } ?? ""))
    }

    private func abandon(_ record: AssignmentRecord, _ reason: String) throws(Failure) {
        var over = record
        over.stage = .abandoned
        over.reason = reason
        try save(over, "abandoned: \(reason)")
        try refuse(over, reason)
    }

    private func compute(_ record: AssignmentRecord) throws(Failure) {
        guard let end = runner.takeEnd(of: record.assignment.taskID) else {
            try startRun(record)
            return
        }
        var next = record
        switch end {
        case .result(let result):
            next.stage = .computed
            next.result = result
            try save(next, "computed \(result.digest.hash)")
            hasComputed = true
        case .poolAway(let failure): say("task \(record.assignment.taskID)", "\(failure)")
        case .diskFailed(let failure): throw failure
        case .impossible(let failure): try abandon(record, failure.message)
        case .hostFailed(let failure):
            next.attempts += 1
            if try giveUp(next, "the last was a host: \(failure.message)") { return }
            try save(next, "host \(next.attempts) failed: \(failure.message)")
        }
    }

    /// Abandons a task that has failed too often, and the device with it.
    private func giveUp(_ record: AssignmentRecord, _ last: String) throws(Failure) -> Bool {
        guard record.attempts >= configuration.attemptsMax else { return false }
        let reason = "\(record.attempts) runs failed; \(last)"
        try abandon(record, reason)
        withdraw(reason)
        return true
    }

    /// Writes down that a run begins, where the record does not say so yet. The first of an agent's
    /// life is flushed: should the run take the machine down each time, the next life counts it.
    /// Later ones are not, since a flush a task is much for short tasks.
    private func begin(_ record: AssignmentRecord) throws(Failure) -> Bool {
        guard let begun = record.begun(inBoot: boot) else { return true }
        if begun.attempts > record.attempts,
            try giveUp(begun, "the last ended with the machine")
        {
            return false
        }
        try save(begun, "begun", isFlushed: !hasComputed)
        return true
    }

    private func startRun(_ record: AssignmentRecord) throws(Failure) {
        guard runner.isIdle, let certificate else { return }
        let assignment = record.assignment
        let program = configuration.programs.first { $0.hash == assignment.appVersion }
        guard let program else {
            try abandon(record, "program \(assignment.appVersion) is not on this rig any more")
            return
        }
        let spec = try TaskSpec(canonical: assignment.spec)
        guard try begin(record) else { return }
        say("task \(assignment.taskID)", "computing")
        runner.start(assignment, spec, program: program, certificate: certificate)
    }

    // MARK: Money

    private func contribute(_ record: AssignmentRecord, _ claim: Call.Claim) throws(Failure) {
        let taskID = record.assignment.taskID
        // Journal before money: what finishes the task is read back from disk before a token is
        // locked on it.
        guard let durable = try journal.record(taskID), durable.stage == .computed,
            let result = durable.result, result == record.result, store.contains(result.leaves)
        else {
            throw Failure(.journal, "task \(taskID): its result is not in the journal")
        }
        let sent = try send(.contribute(taskID: taskID, claim), for: record)
        try reach(.contributed, record, sent)
    }

    /// Signs and sends a call; gives its name, nonce and digest. Sending is safe to repeat, and
    /// needs no transaction before it: the ledger takes a nonce once, and what it took shows in the
    /// next view.
    private func send(_ call: Call, for record: AssignmentRecord) throws(Failure) -> String {
        let nonce = try pool.nextNonce(of: key.address)
        let envelope = Envelope(
            call, from: key.address, nonce: nonce, in: try pool.settings(), sign: key.sign)
        _ = try pool.submit(envelope)
        return "\(call.name), nonce \(nonce), \(envelope.digest)"
    }

    private func deliver(_ record: AssignmentRecord) throws(Failure) {
        guard let result = record.result else { preconditionFailure("revealed with a result") }
        try pool.send(result.leaves, from: store)
        _ = try pool.ask(.deliver(taskID: record.assignment.taskID, leaves: result.leaves))
        try reach(.delivered, record)
    }

    private func settle(_ record: AssignmentRecord, _ view: TaskView) throws(Failure) {
        let greeting = try pool.greeting()
        guard let deal = view.deal,
            let receipt = try record.receipt(
                view, worker: key.address, chainID: greeting.chainID, market: greeting.market)
        else { throw Failure(.malformed, "pool: a paid task without its deal or contribution") }
        let signature = key.sign(receipt.digest)
        let reply = try pool.ask(
            .countersign(receipt: receipt.cbor.encoded, signature: signature.bytes))
        guard case .countersignature(let other) = reply else {
            throw Failure(.malformed, "pool: not an answer to countersign")
        }
        let signed = SignedReceipt(
            receipt: receipt, workerSignature: signature,
            workerpoolSignature: try Signature(bytes: other))
        try signed.checkSignatures(
            worker: key.address, workerpoolOwner: deal.workerpool.owner)
        try FileHash.writeDurably(
            Bytes(signed.json.text.utf8),
            to: "\(configuration.receiptsFolder)/\(signed.fileName)")
        var paid = record
        paid.stage = .paid
        paid.journalSeconds += journalSeconds.removeValue(forKey: record.assignment.taskID) ?? 0
        try journal.settle(paid, signed, atSeconds: clock.nowSeconds)
        records[record.assignment.taskID] = nil
        say("task \(record.assignment.taskID)", "paid \(receipt.paid) tokens")
    }
}

extension SignedReceipt {
    /// What its file is called: task and worker, shortened.
    public var fileName: String {
        "\(receipt.taskID.bytes.prefix(8).hex)-\(receipt.worker.bytes.prefix(4).hex).json"
    }
}
