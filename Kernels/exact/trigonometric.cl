// needs: exact/divide.cl
// sin, cos and tan for |x| <= 2^20; NaN beyond, so that no silent nonsense is settled on.

// x - n * pi/2 for n up to 2^20 by three parts of pi/2. The first step is exact.
EX_INLINE float ex_trig_remainder(float x, float n) {
    float r = fma(n, -0x1.921fb6p0f, x);
    r = fma(n, 0x1.777a5cp-25f, r);
    return fma(n, 0x1.ee59dap-50f, r);
}

// sin(r) for |r| <= 0.84. A zero is returned as it is: not every device gives +0 for fma(-1, 0, 0).
EX_INLINE float ex_sin_near(float r) {
    float z = r * r;
    float p = fma(z, 0x1.76daecp-19f, -0x1.a04738p-13f);
    p = fma(p, z, 0x1.111166p-7f);
    p = fma(p, z, -0x1.555556p-3f);
    return z == 0.0f ? r : fma(p, r * z, r);
}

// cos(r) for |r| <= 0.84.
EX_INLINE float ex_cos_near(float r) {
    float z = r * r;
    float p = fma(z, 0x1.98fa2p-16f, -0x1.6c08b6p-10f);
    p = fma(p, z, 0x1.555544p-5f);
    p = fma(p, z, -0x1p-1f);
    return fma(p, z, 1.0f);
}

// sin of r plus `quadrant` quarter turns, its sign flipped where `sign` says so.
EX_INLINE float ex_sin_quadrant(float r, uint quadrant, uint sign) {
    float v = (quadrant & 1u) != 0u ? ex_cos_near(r) : ex_sin_near(r);
    return as_float(as_uint(v) ^ ((quadrant & 2u) << 30) ^ sign);
}

// At most 1.6 ulp. The nearest multiple of pi/2 comes from a sum with 1.5 * 2^23.
EX_INLINE float ex_sin(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float t = fma(as_float(u), 0x1.45f306p-1f, 0x1.8p23f);
    float r = ex_trig_remainder(as_float(u), t - 0x1.8p23f);
    float y = ex_sin_quadrant(r, as_uint(t), as_uint(x) & EX_SIGN);
    return u > 0x49800000u ? EX_NAN : y;
}

// At most 1.6 ulp.
EX_INLINE float ex_cos(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float t = fma(as_float(u), 0x1.45f306p-1f, 0x1.8p23f);
    float r = ex_trig_remainder(as_float(u), t - 0x1.8p23f);
    float y = ex_sin_quadrant(r, as_uint(t) + 1u, 0u);
    return u > 0x49800000u ? EX_NAN : y;
}

// At most 3 ulp.
EX_INLINE float ex_tan(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float t = fma(as_float(u), 0x1.45f306p-1f, 0x1.8p23f);
    float r = ex_trig_remainder(as_float(u), t - 0x1.8p23f);
    float s = ex_sin_near(r);
    float c = ex_cos_near(r);
    bool odd = (as_uint(t) & 1u) != 0u;
    float y = ex_divide_middle(odd ? -c : s, odd ? s : c);
    return u > 0x49800000u ? EX_NAN : as_float(as_uint(y) ^ (as_uint(x) & EX_SIGN));
}
