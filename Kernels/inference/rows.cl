// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/power.cl inference/order.cl
// needs: inference/activate.cl inference/gemm_tile.cl inference/reduce.cl
// Reductions for processors, with the bits of reduce.cl: a work-item takes a whole row of
// neighbours, lanes together.
#define ROWS_LANES 64

// Sixteen neighbours as vectors.
#ifdef RIGOR_NARROW
#define ROWS_VECTORS 4
typedef float4 rows_lanes;
typedef int4 rows_keys;
#define ROWS_KEYS as_int4
#define ROWS_FLOATS as_float4
#define ROWS_LOAD vload4
#define ROWS_STORE vstore4
EX_SCALE(rows_scale, float4, uint4, as_float4)
EX_EXP_NEAR(rows_exp_near, float4)
EX_EXP(rows_exp, rows_scale, rows_exp_near, float4, uint4, as_float4, as_uint4)
#else
#define ROWS_VECTORS 1
typedef float16 rows_lanes;
typedef int16 rows_keys;
#define ROWS_KEYS as_int16
#define ROWS_FLOATS as_float16
#define ROWS_LOAD GEMM_LOAD
#define ROWS_STORE GEMM_STORE
EX_SCALE(rows_scale, float16, uint16, as_float16)
EX_EXP_NEAR(rows_exp_near, float16)
EX_EXP(rows_exp, rows_scale, rows_exp_near, float16, uint16, as_float16, as_uint16)
#endif
#define ROWS_STEP (16 / ROWS_VECTORS)

// Sixteen of `count` elements, those behind the last one repeating `filled`.
#if defined(__clang__) && defined(__AVX512F__) && !defined(RIGOR_NARROW)
EX_INLINE void rows_some(rows_lanes v[ROWS_VECTORS], __global const float *p, int count,
                         float filled) {
  v[0] = __builtin_ia32_loadups512_mask((__private const float16 *)(size_t)p,
                                        (float16)(filled), (1u << min(count, 16)) - 1);
}
#else
EX_INLINE void rows_some(rows_lanes v[ROWS_VECTORS], __global const float *p, int count,
                         float filled) {
  float lanes[16];
  for (int l = 0; l < 16; l++) lanes[l] = filled;
  for (int l = 0; l < count; l++) lanes[l] = p[l];
  for (int i = 0; i < ROWS_VECTORS; i++) v[i] = ROWS_LOAD(0, lanes + i * ROWS_STEP);
}
#endif

// The sum of a row of neighbours by the tree over sixteen lanes, in vectors: Intel's compiler
// (2026.22) adds scalars in another order than it is told.
EX_INLINE float rows_tree(__global const float *p, int count) {
  rows_lanes v[ROWS_VECTORS];
  rows_some(v, p, min(count, 16), 0.0f);
  int e = 16;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < ROWS_VECTORS; i++) v[i] = v[i] + ROWS_LOAD(0, p + e + i * ROWS_STEP);
  if (e < count) {
    // What adds nothing, not even to a zero.
    rows_lanes rest[ROWS_VECTORS];
    rows_some(rest, p + e, count - e, -0.0f);
    for (int i = 0; i < ROWS_VECTORS; i++) v[i] = v[i] + rest[i];
  }
#ifdef RIGOR_NARROW
  const float4 fours = (v[0] + v[2]) + (v[1] + v[3]);
#else
  const float8 eights = v[0].lo + v[0].hi;
  const float4 fours = eights.lo + eights.hi;
#endif
  const float2 twos = fours.lo + fours.hi;
  return twos.x + twos.y;
}

// Sums or means. Work-items: (parts of `each` rows).
#define ROWS_REDUCE(name, last)                                                                  \
  __kernel void rows_##name(__global const float *restrict x, __global float *restrict y,        \
                            int count, int results, int each) {                                  \
    const int first = get_global_id(0) * each, end = min(results, first + each);                 \
    for (int r = first; r < end; r++) {                                                          \
      const float s = rows_tree(x + (ulong)r * count, count);                                    \
      y[r] = last;                                                                               \
    }                                                                                            \
  }

ROWS_REDUCE(sum, s)
ROWS_REDUCE(mean, ex_div(s, (float)count))

// The float of a key; see order.cl.
EX_INLINE float rows_of_key(int key) {
  return key == 0x7fffffff ? EX_NAN : as_float(key ^ ((key >> 31) & 0x7fffffff));
}

EX_INLINE rows_keys rows_key(rows_lanes v) {
  const rows_keys bits = ROWS_KEYS(v), last = (rows_keys)(0x7fffffff);
  return select(bits ^ ((bits >> 31) & last), last, (bits & last) > (rows_keys)(0x7f800000));
}

EX_INLINE float rows_top(__global const float *p, int count) {
  rows_keys best[ROWS_VECTORS];
  for (int i = 0; i < ROWS_VECTORS; i++) best[i] = (rows_keys)((int)0x80000000);
  int e = 0;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < ROWS_VECTORS; i++)
      best[i] = max(best[i], rows_key(ROWS_LOAD(0, p + e + i * ROWS_STEP)));
  if (e < count) {
    rows_lanes v[ROWS_VECTORS];
    rows_some(v, p + e, count - e, p[e]);
    for (int i = 0; i < ROWS_VECTORS; i++) best[i] = max(best[i], rows_key(v[i]));
  }
  int tops[16];
  for (int i = 0; i < ROWS_VECTORS; i++) ROWS_STORE(best[i], 0, tops + i * ROWS_STEP);
#pragma unroll
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) tops[l] = max(tops[l], tops[l + w]);
  return rows_of_key(tops[0]);
}

// The greatest of a row's elements but for the sign of a zero and for NaN, which is passed over;
// and whether all are so near it that rows_exp_close has the bits of rows_exp.
EX_INLINE bool rows_top_near(__global const float *p, int count, float *top) {
  rows_lanes best[ROWS_VECTORS], least[ROWS_VECTORS];
  for (int i = 0; i < ROWS_VECTORS; i++) best[i] = (rows_lanes)(as_float(0xff800000));
  for (int i = 0; i < ROWS_VECTORS; i++) least[i] = (rows_lanes)(as_float(0x7f800000));
  int e = 0;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < ROWS_VECTORS; i++) {
      const rows_lanes v = ROWS_LOAD(0, p + e + i * ROWS_STEP);
      best[i] = v > best[i] ? v : best[i];
      least[i] = v < least[i] ? v : least[i];
    }
  if (e < count) {
    rows_lanes v[ROWS_VECTORS];
    rows_some(v, p + e, count - e, p[e]);
    for (int i = 0; i < ROWS_VECTORS; i++) {
      best[i] = v[i] > best[i] ? v[i] : best[i];
      least[i] = v[i] < least[i] ? v[i] : least[i];
    }
  }
  float tops[16], lows[16];
  for (int i = 0; i < ROWS_VECTORS; i++) ROWS_STORE(best[i], 0, tops + i * ROWS_STEP);
  for (int i = 0; i < ROWS_VECTORS; i++) ROWS_STORE(least[i], 0, lows + i * ROWS_STEP);
#pragma unroll
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) {
      tops[l] = tops[l] > tops[l + w] ? tops[l] : tops[l + w];
      lows[l] = lows[l] < lows[l + w] ? lows[l] : lows[l + w];
    }
  *top = tops[0];
  return tops[0] - lows[0] <= 80.0f;
}

// e^x for x in [-80, 0]: the same bits as rows_exp with less care. A NaN stays one.
EX_INLINE rows_lanes rows_exp_close(rows_lanes x) {
  const rows_lanes t = fma(x, (rows_lanes)(0x1.715476p0f), (rows_lanes)(0x1.8p23f));
  const rows_lanes n = t - (rows_lanes)(0x1.8p23f);
  const rows_lanes near = fma(n, (rows_lanes)(-0x1.62e43p-1f), x);
  const rows_lanes r = fma(n, (rows_lanes)(0x1.05c61p-29f), near);
  return rows_exp_near(r) * ROWS_FLOATS((ROWS_KEYS(t) << 23) + (rows_keys)(0x3f800000));
}

EX_INLINE rows_lanes rows_divide(rows_lanes v, float by) {
#ifdef EXACT_NATIVE_DIVIDE
  return v / (rows_lanes)(by);
#else
  float lanes[ROWS_STEP];
  ROWS_STORE(v, 0, lanes);
  for (int l = 0; l < ROWS_STEP; l++) lanes[l] = ex_div(lanes[l], by);
  return ROWS_LOAD(0, lanes);
#endif
}

// Exponentials of a row's distances from its top, and their sum. They are not below +0, so that a
// sum may begin with +0.
EX_INLINE float rows_exponentials(__global const float *px, __global float *py, int count,
                                  float top, bool areNear) {
  rows_lanes sums[ROWS_VECTORS];
  for (int i = 0; i < ROWS_VECTORS; i++) sums[i] = (rows_lanes)(0.0f);
  int e = 0;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < ROWS_VECTORS; i++) {
      const int at = e + i * ROWS_STEP;
      const rows_lanes d = ROWS_LOAD(0, px + at) - (rows_lanes)(top);
      const rows_lanes v = areNear ? rows_exp_close(d) : rows_exp(d);
      ROWS_STORE(v, 0, py + at);
      sums[i] = sums[i] + v;
    }
  float lanes[16], last[16];
  for (int i = 0; i < ROWS_VECTORS; i++) ROWS_STORE(sums[i], 0, lanes + i * ROWS_STEP);
  if (e < count) {
    rows_lanes v[ROWS_VECTORS];
    rows_some(v, px + e, count - e, top);
    for (int i = 0; i < ROWS_VECTORS; i++)
      ROWS_STORE(rows_exp(v[i] - (rows_lanes)(top)), 0, last + i * ROWS_STEP);
    for (int l = 0; e + l < count; l++) {
      py[e + l] = last[l];
      lanes[l] = lanes[l] + last[l];
    }
  }
#pragma unroll
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];
  return lanes[0];
}

// A row's elements by their sum.
EX_INLINE void rows_quotients(__global float *py, int count, float sum) {
  int e = 0;
  for (; e + ROWS_STEP <= count; e += ROWS_STEP)
    ROWS_STORE(rows_divide(ROWS_LOAD(0, py + e), sum), 0, py + e);
  for (; e < count; e++) py[e] = ex_div(py[e], sum);
}

// Rows that are gone through together, step by step: a row's own steps wait for one another, and so
// long the next rows are worked on.
#define ROWS_TOGETHER 8

// As softmax, over rows of neighbours. Work-items: (parts of `each` rows, no more than
// ROWS_TOGETHER).
__kernel void rows_softmax(__global const float *restrict x, __global float *restrict y,
                           int count, int logarithm, int rows, int each) {
  const int first = get_global_id(0) * each, n = min(each, rows - first);
  __global const float *px = x + first * (ulong)count;
  __global float *py = y + first * (ulong)count;
  float tops[ROWS_TOGETHER], sums[ROWS_TOGETHER];
  for (int r = 0; r < n; r++) {
    const bool areNear = rows_top_near(px + r * count, count, tops + r);
    sums[r] = areNear && !logarithm ? 0.0f : EX_NAN;
  }
  for (int r = 0; r < n; r++)
    if (sums[r] == 0.0f)
      sums[r] = rows_exponentials(px + r * count, py + r * count, count, tops[r], true);
  for (int r = 0; r < n; r++) {
    if (sums[r] == sums[r]) continue;
    tops[r] = rows_top(px + r * count, count);
    sums[r] = rows_exponentials(px + r * count, py + r * count, count, tops[r], false);
  }
  if (!logarithm) {
    for (int r = 0; r < n; r++) rows_quotients(py + r * count, count, sums[r]);
    return;
  }
  for (int r = 0; r < n; r++) {
    const float logSum = ex_log(sums[r]);
    for (int e = r * count; e < (r + 1) * count; e++) py[e] = (px[e] - tops[r]) - logSum;
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
