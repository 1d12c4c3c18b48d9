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

    @Test(arguments: [
        "UPDATE balance SET amount = amount + 5 WHERE bucket LIKE 'available%'",
        "DELETE FROM event WHERE number = 2", "DELETE FROM state WHERE name = 'deal'",
        "UPDATE state SET value = x'820a0a' WHERE name = 'account'",
        "DROP TRIGGER posting_is_final; UPDATE posting SET amount = amount * 2",
        "DROP TRIGGER call_is_final; UPDATE call SET envelope = x'80' WHERE sequence = 3",
        "DROP TRIGGER call_is_final; UPDATE call SET at_seconds = 5 WHERE sequence = 3",
    ])
    func theReplayFindsIt(_ sql: String) throws {
        let founded = try FoundedLedger()
        try founded.ledger.verifyHistory()
        let database = try DatabaseQueue(path: founded.folder.ledger)
        try database.write { try $0.execute(sql: sql) }
        #expect(throws: Failure.self) { try founded.ledger.verifyHistory() }
    }
}
