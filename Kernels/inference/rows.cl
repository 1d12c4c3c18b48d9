// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/power.cl inference/order.cl
// needs: inference/reduce.cl
// Reductions for processors, with the bits of reduce.cl: a work-item takes a whole row of
// neighbours, lanes together.
#define ROWS_LANES 64

// The mean or sum of rows of neighbours, in vectors: Intel's compiler (2026.22) adds scalars in
// another order than it is told. Work-items: (parts of `each` rows).
#define ROWS_REDUCE(name, neutral, combine, combine4, last)                                      \
  __kernel void rows_##name(__global const float *restrict x, __global float *restrict y,        \
                            int count, int results, int each) {                                  \
    const int first = get_global_id(0) * each, end = min(results, first + each);                 \
    for (int r = first; r < end; r++) {                                                          \
      __global const float *p = x + (ulong)r * count;                                            \
      float lanes[16];                                                                           \
      for (int l = 0; l < 16; l++) lanes[l] = l < count ? p[l] : neutral;                        \
      float4 v[4];                                                                               \
      for (int i = 0; i < 4; i++) v[i] = vload4(i, lanes);                                       \
      int e = 16;                                                                                \
      for (; e + 16 <= count; e += 16)                                                           \
        for (int i = 0; i < 4; i++) {                                                            \
          const float4 a = v[i], b = vload4(i, p + e);                                           \
          v[i] = combine4;                                                                       \
        }                                                                                        \
      for (int i = 0; i < 4; i++) vstore4(v[i], i, lanes);                                       \
      for (int l = 0; e + l < count; l++) {                                                      \
        const float a = lanes[l], b = p[e + l];                                                  \
        lanes[l] = combine;                                                                      \
      }                                                                                          \
      for (int w = 8; w > 0; w >>= 1)                                                            \
        for (int l = 0; l < w; l++) {                                                            \
          const float a = lanes[l], b = lanes[l + w];                                            \
          lanes[l] = combine;                                                                    \
        }                                                                                        \
      const float s = lanes[0];                                                                  \
      y[r] = last;                                                                               \
    }                                                                                            \
  }

ROWS_REDUCE(sum, 0.0f, a + b, a + b, s)
ROWS_REDUCE(mean, 0.0f, a + b, a + b, ex_div(s, (float)count))

// The float of a key; see order.cl.
EX_INLINE float rows_of_key(int key) {
  return key == 0x7fffffff ? EX_NAN : as_float(key ^ ((key >> 31) & 0x7fffffff));
}

EX_INLINE float rows_top(__global const float *p, int count) {
  int tops[ROWS_LANES];
  for (int l = 0; l < ROWS_LANES; l++) tops[l] = (int)0x80000000;
  int e = 0;
  for (; e + ROWS_LANES <= count; e += ROWS_LANES)
    for (int l = 0; l < ROWS_LANES; l++) tops[l] = max(tops[l], ew_key(p[e + l]));
  for (int l = 0; e + l < count; l++) tops[l] = max(tops[l], ew_key(p[e + l]));
#pragma unroll
  for (int w = ROWS_LANES / 2; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) tops[l] = max(tops[l], tops[l + w]);
  return rows_of_key(tops[0]);
}

// As softmax, over rows of neighbours. Work-items: (rows).
__kernel void rows_softmax(__global const float *restrict x, __global float *restrict y,
                           int count, int logarithm) {
  __global const float *px = x + get_global_id(0) * (ulong)count;
  __global float *py = y + get_global_id(0) * (ulong)count;
  const int whole = count / ROWS_LANES * ROWS_LANES;
  const float top = rows_top(px, count);
  // Exponentials are not below +0, so that a sum may begin with +0.
  float lanes[16], v[ROWS_LANES];
  for (int l = 0; l < 16; l++) lanes[l] = 0.0f;
  for (int e = 0; e < whole; e += ROWS_LANES) {
    for (int l = 0; l < ROWS_LANES; l++) v[l] = ex_exp(px[e + l] - top);
    for (int l = 0; l < ROWS_LANES; l++) py[e + l] = v[l];
    for (int l = 0; l < ROWS_LANES; l += 16)
      for (int i = 0; i < 16; i++) lanes[i] = lanes[i] + v[l + i];
  }
  if (whole < count) {
    const int n = count - whole;
    for (int l = 0; l < ROWS_LANES; l++) v[l] = top;
    for (int l = 0; l < n; l++) v[l] = px[whole + l];
    for (int l = 0; l < ROWS_LANES; l++) v[l] = ex_exp(v[l] - top);
    for (int l = 0; l < n; l++) py[whole + l] = v[l];
    for (int l = n; l < ROWS_LANES; l++) v[l] = 0.0f;
    for (int l = 0; l < ROWS_LANES; l += 16)
      for (int i = 0; i < 16; i++) lanes[i] = lanes[i] + v[l + i];
  }
#pragma unroll
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];
  const float sum = lanes[0];
  if (logarithm) {
    const float logSum = ex_log(sum);
    for (int e = 0; e < count; e++) py[e] = (px[e] - top) - logSum;
  } else {
    for (int e = 0; e < count; e++) py[e] = ex_div(py[e], sum);
  }
}

// As lrn. Work-items: (parts of ROWS_LANES pixels, channels, items).
__kernel void rows_lrn(__global const float *restrict x, __global float *restrict y, int pixels,
                       int below, int above, float alphaOverSize, float beta, float bias) {
  const int first = get_global_id(0) * ROWS_LANES, n = min(ROWS_LANES, pixels - first);
  const int channel = get_global_id(1), channels = get_global_size(1);
  const ulong base = get_global_id(2) * (ulong)channels * pixels + first;
  float sum[ROWS_LANES], v[ROWS_LANES];
  for (int l = 0; l < ROWS_LANES; l++) sum[l] = 0.0f;
  for (int l = 0; l < ROWS_LANES; l++) v[l] = 0.0f;
  const int last = min(channels - 1, channel + above);
  for (int c = max(0, channel - below); c <= last; c++) {
    __global const float *p = x + base + (ulong)c * pixels;
    if (n == ROWS_LANES)
      for (int l = 0; l < ROWS_LANES; l++) v[l] = p[l];
    else
      for (int l = 0; l < n; l++) v[l] = p[l];
    for (int l = 0; l < ROWS_LANES; l++) sum[l] = fma(v[l], v[l], sum[l]);
  }
  __global const float *p = x + base + (ulong)channel * pixels;
  for (int l = 0; l < n; l++) v[l] = p[l];
  for (int l = 0; l < ROWS_LANES; l++)
    v[l] = ex_div(v[l], ex_pow(fma(alphaOverSize, sum[l], bias), beta));
  __global float *q = y + base + (ulong)channel * pixels;
  for (int l = 0; l < n; l++) q[l] = v[l];
}
