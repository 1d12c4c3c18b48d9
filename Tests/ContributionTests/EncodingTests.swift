import Contribution
import Core
import Ethereum
import MarketTestKit
import Testing
import Wallet

@Suite struct EncodingTests {
    /// One of each call.
    func calls() throws -> [Call] {
        var market = try TestMarket(workers: 1)
        let orders = market.orders(price: 10, trust: 3)
        let (hash, address) = (TestMarket.digestA, market.pool)
        let leave = Call.Permission(
            authorization: [1, 2], enclave: address, enclaveSignature: [3])
        return [
            .issue(to: address, amount: .max), .transfer(to: address, amount: 0),
            .createCategory(name: "XS", workClockTimeReferenceSeconds: 300),
            .createApp(name: "a", kind: "b", location: "c", version: hash),
            .createDataset(name: "é", location: "", checksum: hash),
            .createWorkerpool(description: "p"),
            .changePolicy(workerpool: address, workerStakeRatio: 30, schedulerRewardRatio: 1),
            .manageApp(orders.app, .sign), .manageDataset(orders.dataset, .close),
            .manageWorkerpool(orders.workerpool, .sign), .manageRequest(orders.request, .close),
            .matchOrders(orders, sponsored: true), .initialize(dealID: hash, index: 300),
            .contribute(
                taskID: hash, .init(resultHash: hash, resultSeal: hash, permission: leave)),
            .reveal(taskID: hash, digest: hash),
            .finalize(taskID: hash, results: [1], resultsCallback: []),
            .contributeAndFinalize(
                taskID: hash, digest: hash, results: [], resultsCallback: [2], leave),
            .reopen(taskID: hash), .claim(taskID: hash),
        ]
    }

    @Test func callsComeBack() throws {
        for call in try calls() {
            #expect(try Call(decoding: call.encoded) == call)
            #expect(!call.name.isEmpty)
        }
    }

    /// No changed byte and no cut reads as the same call, and none crashes the reader.
    @Test func changedCallsAreOtherCallsOrNone() throws {
        for call in try calls() {
            let bytes = call.encoded
            for index in bytes.indices {
                for bit in [0, 3, 7] {
                    var changed = bytes
                    changed[index] ^= 1 << UInt8(bit)
                    if let read = try? Call(decoding: changed) {
                        #expect(read != call && read.encoded == changed)
                    }
                }
                #expect(throws: Failure.self) { try Call(decoding: Bytes(bytes[..<index])) }
            }
        }
    }

    @Test func theStateComesBack() throws {
        var market = try TestMarket(workers: 3)
        let one = try market.openTask(price: 1000, trust: 3)
        try market.contribute(market.workers[2], one, digest: TestMarket.digestB)
        let two = try market.openTask(price: 1000, trust: 3)
        try market.settle(two, workers: Array(market.workers[..<2]))
        var presigned = market.orders(price: 1, trust: 1).app
        presigned.signature = []
        try market.send(.manageApp(presigned, .sign), by: market.appOwner)
        try market.send(
            .createDataset(name: "d", location: "l", checksum: .zero), by: market.appOwner)
        let snapshot = market.hub.snapshot
        let copy = try Hub(snapshot: snapshot)
        #expect(copy == market.hub)
        #expect(copy.snapshot == snapshot)
        // In any order of rows, too.
        let rows = market.hub.tables.rows
        #expect(Set(rows.map(\.table)).count == 11)
        #expect(try Hub.Tables(rows: rows.reversed()) == market.hub.tables)
    }

    @Test func damagedStatesAreRefused() throws {
        var market = try TestMarket(workers: 1)
        _ = try market.openTask(price: 1000, trust: 3)
        let snapshot = market.hub.snapshot
        for index in stride(from: 0, to: snapshot.count, by: 3) {
            #expect(throws: Failure.self) { try Hub(snapshot: Bytes(snapshot[..<index])) }
            var changed = snapshot
            changed[index] ^= 0x10
            if let read = try? Hub(snapshot: changed) { #expect(read != market.hub) }
        }
    }
}
