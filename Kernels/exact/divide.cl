// Division and reciprocal, correctly rounded over the whole range: half an ulp.
//
// Where the device's own division is proven to be correctly rounded, EXACT_NATIVE_DIVIDE takes it:
// the bits are the same by definition.

// 1/b for normal b with a normal reciprocal: relative error below 2^-24 (1 + 2^-10). An integer
// first guess, good to 0.051, then two steps of third order.
EX_INLINE float ex_reciprocal_near(float b) {
    float y = as_float(0x7ef34c47u - as_uint(b));
    float e = fma(-b, y, 1.0f);
    y = fma(fma(e, e, e), y, y);
    e = fma(-b, y, 1.0f);
    return fma(fma(e, e, e), y, y);
}

// 1/b, correctly rounded, for |b| in [2^-100, 2^100].
EX_INLINE float ex_reciprocal_middle(float b) {
#ifdef EXACT_NATIVE_DIVIDE
    return 1.0f / b;
#else
    float y = ex_reciprocal_near(b);
    return fma(fma(-b, y, 1.0f), y, y);
#endif
}

// a/b, correctly rounded, for |b| in [2^-60, 2^60] and a = 0 or |a| in [2^-60, 2^60]. A first
// quotient and two corrections by its exact remainder.
EX_INLINE float ex_divide_middle(float a, float b) {
#ifdef EXACT_NATIVE_DIVIDE
    return a / b;
#else
    float y = ex_reciprocal_near(b);
    float q = a * y;
    q = fma(fma(-b, q, a), y, q);
    return fma(fma(-b, q, a), y, q);
#endif
}

// The significand, in [1, 2), of a finite number that is not zero; u its bits without the sign.
// Subnormals become normal as integers, which no flushing of subnormals can touch.
EX_INLINE float ex_significand(uint u) {
    uint normal = u < 0x00800000u ? as_uint((float)u) : u;
    return as_float((normal & 0x007fffffu) | 0x3f800000u);
}

// Its exponent, such that the number is significand * 2^(exponent - 127).
EX_INLINE int ex_exponent(uint u) {
    uint normal = u < 0x00800000u ? as_uint((float)u) : u;
    return (int)(normal >> 23) - (u < 0x00800000u ? 149 : 0);
}

// Bits of (q + tiny * sign of rest) * 2^exponent for q in (1/4, 4), rounded once. q holds 24 bits;
// two more, of which rest gives the lower, are enough for every rounding that is still to come.
EX_INLINE uint ex_compose(float q, float rest, int exponent) {
    uint u = as_uint(q);
    int biased = (int)(u >> 23) + exponent;
    uint wide = (((u & 0x007fffffu) | 0x00800000u) << 2)
        + (rest > 0.0f ? 1u : 0u) - (rest < 0.0f ? 1u : 0u);
    int below = biased < 1 ? 1 - biased : 0;
    uint shift = (uint)(below > 25 ? 25 : below) + 2u;
    uint rounded = (wide + (1u << (shift - 1u)) - 1u + ((wide >> shift) & 1u)) >> shift;
    uint bits = rounded + ((uint)(biased < 1 ? 0 : biased - 1) << 23);
    return biased > 254 ? 0x7f800000u : bits;
}

EX_INLINE float ex_div(float a, float b) {
#ifdef EXACT_NATIVE_DIVIDE
    float q = a / b;
    return (as_uint(q) & ~EX_SIGN) > 0x7f800000u ? EX_NAN : q;
#else
    uint ua = as_uint(a) & ~EX_SIGN;
    uint ub = as_uint(b) & ~EX_SIGN;
    bool invalid = (ua > 0x7f800000u) | (ub > 0x7f800000u)
        | ((ua == ub) & ((ua == 0u) | (ua == 0x7f800000u)));
    float sa = ex_significand(ua);
    float sb = ex_significand(ub);
    float y = ex_reciprocal_near(sb);
    float q = sa * y;
    q = fma(fma(-sb, q, sa), y, q);
    q = fma(fma(-sb, q, sa), y, q);
    uint bits = ex_compose(q, fma(-sb, q, sa), ex_exponent(ua) - ex_exponent(ub));
    bits = ((ua == 0u) | (ub == 0x7f800000u)) ? 0u : bits;
    bits = ((ub == 0u) | (ua == 0x7f800000u)) ? 0x7f800000u : bits;
    bits |= (as_uint(a) ^ as_uint(b)) & EX_SIGN;
    return invalid ? EX_NAN : as_float(bits);
#endif
}

EX_INLINE float ex_rcp(float b) {
    uint ub = as_uint(b) & ~EX_SIGN;
#ifdef EXACT_NATIVE_DIVIDE
    return ub > 0x7f800000u ? EX_NAN : 1.0f / b;
#else
    float sb = ex_significand(ub);
    float y = ex_reciprocal_near(sb);
    y = fma(fma(-sb, y, 1.0f), y, y);
    uint bits = ex_compose(y, fma(-sb, y, 1.0f), 127 - ex_exponent(ub));
    bits = ub == 0x7f800000u ? 0u : bits;
    bits = ub == 0u ? 0x7f800000u : bits;
    bits |= as_uint(b) & EX_SIGN;
    return ub > 0x7f800000u ? EX_NAN : as_float(bits);
#endif
}
