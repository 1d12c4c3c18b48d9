// needs: exact/divide.cl exact/root.cl
// atan2 over all pairs of numbers, acos over [-1, 1].

// atan(t) for t in [0, 1]. The fourth coefficient from the front is an ulp above the fitted one,
// for atan(1) to be the number nearest to pi/4.
EX_INLINE float ex_atan_near(float t) {
    float z = t * t;
    float p = fma(z, -0x1.d32fcep-10f, 0x1.6411a8p-7f);
    p = fma(p, z, -0x1.fd7024p-6f);
    p = fma(p, z, 0x1.da24e4p-5f);
    p = fma(p, z, -0x1.580816p-4f);
    p = fma(p, z, 0x1.c08c1ap-4f);
    p = fma(p, z, -0x1.242084p-3f);
    p = fma(p, z, 0x1.9991e4p-3f);
    p = fma(p, z, -0x1.55553ep-2f);
    return fma(p, t * z, t);
}

// The angle of (x, y): at most 1.6 ulp. Zeros and infinities as in IEEE 754-2019, 9.2.1.
EX_INLINE float ex_atan2(float y, float x) {
    uint ux = as_uint(x) & ~EX_SIGN;
    uint uy = as_uint(y) & ~EX_SIGN;
    bool steep = uy > ux;
    bool left = as_uint(x) >= EX_SIGN;
    float t = ex_div(as_float(steep ? ux : uy), as_float(steep ? uy : ux));
    t = ux == uy ? 1.0f : t;
    t = uy == 0u ? 0.0f : t;
    float a = ex_atan_near(t);
    a = steep != left ? -a : a;
    float high = left ? 0x1.921fb6p1f : 0.0f;
    float low = left ? -0x1.777a5cp-24f : 0.0f;
    high = steep ? 0x1.921fb6p0f : high;
    low = steep ? -0x1.777a5cp-25f : low;
    float angle = high + (a + low);
    angle = as_float(as_uint(angle) | (as_uint(y) & EX_SIGN));
    return ((ux > 0x7f800000u) | (uy > 0x7f800000u)) ? EX_NAN : angle;
}

// At most 1.2 ulp; NaN outside [-1, 1]. acos(x) = 2 asin(sqrt((1 - x) / 2)) keeps the accuracy
// where |x| is near 1.
EX_INLINE float ex_acos(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float a = as_float(u);
    bool near = u < 0x3f000000u;
    bool left = as_uint(x) >= EX_SIGN;
    float z = near ? a * a : fma(a, -0.5f, 0.5f);
    float s = near ? a : ex_sqrt_middle(z);
    float p = fma(z, 0x1.595c6p-5f, 0x1.8c3e5p-6f);
    p = fma(p, z, 0x1.747bb8p-5f);
    p = fma(p, z, 0x1.330204p-4f);
    p = fma(p, z, 0x1.5555c8p-3f);
    float asine = fma(p, s * z, s);
    float factor = near ? -1.0f : 2.0f;
    factor = left ? -factor : factor;
    float high = left ? 0x1.921fb6p1f : 0.0f;
    float low = left ? -0x1.777a5cp-24f : 0.0f;
    high = near ? 0x1.921fb6p0f : high;
    low = near ? -0x1.777a5cp-25f : low;
    float angle = high + fma(factor, asine, low);
    return u > 0x3f800000u ? EX_NAN : angle;
}
