internal import Compute

extension Battery {
    /// binary16 and bfloat16, behind arithmetic and alone.
    static var narrowing: [Probe] {
        let program = ProgramSource.certify("narrow", needs: ["exact/narrow.cl"])
        func call(_ kernel: String) -> Probe.Call { Probe.Call(program: program, kernel: kernel) }
        func words(_ bits: UInt32) -> (UInt32, UInt32) {
            (Oracle.half(bits), Oracle.bfloat16(bits))
        }
        let values = valueItems
        let products = tieItems
        // What is left of the exact product decides a tie: as if it had been rounded once.
        let merged = Probe.Control(
            name: "rounded once", call: nil,
            answers: Probe.words(products) { _, item in
                let rounded = product(item)
                let rest = Oracle.fma(item.x, item.y, rounded ^ 0x8000_0000)
                let isNudged = rest & 0x7fff_ffff != 0
                let isAbove = rest >> 31 == rounded >> 31
                return words(isNudged ? (isAbove ? rounded + 1 : rounded - 1) : rounded)
            })
        let truncated = Probe.Control(
            name: "cut off", call: nil,
            answers: Probe.words(values) { _, item in (item.x >> 13 & 0xffff, item.x >> 16) })
        let widened = ProbeInputs.items(
            seed: 32, directed: (0..<32).map { [UInt32($0) << 10 | 1, 0, 0, 0] },
            where: { ProbeInputs.isClear(Oracle.widened(bfloat16: $0.x & 0xffff)) },
            random: { [$0.word() & 0xffff, 0, 0, 0] })
        let confused = Probe.Control(
            name: "read as the other", call: nil,
            answers: Probe.words(widened) { _, item in
                (Oracle.widened(bfloat16: item.x), Oracle.widened(half: item.x))
            })
        return [
            Probe("narrow", .normal, call("certify_narrow"), items: values, controls: [truncated]) {
                words($1.x)
            },
            Probe(
                "narrow a product", .normal, call("certify_narrow_product"), items: products,
                controls: [merged]
            ) { words(product($1)) },
            Probe(
                "narrow an fma", .normal, call("certify_narrow_fma"), items: products,
                controls: [merged]
            ) { words(fused($1)) },
            Probe("widen", .normal, call("certify_widen"), items: widened, controls: [confused]) {
                (Oracle.widened(half: $1.x & 0xffff), Oracle.widened(bfloat16: $1.x & 0xffff))
            },
        ]
    }

    /// Numbers over half's range and beyond, with ties and its subnormals, none subnormal as float.
    private static var valueItems: [SIMD4<UInt32>] {
        let limits: [UInt32] = [
            0x477f_efff, 0x477f_f000, 0x477f_e000, 0x4780_0000, 0x3880_0000, 0x387f_ffff,
            0x3300_0000, 0x3300_0001, 0x32ff_ffff, 0x7f7f_8000, 0x7f7f_7fff, 0x3f80_8000,
        ]
        return ProbeInputs.items(
            seed: 30, directed: (ProbeInputs.special + limits).map { [$0, 0, 0, 0] },
            where: { ProbeInputs.isClear($0.x) },
            random: { stream in
                let value = stream.normal(-28...17)
                let ties = [value, value & 0xffff_f000 | 0x1000, value & 0xffff_8000 | 0x8000]
                return [ties[Int(stream.next() % 3)], 0, 0, 0]
            })
    }

    /// Products that, rounded to float, lie exactly on a tie of half or bfloat16 and were not on it
    /// before; c is zero, or tiny beside them.
    private static var tieItems: [SIMD4<UInt32>] {
        ProbeInputs.items(
            seed: 31,
            where: { item in
                [item.x, item.y, product(item), fused(item)].allSatisfy(ProbeInputs.isClear)
            },
            random: { stream in
                let a = stream.normal(-3...3)
                let isHalf = stream.next() % 2 == 0
                let tie =
                    stream.normal(-8...8) & (isHalf ? 0xffff_e000 : 0xffff_0000)
                    | (isHalf ? 0x1000 : 0x8000)
                return [a, Oracle.divide(tie, a), 0x8000_0000, 0]
            })
    }
}
