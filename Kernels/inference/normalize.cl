// needs: exact/divide.cl exact/root.cl
// Rows of `count` elements, normalised: ((x - mean) / sqrt(variance + epsilon)) * scale + bias,
// each operation rounded. The variance is the mean of (x - mean)^2, and both means are sums by
// sixteen lanes and the fixed tree, divided by the count. Without NORMALIZE_CENTERS the mean is
// taken as 0 and not subtracted.

#define NORMALIZE_CENTERS 1
#define NORMALIZE_SCALES 2
#define NORMALIZE_BIASES 4
#define NORMALIZE_ALL 7

#ifdef RIGOR_NARROW
typedef float4 normalize_vector;
#define NORMALIZE_VECTORS 4
#define NORMALIZE_LOAD vload4
#define NORMALIZE_STORE vstore4
#define NORMALIZE_WIDE
#else
typedef float16 normalize_vector;
#define NORMALIZE_VECTORS 1
#define NORMALIZE_LOAD vload16
#define NORMALIZE_STORE vstore16
#ifdef __clang__
#define NORMALIZE_WIDE _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#else
#define NORMALIZE_WIDE
#endif
#endif
#define NORMALIZE_STEP (16 / NORMALIZE_VECTORS)

EX_INLINE float normalize_tree(float *lanes) {
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];
  return lanes[0];
}

EX_INLINE float normalize_element(float d, float root, __global const float *scale,
                                  __global const float *bias, int e, int flags) {
  float v = ex_div(d, root);
  if (flags & NORMALIZE_SCALES) v = v * scale[e];
  if (flags & NORMALIZE_BIASES) v = v + bias[e];
  return v;
}

// The sum by lanes of (x - mean), or with `squares` of its squares. In vectors: Intel's compiler
// (2026.22) adds scalars in another order than it is told.
EX_INLINE float normalize_sum(__global const float *p, int count, float mean, int squares) {
  float lanes[16];
  for (int l = 0; l < 16; l++) {
    const float d = l < count ? p[l] - mean : 0.0f;
    lanes[l] = squares ? d * d : d;
  }
  normalize_vector v[NORMALIZE_VECTORS];
  for (int i = 0; i < NORMALIZE_VECTORS; i++) v[i] = NORMALIZE_LOAD(i, lanes);
  int e = 16;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < NORMALIZE_VECTORS; i++) {
      const normalize_vector d = NORMALIZE_LOAD(i, p + e) - (normalize_vector)(mean);
      v[i] = v[i] + (squares ? d * d : d);
    }
  for (int i = 0; i < NORMALIZE_VECTORS; i++) NORMALIZE_STORE(v[i], i, lanes);
  for (int l = 0; e + l < count; l++) {
    const float d = p[e + l] - mean;
    lanes[l] = lanes[l] + (squares ? d * d : d);
  }
  return normalize_tree(lanes);
}

// For processors: one work-item a row. Work-items: (rows rounded up).
__kernel void normalize_rows(__global const float *x, __global const float *scale,
                             __global const float *bias, __global float *y, int count, int rows,
                             int flags, float epsilon) {
  const int r = get_global_id(0);
  if (r >= rows) return;
  __global const float *p = x + (ulong)r * count;
  __global float *q = y + (ulong)r * count;
  float mean = 0.0f;
  if (flags & NORMALIZE_CENTERS)
    mean = ex_div(normalize_sum(p, count, 0.0f, 0), (float)count);
  const float variance = ex_div(normalize_sum(p, count, mean, 1), (float)count);
  const float root = ex_sqrt(variance + epsilon);
  if (flags == NORMALIZE_ALL) { // known to the compiler in the loop
    NORMALIZE_WIDE for (int i = 0; i < count; i++)
      q[i] = normalize_element(p[i] - mean, root, scale, bias, i, NORMALIZE_ALL);
    return;
  }
  for (int i = 0; i < count; i++)
    q[i] = normalize_element(p[i] - mean, root, scale, bias, i, flags);
}
