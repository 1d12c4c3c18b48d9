import Contribution
import Core
import Ethereum
import Foundation
import GRDB
import Ledger
import MarketTestKit
import Testing
import Wallet

@Suite struct LedgerTests {
    @Test func aTaskGoesFromOrderToPayment() throws {
        let founded = try FoundedLedger()
        let (market, ledger) = (founded.market, founded.ledger)
        let task = try founded.openTask()
        for worker in market.workers { try founded.send(founded.claim(worker, task), by: worker) }
        for worker in market.workers {
            try founded.send(.reveal(taskID: task, digest: TestMarket.digestA), by: worker)
        }
        try founded.send(
            .finalize(taskID: task, results: [], resultsCallback: []), by: market.poolOwner)
        let hub = try MarketLedger.open(founded.folder.ledger).hub()
        #expect(hub == (try ledger.hub()))
        #expect(hub.contribution(task, by: market.workers[0].address)?.paid == 495_000_003)
        let history = try ledger.verifyHistory()
        #expect(history.calls == 14)
        #expect(history.supply == 400_000_000_000)
        #expect(try ledger.tasks([.completed]).map(\.id) == [task])
        #expect(try ledger.tasks([.active]).isEmpty)
        #expect(try ledger.deals().map(\.id) == [founded.deal])
    }

    @Test func subscribersSeeEveryEventOnce() throws {
        let founded = try FoundedLedger()
        let before = try founded.ledger.events().last?.number ?? 0
        let task = try founded.openTask()
        for worker in founded.market.workers {
            try founded.send(founded.claim(worker, task), by: worker)
        }
        let first = try founded.ledger.events(after: before, limit: 2)
        let rest = try founded.ledger.events(after: try #require(first.last).number)
        #expect(
            (first + rest).map(\.event.name)
                == ["taskInitialize", "taskContribute", "taskContribute", "taskConsensus"])
        #expect(first.map(\.number) == [before + 1, before + 2])
        #expect((first + rest).allSatisfy { $0.event.taskID == task })
    }

    @Test func theSameCallAgainGivesTheRecordedAnswer() throws {
        let founded = try FoundedLedger()
        let worker = founded.market.workers[0]
        let task = try founded.openTask()
        let bytes = try founded.envelope(founded.claim(worker, task), by: worker).encoded
        let first = try founded.ledger.submit(bytes, atSeconds: FoundedLedger.startSeconds)
        let before = try founded.ledger.hub()
        // Also through another opening of the file, and at another time.
        let other = try MarketLedger.open(founded.folder.ledger)
        var again = try other.submit(bytes, atSeconds: FoundedLedger.startSeconds + 9999)
        #expect(again.isRecorded && !first.isRecorded)
        again.isRecorded = false
        #expect(again == first)
        #expect(first.transfers.map(\.kind) == [.lock])
        #expect(try founded.ledger.hub() == before)
        try founded.ledger.verifyHistory()
    }

    @Test func noncesRiseByOne() throws {
        let founded = try FoundedLedger()
        let worker = founded.market.workers[0]
        let call = Call.transfer(to: founded.market.owner.address, amount: 1)
        let other = Call.transfer(to: founded.market.owner.address, amount: 2)
        for nonce in [1, 7] {
            let early = try founded.envelope(call, by: worker, nonce: nonce)
            #expect(throws: Failure.self) { try founded.ledger.submit(early, atSeconds: 1) }
        }
        try founded.ledger.submit(try founded.envelope(call, by: worker, nonce: 0), atSeconds: 1)
        let used = try founded.envelope(other, by: worker, nonce: 0)
        let error = #expect(throws: Failure.self) {
            try founded.ledger.submit(used, atSeconds: 1)
        }
        #expect(error?.code == .untrusted)
        #expect(try founded.ledger.nextNonce(of: worker.address) == 1)
        try founded.ledger.verifyHistory()
    }

    @Test func aRefusedCallUsesNothingUp() throws {
        let founded = try FoundedLedger()
        let worker = founded.market.workers[0]
        let count = try founded.ledger.callCount()
        let before = try founded.ledger.hub()
        let error = #expect(throws: Failure.self) {
            try founded.send(.reveal(taskID: .zero, digest: .zero), by: worker)
        }
        #expect(error?.code.rawValue == Rejection.Code.taskUnknown.rawValue)
        #expect(try founded.ledger.callCount() == count)
        #expect(try founded.ledger.nextNonce(of: worker.address) == 0)
        #expect(try founded.ledger.hub() == before)
    }

    /// Every byte of a signed call changed, in several ways: no state changes.
    @Test func aChangedByteChangesNothing() throws {
        let founded = try FoundedLedger()
        let worker = founded.market.workers[0]
        let task = try founded.openTask()
        let bytes = try founded.envelope(founded.claim(worker, task), by: worker).encoded
        let count = try founded.ledger.callCount()
        let before = try founded.ledger.hub()
        for index in bytes.indices {
            for change in [1, 0x80, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] ^= change
                #expect(throws: Failure.self, "byte \(index)") {
                    try founded.ledger.submit(changed, atSeconds: FoundedLedger.startSeconds)
                }
            }
        }
        #expect(throws: Failure.self) { try founded.ledger.submit(bytes + [0], atSeconds: 1) }
        #expect(try founded.ledger.callCount() == count)
        #expect(try founded.ledger.hub() == before)
        try founded.ledger.submit(bytes, atSeconds: FoundedLedger.startSeconds)
    }

    @Test func anotherMarketsCallIsRefused() throws {
        let founded = try FoundedLedger()
        let worker = founded.market.workers[0]
        let good = founded.ledger.settings
        var settings = [good, good]
        settings[0].chainID = 1
        settings[1].market = worker.address
        for setting in settings {
            let envelope = Envelope(
                .transfer(to: worker.address, amount: 1), from: worker.address, nonce: 0,
                in: setting, sign: worker.sign)
            let error = #expect(throws: Failure.self) {
                try founded.ledger.submit(envelope.encoded, atSeconds: 1)
            }
            #expect(error?.code == .untrusted)
        }
        // Somebody else's signature under the worker's name.
        let forged = Envelope(
            .transfer(to: founded.market.owner.address, amount: 1), from: worker.address,
            nonce: 0, in: good, sign: founded.market.requester.sign)
        #expect(throws: Failure.self) { try founded.ledger.submit(forged, atSeconds: 1) }
        #expect(try founded.ledger.nextNonce(of: worker.address) == 0)
    }

    @Test func timeNeverGoesBack() throws {
        let founded = try FoundedLedger()
        let call = Call.transfer(to: founded.market.owner.address, amount: 1)
        let worker = founded.market.workers[0]
        let early = try founded.ledger.submit(
            try founded.envelope(call, by: worker), atSeconds: 5)
        #expect(early.atSeconds == FoundedLedger.startSeconds)
        #expect(try founded.ledger.lastSeconds() == FoundedLedger.startSeconds)
    }

    @Test func severalOpeningsAgree() throws {
        let founded = try FoundedLedger()
        let ledgers =
            [founded.ledger]
            + (try (0..<2).map { _ in
                try MarketLedger.open(founded.folder.ledger)
            })
        let worker = founded.market.workers[0]
        for turn in 0..<9 {
            let envelope = try founded.envelope(
                .transfer(to: founded.market.owner.address, amount: 5), by: worker)
            try ledgers[turn % 3].submit(envelope, atSeconds: FoundedLedger.startSeconds + turn)
        }
        let hubs = try ledgers.map { try $0.hub() }
        #expect(hubs[0] == hubs[1] && hubs[1] == hubs[2])
        #expect(hubs[0].account(founded.market.owner.address).available == 45)
        try ledgers[1].verifyHistory()
    }

    @Test func filesThatAreNoMarket() throws {
        let folder = try TemporaryFolder()
        let market = try TestMarket(workers: 0)
        #expect(throws: Failure.self) { try MarketLedger.open(folder.path + "/none.sqlite") }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/none.sqlite"))
        let junk = folder.path + "/junk.sqlite"
        try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: junk))
        #expect(throws: Failure.self) { try MarketLedger.open(junk) }
        #expect(throws: Failure.self) { try MarketLedger.found(market.hub.settings, at: junk) }
        _ = try MarketLedger.found(market.hub.settings, at: folder.ledger)
        let error = #expect(throws: Failure.self) {
            try MarketLedger.found(market.hub.settings, at: folder.ledger)
        }
        #expect(error?.code == .refused)
        let database = try DatabaseQueue(path: folder.ledger)
        for (sql, piece) in [
            ("UPDATE market SET format = 9", "format; 1 expected"),
            ("UPDATE market SET format = 'one'", "no market writes"),
            ("DELETE FROM market", "no market in this file"),
        ] {
            try database.write { try $0.execute(sql: sql) }
            let error = #expect(throws: Failure.self) { try MarketLedger.open(folder.ledger) }
            #expect(error?.message.hasPrefix("\(folder.ledger): ") == true, "\(error)")
            #expect(error?.message.contains(piece) == true, "\(error)")
        }
    }
}

/// What a hand in the file would have to get past.
@Suite struct TamperingTests {
    @Test(arguments: [
        "UPDATE call SET nonce = 9", "DELETE FROM call WHERE sequence = 1",
        "DELETE FROM posting", "UPDATE posting SET amount = amount + 1",
        "UPDATE balance SET amount = -1 WHERE bucket LIKE 'available%'",
        "UPDATE balance SET amount = 1 WHERE bucket = 'pot'",
    ])
    func theFileItselfRefuses(_ sql: String) throws {
        let founded = try FoundedLedger()
        let database = try DatabaseQueue(path: founded.folder.ledger)
        #expect(throws: DatabaseError.self) { try database.write { try $0.execute(sql: sql) } }
        try founded.ledger.verifyHistory()
    }

    /// Each with the check that must name it.
    private static let hands = [
        ("UPDATE balance SET amount = amount + 5 WHERE bucket LIKE 'available%'", "balances"),
        ("DELETE FROM balance WHERE bucket = 'pot'", "balances"),
        ("DELETE FROM event WHERE number = 2", "events"), ("DELETE FROM event", "events"),
        ("UPDATE event SET task = x'00'", "events"),
        ("INSERT INTO event SELECT number + 99, sequence, task, data FROM event", "events"),
        ("DELETE FROM state WHERE name = 'deal'", "state"), ("DELETE FROM state", "state"),
        ("UPDATE state SET value = x'820a0a' WHERE name = 'account'", "state"),
        ("UPDATE state SET value = 1.5 WHERE name = 'account'", "state"),
        ("DROP TRIGGER posting_is_final; UPDATE posting SET amount = amount * 2", "postings"),
        ("DROP TRIGGER posting_stays; DELETE FROM posting WHERE sequence = 2", "postings"),
        (
            "DROP TRIGGER call_is_final; UPDATE call SET envelope = x'80' WHERE sequence = 3",
            "calls"
        ),
        ("DROP TRIGGER call_is_final; UPDATE call SET envelope = 7 WHERE sequence = 3", "calls"),
        ("DROP TRIGGER call_is_final; UPDATE call SET at_seconds = 5 WHERE sequence = 3", "calls"),
        ("DROP TRIGGER call_is_final; UPDATE call SET digest = x'' WHERE sequence = 3", "calls"),
        (
            "DROP TRIGGER call_is_final; UPDATE call SET envelope = "
                + "(SELECT envelope FROM call WHERE sequence = 2) WHERE sequence = 3", "calls"
        ),
        (
            "DROP TRIGGER call_stays; DROP TRIGGER posting_stays; DELETE FROM posting; "
                + "DELETE FROM event; DELETE FROM balance; DELETE FROM call", "balances"
        ),
        // The last byte of the owner's address, which the market's own is made of.
        (
            "UPDATE market SET settings = CAST(substr(settings, 1, length(settings) - 22) || "
                + "x'01' || substr(settings, -21) AS BLOB)", "market"
        ),
    ]

    @Test(arguments: hands)
    func theReplayFindsIt(_ sql: String, _ check: String) throws {
        let founded = try FoundedLedger()
        #expect(try founded.ledger.audit().checks.count == 6)
        try founded.ledger.verifyHistory()
        let database = try DatabaseQueue(path: founded.folder.ledger)
        try database.write { try $0.execute(sql: sql) }
        let failed = try founded.ledger.audit().checks.filter { !$0.holds }
        #expect(failed.first?.name == "ledger's \(check)", "\(failed)")
        let error = #expect(throws: Failure.self) { try founded.ledger.verifyHistory() }
        #expect(error?.message.hasPrefix(founded.folder.ledger) == true, "\(error)")
    }
}
