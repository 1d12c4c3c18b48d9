// needs: exact/divide.cl exact/exponential.cl
// tanh and the logistic function over all numbers.

// At most 1.5 ulp. Below 0.55 a polynomial; above, 1 - 2 / (e^2x + 1). The sign is set apart, since
// not every device gives +0 for fma(-1, 0, 0).
EX_INLINE float ex_tanh(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float a = as_float(u);
    float c = a > 0x1.4p3f ? 0x1.4p3f : a;
    float far = fma(-2.0f, ex_reciprocal_middle(ex_exp_middle(c + c) + 1.0f), 1.0f);
    float z = a * a;
    float p = fma(z, -0x1.9921a2p-8f, 0x1.58e518p-6f);
    p = fma(p, z, -0x1.b91e7ep-5f);
    p = fma(p, z, 0x1.110ceep-3f);
    p = fma(p, z, -0x1.55554ap-2f);
    float near = fma(p, a * z, a);
    uint bits = as_uint(u < 0x3f0ccccdu ? near : far) & ~EX_SIGN;
    bits |= as_uint(x) & EX_SIGN;
    return u > 0x7f800000u ? EX_NAN : as_float(bits);
}

// 1 / (1 + e^-x): at most 3 ulp, also where the result is subnormal.
EX_INLINE float ex_sigmoid(float x) {
    uint u = as_uint(x) & ~EX_SIGN;
    float e = ex_exp(as_float(u | EX_SIGN));
    float y = ex_reciprocal_middle(e + 1.0f);
    y = as_uint(x) >= EX_SIGN ? e * y : y;
    return u > 0x7f800000u ? EX_NAN : y;
}
