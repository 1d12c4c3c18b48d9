// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: exact/trigonometric.cl exact/power.cl exact/error.cl exact/hyperbolic.cl
// needs: inference/order.cl
// Elementwise operators on floats, with broadcasting by strides, where they are not in a chain. NaN
// passes through comparisons untouched where an operator clamps.

// x^n for 1 <= n by repeated multiplication.
float ew_power(float x, int n) {
  float y = x;
  for (int i = 1; i < n; i++) y = y * x;
  return y;
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

UNARY(relu, v < 0.0f ? 0.0f : v)
UNARY(leaky_relu, v < 0.0f ? v * a : v)
UNARY(clip, ew_clip(v, a, b))
UNARY(neg, -v)
UNARY(abs, as_float(as_int(v) & 0x7fffffff))
UNARY(floor, floor(v))
UNARY(ceil, ceil(v))
UNARY(sqrt, ex_sqrt(v))
UNARY(reciprocal, ex_rcp(v))
UNARY(exp, ex_exp(v))
UNARY(log, ex_log(v))
UNARY(sin, ex_sin(v))
UNARY(cos, ex_cos(v))
UNARY(tanh, ex_tanh(v))
UNARY(sigmoid, ex_sigmoid(v))
UNARY(erf, ex_erf(v))
UNARY(hard_sigmoid, ew_clip(fma(a, v, b), 0.0f, 1.0f))
UNARY(hard_swish, v * ew_clip(fma(0x1.555556p-3f, v, 0.5f), 0.0f, 1.0f))
UNARY(elu, v < 0.0f ? a * (ex_exp(v) - 1.0f) : v)
UNARY(power, ew_power(v, (int)a))

// Work-items: (innermost rounded up, middle, outermost) of the collapsed shape; a broadcast axis
// has stride 0.
#define BINARY(name, type, expression)                                                           \
  __kernel void binary_##name(__global const float *x, __global const float *y,                  \
                              __global type *z, int inner, ulong xOffset, ulong yOffset,         \
                              ulong zOffset, int x0, int x1, int x2, int y0, int y1, int y2) {   \
    const int i = get_global_id(0);                                                              \
    if (i >= inner) return;                                                                      \
    const ulong j = get_global_id(1), k = get_global_id(2);                                      \
    const float a = x[xOffset + k * x2 + j * x1 + (ulong)i * x0];                                \
    const float b = y[yOffset + k * y2 + j * y1 + (ulong)i * y0];                                \
    z[zOffset + (k * get_global_size(1) + j) * inner + i] = expression;                          \
  }

BINARY(add, float, a + b)
BINARY(sub, float, a - b)
BINARY(mul, float, a * b)
BINARY(div, float, ex_div(a, b))
BINARY(max, float, ew_max(a, b))
BINARY(min, float, ew_min(a, b))
BINARY(pow, float, ex_pow(a, b))
BINARY(prelu, float, a < 0.0f ? a * b : a)
BINARY(equal, uchar, a == b)
BINARY(less, uchar, a < b)
BINARY(less_or_equal, uchar, a <= b)
BINARY(greater, uchar, a > b)
BINARY(greater_or_equal, uchar, a >= b)

// y = fma(x, scale, shift) by channel. Work-items: (pixels rounded up, channels, items).
__kernel void affine(__global const float *x, __global const float *scale,
                     __global const float *shift, __global float *y, int pixels) {
  const int i = get_global_id(0);
  if (i >= pixels) return;
  const int channel = get_global_id(1);
  const ulong base = (get_global_id(2) * get_global_size(1) + channel) * (ulong)pixels;
  y[base + i] = fma(x[base + i], scale[channel], shift[channel]);
}
