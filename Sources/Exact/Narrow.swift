// Twin of Kernels/exact/narrow.cl.

extension Exact {
    /// The nearest binary16, ties to even; NaN becomes `0x7e00`.
    public static func half(from x: Float) -> UInt16 {
        let u = asUInt(x) & ~sign
        let sign = asUInt(x) >> 16 & 0x8000
        let rebiased = u &- (112 << 23)
        let normal = (rebiased &+ 0x0fff &+ (rebiased >> 13 & 1)) >> 13
        // Below 2^-14: multiples of 2^-24.
        let places = 126 &- (u >> 23)
        let shift = u >= (101 << 23) ? places & 31 : 25
        let digits = (u & 0x007f_ffff) | 0x0080_0000
        let subnormal = (digits &+ (1 &<< (shift &- 1)) &- 1 &+ (digits &>> shift & 1)) &>> shift
        var h = u < (113 << 23) ? subnormal : normal
        h = u >= 0x477f_f000 ? 0x7c00 : h
        return UInt16(truncatingIfNeeded: u > 0x7f80_0000 ? 0x7e00 : h | sign)
    }

    /// The number that `h` means as binary16: exact.
    public static func float(fromHalf h: UInt16) -> Float {
        let h = UInt32(h)
        let magnitude = h & 0x7fff
        var u = (magnitude << 13) &+ (112 << 23)
        u = magnitude >= 0x7c00 ? (magnitude << 13) &+ (224 << 23) : u
        u = magnitude < 0x0400 ? asUInt(Float(magnitude) * 0x1p-24) : u
        return magnitude > 0x7c00 ? nan : Float(bitPattern: u | (h & 0x8000) << 16)
    }

    /// The nearest bfloat16, ties to even; NaN becomes `0x7fc0`.
    public static func bfloat16(from x: Float) -> UInt16 {
        let u = asUInt(x)
        let h = (u &+ 0x7fff &+ (u >> 16 & 1)) >> 16
        return UInt16(truncatingIfNeeded: (u & ~sign) > 0x7f80_0000 ? 0x7fc0 : h)
    }

    /// The number that `h` means as bfloat16: exact.
    public static func float(fromBFloat16 h: UInt16) -> Float {
        (h & 0x7fff) > 0x7f80 ? nan : Float(bitPattern: UInt32(h) << 16)
    }
}
