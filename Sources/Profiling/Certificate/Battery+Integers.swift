internal import Compute

extension Battery {
    /// Integers of 32 and 64 bits.
    static var integers: [Probe] { words + longs }

    private static let program = ProgramSource.certify("integer")

    private static var words: [Probe] {
        let items = items(seed: 50)
        func probe(
            _ name: String, _ kernel: String,
            misbehaving control: (String, (UInt32, UInt32) -> (UInt32, UInt32)),
            _ answer: (UInt32, UInt32) -> (UInt32, UInt32)
        ) -> Probe {
            Probe(
                name, .normal, Probe.Call(program: program, kernel: "certify_\(kernel)"),
                items: items,
                controls: [
                    Probe.Control(
                        name: control.0, call: nil,
                        answers: Probe.words(items) { control.1($1.x, $1.y) })
                ]
            ) { answer($1.x, $1.y) }
        }
        func signedHigh(_ a: UInt32, _ b: UInt32) -> UInt32 {
            UInt32(
                bitPattern: Int32(bitPattern: a).multipliedFullWidth(by: Int32(bitPattern: b)).high)
        }
        func shifted(_ a: UInt32, _ b: UInt32, arithmetic: Bool) -> (UInt32, UInt32) {
            let count = b & 31
            let turned = count == 0 ? a : a << count | a >> (32 - count)
            let right =
                arithmetic ? UInt32(bitPattern: Int32(bitPattern: a) >> Int32(count)) : a >> count
            return (a << count ^ turned, a >> count ^ right)
        }
        return [
            probe(
                "multiply uint", "multiply_int",
                misbehaving: ("24 bits", { ($0 & 0xff_ffff &* ($1 & 0xff_ffff), 0) })
            ) { ($0 &* $1, $0.multipliedFullWidth(by: $1).high) },
            probe(
                "multiply int, high half", "multiply_signed",
                misbehaving: (
                    "unsigned", { ($0.multipliedFullWidth(by: $1).high, $0 < $1 ? 1 : 0) }
                )
            ) { (signedHigh($0, $1), Int32(bitPattern: $0) < Int32(bitPattern: $1) ? 1 : 0) },
            probe(
                "shift and rotate", "shift",
                misbehaving: ("logical", { shifted($0, $1, arithmetic: false) })
            ) { shifted($0, $1, arithmetic: true) },
            probe(
                "divide uint", "divide_int",
                misbehaving: (
                    "by float",
                    { a, b in
                        b == 0 ? (0, 0) : (UInt32(min(Float(a) / Float(b), 0x1p31)), 0)
                    }
                )
            ) { a, b in b == 0 ? (0, 0) : (a / b, a % b) },
            probe(
                "minimum, maximum, select", "choose",
                misbehaving: ("unsigned", { (min($0, $1) ^ max($0, $1), $0 ^ $1) })
            ) { a, b in
                let (signedA, signedB) = (Int32(bitPattern: a), Int32(bitPattern: b))
                return (
                    min(a, b) ^ UInt32(bitPattern: max(signedA, signedB)),
                    (signedA < 0 ? b : a) ^ signedB.magnitude
                )
            },
            probe(
                "count bits", "count_bits", misbehaving: ("none", { _, _ in (0, 0) })
            ) { (UInt32($0.leadingZeroBitCount), UInt32($1.nonzeroBitCount)) },
        ]
    }

    private static var longs: [Probe] {
        let items = items(seed: 51)
        func probe(
            _ name: String, _ kernel: String,
            misbehaving control: (String, (UInt64, UInt64) -> UInt64),
            _ answer: (UInt64, UInt64) -> UInt64
        ) -> Probe {
            func words(
                _ item: SIMD4<UInt32>, _ answer: (UInt64, UInt64) -> UInt64
            ) -> (UInt32, UInt32) {
                halves(answer(wide(item), UInt64(item.w) << 32 | UInt64(item.z)))
            }
            return Probe(
                name, .normal, Probe.Call(program: program, kernel: "certify_\(kernel)_long"),
                items: items,
                controls: [
                    Probe.Control(
                        name: control.0, call: nil,
                        answers: Probe.words(items) { words($1, control.1) })
                ]
            ) { words($1, answer) }
        }
        let low: UInt64 = 0xffff_ffff
        func split(
            _ a: UInt64, _ b: UInt64, _ operation: (UInt64, UInt64) -> UInt64
        ) -> UInt64 {
            operation(a & low, b & low) & low | operation(a >> 32, b >> 32) << 32
        }
        func shifted(_ a: UInt64, _ b: UInt64, mask: UInt64) -> UInt64 {
            let count = b & mask
            let right = UInt64(bitPattern: Int64(bitPattern: a) >> Int64(count))
            return a << count ^ a >> count ^ right
        }
        return [
            probe(
                "add long", "add", misbehaving: ("no carry", { split($0, $1, &+) })
            ) { $0 &+ $1 },
            probe(
                "subtract long", "subtract", misbehaving: ("no borrow", { split($0, $1, &-) })
            ) { $0 &- $1 },
            probe(
                "multiply long", "multiply", misbehaving: ("32 bits", { $0 & low &* ($1 & low) })
            ) { $0 &* $1 },
            probe(
                "multiply long, high half", "multiply_high",
                misbehaving: ("upper words alone", { ($0 >> 32) &* ($1 >> 32) })
            ) { $0.multipliedFullWidth(by: $1).high },
            probe(
                "shift long", "shift", misbehaving: ("by 5 bits", { shifted($0, $1, mask: 31) })
            ) { shifted($0, $1, mask: 63) },
            probe(
                "divide long", "divide",
                misbehaving: (
                    "by double",
                    { a, b in
                        b == 0 ? 0 : UInt64(min(Double(a) / Double(b), 0x1p63)) ^ a % b
                    }
                )
            ) { a, b in b == 0 ? 0 : (a / b) ^ (a % b) },
            probe(
                "compare long", "compare",
                misbehaving: ("unsigned alone", { $0 < $1 ? 3 : 0 })
            ) { ($0 < $1 ? 1 : 0) | (Int64(bitPattern: $0) < Int64(bitPattern: $1) ? 2 : 0) },
        ]
    }

    /// Operands of every length, with limits.
    private static func items(seed: UInt64) -> [SIMD4<UInt32>] {
        let limits: [UInt32] = [0, 1, 2, 31, 32, 63, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
        return ProbeInputs.items(
            seed: seed, directed: limits.flatMap { a in limits.map { b in [a, b, b, a] } },
            random: { stream in
                func operand() -> UInt32 { stream.word() >> UInt32(stream.next() % 32) }
                return [operand(), operand(), operand(), operand()]
            })
    }
}
