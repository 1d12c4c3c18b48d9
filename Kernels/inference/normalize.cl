// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: inference/order.cl
// Rows of `count` elements, normalised: ((x - mean) / sqrt(variance + epsilon)) * scale + bias,
// each operation rounded. The variance is the mean of (x - mean)^2, and both means are sums by
// sixteen lanes and the fixed tree, divided by the count. Without NORMALIZE_CENTERS the mean is
// taken as 0 and not subtracted.

#define NORMALIZE_CENTERS 1
#define NORMALIZE_SCALES 2
#define NORMALIZE_BIASES 4

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
  float4 v[4];
  for (int i = 0; i < 4; i++) v[i] = vload4(i, lanes);
  int e = 16;
  for (; e + 16 <= count; e += 16)
    for (int i = 0; i < 4; i++) {
      const float4 d = vload4(i, p + e) - (float4)(mean);
      v[i] = v[i] + (squares ? d * d : d);
    }
  for (int i = 0; i < 4; i++) vstore4(v[i], i, lanes);
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
  for (int i = 0; i < count; i++)
    q[i] = normalize_element(p[i] - mean, root, scale, bias, i, flags);
}

// Where work-items share rows: sixteen a row, each one lane, and four rows a group. Items of rows
// past the last take part in what the group does together.

#define ROWS_PER_GROUP 4

// The tree over the lanes of each row; all items of a group come here.
EX_INLINE float rows_sum(__local float (*lanes)[16], float lane) {
  const int l = get_local_id(0), row = get_local_id(1);
  lanes[row][l] = lane;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int w = 8; w > 0; w >>= 1) {
    if (l < w) lanes[row][l] = lanes[row][l] + lanes[row][l + w];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float sum = lanes[row][0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
}

EX_INLINE float rows_max(__local float (*lanes)[16], float lane) {
  const int l = get_local_id(0), row = get_local_id(1);
  lanes[row][l] = lane;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int w = 8; w > 0; w >>= 1) {
    if (l < w) lanes[row][l] = ew_max(lanes[row][l], lanes[row][l + w]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float top = lanes[row][0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return top;
}

// Work-items: (16, rows rounded up to 4), in groups of (16, 4).
__kernel __attribute__((reqd_work_group_size(16, ROWS_PER_GROUP, 1))) void normalize_lanes(
    __global const float *x, __global const float *scale, __global const float *bias,
    __global float *y, int count, int rows, int flags, float epsilon) {
  __local float lanes[ROWS_PER_GROUP][16];
  const int l = get_local_id(0), r = get_global_id(1);
  const ulong base = (ulong)(r < rows ? r : 0) * count;
  __global const float *p = x + base;
  float mean = 0.0f;
  if (flags & NORMALIZE_CENTERS) {
    float sum = l < count ? p[l] : 0.0f;
    for (int e = l + 16; e < count; e += 16) sum = sum + p[e];
    mean = ex_div(rows_sum(lanes, sum), (float)count);
  }
  float sum = 0.0f;
  if (l < count) {
    const float d = p[l] - mean;
    sum = d * d;
  }
  for (int e = l + 16; e < count; e += 16) {
    const float d = p[e] - mean;
    const float square = d * d;
    sum = sum + square;
  }
  const float root = ex_sqrt(ex_div(rows_sum(lanes, sum), (float)count) + epsilon);
  if (r >= rows) return;
  for (int e = l; e < count; e += 16)
    y[base + e] = normalize_element(p[e] - mean, root, scale, bias, e, flags);
}

// As the kernel of one work-item a row. Work-items: (16, rows rounded up to 4), in groups of
// (16, 4).
__kernel __attribute__((reqd_work_group_size(16, ROWS_PER_GROUP, 1))) void softmax_lanes(
    __global const float *x, __global float *y, int count, int rows, int logarithm) {
  __local float lanes[ROWS_PER_GROUP][16];
  const int l = get_local_id(0), r = get_global_id(1);
  const bool isRow = r < rows;
  const ulong base = (ulong)(isRow ? r : 0) * count;
  __global const float *p = x + base;
  float top = as_float(0xff800000);
  for (int e = l; e < count; e += 16) top = ew_max(top, p[e]);
  top = rows_max(lanes, top);
  float sum = 0.0f;
  for (int e = l; e < count; e += 16) {
    const float v = ex_exp(p[e] - top);
    if (isRow) y[base + e] = v;
    sum = e < 16 ? v : sum + v;
  }
  sum = rows_sum(lanes, sum);
  if (!isRow) return;
  if (logarithm) {
    const float logSum = ex_log(sum);
    for (int e = l; e < count; e += 16) y[base + e] = (p[e] - top) - logSum;
  } else {
    for (int e = l; e < count; e += 16) y[base + e] = ex_div(y[base + e], sum);
  }
}
