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
