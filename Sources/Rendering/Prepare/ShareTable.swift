/// Running totals over weights as 32-bit integers: what kernels search with 32 random bits.
///
/// An entry's share, the difference to the one before over 2³², is exactly its chance, so a
/// kernel's densities fit its draws to the last bit.
package enum ShareTable {
    /// The last entry with a weight, and all after it, are 2³² − 1. All-zero weights count as
    /// equal.
    ///
    /// - Precondition: weights are finite and not negative.
    package static func make(_ weights: some Collection<Double>) -> [UInt32] {
        var total = 0.0
        for weight in weights { total += weight }
        let count = weights.count
        guard total > 0 else {
            return (1...max(count, 1)).map { place in
                place == count ? .max : whole(Double(place) / Double(count))
            }
        }
        var table: [UInt32] = []
        table.reserveCapacity(count)
        var sum = 0.0
        var last = 0
        for weight in weights {
            sum += weight
            if weight > 0 { last = table.count }
            table.append(whole(sum / total))
        }
        for index in last..<count { table[index] = .max }
        return table
    }

    /// ⌊share · 2³²⌋, at most 2³² − 1.
    private static func whole(_ share: Double) -> UInt32 {
        let scaled = (share * 0x1p32).rounded(.down)
        return scaled >= 0x1p32 - 1 ? .max : UInt32(scaled)
    }

    /// Chance of entry `index`.
    package static func chance(_ table: [UInt32], _ index: Int) -> Float {
        Float(table[index] - (index == 0 ? 0 : table[index - 1])) * 0x1p-32
    }
}
