internal import Compute

extension Battery {
    /// Local memory, barriers, integer atomics.
    static var memory: [Probe] {
        let program = ProgramSource.certify("memory")
        let items = ProbeInputs.items(
            seed: 60,
            random: { stream in
                [stream.word(), stream.word(), stream.word() & stream.word() & stream.word(), 0]
            })
        func call(_ kernel: String, localBytes: Int, isCounting: Bool) -> Probe.Call {
            Probe.Call(
                program: program, kernel: kernel, localBytes: localBytes, startsAtZero: isCounting)
        }
        return [
            longLoop(program, items),
            Probe(
                name: "local memory and barriers", need: .normal,
                call: call("certify_local", localBytes: 128, isCounting: false), items: items,
                answers: { scan(items, $0, rounds: 5) },
                controls: [
                    Probe.Control(
                        name: "a round missed", call: nil,
                        answers: scan(items, Probe.itemCountMax, rounds: 4))
                ]),
            Probe(
                name: "atomics", need: .normal,
                call: call("certify_atomics", localBytes: 0, isCounting: true), items: items,
                answers: { counters(items, $0, skipping: nil) },
                controls: [
                    Probe.Control(
                        name: "an update lost", call: nil,
                        answers: counters(items, Probe.itemCountMax, skipping: 1234))
                ]),
            Probe(
                name: "local atomics", need: .normal,
                call: call("certify_local_atomics", localBytes: 8, isCounting: true), items: items,
                answers: { groupCounters(items, $0, skipping: nil) },
                controls: [
                    Probe.Control(
                        name: "an update lost", call: nil,
                        answers: groupCounters(items, Probe.itemCountMax, skipping: 1234))
                ]),
        ]
    }

    /// Recorded only: on implementations that cut loops short, tasks must be small anyway.
    private static func longLoop(_ program: ProgramSource, _ items: [SIMD4<UInt32>]) -> Probe {
        func words(_ index: Int, _ item: SIMD4<UInt32>, turns: UInt32) -> (UInt32, UInt32) {
            guard index < 8 else { return (item.x, 0) }
            var x = item.x
            for _ in 0..<turns { x = x &* 1_664_525 &+ 1_013_904_223 }
            return (x, turns)
        }
        let cut = Probe.Control(
            name: "cut short", call: nil,
            answers: Probe.words(items) { words($0, $1, turns: 65_535) })
        return Probe(
            "a loop of 100,000 turns", .optional,
            Probe.Call(program: program, kernel: "certify_long_loop"), items: items,
            controls: [cut]
        ) { words($0, $1, turns: 100_000) }
    }

    /// Inclusive prefix sums in groups of 32, each beside the one from the group's other end.
    private static func scan(_ items: [SIMD4<UInt32>], _ count: Int, rounds: Int) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: 2 * count)
        for start in stride(from: 0, to: count, by: 32) {
            var sums = (0..<32).map { start + $0 < count ? items[start + $0].x : 0 }
            for round in 0..<rounds {
                sums = sums.indices.map { i in
                    i >= 1 << round ? sums[i] &+ sums[i - (1 << round)] : sums[i]
                }
            }
            for i in 0..<min(32, count - start) {
                words[2 * (start + i)] = sums[i]
                words[2 * (start + i) + 1] = sums[31 - i]
            }
        }
        return words
    }

    private static func counters(
        _ items: [SIMD4<UInt32>], _ count: Int, skipping lost: Int?
    ) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: counterWords)
        for i in 0..<count where i != lost {
            let slot = 4 * (i & 31)
            words[slot] &+= items[i].x
            words[slot + 1] = max(words[slot + 1], items[i].y)
            words[slot + 2] |= items[i].z
            words[slot + 3] += 1
        }
        return words
    }

    private static func groupCounters(
        _ items: [SIMD4<UInt32>], _ count: Int, skipping lost: Int?
    ) -> [UInt32] {
        var words: [UInt32] = []
        for start in stride(from: 0, to: count, by: 32) {
            var (number, sum): (UInt32, UInt32) = (0, 0)
            for i in start..<min(start + 32, count) where i != lost {
                sum &+= items[i].x &+ number
                number += 1
            }
            words += [number, sum]
        }
        return words
    }
}
