public import Core
internal import Digest
internal import Synchronization

/// Bytes that follow from a seed: keys and salts that a failing test can make again.
public final class SeededEntropy: Entropy {
    private let seed: UInt64
    private let count = Mutex<UInt64>(0)

    public init(seed: UInt64) { self.seed = seed }

    public func bytes(_ count: Int) -> Bytes {
        var out = Bytes()
        while out.count < count {
            let number = self.count.withLock { number in
                number += 1
                return number
            }
            out += SHA256.hash(seed.bigEndianBytes + number.bigEndianBytes).bytes
        }
        return Bytes(out.prefix(count))
    }
}

/// SplitMix64: small, fast, and the same on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
