extension Battery {
    /// Subnormal operands and results, and signs of zeros.
    static var subnormals: [Probe] {
        let sums = ProbeInputs.items(
            seed: 10, directed: boundary,
            where: { hasSubnormal($0, sum) || hasSubnormal($0, difference) },
            random: { stream in
                let pool = [stream.subnormal(), stream.subnormal(), stream.normal(-126 ... -124)]
                return [
                    pool[Int(stream.next() % 3)], pool[Int(stream.next() % 2)], 0, stream.word(),
                ]
            })
        let products = ProbeInputs.items(
            seed: 11, directed: boundary, where: { hasSubnormal($0, product) },
            random: { stream in
                if stream.next() % 2 == 0 {
                    return [stream.subnormal(), stream.normal(-2...30), 0, 0]
                }
                return [stream.normal(-80 ... -60), stream.normal(-75 ... -50), 0, 0]
            })
        let fusions = ProbeInputs.items(
            seed: 12, directed: [triple] + boundary, where: { hasSubnormal($0, fused) },
            random: { stream in
                let (a, b) = (stream.normal(-1...1), stream.normal(-1...1))
                switch stream.next() % 3 {
                // A dropped subnormal addend moves a normal bit when the product lies on a tie.
                case 0: return [0x3f80_0800, 0x3f80_0800, stream.subnormal(), 0]
                case 1: return [stream.normal(-75 ... -60), stream.normal(-75 ... -60), a >> 9, 1]
                default: return [stream.subnormal(), b, stream.subnormal(), 2]
                }
            })
        return [
            probe("add, subnormal", "certify_add", sums, sum),
            probe("subtract, subnormal", "certify_subtract", sums, difference),
            probe("multiply, subnormal", "certify_multiply", products, product),
            probe("fma, subnormal", "certify_fma", fusions, fused),
            zeroSums,
            comparison("compare, subnormal", .subnormal, sums),
            copy("copy, subnormal", .subnormal, sums),
        ]
    }

    /// fma(1 + 2⁻¹², 1 + 2⁻¹², 2⁻¹³⁰): 0x3f801001, and 0x3f801000 where the addend is dropped.
    static let triple: SIMD4<UInt32> = [0x3f80_0800, 0x3f80_0800, 0x0008_0000, 0]

    /// Pairs at the border between subnormal and normal.
    private static var boundary: [SIMD4<UInt32>] {
        let border: [UInt32] = [
            0x0000_0001, 0x8000_0001, 0x0000_0002, 0x0040_0000, 0x007f_ffff, 0x807f_ffff,
            0x0080_0000, 0x8080_0000, 0x0080_0001, 0x0000_0000, 0x8000_0000, 0x3f00_0000,
            0x3f7f_ffff, 0x3f80_0000, 0xbf80_0000,
        ]
        return border.flatMap { a in
            border.map { b in [a, b, border[Int(a ^ b) % border.count], a & 1] }
        }
    }

    private static func hasSubnormal(_ item: SIMD4<UInt32>, _ operation: Operation) -> Bool {
        [item.x, item.y, item.z, operation(item)].contains(where: ProbeInputs.isSubnormal)
    }

    private static func probe(
        _ name: String, _ kernel: String, _ items: [SIMD4<UInt32>], _ operation: @escaping Operation
    ) -> Probe {
        let flushed = control("flushed", nil, items) { item in
            flush(operation([flush(item.x), flush(item.y), flush(item.z), 0]))
        }
        return Probe(name, .subnormal, call(kernel), items: items, controls: [flushed]) {
            (operation($1), signed($0))
        }
    }
}
