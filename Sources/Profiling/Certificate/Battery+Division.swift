internal import Compute

extension Battery {
    /// Division and square root: our own must be right, the device's may be.
    static var division: [Probe] {
        let program = ProgramSource.certify(
            "divide", needs: ["exact/divide.cl", "exact/root.cl"])
        var nativeProgram = ProgramSource.certify("native")
        nativeProgram.wantsCorrectRounding = true
        nativeProgram.defines["EXACT_NATIVE_PROBE"] = "1"
        func own(_ kernel: String) -> Probe.Call { Probe.Call(program: program, kernel: kernel) }
        func native(_ kernel: String) -> Probe.Call {
            Probe.Call(program: nativeProgram, kernel: kernel)
        }
        let twice: Operation = { Oracle.multiply($0.x, Oracle.divide(one, $0.y)) }
        let rootTwice: Operation = {
            Oracle.multiply($0.x, Oracle.divide(one, Oracle.squareRoot($0.x)))
        }
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
            Probe(
                nativeDivide, .optional, native("certify_native_divide"), items: quotients,
                controls: [control("rounded twice", nil, quotients, twice)]
            ) { (quotient($1), signed($0)) },
            Probe(
                nativeSquareRoot, .optional, native("certify_native_sqrt"), items: roots,
                controls: [control("rounded twice", nil, roots, rootTwice)]
            ) { (root($1), signed($0)) },
        ]
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
