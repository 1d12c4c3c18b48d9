// needs: exact/divide.cl
// sin, cos and tan over all numbers; NaN for infinities.

// x - n * pi/2 for x up to 2^13 by three parts of pi/2. The first step is exact, and the third part
// is too small to be felt beside the rounding of the second.
EX_INLINE float ex_trig_near(float x, float n) {
    float r = fma(n, -0x1.921fb6p0f, x);
    r = fma(n, 0x1.777a5cp-25f, r);
    return fma(n, 0x1.ee59dap-50f, r);
}

// x - n * pi/2 for finite x from 2^13 on, u its bits; n mod 4 goes to *quadrant. Payne and Hanek's
// way: of the product of x and 2/pi, only the 96 bits that matter modulo 4.
EX_INLINE float ex_trig_far(uint u, uint *quadrant) {
    // Twelve zeros and 212 bits of 2/pi; the window begins at bit `start`.
    uint start = ((u >> 23) - 140u) & 127u;
    bool two = (start & 64u) != 0u;
    uint w0 = two ? 0x529fc275u : 0x000a2f98u;
    uint w1 = two ? 0x7d1f534du : 0x36e4e441u;
    uint w2 = two ? 0xdc0db629u : 0x529fc275u;
    uint w3 = two ? 0x5993c439u : 0x7d1f534du;
    uint w4 = two ? 0x041fe516u : 0xdc0db629u;
    bool one = (start & 32u) != 0u;
    w0 = one ? w1 : w0;
    w1 = one ? w2 : w1;
    w2 = one ? w3 : w2;
    w3 = one ? w4 : w3;
    // Sums where one would write or: of those, compilers make funnel shifts, which Oclgrind lacks.
    uint shift = start & 31u;
    w0 = (w0 << shift) + ((w1 >> 1) >> (31u - shift));
    w1 = (w1 << shift) + ((w2 >> 1) >> (31u - shift));
    w2 = (w2 << shift) + ((w3 >> 1) >> (31u - shift));
    // x * 2/pi mod 4 in units of 2^-30, and below that of 2^-62.
    uint digits = (u & 0x007fffffu) | 0x00800000u;
    uint below = mul_hi(digits, w2);
    uint low = digits * w1 + below;
    uint high = digits * w0 + mul_hi(digits, w1) + (low < below ? 1u : 0u);
    uint n = (high + 0x20000000u) >> 30;
    *quadrant = n;
    // What is left of a quarter turn, as a sign and a magnitude in two parts, the first exact.
    high -= n << 30;
    uint sign = high & EX_SIGN;
    high ^= sign != 0u ? 0xffffffffu : 0u;
    low ^= sign != 0u ? 0xffffffffu : 0u;
    float front = (float)(high & ~63u);
    float back = fma((float)(high & 63u), 0x1p26f, (float)(low >> 6));
    float r = fma(front, -0x1.777a5cp-55f, back * 0x1.921fb6p-56f);
    return as_float(as_uint(fma(front, 0x1.921fb6p-30f, r)) ^ sign);
}

// x - n * pi/2 for the nearest n; u the bits of finite x >= 0; n mod 4 are the low bits of
// *quadrant. Up to 2^13 n comes from a sum with 1.5 * 2^23.
EX_INLINE float ex_trig_remainder(uint u, uint *quadrant) {
    float t = fma(as_float(u), 0x1.45f306p-1f, 0x1.8p23f);
    float near = ex_trig_near(as_float(u), t - 0x1.8p23f);
    *quadrant = as_uint(t);
    if (u > 0x46000000u) near = ex_trig_far(u, quadrant);
    return near;
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

// At most 1.6 ulp.
EX_INLINE float ex_sin(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    uint quadrant;
    float r = ex_trig_remainder(u, &quadrant);
    float y = ex_sin_quadrant(r, quadrant, as_uint(x) & EX_SIGN);
    return u > 0x7f7fffffu ? EX_NAN : y;
}

// At most 1.6 ulp.
EX_INLINE float ex_cos(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    uint quadrant;
    float r = ex_trig_remainder(u, &quadrant);
    float y = ex_sin_quadrant(r, quadrant + 1u, 0u);
    return u > 0x7f7fffffu ? EX_NAN : y;
}

// At most 3.5 ulp.
EX_INLINE float ex_tan(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    uint quadrant;
    float r = ex_trig_remainder(u, &quadrant);
    float s = ex_sin_near(r);
    float c = ex_cos_near(r);
    bool odd = (quadrant & 1u) != 0u;
    float y = ex_divide_middle(odd ? -c : s, odd ? s : c);
    return u > 0x7f7fffffu ? EX_NAN : as_float(as_uint(y) ^ (as_uint(x) & EX_SIGN));
}
