// exp and exp2 over all numbers, with subnormal results.

// p * 2^(k - 256) for k in 100...400, rounded once where the result is subnormal.
#define EX_SCALE(name, T, U, as_T)                                                               \
    EX_INLINE T name(T p, U k) {                                                                 \
        U half_k = k >> 1;                                                                       \
        return p * as_T((half_k - 1u) << 23) * as_T((k - half_k - 1u) << 23);                    \
    }
EX_SCALE(ex_scale, float, uint, as_float)

// 2^r for |r| <= 1/2.
EX_INLINE float ex_exp2_near(float r) {
    float p = fma(r, 0x1.416b52p-13f, 0x1.5f082ep-10f);
    p = fma(p, r, 0x1.3b2dep-7f);
    p = fma(p, r, 0x1.c6af7cp-5f);
    p = fma(p, r, 0x1.ebfbdcp-3f);
    p = fma(p, r, 0x1.62e43p-1f);
    return fma(p, r, 1.0f);
}

// e^r for |r| <= 0.3475.
#define EX_EXP_NEAR(name, T)                                                                     \
    EX_INLINE T name(T r) {                                                                      \
        T p = fma(r, (T)(0x1.6a3fb4p-10f), (T)(0x1.1239ep-7f));                                  \
        p = fma(p, r, (T)(0x1.5558bep-5f));                                                      \
        p = fma(p, r, (T)(0x1.555492p-3f));                                                      \
        p = fma(p, r, (T)(0x1.fffffcp-2f));                                                      \
        return fma(p, r * r, r) + (T)(1.0f);                                                     \
    }
EX_EXP_NEAR(ex_exp_near, float)

// e^x for |x| <= 80: the same bits as ex_exp with less care.
EX_INLINE float ex_exp_middle(float x) {
    float t = fma(x, 0x1.715476p0f, 0x1.8p23f);
    float n = t - 0x1.8p23f;
    float r = fma(n, 0x1.05c61p-29f, fma(n, -0x1.62e43p-1f, x));
    return as_float(as_uint(ex_exp_near(r)) + ((as_uint(t) - 0x4b400000u) << 23));
}

// At most 1.1 ulp. The multiple of ln 2 comes from the low bits of a sum with 1.5 * 2^23. Vectors
// of numbers have functions of their own where a kernel wants them, made of the same text.
#define EX_EXP(name, scale, near, T, U, as_T, as_U)                                              \
    EX_INLINE T name(T x) {                                                                      \
        T c = x > (T)(0x1.64p6f) ? (T)(0x1.64p6f) : x;                                           \
        c = c < (T)(-0x1.ap6f) ? (T)(-0x1.ap6f) : c;                                             \
        T t = fma(c, (T)(0x1.715476p0f), (T)(0x1.8p23f));                                        \
        T n = t - (T)(0x1.8p23f);                                                                \
        T r = fma(n, (T)(0x1.05c61p-29f), fma(n, (T)(-0x1.62e43p-1f), c));                       \
        T y = scale(near(r), as_U(t) - 0x4b3fff00u);                                             \
        return (as_U(x) & (U)(~EX_SIGN)) > (U)(0x7f800000u) ? (T)(EX_NAN) : y;                   \
    }
EX_EXP(ex_exp, ex_scale, ex_exp_near, float, uint, as_float, as_uint)

// At most 0.9 ulp.
EX_INLINE float ex_exp2(float x) {
    float c = x > 0x1.02p7f ? 0x1.02p7f : x;
    c = c < -0x1.2ep7f ? -0x1.2ep7f : c;
    float t = c + 0x1.8p23f;
    float r = c - (t - 0x1.8p23f);
    float y = ex_scale(ex_exp2_near(r), as_uint(t) - 0x4b3fff00u);
    return (as_uint(x) & ~EX_SIGN) > 0x7f800000u ? EX_NAN : y;
}
