import Contribution
import Core
import Ethereum
import MarketTestKit
import Testing
import Wallet

/// What makes four orders a deal, with the hub's own numbers for what does not.
@Suite struct MatchingTests {
    typealias Edit = (inout AppOrder, inout WorkerpoolOrder, inout RequestOrder) -> Void

    func code(_ edit: Edit) throws -> Rejection.Code? {
        var market = try TestMarket(workers: 0)
        let orders = market.orders(price: 100, appPrice: 5, trust: 3, edit: edit)
        return market.code(.matchOrders(orders, sponsored: false), by: market.requester)
    }

    static let stranger = Identifiers.kitty

    @Test func whatMatches() throws {
        #expect(try code { _, _, _ in } == nil)
        #expect(try code { $2.trust = 0 } == nil)
        #expect(try code { $2.workerpool = .zero } == nil)
        #expect(try code { _, pool, _ in pool.price = 0 } == nil)
    }

    @Test func compatibility() throws {
        #expect(try code { $2.category = 1 } == .matchOrders(0x00))
        #expect(try code { ($1.category, $2.category) = (1, 1) } == .matchOrders(0x01))
        #expect(try code { ($1.category, $2.category) = (.max, .max) } == .matchOrders(0x01))
        #expect(try code { $2.trust = 4 } == .matchOrders(0x02))
        #expect(try code { $2.appPriceMax = 4 } == .matchOrders(0x03))
        #expect(try code { $2.workerpoolPriceMax = 99 } == .matchOrders(0x05))
        #expect(try code { app, _, _ in app.tag = 256 } == .matchOrders(0x06))
        #expect(try code { $2.tag = 256 } == .matchOrders(0x06))
        #expect(try code { ($1.tag, $2.tag) = (3, 3) } == .matchOrders(0x07))
    }

    @Test func restrictions() throws {
        let other = Self.stranger
        #expect(try code { $2.app = other } == .matchOrders(0x10))
        #expect(try code { $2.dataset = other } == .matchOrders(0x11))
        #expect(try code { $2.workerpool = other } == .matchOrders(0x12))
        #expect(try code { app, _, _ in app.datasetRestrict = other } == .matchOrders(0x13))
        #expect(try code { app, _, _ in app.workerpoolRestrict = other } == .matchOrders(0x14))
        #expect(try code { app, _, _ in app.requesterRestrict = other } == .matchOrders(0x15))
        #expect(try code { _, pool, _ in pool.appRestrict = other } == .matchOrders(0x19))
        #expect(try code { _, pool, _ in pool.datasetRestrict = other } == .matchOrders(0x1a))
        #expect(try code { _, pool, _ in pool.requesterRestrict = other } == .matchOrders(0x1b))
    }

    @Test func authenticity() throws {
        let other = Self.stranger
        #expect(
            try code { app, _, request in (app.app, request.app) = (other, other) }
                == .matchOrders(0x20))
        #expect(
            try code { _, pool, request in (pool.workerpool, request.workerpool) = (other, other) }
                == .matchOrders(0x40))
        #expect(try code { $2.requester = other } == .matchOrders(0x50))
        #expect(try code { app, _, _ in app.volume = 0 } == .matchOrders(0x60))
        var market = try TestMarket(workers: 0)
        let good = market.orders(price: 100, trust: 3)
        func refusal(_ edit: (inout Call.Orders) -> Void) -> Rejection.Code? {
            var orders = good
            edit(&orders)
            return market.code(.matchOrders(orders, sponsored: false), by: market.requester)
        }
        #expect(refusal { $0.app.signature = [] } == .matchOrders(0x21))
        #expect(refusal { $0.app.signature = good.request.signature } == .matchOrders(0x21))
        #expect(refusal { $0.app.order.salt = .zero } == .matchOrders(0x21))
        #expect(refusal { $0.workerpool.order.volume = 2 } == .matchOrders(0x41))
        #expect(refusal { $0.request.order.params += " " } == .matchOrders(0x50))
        #expect(refusal { _ in } == nil)
    }

    @Test func datasets() throws {
        var market = try TestMarket(workers: 0)
        let dataset = try #require(
            try market.send(
                .createDataset(name: "images", location: "store:d", checksum: .zero),
                by: market.appOwner
            ).created)
        func orders(
            _ edit: (inout DatasetOrder, inout RequestOrder) -> Void = { _, _ in }
        ) -> Call.Orders {
            var offer = DatasetOrder(
                dataset: dataset, price: 7, volume: 1, salt: market.nextSalt())
            var request = RequestOrder(
                app: market.app, appPriceMax: 0, dataset: dataset, datasetPriceMax: 7,
                workerpool: market.pool, workerpoolPriceMax: 100,
                requester: market.requester.address, volume: 1, category: 0, trust: 1,
                params: "", salt: market.nextSalt())
            edit(&offer, &request)
            var orders = market.orders(price: 100, trust: 1) { pool, _, _ in pool.tag = 0 }
            orders.dataset = market.sign(offer, by: market.appOwner)
            orders.request = market.sign(request, by: market.requester)
            return orders
        }
        func code(_ orders: Call.Orders) -> Rejection.Code? {
            market.code(.matchOrders(orders, sponsored: false), by: market.requester)
        }
        let other = Self.stranger
        #expect(code(orders()) == nil)
        #expect(code(orders { $1.datasetPriceMax = 6 }) == .matchOrders(0x04))
        #expect(code(orders { offer, _ in offer.appRestrict = other }) == .matchOrders(0x16))
        #expect(code(orders { offer, _ in offer.workerpoolRestrict = other }) == .matchOrders(0x17))
        #expect(code(orders { offer, _ in offer.requesterRestrict = other }) == .matchOrders(0x18))
        #expect(
            code(orders { ($0.dataset, $1.dataset) = (other, other) }) == .matchOrders(0x30))
        // Bits 1 to 3 of a dataset's tag say which enclave it was made for, and do not bind.
        #expect(code(orders { offer, _ in offer.tag = 0x0e }) == nil)
        #expect(code(orders { offer, _ in offer.tag = 0x10 }) == .matchOrders(0x06))
        // Bit 0 does: a dataset for enclaves is used in enclaves alone.
        #expect(code(orders { offer, _ in offer.tag = 0x0f }) == .matchOrders(0x06))
        var unsigned = orders()
        unsigned.dataset.signature = []
        #expect(code(unsigned) == .matchOrders(0x31))
        let taken = orders()
        try market.send(.matchOrders(taken, sponsored: false), by: market.requester)
        #expect(code(taken) == .matchOrders(0x60))
        #expect(market.hub.account(market.requester.address).locked == 107)
    }

    @Test func anOrderIsUsedUpInParts() throws {
        var market = try TestMarket(workers: 0)
        let big = market.orders(price: 10, trust: 1, volume: 5)
        var first = big
        let small = WorkerpoolOrder(
            workerpool: market.pool, price: 10, volume: 2, category: 0, trust: 1,
            salt: market.nextSalt())
        first.workerpool = market.sign(small, by: market.poolOwner)
        let one = try #require(
            try market.send(.matchOrders(first, sponsored: false), by: market.requester).dealID)
        let two = try #require(
            try market.send(.matchOrders(big, sponsored: false), by: market.requester).dealID)
        #expect(market.hub.deal(one)?.volume == 2)
        #expect(market.hub.deal(two)?.firstIndex == 2)
        #expect(market.hub.deal(two)?.volume == 3)
        let hash = big.request.order.hash(in: market.hub.orderDomain)
        #expect(one == Identifiers.deal(requestOrder: hash, consumedBefore: 0))
        #expect(two == Identifiers.deal(requestOrder: hash, consumedBefore: 2))
        #expect(
            market.code(.matchOrders(big, sponsored: false), by: market.requester)
                == .matchOrders(0x60))
    }

    @Test func ordersAreSignedAndClosedByCalls() throws {
        var market = try TestMarket(workers: 1)
        var orders = market.orders(price: 10, trust: 1)
        orders.app.signature = []
        let sign = Call.manageApp(orders.app, .sign)
        #expect(market.code(sign, by: market.requester) == .notOwner)
        try market.send(sign, by: market.appOwner)
        #expect(market.code(.matchOrders(orders, sponsored: false), by: market.owner) == nil)
        // A stranger may hand in the owner's signed wish to close.
        let digest = orders.app.order.operationHash(.close, in: market.hub.orderDomain)
        var close = orders.app
        close.signature = market.appOwner.sign(digest).bytes
        try market.send(.manageApp(close, .close), by: market.workers[0])
        #expect(
            market.code(.matchOrders(orders, sponsored: false), by: market.owner)
                == .matchOrders(0x60))
    }

    @Test func aSponsorPays() throws {
        var market = try TestMarket(workers: 1)
        let orders = market.orders(price: 10, trust: 1)
        try market.send(.matchOrders(orders, sponsored: true), by: market.workers[0])
        #expect(market.hub.account(market.workers[0].address).locked == 10)
        #expect(market.hub.account(market.requester.address).locked == 0)
    }

    @Test func hugePricesAreRefusedNotCrashed() throws {
        #expect(try code { ($1.price, $2.workerpoolPriceMax) = (.max, .max) } == .overflow)
        let most = UInt256(UInt64.max)
        #expect(try code { ($1.price, $2.workerpoolPriceMax) = (most, most) } == .balance)
    }

    @Test func onlyTheOwnerIssues() throws {
        var market = try TestMarket(workers: 1)
        let to = market.requester.address
        #expect(market.code(.issue(to: to, amount: 1), by: market.requester) == .notOwner)
        #expect(market.code(.issue(to: to, amount: .max), by: market.owner) == .overflow)
        #expect(
            market.code(.issue(to: to, amount: Hub.supplyMax), by: market.owner) == .supply)
        let policy = Call.changePolicy(
            workerpool: market.pool, workerStakeRatio: 30, schedulerRewardRatio: 101)
        #expect(market.code(policy, by: market.poolOwner) == .limit)
        #expect(market.code(policy, by: market.owner) == .notOwner)
        let seconds = Call.createCategory(name: "X", workClockTimeReferenceSeconds: 0)
        #expect(market.code(seconds, by: market.owner) == .limit)
        let again = Call.createWorkerpool(description: "pool")
        #expect(market.code(again, by: market.poolOwner) == .exists)
        try market.send(again, by: market.owner)
    }
}
