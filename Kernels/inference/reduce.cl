// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/power.cl inference/order.cl
// Reductions over one axis of (outer, count, inner), by the rule for sums that are no products:
// sixteen lanes, lane l taking elements l, l+16, ... upward, then the tree +8, +4, +2, +1. A lane
// without an element holds the neutral value.

#define REDUCE(name, neutral, first, combine, last)                                              \
  __kernel void reduce_##name(__global const float *x, __global float *y, int count, int inner,  \
                              int results) {                                                     \
    const int r = get_global_id(0);                                                              \
    if (r >= results) return;                                                                    \
    __global const float *p = x + (ulong)(r / inner) * count * inner + r % inner;                \
    float lanes[16];                                                                             \
    for (int l = 0; l < 16; l++) {                                                               \
      const float v = l < count ? p[(ulong)l * inner] : 0.0f;                                    \
      lanes[l] = l < count ? first : neutral;                                                    \
    }                                                                                            \
    for (int e = 16; e < count; e += 16)                                                         \
      for (int l = 0; l < 16 && e + l < count; l++) {                                            \
        const float v = p[(ulong)(e + l) * inner];                                               \
        const float a = lanes[l], b = first;                                                     \
        lanes[l] = combine;                                                                      \
      }                                                                                          \
    for (int w = 8; w > 0; w >>= 1)                                                              \
      for (int l = 0; l < w; l++) {                                                              \
        const float a = lanes[l], b = lanes[l + w];                                              \
        lanes[l] = combine;                                                                      \
      }                                                                                          \
    const float s = lanes[0];                                                                    \
    y[r] = last;                                                                                 \
  }

REDUCE(sum, 0.0f, v, a + b, s)
REDUCE(mean, 0.0f, v, a + b, ex_div(s, (float)count))
REDUCE(prod, 1.0f, v, a * b, s)
REDUCE(max, as_float(0xff800000), v, ew_max(a, b), s)
REDUCE(min, as_float(0x7f800000), v, ew_min(a, b), s)

// Zeros of both signs are one value here.
int reduce_key(float x) { return ew_key(x == 0.0f ? 0.0f : x); }

// The index of the greatest element, or of the least; ties go to the lower index.
__kernel void reduce_arg(__global const float *x, __global long *y, int count, int inner,
                         int results, int wantsLeast) {
  const int r = get_global_id(0);
  if (r >= results) return;
  __global const float *p = x + (ulong)(r / inner) * count * inner + r % inner;
  int best = 0, key = reduce_key(p[0]);
  for (int e = 1; e < count; e++) {
    const int k = reduce_key(p[(ulong)e * inner]);
    if (wantsLeast ? k < key : k > key) {
      best = e;
      key = k;
    }
  }
  y[r] = best;
}

// exp(x - max) / sum of them over the middle axis; with `logarithm`, x - max - log(sum).
__kernel void softmax(__global const float *x, __global float *y, int count, int inner,
                      int results, int logarithm) {
  const int r = get_global_id(0);
  if (r >= results) return;
  const ulong base = (ulong)(r / inner) * count * inner + r % inner;
  float top = x[base];
  for (int e = 1; e < count; e++) top = ew_max(top, x[base + (ulong)e * inner]);
  float lanes[16];
  for (int l = 0; l < 16; l++) lanes[l] = 0.0f;
  for (int e = 0; e < count; e++) {
    const float v = ex_exp(x[base + (ulong)e * inner] - top);
    y[base + (ulong)e * inner] = v;
    lanes[e & 15] = e < 16 ? v : lanes[e & 15] + v;
  }
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];
  const float sum = lanes[0];
  if (logarithm) {
    const float logSum = ex_log(sum);
    for (int e = 0; e < count; e++)
      y[base + (ulong)e * inner] = (x[base + (ulong)e * inner] - top) - logSum;
  } else {
    for (int e = 0; e < count; e++)
      y[base + (ulong)e * inner] = ex_div(y[base + (ulong)e * inner], sum);
  }
}

// Local response normalisation across channels: x / (bias + alpha/size * sum of squares)^beta. The
// sum of squares is a sum of products: one fma chain upward (a window has at most 256 channels).
// Work-items: (pixels rounded up, channels, items).
__kernel void lrn(__global const float *x, __global float *y, int pixels, int below, int above,
                  float alphaOverSize, float beta, float bias) {
  const int pixel = get_global_id(0);
  if (pixel >= pixels) return;
  const int channel = get_global_id(1), channels = get_global_size(1);
  __global const float *p = x + get_global_id(2) * (ulong)channels * pixels + pixel;
  float sum = 0.0f;
  const int last = min(channels - 1, channel + above);
  for (int c = max(0, channel - below); c <= last; c++) {
    const float v = p[(ulong)c * pixels];
    sum = fma(v, v, sum);
  }
  const float base = fma(alphaOverSize, sum, bias);
  y[(get_global_id(2) * channels + channel) * (ulong)pixels + pixel] =
      ex_div(p[(ulong)channel * pixels], ex_pow(base, beta));
}
