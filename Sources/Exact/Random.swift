// Twin of Kernels/exact/random.cl.

extension Exact {
    /// Four random words that are a function of a key and a place: Philox 4×32 with ten rounds
    /// (Salmon, Moraes, Dror and Shaw 2011).
    public static func philox(
        _ place: SIMD4<UInt32>, key: SIMD2<UInt32>
    ) -> SIMD4<UInt32> {
        var (c, k) = (place, key)
        for _ in 0..<10 {
            let a = c.x.multipliedFullWidth(by: 0xd251_1f53)
            let b = c.z.multipliedFullWidth(by: 0xcd9e_8d57)
            c = SIMD4(b.high ^ c.y ^ k.x, b.low, a.high ^ c.w ^ k.y, a.low)
            k = SIMD2(k.x &+ 0x9e37_79b9, k.y &+ 0xbb67_ae85)
        }
        return c
    }

    /// In [0, 1): the top 24 bits, exactly.
    public static func unit(_ bits: UInt32) -> Float { Float(bits >> 8) * 0x1p-24 }

    /// A number with mean 0 and variance 1 by Box and Muller's way: a radius of which (0, 1] is
    /// made by the top 24 bits of `first`, in the direction that those of `second` are of a turn.
    /// At most 5.77.
    public static func normal(_ first: UInt32, _ second: UInt32) -> Float {
        let square = 2 * log(Float((first >> 8) + 1) * 0x1p-24)
        let radius = sqrt(square.magnitude)
        // The nearest quarter of a turn, and the rest on either side of it.
        let turn = second >> 8
        let quarter = (turn + 0x20_0000) >> 22
        let rest = Int32(turn) - Int32(quarter << 22)
        return radius * sinQuadrant(Float(rest) * 0x1.921fb6p-22, quarter + 1, 0)
    }
}
