internal import Compute

extension Battery {
    /// Division and square root: our own must be right, the device's may be.
    static var division: [Probe] {
        let program = ProgramSource.certify(
            "divide", needs: ["exact/divide.cl", "exact/root.cl"])
        func own(_ kernel: String) -> Probe.Call { Probe.Call(program: program, kernel: kernel) }
        let quotients = quotientItems
        let roots = rootItems
        let tiny = tinyQuotientItems
        return [
            Probe(
                "own divide", .normal, own("certify_ex_div"), items: quotients,
                controls: [control("rounded twice", own("certify_divide_twice"), quotients, twice)]
            ) { (quotient($1), signed($0)) },
            Probe(
                "own sqrt", .normal, own("certify_ex_sqrt"), items: roots,
                controls: [control("rounded twice", nil, roots, rootTwice)]
            ) { (root($1), signed($0)) },
            Probe(
                "own divide, subnormal", .subnormal, own("certify_ex_div"), items: tiny,
                controls: [
                    control("flushed", nil, tiny) {
                        flush(quotient([flush($0.x), flush($0.y), 0, 0]))
                    }
                ]
            ) { (quotient($1), signed($0)) },
        ]
    }

    /// Whether the device's own division and square root may stand in for ours: they must have the
    /// known answers, and our bits on millions of numbers more.
    static var native: [Probe] {
        var program = ProgramSource.certify("native", needs: ["exact/divide.cl", "exact/root.cl"])
        program.wantsCorrectRounding = true
        program.defines["EXACT_NATIVE_PROBE"] = "1"
        func own(_ name: String, _ kernel: String, _ items: [SIMD4<UInt32>]) -> Probe {
            let isRoot = kernel == "certify_native_sqrt"
            return Probe(
                name, .optional, Probe.Call(program: program, kernel: kernel), items: items,
                controls: [control("rounded twice", nil, items, isRoot ? rootTwice : twice)]
            ) { (isRoot ? root($1) : quotient($1), signed($0)) }
        }
        func beside(
            _ name: String, _ kernel: String, _ items: [SIMD4<UInt32>],
            pairs: @escaping (SIMD4<UInt32>) -> UInt32
        ) -> Probe {
            Probe(
                name, .optional, Probe.Call(program: program, kernel: kernel), items: items,
                controls: [control("one pair differs", nil, items) { $0.y &+ pairs($0) - 1 }]
            ) { ($1.y &+ pairs($1), signed($0)) }
        }
        return [
            own(nativeDivide, "certify_native_divide", quotientItems),
            own(nativeSquareRoot, "certify_native_sqrt", rootItems),
            beside(nativeDivideBeside, "certify_divide_beside", pairItems) { _ in 1024 },
            beside(nativeRootBeside, "certify_sqrt_beside", neighbourItems) { 2 * $0.z },
        ]
    }

    private static let twice: Operation = { Oracle.multiply($0.x, Oracle.divide(one, $0.y)) }
    private static let rootTwice: Operation = {
        Oracle.multiply($0.x, Oracle.divide(one, Oracle.squareRoot($0.x)))
    }

    /// Starts of as many rows of pairs, and words to count from.
    private static var pairItems: [SIMD4<UInt32>] {
        ProbeInputs.items(seed: 23, random: { [$0.word(), $0.word() >> 1, 0, 0] })
    }

    /// Stretches that together hold every number in [1, 4).
    private static var neighbourItems: [SIMD4<UInt32>] {
        let (first, last): (UInt32, UInt32) = (0x3f80_0000, 0x4080_0000)
        let length = (last - first) / UInt32(Probe.itemCountMax) + 1
        var start = first
        return ProbeInputs.items(
            seed: 24,
            random: { stream in
                defer { start += length }
                return [start, stream.word() >> 1, length, 0]
            })
    }

    private static let one: UInt32 = 0x3f80_0000
    private static let quotient: Operation = { Oracle.divide($0.x, $0.y) }
    private static let root: Operation = { Oracle.squareRoot($0.x) }

    /// Quotients away from the subnormal range, and so their operands and the reciprocal.
    private static var quotientItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 20, directed: ProbeInputs.specialTriples,
            where: { item in
                [item.x, item.y, quotient(item), Oracle.divide(one, item.y)]
                    .allSatisfy(ProbeInputs.isClear)
            },
            random: { stream in
                let b = stream.normal(-60...60)
                if stream.next() % 3 > 0 { return [stream.normal(-30...30), b, 0, 0] }
                // Operands with few digits: quotients close to a number or to a tie.
                let few = stream.word() & 0xbfff_f000
                return [few & 0x807f_f000 | 0x4000_0000, b & 0xffff_fff0 | stream.word() & 1, 0, 0]
            })
    }

    private static var rootItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 21, directed: ProbeInputs.special.map { [$0, 0, 0, 0] },
            where: { ProbeInputs.isClear($0.x) && ProbeInputs.isClear(root($0)) },
            random: { stream in
                let a = stream.normal(-90...100) & 0x7fff_ffff
                // Next to the square of a number with 24 digits, where the root is nearly a tie.
                let square = Oracle.multiply(a & 0x3fff_ffff, a & 0x3fff_ffff)
                return [stream.next() % 2 == 0 ? a : square &+ UInt32(stream.next() % 3), 0, 0, 0]
            })
    }

    private static var tinyQuotientItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 22,
            where: { [$0.x, $0.y, quotient($0)].contains(where: ProbeInputs.isSubnormal) },
            random: { stream in
                switch stream.next() % 3 {
                case 0: [stream.subnormal(), stream.normal(-3...3), 0, 0]
                case 1: [stream.normal(-126 ... -100), stream.normal(10...30), 0, 0]
                default: [stream.normal(-126 ... -110), stream.subnormal(), 0, 0]
                }
            })
    }
}
