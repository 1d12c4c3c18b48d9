import Agent
import Contribution
import Core
import Digest
import Ethereum
import Foundation
import HostProtocol
import MarketTestKit
import PoolProtocol
import Testing
import Wallet

/// A task on a test market, and one worker's record of it.
private struct Scene {
    var market: TestMarket
    let task: Hash256
    var record: AssignmentRecord
    let result: TaskResult

    init(workers: Int = 3) throws {
        market = try TestMarket(workers: workers)
        task = try market.openTask(price: 1000, trust: 3)
        let deal = try #require(market.hub.task(task)).dealID
        let digest = ResultDigest(
            appVersion: .zero, taskSpec: .zero, leafCount: 1, merkleRoot: .zero)
        result = TaskResult(
            digest: digest, leaves: .init(sha256: .zero, byteCount: 9), app: "hash",
            device: "Portable: cpu", conformance: .zero, seconds: ["compute": 0.5])
        record = AssignmentRecord(
            assignment: Assignment(
                taskID: task, dealID: deal, index: 0,
                authorization: market.permission(market.workers[0], task).authorization,
                appVersion: .zero, params: "", spec: [],
                contributionDeadlineSeconds: market.nowSeconds + 2100, runSecondsMax: 300,
                price: 1000, stake: 300))
    }

    var worker: PrivateKey { market.workers[0] }

    var view: TaskView {
        let hubTask = market.hub.task(task)
        return TaskView(
            nowSeconds: market.nowSeconds, task: hubTask,
            deal: hubTask.flatMap { market.hub.deal($0.dealID) },
            contribution: market.hub.contribution(task, by: worker.address))
    }

    var action: AssignmentRecord.Action { record.next(view, worker: worker.address) }

    mutating func compute() {
        record.stage = .computed
        record.result = result
    }

    mutating func contribute() throws {
        guard case .contribute(let claim) = action else { throw Failure(.refused, "\(action)") }
        try market.send(.contribute(taskID: task, claim), by: worker)
    }

    /// What is to be done once `kept` has followed the market as far as it has come.
    func caughtUp(from kept: AssignmentRecord) -> AssignmentRecord.Action {
        var record = kept
        while case .advance(let stage) = record.next(view, worker: worker.address) {
            record.stage = stage
        }
        return record.next(view, worker: worker.address)
    }

    var isAbandoned: Bool { if case .abandon = action { true } else { false } }
}

@Suite struct MachineTests {
    @Test func theWholeWay() throws {
        var scene = try Scene()
        #expect(scene.action == .compute)
        scene.compute()
        try scene.contribute()
        #expect(scene.action == .advance(.contributed))
        scene.record.stage = .contributed
        #expect(scene.action == .wait("other workers to agree"))
        let digest = scene.result.digest.hash
        try scene.market.contribute(scene.market.workers[1], scene.task, digest: digest)
        #expect(scene.action == .reveal(digest: digest))
        try scene.market.reveal(scene.worker, scene.task, digest: digest)
        #expect(scene.action == .advance(.revealed))
        scene.record.stage = .revealed
        #expect(scene.action == .deliver)
        scene.record.stage = .delivered
        #expect(scene.action == .wait("the pool to finalize"))
        try scene.market.reveal(scene.market.workers[1], scene.task, digest: digest)
        try scene.market.finalize(scene.task)
        #expect(scene.action == .settle)
        let settings = scene.market.hub.settings
        let receipt = try #require(
            try scene.record.receipt(
                scene.view, worker: scene.worker.address, chainID: settings.chainID,
                market: settings.market))
        let device = Receipt.Device(
            label: "Portable: cpu", verdict: .exact, conformance: .zero)
        let same = try Receipt(
            of: scene.task, worker: scene.worker.address, result: scene.result.digest,
            device: device, in: scene.market.hub)
        #expect(receipt == same)
        scene.record.stage = .paid
        #expect(scene.record.isOver)
    }

    /// A machine that loses power may forget all that came after the result; the market has not.
    @Test func aRecordThatFellBackToItsResultCatchesUp() throws {
        var scene = try Scene()
        scene.compute()
        let kept = scene.record
        let digest = scene.result.digest.hash
        let other = scene.market.workers[1]
        try scene.contribute()
        try scene.market.contribute(other, scene.task, digest: digest)
        #expect(scene.caughtUp(from: kept) == .reveal(digest: digest))
        try scene.market.reveal(scene.worker, scene.task, digest: digest)
        #expect(scene.caughtUp(from: kept) == .deliver)
        try scene.market.reveal(other, scene.task, digest: digest)
        try scene.market.finalize(scene.task)
        #expect(scene.caughtUp(from: kept) == .settle)
    }

    @Test func aCrashAfterSendingIsCaughtUpAndNothingIsSentTwice() throws {
        var scene = try Scene()
        scene.compute()
        try scene.contribute()
        // The record still says `computed`: the process died before it could write.
        #expect(scene.action == .advance(.contributed))
        scene.record.stage = .contributed
        let digest = scene.result.digest.hash
        try scene.market.contribute(scene.market.workers[1], scene.task, digest: digest)
        try scene.market.reveal(scene.worker, scene.task, digest: digest)
        #expect(scene.action == .advance(.revealed))
    }

    @Test func aLostJournalComputesAgainAndReveals() throws {
        var scene = try Scene()
        scene.compute()
        try scene.contribute()
        scene.record.stage = .given
        scene.record.result = nil
        #expect(scene.action == .compute)
        scene.compute()
        #expect(scene.action == .advance(.contributed))
    }

    @Test func aLostConsensusEndsTheTaskAndTheDevice() throws {
        var scene = try Scene(workers: 4)
        scene.compute()
        try scene.contribute()
        scene.record.stage = .contributed
        let others = Array(scene.market.workers.dropFirst())
        // Two of weight 2 against one: 4 is not more than (trust − 1)(1 + 1) = 4. Three are 8.
        for worker in others {
            #expect(scene.action == .wait("other workers to agree"))
            try scene.market.contribute(worker, scene.task, digest: TestMarket.digestB)
        }
        #expect(
            scene.action
                == .abandon(
                    "consensus is on another result: the stake is lost", distrustsDevice: true))
        for worker in others {
            try scene.market.reveal(worker, scene.task, digest: TestMarket.digestB)
        }
        try scene.market.finalize(scene.task)
        // An agent that was away meanwhile comes to the same end.
        #expect(
            scene.action
                == .abandon(
                    "the task ended without our reveal: the stake is lost", distrustsDevice: true))
    }

    /// A run that takes the machine down is counted like one that takes its host down.
    @Test func runsThatTheMachineDidNotSurviveCount() throws {
        let scene = try Scene()
        let first = try #require(scene.record.begun(inBoot: "a"))
        #expect(first.attempts == 0 && !first.isFlushed)
        #expect(first.begun(inBoot: "a") == nil, "the process died, the machine did not")
        let second = try #require(first.begun(inBoot: "b"))
        #expect(second.attempts == 1 && second.isFlushed)
        #expect(second.begun(inBoot: "c")?.attempts == 2)
        #expect(try AssignmentRecord(second.cbor) == second)
    }

    @Test func lateOrSettledTasksAreNotContributedTo() throws {
        var scene = try Scene()
        scene.compute()
        scene.market.nowSeconds += 7 * TestMarket.timeReferenceSeconds
        #expect(scene.isAbandoned)
        scene = try Scene()
        for worker in scene.market.workers.dropFirst() {
            try scene.market.contribute(worker, scene.task, digest: TestMarket.digestA)
        }
        #expect(scene.isAbandoned)
        scene.compute()
        #expect(scene.isAbandoned)
    }

    @Test func anUnclaimedTaskIsClaimedBack() throws {
        var scene = try Scene()
        scene.compute()
        try scene.contribute()
        scene.record.stage = .contributed
        scene.market.nowSeconds += 10 * TestMarket.timeReferenceSeconds
        #expect(scene.action == .wait("other workers to agree"))
        scene.market.nowSeconds += 60
        #expect(scene.action == .claim)
        try scene.market.send(.claim(taskID: scene.task), by: scene.worker)
        #expect(scene.isAbandoned)
    }
}

@Suite struct JournalTests {
    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "journal-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func recordsSurviveAndAResultNeverChanges() throws {
        var scene = try Scene()
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/journal.sqlite"
        do {
            let journal = try Journal(path: path)
            try journal.save(scene.record, step: "accepted", atSeconds: 1)
            scene.compute()
            try journal.save(scene.record, step: "computed", atSeconds: 2)
        }
        let journal = try Journal(path: path)
        #expect(try journal.open() == [scene.record])
        #expect(try journal.steps(scene.task) == ["accepted", "computed"])
        var other = scene.record
        other.result?.device = "another"
        #expect(throws: Failure.self) { try journal.save(other, step: "x", atSeconds: 3) }
        #expect(try journal.record(scene.task) == scene.record)
        scene.record.stage = .abandoned
        scene.record.reason = "late"
        scene.record.journalSeconds = 0.25
        try journal.save(scene.record, step: "abandoned", atSeconds: 4)
        #expect(try journal.record(scene.task) == scene.record)
        #expect(try journal.open().isEmpty)
    }

    /// The market can say most again, so that only the rest is worth a wait for the disk.
    @Test func onlyWhatNobodyElseCouldSayIsFlushed() throws {
        var scene = try Scene()
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journal = try Journal(path: folder + "/journal.sqlite")
        #expect(try journal.wasFlushed())
        scene.record.result = scene.result
        // Twice: each level is also reached from the other.
        for stage in AssignmentRecord.Stage.allCases + AssignmentRecord.Stage.allCases {
            scene.record.stage = stage
            try journal.save(scene.record, step: stage.rawValue, atSeconds: 1)
            let isFlushed = [.computed, .paid, .abandoned].contains(stage)
            #expect(try journal.wasFlushed() == isFlushed, "\(stage)")
        }
        scene.record.stage = .given
        try journal.save(scene.record, step: "begun", atSeconds: 2, isFlushed: true)
        #expect(try journal.wasFlushed())
        try journal.save(scene.record, step: "given", atSeconds: 3)
        #expect(try !journal.wasFlushed())
        scene.record.attempts = 1
        try journal.save(scene.record, step: "host 1 failed", atSeconds: 4)
        #expect(try journal.wasFlushed())
    }
}

@Suite struct IntakeTests {
    private let program = Hash256(Bytes(repeating: 3, count: 32)) ?? .zero

    private func assignment(_ spec: TaskSpec, index: Int = 0, lead: Int = 100) -> Assignment {
        let deal = Hash256(Bytes(repeating: 4, count: 32)) ?? .zero
        return Assignment(
            taskID: Identifiers.task(deal: deal, index: UInt256(UInt64(index))), dealID: deal,
            index: index, authorization: [], appVersion: program,
            params: RequestParameters(taskSpec: Keccak256.hash(spec.canonical)).text,
            spec: spec.canonical, contributionDeadlineSeconds: lead, runSecondsMax: 300,
            price: 10, stake: 3)
    }

    private let spec = TaskSpec(
        app: "hash", appVersion: "0.1", parameters: [:],
        inputs: ["a": .init(sha256: .zero, byteCount: 1 << 40)], parts: [.init()])

    private func refusal(
        _ assignment: Assignment, verdict: Verdict = .exact, policy: Policy = Policy(),
        programs: Set<Hash256>? = nil
    ) -> Failure? {
        let device = DeviceReport(
            index: 0, platform: "P", name: "d", driver: "1", kind: "cpu", computeUnits: 1,
            memoryBytes: 1)
        do {
            _ = try Intake.check(
                assignment, worker: .zero, policy: policy,
                certificate: CertificateReport(
                    device: device, verdict: verdict, conformance: .zero, reasons: []),
                programs: programs ?? [program], nowSeconds: 0)
            return nil
        } catch {
            return error
        }
    }

    @Test func eachRuleRefusesByName() throws {
        let good = assignment(spec)
        #expect(refusal(good) == nil)
        #expect(refusal(good, verdict: .exactNormal)?.message.contains("exact-normal") == true)
        #expect(refusal(good, programs: [])?.code == .missing)
        #expect(refusal(good, policy: Policy(priceMin: 11))?.message.contains("price") == true)
        #expect(refusal(good, policy: Policy(stakeMax: 2))?.message.contains("stake") == true)
        #expect(refusal(assignment(spec, lead: 2))?.message.contains("deadline") == true)
        #expect(refusal(assignment(spec, index: 1))?.message.contains("parts") == true)
        var changed = good
        changed.spec[changed.spec.count - 1] ^= 1
        #expect(refusal(changed)?.code == .untrusted)
        var moved = good
        moved.index = 1
        #expect(refusal(moved)?.code == .untrusted)
        #expect(throws: Failure.self) { try Intake.checkInputs(spec, policy: Policy()) }
    }
}
