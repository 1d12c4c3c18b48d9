internal import Compute

extension Battery {
    /// Between integers and floats.
    static var conversions: [Probe] {
        let program = ProgramSource.certify("convert")
        func probe(
            _ name: String, _ kernel: String, _ items: [SIMD4<UInt32>],
            misbehaving control: (String, (SIMD4<UInt32>) -> (UInt32, UInt32)),
            _ answer: (SIMD4<UInt32>) -> (UInt32, UInt32)
        ) -> Probe {
            Probe(
                name, .normal, Probe.Call(program: program, kernel: "certify_\(kernel)"),
                items: items,
                controls: [
                    Probe.Control(
                        name: control.0, call: nil,
                        answers: Probe.words(items) { control.1($1) })
                ]
            ) { answer($1) }
        }
        let floats = floatItems(limit: 0x4eff_ffff) // below 2^31
        let longs = floatItems(limit: 0x5eff_ffff) // below 2^63
        let integers = integerItems
        let wild = ProbeInputs.items(
            seed: 42, directed: ProbeInputs.special.map { [$0, 0, 0, 0] },
            where: { !isNaN($0.x) }, random: { [$0.normal(-3...40), 0, 0, 0] })
        let nans = ProbeInputs.items(
            seed: 43,
            random: { stream in
                [
                    stream.next() % 2 == 0 ? stream.normal(-3...40) : stream.word() | 0x7f80_0001,
                    0, 0,
                    0,
                ]
            })
        return [
            probe(
                "float to int", "float_to_int", floats,
                misbehaving: (
                    "truncated",
                    { item in
                        let cut = UInt32(bitPattern: Int32(float(item)))
                        return (cut, cut)
                    }
                )
            ) { item in
                let nearest = float(item).rounded(.toNearestOrEven)
                return (
                    UInt32(bitPattern: Int32(float(item))), UInt32(bitPattern: Int32(nearest))
                )
            },
            probe(
                "float to uint", "float_to_uint", floats,
                misbehaving: (
                    "truncated",
                    { item in
                        let cut = UInt32(float(item).magnitude)
                        return (cut, cut)
                    }
                )
            ) { item in
                let magnitude = float(item).magnitude
                return (UInt32(magnitude), UInt32(magnitude.rounded(.toNearestOrEven)))
            },
            probe(
                "float to long", "float_to_long", longs,
                misbehaving: (
                    "32 bits",
                    { item in
                        (UInt32(truncatingIfNeeded: Int64(float(item))), 0)
                    }
                )
            ) { halves(UInt64(bitPattern: Int64(float($0)))) },
            probe(
                "int to float", "int_to_float", integers,
                misbehaving: (
                    "truncated",
                    { item in
                        let signed = Int32(bitPattern: item.x)
                        let cut = Float(signed & ~0xff)
                        return (cut.bitPattern, Float(item.x & ~0xff).bitPattern)
                    }
                )
            ) { item in
                (Oracle.float(Int64(Int32(bitPattern: item.x))), Oracle.float(UInt64(item.x)))
            },
            longToFloat(
                "long to float", .normal,
                integers.map { item in
                    let (low, high) = halves(
                        UInt64(bitPattern: Int64(bitPattern: wide(item)) >> 11))
                    return [low, high & 0x001f_ffff, 0, 0]
                }),
            longToFloat("long to float, past 53 bits", .optional, integers),
            probe(
                "float to int, clamped", "saturate", wild,
                misbehaving: (
                    "wrapped",
                    { item in
                        let wrapped = UInt32(truncatingIfNeeded: Int64(clampedDouble(item, 0x1p62)))
                        return (wrapped, wrapped)
                    }
                )
            ) { clamped(float($0)) },
            probe(
                "float to uchar and long, clamped", "saturate_others", wild,
                misbehaving: (
                    "wrapped",
                    { item in
                        let wrapped = Int64(clampedDouble(item, 0x1p62))
                        return (UInt32(truncatingIfNeeded: wrapped & 0xff), 0)
                    }
                )
            ) { item in
                let value = Double(float(item))
                let long = value >= 0x1p63 ? Int64.max : value <= -0x1p63 ? .min : Int64(value)
                return (
                    UInt32(min(max(value, 0), 255)),
                    UInt32(truncatingIfNeeded: UInt64(bitPattern: long) >> 32)
                )
            },
            Probe(
                "NaN to int, clamped", .optional,
                Probe.Call(program: program, kernel: "certify_saturate"), items: nans,
                controls: [
                    Probe.Control(
                        name: "the least", call: nil,
                        answers: Probe.words(nans) { _, item in
                            isNaN(item.x) ? (0x8000_0000, 0) : clamped(float(item))
                        })
                ]
            ) { isNaN($1.x) ? (0, 0) : clamped(float($1)) },
        ]
    }

    private static func longToFloat(
        _ name: String, _ need: Probe.Need, _ items: [SIMD4<UInt32>]
    ) -> Probe {
        // A detour over double rounds twice; one over int drops digits.
        let control = Probe.Control(
            name: need == .normal ? "cut to 32 bits" : "by double", call: nil,
            answers: Probe.words(items) { _, item in
                let wide = wide(item)
                if need == .normal { return (Float(item.x).bitPattern, Float(item.x).bitPattern) }
                let double = Double(Int64(bitPattern: wide))
                return (Float(double).bitPattern, Float(Double(wide)).bitPattern)
            })
        return Probe(
            name, need,
            Probe.Call(program: .certify("convert"), kernel: "certify_long_to_float"), items: items,
            controls: [control]
        ) { _, item in
            let wide = wide(item)
            return (Oracle.float(Int64(bitPattern: wide)), Oracle.float(wide))
        }
    }

    private static func clampedDouble(_ item: SIMD4<UInt32>, _ limit: Double) -> Double {
        min(max(Double(float(item)), -limit), limit)
    }

    /// The nearest whole number toward zero, within the range of each type.
    private static func clamped(_ value: Float) -> (UInt32, UInt32) {
        let double = Double(value)
        let signed = Int32(min(max(double, -0x1p31), 0x1p31 - 1))
        return (UInt32(bitPattern: signed), UInt32(min(max(double, 0), 0x1p32 - 1)))
    }

    private static func float(_ item: SIMD4<UInt32>) -> Float { Float(bitPattern: item.x) }
    static func wide(_ item: SIMD4<UInt32>) -> UInt64 { UInt64(item.y) << 32 | UInt64(item.x) }
    static func halves(_ value: UInt64) -> (UInt32, UInt32) {
        (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
    }

    /// Floats with and without a fraction, halves among them, up to `limit` by bits.
    private static func floatItems(limit: UInt32) -> [SIMD4<UInt32>] {
        let top = Int(limit >> 23) - 127
        return ProbeInputs.items(
            seed: 40,
            directed: [0, 0x8000_0000, 0x3f00_0000, 0x3fc0_0000, 0xbf00_0000, limit].map {
                [$0, 0, 0, 0]
            },
            random: { stream in
                let half = Float(Int(stream.next() % 8192) - 4096) * 0.5
                return [
                    stream.next() % 2 == 0 ? half.bitPattern : stream.normal(-2...top), 0, 0, 0,
                ]
            })
    }

    /// Integers of every length, and those half-way between two floats.
    private static var integerItems: [SIMD4<UInt32>] {
        let limits: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0100_0001]
        return ProbeInputs.items(
            seed: 41, directed: limits.flatMap { a in limits.map { b in [a, b, 0, 0] } },
            random: { stream in
                let any = stream.next() >> (stream.next() % 64)
                // A tie of 64 bits whose lower digits a detour over double would drop.
                let high = (stream.next() | 1 << 63) & ~0xff_ffff_ffff | 0x80_0000_0000
                let value = stream.next() % 2 == 0 ? any : high | stream.next() & 3
                let (low, up) = halves(value)
                return [low, up, 0, 0]
            })
    }
}
