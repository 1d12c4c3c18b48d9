internal import Compute

extension Battery {
    /// One operation of a, b and c.
    typealias Operation = @Sendable (SIMD4<UInt32>) -> UInt32

    static let sum: Operation = { Oracle.add($0.x, $0.y) }
    static let difference: Operation = { Oracle.subtract($0.x, $0.y) }
    static let product: Operation = { Oracle.multiply($0.x, $0.y) }
    static let fused: Operation = { Oracle.fma($0.x, $0.y, $0.z) }
    static let unfused: Operation = { Oracle.add(Oracle.multiply($0.x, $0.y), $0.z) }

    /// Normal numbers alone: operands, products, results.
    static var arithmetic: [Probe] {
        let items = productItems
        let contracted = control("contracted", call("certify_fma"), items, fused)
        func probe(
            _ name: String, _ kernel: String, _ controls: [Probe.Control], _ operation: Operation
        ) -> Probe {
            Probe(name, .normal, call(kernel), items: items, controls: controls) {
                (operation($1), signed($0))
            }
        }
        let negated = items.map { SIMD4<UInt32>($0.x, $0.y, $0.z ^ 0x8000_0000, $0.w) }
        return [
            probe("add", "certify_add", [truncated("add", items, sum)], sum),
            probe(
                "subtract", "certify_subtract", [truncated("subtract", items, difference)],
                difference),
            probe("multiply", "certify_multiply", [truncated("multiply", items, product)], product),
            probe(
                "fma", "certify_fma",
                [control("split", call("certify_multiply_add"), items, unfused)],
                fused),
            probe("multiply then add", "certify_multiply_add", [contracted], unfused),
            Probe(
                "multiply then subtract", .normal, call("certify_multiply_subtract"),
                items: negated,
                controls: [
                    control("contracted", nil, negated) {
                        Oracle.fma($0.x, $0.y, $0.z ^ 0x8000_0000)
                    }
                ]
            ) { (Oracle.subtract(Oracle.multiply($1.x, $1.y), $1.z), signed($0)) },
            probe("multiply then add in vectors", "certify_multiply_add4", [contracted], unfused),
            probe(
                "multiply then add, pinned by a run-time -0", "certify_multiply_add_pinned",
                [contracted], unfused),
            probe(
                "fma, as wide as our kernels", "certify_fma_wide",
                [control("split", call("certify_multiply_add_wide"), items, unfused)], fused),
            comparison("compare", .normal, comparisonItems),
            copy("copy", .normal, comparisonItems),
        ] + wholeNumbers
    }

    /// Products whose rounding shows in a sum: random ones, and sums that cancel all but what the
    /// rounding dropped.
    private static var productItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 1, directed: ProbeInputs.specialTriples,
            where: { item in
                let product = Oracle.multiply(item.x, item.y)
                return !isSumOfZeros(item)
                    && [
                        item.x, item.y, item.z, product, sum(item), difference(item), fused(item),
                        unfused(item), Oracle.subtract(product, item.z),
                    ].allSatisfy(ProbeInputs.isClear)
            },
            random: { stream in
                let a = stream.normal(-30...30)
                let b = stream.normal(-20...20)
                let product = Oracle.multiply(a, b)
                switch stream.next() % 4 {
                case 0: return [a, b, product ^ 0x8000_0000, 0]
                case 1: return [a, b, (product ^ 0x8000_0000) + 1, 1]
                case 2: return [a, a ^ 1, product, 2]
                default: return [a, b, stream.normal(-40...40), 3]
                }
            })
    }

    /// True where fma adds two zeros, whose signs decide that of the result. A software fma of
    /// Mesa's gets that wrong, so it is asked apart.
    private static func isSumOfZeros(_ item: SIMD4<UInt32>) -> Bool {
        let (a, b, c) = (item.x & 0x7fff_ffff, item.y & 0x7fff_ffff, item.z & 0x7fff_ffff)
        return (a == 0 || b == 0) && c == 0
    }

    /// Every sum of a zero product and a zero.
    static var zeroSums: Probe {
        let zeros: [UInt32] = [0, 0x8000_0000]
        let items = ProbeInputs.items(
            seed: 4, where: isSumOfZeros,
            random: { stream in
                let zero = zeros[Int(stream.next() % 2)]
                let other = stream.normal(-60...60)
                let c = zeros[Int(stream.next() % 2)]
                return stream.next() % 2 == 0 ? [zero, other, c, 0] : [other, zero, c, 0]
            })
        let product = control("the product's sign", nil, items) {
            Oracle.multiply($0.x, $0.y)
        }
        return Probe(
            "fma, sign of zero", .subnormal, call("certify_fma"), items: items, controls: [product]
        ) { (fused($1), signed($0)) }
    }

    private static var comparisonItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 2, directed: ProbeInputs.specialTriples.filter { !isNaN($0.x) && !isNaN($0.y) },
            random: { stream in
                let a = stream.normal(-60...60)
                // Neighbours, opposites and strangers.
                let others = [a, a + 1, a ^ 0x8000_0000, stream.normal(-60...60)]
                return [a, others[Int(stream.next() % 4)], 0, stream.word()]
            })
    }

    static func isNaN(_ bits: UInt32) -> Bool { bits & 0x7fff_ffff > 0x7f80_0000 }

    /// Order of two numbers that are not NaN, as integers: −0 equals +0.
    static func order(_ bits: UInt32) -> Int64 {
        let magnitude = Int64(bits & 0x7fff_ffff)
        return bits >> 31 == 1 ? -magnitude : magnitude
    }

    static func comparison(
        _ name: String, _ need: Probe.Need, _ items: [SIMD4<UInt32>]
    ) -> Probe {
        func words(_ item: SIMD4<UInt32>) -> (UInt32, UInt32) {
            let (a, b) = (order(item.x), order(item.y))
            var flags: UInt32 = 0
            for (bit, holds) in [a < b, a <= b, a == b, a != b, a > b, a >= b].enumerated()
            where holds { flags |= 1 << UInt32(bit) }
            return (flags, a < b ? item.x : item.y)
        }
        // A comparison that takes subnormals, or the sign of zero, another way.
        let flushed = Probe.Control(
            name: need == .subnormal ? "flushed" : "compared as integers", call: nil,
            answers: Probe.words(items) { _, item in
                if need == .subnormal { return words([flush(item.x), flush(item.y), 0, 0]) }
                let (a, b) = (Int32(bitPattern: item.x), Int32(bitPattern: item.y))
                return (a < b ? 0b001011 : a == b ? 0b100110 : 0b111000, 0)
            })
        return Probe(
            name, need, Probe.Call(program: arithmeticProgram, kernel: "certify_compare"),
            items: items, controls: [flushed]
        ) { words($1) }
    }

    static func copy(_ name: String, _ need: Probe.Need, _ items: [SIMD4<UInt32>]) -> Probe {
        func words(_ item: SIMD4<UInt32>) -> (UInt32, UInt32) {
            (item.w & 1 == 1 ? item.x ^ 0x8000_0000 : item.x, item.x & 0x7fff_ffff)
        }
        let control = Probe.Control(
            name: need == .subnormal ? "flushed" : "unsigned zero", call: nil,
            answers: Probe.words(items) { _, item in
                let x = need == .subnormal ? flush(item.x) : item.x == 0x8000_0000 ? 0 : item.x
                return words([x, 0, 0, item.w])
            })
        return Probe(name, need, call("certify_copy"), items: items, controls: [control]) {
            words($1)
        }
    }

    /// A subnormal as zero of its sign.
    static func flush(_ bits: UInt32) -> UInt32 {
        ProbeInputs.isSubnormal(bits) ? bits & 0x8000_0000 : bits
    }

    /// A control: the results with their last bit cut off, as a device that rounds toward zero has
    /// about half of them.
    private static func truncated(
        _ name: String, _ items: [SIMD4<UInt32>], _ operation: Operation
    ) -> Probe.Control {
        control("one ulp off", nil, items) { item in
            let right = operation(item)
            return right & 0x7fff_ffff > 0x0080_0000 && right & 0x7f80_0000 != 0x7f80_0000
                ? right - 1 : right
        }
    }

    /// floor, trunc and rint, with halves and numbers that have no fraction.
    private static var wholeNumbers: [Probe] {
        let items = ProbeInputs.items(
            seed: 3, directed: ProbeInputs.special.map { [$0, 0, 0, 0] },
            where: { ProbeInputs.isClear($0.x) },
            random: { stream in
                let half = Float(Int32(truncatingIfNeeded: stream.next() % 4096) - 2048) * 0.5
                let any = stream.normal(-3...25)
                return [stream.next() % 2 == 0 ? half.bitPattern : any, 0, 0, 0]
            })
        let cases: [(String, FloatingPointRoundingRule)] = [
            ("floor", .down), ("ceil", .up), ("trunc", .towardZero), ("rint", .toNearestOrEven),
        ]
        return cases.map { name, rule in
            let right: Operation = { item in
                isNaN(item.x)
                    ? Oracle.nan : Float(bitPattern: item.x).rounded(rule).bitPattern
            }
            let away = control("halves away from zero", nil, items) { item in
                isNaN(item.x)
                    ? Oracle.nan
                    : Float(bitPattern: item.x).rounded(.toNearestOrAwayFromZero).bitPattern
            }
            return Probe(
                name, .normal, call("certify_\(name)"), items: items, controls: [away]
            ) { (right($1), signed($0)) }
        }
    }
}
