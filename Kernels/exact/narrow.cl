// binary16 and bfloat16 by integer code: a compiler's own narrowing may be merged with the
// arithmetic before it and then rounds once instead of twice.

// Bits of the nearest binary16, ties to even; NaN becomes 0x7e00.
EX_INLINE uint ex_half_from_float(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    uint sign = as_uint(x) >> 16 & 0x8000u;
    uint rebiased = u - (112u << 23);
    uint normal = (rebiased + 0x0fffu + (rebiased >> 13 & 1u)) >> 13;
    // Below 2^-14: multiples of 2^-24.
    uint places = 126u - (u >> 23);
    uint shift = u >= (101u << 23) ? places & 31u : 25u;
    uint digits = (u & 0x007fffffu) | 0x00800000u;
    uint subnormal = (digits + (1u << (shift - 1u)) - 1u + (digits >> shift & 1u)) >> shift;
    uint bits = u < (113u << 23) ? subnormal : normal;
    bits = u >= 0x477ff000u ? 0x7c00u : bits;
    return u > 0x7f800000u ? 0x7e00u : bits | sign;
}

// The number that the low 16 bits of h mean as binary16: exact.
EX_INLINE float ex_float_from_half(uint h) {
    uint magnitude = h & 0x7fffu;
    uint bits = (magnitude << 13) + (112u << 23);
    bits = magnitude >= 0x7c00u ? (magnitude << 13) + (224u << 23) : bits;
    bits = magnitude < 0x0400u ? as_uint((float)magnitude * 0x1p-24f) : bits;
    return magnitude > 0x7c00u ? EX_NAN : as_float(bits | (h & 0x8000u) << 16);
}

// Bits of the nearest bfloat16, ties to even; NaN becomes 0x7fc0.
EX_INLINE uint ex_bfloat16_from_float(float x) {
    uint u = as_uint(x);
    uint bits = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    return (u & ~EX_SIGN) > 0x7f800000u ? 0x7fc0u : bits;
}

// The number that the low 16 bits of h mean as bfloat16: exact.
EX_INLINE float ex_float_from_bfloat16(uint h) {
    return (h & 0x7fffu) > 0x7f80u ? EX_NAN : as_float(h << 16);
}
