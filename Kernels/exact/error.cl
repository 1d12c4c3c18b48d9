// needs: exact/exponential.cl
// The error function over all numbers.

// At most 1.2 ulp. Below 7/8 a polynomial; above, erfc(x) = e^(-x q(x)) with a polynomial q.
EX_INLINE float ex_erf(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float a = as_float(u);
    float c = a > 0x1p2f ? 0x1p2f : a;
    float q = fma(c, 0x1.32f0a8p-17f, -0x1.3ce22ep-12f);
    q = fma(q, c, 0x1.d2978ep-9f);
    q = fma(q, c, -0x1.827eb2p-6f);
    q = fma(q, c, 0x1.b256eep-4f);
    q = fma(q, c, 0x1.4541e8p-1f);
    q = fma(q, c, 0x1.20ed4p0f);
    float far = 1.0f - ex_exp_middle(-(q * c));
    float z = a * a;
    float p = fma(z, 0x1.49feeep-14f, -0x1.a4d0d6p-11f);
    p = fma(p, z, 0x1.54318cp-8f);
    p = fma(p, z, -0x1.b7ff9p-6f);
    p = fma(p, z, 0x1.ce2d5cp-4f);
    p = fma(p, z, -0x1.81274p-2f);
    p = fma(p, z, 0x1.06eba8p-3f);
    float near = fma(p, a, a);
    uint bits = as_uint(u < 0x3f600000u ? near : far) | (as_uint(x) & EX_SIGN);
    return u > 0x7f800000u ? EX_NAN : as_float(bits);
}
