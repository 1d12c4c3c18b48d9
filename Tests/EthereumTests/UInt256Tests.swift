import Core
import Ethereum
import Testing

@Suite struct UInt256Tests {
    @Test func decimalText() throws {
        let text = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        #expect(UInt256.max.description == text)
        #expect(UInt256(text) == .max)
        #expect(UInt256("0") == .zero)
        #expect(UInt256("10000000000000000000")?.description == "10000000000000000000")
        for bad in [
            "", "00", "01", "-1", "+1", "1 ", "1e3", "0x1", "½", text + "0",
            "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        ] {
            #expect(UInt256(bad) == nil, "\(bad)")
        }
    }

    @Test func hexQuantities() {
        #expect(UInt256(0).hexQuantity == "0x0")
        #expect(UInt256(0x1a2b).hexQuantity == "0x1a2b")
        #expect(UInt256(hexQuantity: "0x1a2b") == 0x1a2b)
        #expect(UInt256(hexQuantity: UInt256.max.hexQuantity) == .max)
        for bad in ["0x", "", "1", "0xg", "0x0x1", "0x" + String(repeating: "f", count: 65)] {
            #expect(UInt256(hexQuantity: bad) == nil, "\(bad)")
        }
    }

    @Test func whatDoesNotFitIsNil() {
        #expect(UInt256.max.adding(1) == nil)
        #expect(UInt256.zero.subtracting(1) == nil)
        #expect(UInt256.max.multiplied(by: 2) == nil)
        #expect(UInt256(5).quotientAndRemainder(dividingBy: 0) == nil)
        #expect(UInt256(bytes: Bytes(repeating: 0, count: 33)) == nil)
        #expect(UInt256(exactly: -1) == nil)
        #expect(UInt256(1 << 63).int == nil)
        #expect(UInt256.zero.floorLog2 == nil)
    }

    @Test func floorLog2() {
        #expect(UInt256(1).floorLog2 == 0)
        #expect(UInt256(4).floorLog2 == 2)
        #expect(UInt256(99).floorLog2 == 6)
        #expect(UInt256.max.floorLog2 == 255)
    }

    /// Random numbers of random lengths: division undoes multiplication, and the identities that
    /// tie the four operations together hold.
    @Test func theOperationsAgree() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
        func number() -> UInt256 {
            let count = Int(next() % 33)
            return UInt256(bytes: (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 23) })
                ?? 0
        }
        for _ in 0..<2000 {
            let (a, b) = (number(), number())
            if let sum = a.adding(b) {
                #expect(sum.subtracting(b) == a)
                #expect(sum >= a)
            } else {
                #expect(UInt256.max.subtracting(a).map { $0 < b } == true)
            }
            guard let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b) else {
                #expect(b.isZero)
                continue
            }
            #expect(remainder < b)
            #expect(quotient.multiplied(by: b)?.adding(remainder) == a)
            if let product = a.multiplied(by: b), !a.isZero {
                #expect(product.quotientAndRemainder(dividingBy: a)?.quotient == b)
            }
            #expect(UInt256(a.description) == a)
            #expect(UInt256(bytes: a.shortBytes) == a)
        }
    }

    @Test func multiplicationByHand() {
        // (2¹²⁸ − 1)² = 2²⁵⁶ − 2¹²⁹ + 1
        let half = UInt256(bytes: Bytes(repeating: 0xff, count: 16))
        let expected = UInt256(
            bytes: Bytes(repeating: 0xff, count: 15) + [0xfe]
                + Bytes(repeating: 0, count: 15) + [1])
        #expect(half.flatMap { $0.multiplied(by: $0) } == expected)
    }
}
