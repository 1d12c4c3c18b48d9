/// Random numbers as functions of (seed, pixel, sample, dimension): docs/formats.md 1.7.
enum ReferenceRandom {
    /// What a number is drawn for; each depth has a set of its own.
    enum Dimension: UInt32 {
        case film, bsdf, light, choice, roulette, alpha, shadowAlpha, texture

        func at(depth: Int) -> UInt32 { UInt32(depth) * 8 + rawValue }
    }

    /// `D_LENS`: beyond those of any depth.
    static let lensDimension: UInt32 = 0x10000
    /// The dimension of a path's band of light, drawn once for all depths.
    static let band: UInt32 = 0xffff_ffff

    /// Wellons' lowbias32.
    static func mix(_ bits: UInt32) -> UInt32 {
        var x = bits
        x ^= x >> 16
        x &*= 0x7feb_352d
        x ^= x >> 15
        x &*= 0x846c_a68b
        return x ^ (x >> 16)
    }

    static func hash(_ a: UInt32, _ b: UInt32) -> UInt32 { mix(a ^ mix(b &+ 0x9e37_79b9)) }

    static func pixelKey(seedLow: UInt32, seedHigh: UInt32, pixel: UInt32) -> UInt32 {
        hash(hash(mix(seedLow), seedHigh), pixel)
    }

    static func bits(key: UInt32, sample: UInt32, _ dimension: UInt32) -> UInt32 {
        hash(hash(key, dimension), sample)
    }

    /// The top 24 bits as a number in [0, 1).
    static func unit(_ bits: UInt32) -> Float { Float(bits >> 8) * 0x1p-24 }

    /// A point of the first two Sobol dimensions, shuffled and Owen-scrambled by hash: Burley,
    /// "Practical Hash-based Owen Scrambling" (JCGT 2020).
    static func pair(
        key: UInt32, sample: UInt32, _ dimension: UInt32
    ) -> (x: UInt32, y: UInt32) {
        let seed = hash(key, dimension)
        let index = reversed(scramble(reversed(sample), seed))
        let x = scramble(index, mix(seed ^ 0xa511_e9b3))
        let y = scramble(sobolSecond(index), mix(seed ^ 0x63d8_3595))
        return (reversed(x), reversed(y))
    }

    private static func reversed(_ x: UInt32) -> UInt32 {
        (0..<32).reduce(0) { $0 | (x >> UInt32($1) & 1) << (31 - UInt32($1)) }
    }

    /// A random permutation in which each bit depends on lower bits alone: Vegdahl, "Building a
    /// Better LK Hash" (2021).
    private static func scramble(_ bits: UInt32, _ seed: UInt32) -> UInt32 {
        var x = bits
        x ^= x &* 0x3d20_adea
        x &+= seed
        x &*= (seed >> 16) | 1
        x ^= x &* 0x0552_6c56
        x ^= x &* 0x53a2_2864
        return x
    }

    /// The second Sobol dimension with its bits reversed: Pascal's triangle mod 2.
    private static func sobolSecond(_ bits: UInt32) -> UInt32 {
        var x = bits
        x ^= (x >> 1) & 0x5555_5555
        x ^= (x >> 2) & 0x3333_3333
        x ^= (x >> 4) & 0x0f0f_0f0f
        x ^= (x >> 8) & 0x00ff_00ff
        return x ^ (x >> 16)
    }
}
