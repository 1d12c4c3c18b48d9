// log(1 + x), and the hyperbolic functions that stand on it and on exp.
// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl

// log(1 + x): Kahan's correction of what 1 + x rounds away.
EX_INLINE float ex_log1p(float x) {
    float u = 1.0f + x;
    float y = ex_div(ex_log(u), u - 1.0f) * x;
    y = u == 1.0f || u == EX_INFINITY ? x : y;
    y = x == -1.0f ? -EX_INFINITY : y;
    return x != x || x < -1.0f ? EX_NAN : y;
}

// e^t / 2, of halves so that a sum with it overflows no sooner than it must.
EX_INLINE float ex_exp_half(float t) {
    float e = ex_exp(t * 0.5f);
    return (0.5f * e) * e;
}

EX_INLINE float ex_with_sign(float magnitude, float x) {
    return as_float((as_uint(magnitude) & ~EX_SIGN) | (as_uint(x) & EX_SIGN));
}

// sinh x: below 1 a polynomial, above (e^x - e^-x) / 2.
EX_INLINE float ex_sinh(float x) {
    float t = as_float(as_uint(x) & ~EX_SIGN), q = x * x;
    float p = fma(0x1.71de3ap-19f, q, 0x1.a01a02p-13f);
    p = fma(p, q, 0x1.111112p-7f);
    p = fma(p, q, 0x1.555556p-3f);
    float near = fma(p * q, x, x);
    float far = ex_with_sign(ex_exp_half(t) - ex_exp_half(-t), x);
    return x != x ? EX_NAN : t < 1.0f ? near : far;
}

// cosh x = (e^x + e^-x) / 2.
EX_INLINE float ex_cosh(float x) {
    float t = as_float(as_uint(x) & ~EX_SIGN);
    return x != x ? EX_NAN : ex_exp_half(t) + ex_exp_half(-t);
}

// asinh x: sign(x) log1p(t + t^2 / (1 + sqrt(t^2 + 1))), from 2^60 on log t + log 2.
EX_INLINE float ex_asinh(float x) {
    float t = as_float(as_uint(x) & ~EX_SIGN);
    bool is_large = t >= 0x1p60f;
    float s = is_large ? 1.0f : t;
    float q = s * s;
    float y = ex_log1p(s + ex_div(q, 1.0f + ex_sqrt(q + 1.0f)));
    y = is_large ? ex_log(t) + 0x1.62e430p-1f : y;
    return x != x ? EX_NAN : ex_with_sign(y, x);
}

// acosh x: with t = x - 1, log1p(t + sqrt(t^2 + 2t)), from 2^60 on log x + log 2.
EX_INLINE float ex_acosh(float x) {
    bool is_large = x >= 0x1p60f;
    float t = is_large ? 1.0f : x - 1.0f;
    float y = ex_log1p(t + ex_sqrt(fma(t, t, 2.0f * t)));
    y = is_large ? ex_log(x) + 0x1.62e430p-1f : y;
    return x >= 1.0f ? y : EX_NAN;
}

// atanh x: sign(x) log1p(2t / (1 - t)) / 2.
EX_INLINE float ex_atanh(float x) {
    float t = as_float(as_uint(x) & ~EX_SIGN);
    float y = 0.5f * ex_log1p(ex_div(2.0f * t, 1.0f - t));
    return t <= 1.0f ? ex_with_sign(y, x) : EX_NAN;
}
