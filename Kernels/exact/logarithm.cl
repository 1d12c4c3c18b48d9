// log and log2 over all positive numbers. Zeros give -infinity, negative numbers NaN.

// x = m * 2^k with m in [sqrt(1/2), sqrt(2)): k here, m by ex_log_fraction. u: bits of x > 0.
EX_INLINE uint ex_log_bits(uint u) {
    return u < 0x00800000u ? as_uint((float)u) : u;
}

EX_INLINE int ex_log_exponent(uint u) {
    return (as_int(ex_log_bits(u) - 0x3f3504f3u) >> 23) - (u < 0x00800000u ? 149 : 0);
}

EX_INLINE float ex_log_fraction(uint u) {
    uint normal = ex_log_bits(u);
    return as_float(normal - ((normal - 0x3f3504f3u) & 0xff800000u));
}

EX_INLINE float ex_log_special(float x, float y) {
    uint u = as_uint(x);
    y = u == 0x7f800000u ? x : y;
    y = u > 0x7f800000u ? EX_NAN : y;
    return (u & ~EX_SIGN) == 0u ? -EX_INFINITY : y;
}

// At most 1 ulp.
EX_INLINE float ex_log(float x) {
    float k = (float)ex_log_exponent(as_uint(x));
    float f = ex_log_fraction(as_uint(x)) - 1.0f;
    float p = fma(f, -0x1.39c1f4p-4f, 0x1.08ceeep-3f);
    p = fma(p, f, -0x1.0f277cp-3f);
    p = fma(p, f, 0x1.225a62p-3f);
    p = fma(p, f, -0x1.542652p-3f);
    p = fma(p, f, 0x1.99a52cp-3f);
    p = fma(p, f, -0x1.000434p-2f);
    p = fma(p, f, 0x1.55554ep-2f);
    p = fma(p, f, -0x1.fffff8p-2f);
    float low = fma(k, -0x1.05c61p-29f, f);
    return ex_log_special(x, fma(k, 0x1.62e43p-1f, fma(f * f, p, low)));
}

// At most 1 ulp.
EX_INLINE float ex_log2(float x) {
    float k = (float)ex_log_exponent(as_uint(x));
    float f = ex_log_fraction(as_uint(x)) - 1.0f;
    float p = fma(f, -0x1.c39bbp-4f, 0x1.7f2818p-3f);
    p = fma(p, f, -0x1.87f7eap-3f);
    p = fma(p, f, 0x1.a2c9dcp-3f);
    p = fma(p, f, -0x1.eaa24ap-3f);
    p = fma(p, f, 0x1.277f44p-2f);
    p = fma(p, f, -0x1.715afep-2f);
    p = fma(p, f, 0x1.ec7094p-2f);
    p = fma(p, f, -0x1.71547p-1f);
    // k + f * log2(e) in two parts, the errors of product and sum recovered.
    float h = f * 0x1.715476p0f;
    float low = fma(f, 0x1.4ae0cp-26f, fma(f, 0x1.715476p0f, -h));
    float high = k + h;
    low = (h - (high - k)) + low;
    return ex_log_special(x, high + fma(f * f, p, low));
}
