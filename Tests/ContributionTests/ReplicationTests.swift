import Contribution
import Ethereum
import Testing

@Suite struct ReplicationTests {
    @Test(arguments: [(0, 2), (11, 2), (12, 3), (14, 3), (15, 4), (30, 9), (300, 99)])
    func weights(_ score: Int, _ weight: UInt64) {
        #expect(Replication.weight(score: score) == UInt256(weight))
    }

    @Test(arguments: [
        (0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (16, 4), (100, 7),
        (1000, 10),
    ])
    func freshWorkersNeeded(_ trust: UInt64, _ count: Int) {
        #expect(Replication.workersNeeded(trust: UInt256(trust)) == count)
    }

    @Test(arguments: [(1, 1), (9, 1), (10, 2), (1000, 4)])
    func provenWorkersNeeded(_ trust: UInt64, _ count: Int) {
        #expect(Replication.workersNeeded(trust: UInt256(trust), score: 30) == count)
    }

    @Test(arguments: [(0...0, 3), (0...11, 3), (0...14, 4), (12...12, 4), (30...32, 10)])
    func trustThatTakesTwo(_ scores: ClosedRange<Int>, _ trust: UInt64) throws {
        let found = try #require(Replication.trustForTwo(scores: scores))
        #expect(found == UInt256(trust))
        for score in scores {
            #expect(Replication.workersNeeded(trust: found, score: score) == 2)
        }
    }

    @Test func scoresTooFarApartForTwo() {
        // At score 15 one word weighs 4, as much as two fresh ones.
        #expect(Replication.trustForTwo(scores: 0...15) == nil)
    }

    @Test func hugeTrustEnds() {
        #expect(Replication.workersNeeded(trust: .max) == 256)
    }
}
