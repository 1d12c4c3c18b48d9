package import Compute
internal import Core

/// One question to a device whose answers are known: a kernel, inputs, and the only right outputs.
package struct Probe: Sendable {
    /// What a wrong answer costs.
    package enum Need: String, Sendable {
        /// Arithmetic that every result stands on: wrong means ``Verdict/no``.
        case normal
        /// The same with subnormal numbers, or where only the sign of a zero is in question: wrong
        /// means ``Verdict/exactNormal`` at best.
        case subnormal
        /// What no kernel of ours relies on, since some implementation gets it wrong; or may use
        /// where it is right.
        case optional
    }

    package let name: String
    package let need: Need
    package let call: Call
    /// Four words an item.
    package let items: [SIMD4<UInt32>]
    /// The right output for the first `count` items.
    package let answers: @Sendable (_ count: Int) -> [UInt32]
    package let controls: [Control]

    /// The kernel that is asked.
    package struct Call: Sendable {
        package var program: ProgramSource
        package var kernel: String
        /// Bytes of local memory; a kernel that has some runs in groups of 32 items.
        package var localBytes = 0
        /// Whether the output starts at zero, as counters must; else at a pattern, so that a word
        /// that was never written shows.
        package var startsAtZero = false
    }

    /// Proof that this probe could fail: what a known misbehaviour answers on the same inputs. Its
    /// answers must differ from the right ones; where there is a kernel that misbehaves on purpose,
    /// the device must give exactly them.
    package struct Control: Sendable {
        package var name: String
        package var call: Call?
        package var answers: [UInt32]
    }

    /// Item counts every probe runs with: implementations take other paths for the rest of a
    /// vector, and some gave other bits there.
    package static let itemCounts = [1, 7, 2000]
    package static let itemCountMax = 2000
}

extension Probe {
    /// A probe whose item *i* gives two words from input *i* alone.
    init(
        _ name: String, _ need: Need, _ call: Call, items: [SIMD4<UInt32>],
        controls: [Control] = [],
        answer: (_ index: Int, _ item: SIMD4<UInt32>) -> (UInt32, UInt32)
    ) {
        precondition(items.count == Self.itemCountMax, "\(name): every probe has as many items")
        let all = Self.words(items, answer)
        self.init(
            name: name, need: need, call: call, items: items,
            answers: { Array(all.prefix(2 * $0)) }, controls: controls)
    }

    static func words(
        _ items: [SIMD4<UInt32>],
        _ answer: (_ index: Int, _ item: SIMD4<UInt32>) -> (UInt32, UInt32)
    ) -> [UInt32] {
        var words: [UInt32] = []
        words.reserveCapacity(items.count * 2)
        for (index, item) in items.enumerated() {
            let (first, second) = answer(index, item)
            words.append(first)
            words.append(second)
        }
        return words
    }
}

extension ProgramSource {
    static func certify(_ name: String, needs: [String] = []) -> ProgramSource {
        ProgramSource(
            "certify/\(name)",
            files: needs + ["certify/item.cl", "certify/\(name).cl"])
    }
}
