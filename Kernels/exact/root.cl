// needs: exact/divide.cl
// Square root, correctly rounded over the whole range: half an ulp; EXACT_NATIVE_SQRT takes the
// device's own where it is proven to be correctly rounded. Reciprocal square root.

// 1/sqrt(m) for m in [2^-60, 2^60], within about an ulp: an integer first guess, good to 0.035,
// then two steps of third order. Finite for m = 0.
EX_INLINE float ex_rsqrt_near(float m) {
    float y = as_float(0x5f375a86u - (as_uint(m) >> 1));
    float e = fma(-(m * y), y, 1.0f);
    y = fma(y * e, fma(e, 0x1.8p-2f, 0x1p-1f), y);
    e = fma(-(m * y), y, 1.0f);
    return fma(y * e, fma(e, 0x1.8p-2f, 0x1p-1f), y);
}

// sqrt(m), correctly rounded, for m = 0 or m in [2^-60, 2^60].
EX_INLINE float ex_sqrt_middle(float m) {
#ifdef EXACT_NATIVE_SQRT
    return sqrt(m);
#else
    float y = ex_rsqrt_near(m);
    float s = m * y;
    float h = 0.5f * y;
    s = fma(fma(-s, s, m), h, s);
    return fma(fma(-s, s, m), h, s);
#endif
}

EX_INLINE float ex_sqrt(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    bool invalid = (u > 0x7f800000u) | ((u != 0u) & (as_uint(x) > EX_SIGN));
#ifdef EXACT_NATIVE_SQRT
    return invalid ? EX_NAN : sqrt(x);
#else
    int exponent = ex_exponent(u) + 153;
    float m = ex_significand(u) * ((exponent & 1) != 0 ? 0x1p1f : 0x1p0f);
    uint bits = as_uint(ex_sqrt_middle(m)) + ((uint)(exponent >> 1) << 23) - (140u << 23);
    bits = ((u == 0u) | (u == 0x7f800000u)) ? as_uint(x) : bits;
    return invalid ? EX_NAN : as_float(bits);
#endif
}

// 1/sqrt(x): at most 0.5001 ulp. Zeros give infinities of their sign.
EX_INLINE float ex_rsqrt(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    bool invalid = (u > 0x7f800000u) | ((u != 0u) & (as_uint(x) > EX_SIGN));
    int exponent = ex_exponent(u) + 153;
    float m = ex_significand(u) * ((exponent & 1) != 0 ? 0x1p1f : 0x1p0f);
    float y = ex_rsqrt_near(m);
    // The residual 1 - m*y*y with m*y in two parts.
    float high = m * y;
    float low = fma(m, y, -high);
    float e = fma(-low, y, fma(-high, y, 1.0f));
    y = fma(0.5f * y, e, y);
    uint bits = as_uint(y) - ((uint)(exponent >> 1) << 23) + (140u << 23);
    bits = u == 0x7f800000u ? 0u : bits;
    bits = u == 0u ? 0x7f800000u | as_uint(x) : bits;
    return invalid ? EX_NAN : as_float(bits);
}
