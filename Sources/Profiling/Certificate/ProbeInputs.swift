internal import Core

/// Inputs of the battery: directed cases, then numbers from an integer hash, the same for ever.
enum ProbeInputs {
    /// A number stream.
    struct Stream {
        private var generator: SplitMix64
        init(_ seed: UInt64) { generator = SplitMix64(seed: seed) }

        mutating func next() -> UInt64 { generator.next() }

        mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: next() >> 32) }

        /// A normal number with an exponent in `exponents`, of either sign.
        mutating func normal(_ exponents: ClosedRange<Int>) -> UInt32 {
            let span = UInt64(exponents.upperBound - exponents.lowerBound + 1)
            let exponent = UInt32(127 + exponents.lowerBound + Int(next() % span))
            return (word() & 0x807f_ffff) | exponent << 23
        }

        /// A subnormal number, not zero, with its digits anywhere.
        mutating func subnormal() -> UInt32 {
            let bits = word()
            let digits = (bits & 0x007f_ffff) >> UInt32(next() % 23)
            return (bits & 0x8000_0000) | max(digits, 1)
        }
    }

    /// Zeros, ones, limits, infinities, NaN, and numbers next to powers of two.
    static let special: [UInt32] = [
        0x0000_0000, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x3f80_0001, 0x3f7f_ffff, 0x4000_0000,
        0x3f00_0000, 0x4b00_0000, 0x4b7f_ffff, 0x3380_0000, 0x3380_0001, 0x7f7f_ffff, 0xff7f_ffff,
        0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x4049_0fdb, 0x3eaa_aaab, 0xc2f6_e979,
    ]

    /// Exactly as many items as a probe has: `directed`, then what `more` gives, of all those that
    /// `isFit` lets through.
    static func items(
        seed: UInt64, directed: [SIMD4<UInt32>] = [],
        where isFit: (SIMD4<UInt32>) -> Bool = { _ in true },
        random more: (inout Stream) -> SIMD4<UInt32>
    ) -> [SIMD4<UInt32>] {
        var items = Array(directed.filter(isFit).prefix(Probe.itemCountMax))
        var stream = Stream(seed)
        var tries = 0
        while items.count < Probe.itemCountMax {
            let item = more(&stream)
            if isFit(item) { items.append(item) }
            tries += 1
            precondition(tries < 100 * Probe.itemCountMax, "inputs \(seed): hardly any fits")
        }
        return items
    }

    /// All pairs of special numbers, and some triples.
    static var specialTriples: [SIMD4<UInt32>] {
        var triples: [SIMD4<UInt32>] = []
        for (row, a) in special.enumerated() {
            for (column, b) in special.enumerated() {
                let c = special[(row * 7 + column * 3 + 1) % special.count]
                triples.append([a, b, c, UInt32(row ^ column)])
            }
        }
        return triples
    }

    /// True for zeros, and for numbers so far above the subnormal range that no rounding, before or
    /// after, comes near it.
    static func isClear(_ bits: UInt32) -> Bool {
        let magnitude = bits & 0x7fff_ffff
        return magnitude == 0 || magnitude >= 0x0d80_0000 // 2^-100
    }

    static func isSubnormal(_ bits: UInt32) -> Bool {
        (1...0x007f_ffff).contains(bits & 0x7fff_ffff)
    }
}
