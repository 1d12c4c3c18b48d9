internal import Exact

/// Random numbers that are a function of a key and a place.
package struct Philox {
    /// What numbers are for: no two uses share any.
    package enum Use: UInt32 {
        /// The order of items in an epoch.
        case order = 1
        /// A weight's first value.
        case weight = 2
    }

    private let key: SIMD2<UInt32>

    package init(seed: UInt64) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// Four words for a place.
    package func words(_ use: Use, _ group: Int, _ index: Int) -> SIMD4<UInt32> {
        Exact.philox(
            SIMD4(
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
                UInt32(truncatingIfNeeded: group), use.rawValue), key: key)
    }

    /// A multiple of 2⁻²³ in −1…1, neither end among them.
    package func symmetric(_ use: Use, _ group: Int, _ index: Int) -> Float {
        let word = words(use, group, index).x >> 8
        return Float(2 * Int32(word) + 1 - (1 << 24)) * 0x1p-24
    }

    /// The numbers from 0 to `count` in an order of their own for each group: sorted by 64 random
    /// bits, equal ones by number.
    package func order(_ count: Int, group: Int) -> [Int] {
        (0..<count).map { index in
            let words = words(.order, group, index)
            return (key: UInt64(words.x) << 32 | UInt64(words.y), index: index)
        }.sorted { ($0.key, $0.index) < ($1.key, $1.index) }.map(\.index)
    }
}
