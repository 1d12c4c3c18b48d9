// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: exact/trigonometric.cl exact/inverse.cl exact/error.cl exact/hyperbolic.cl
// needs: exact/inverse_hyperbolic.cl
// Functions of one float that fewer networks use; Run/Functions.swift is their twin.

EX_INLINE float fn_magnitude(float x) { return as_float(as_uint(x) & ~EX_SIGN); }
EX_INLINE float fn_softplus(float x) {
  return (x > 0.0f ? x : x != x ? x : 0.0f) + ex_log1p(ex_exp(-fn_magnitude(x)));
}
EX_INLINE float fn_gelu(float x) {
  return (0.5f * x) * (1.0f + ex_erf(x * 0x1.6a09e6p-1f));
}
EX_INLINE float fn_gelu_tanh(float x) {
  const float inner = fma((x * x) * 0x1.6e4e26p-5f, x, x);
  return (0.5f * x) * (1.0f + ex_tanh(inner * 0x1.988454p-1f));
}

// Work-items: (count rounded up).
#define UNARY(name, expression)                                                                  \
  __kernel void unary_##name(__global const float *x, __global float *y, int count, float a,     \
                             float b) {                                                          \
    const int i = get_global_id(0);                                                              \
    if (i >= count) return;                                                                      \
    const float v = x[i];                                                                        \
    y[i] = expression;                                                                           \
  }

UNARY(tan, ex_tan(v))
UNARY(asin, ex_atan2(v, ex_sqrt((1.0f - v) * (1.0f + v))))
UNARY(acos, ex_acos(v))
UNARY(atan, ex_atan2(v, 1.0f))
UNARY(sinh, ex_sinh(v))
UNARY(cosh, ex_cosh(v))
UNARY(asinh, ex_asinh(v))
UNARY(acosh, ex_acosh(v))
UNARY(atanh, ex_atanh(v))
UNARY(softplus, fn_softplus(v))
UNARY(softsign, ex_div(v, 1.0f + fn_magnitude(v)))
UNARY(mish, v * ex_tanh(fn_softplus(v)))
UNARY(gelu, fn_gelu(v))
UNARY(gelu_tanh, fn_gelu_tanh(v))
UNARY(swish, v * ex_sigmoid(a * v))
UNARY(selu, v > 0.0f ? b * v : v != v ? v : b * (a * (ex_exp(v) - 1.0f)))
UNARY(celu, v > 0.0f ? v : v != v ? v : a * (ex_exp(ex_div(v, a)) - 1.0f))
UNARY(thresholded_relu, v > a ? v : v != v ? v : 0.0f)
UNARY(shrink, v < -b ? v + a : v > b ? v - a : v != v ? v : 0.0f)
UNARY(round, rint(v))
UNARY(sign, v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : v != v ? v : 0.0f)
UNARY(exp2, ex_exp2(v))
