// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: inference/order.cl inference/normalize.cl
// Where work-items share rows: sixteen a row, each one lane, and four rows a group. Items of rows
// past the last take part in what the group does together.

#define ROWS_PER_GROUP 4

// The tree over the lanes of each row; all items of a group come here.
EX_INLINE float lanes_sum(__local float (*lanes)[16], float lane) {
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

EX_INLINE float lanes_max(__local float (*lanes)[16], float lane) {
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
    mean = ex_div(lanes_sum(lanes, sum), (float)count);
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
  const float root = ex_sqrt(ex_div(lanes_sum(lanes, sum), (float)count) + epsilon);
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
  top = lanes_max(lanes, top);
  float sum = 0.0f;
  for (int e = l; e < count; e += 16) {
    const float v = ex_exp(p[e] - top);
    if (isRow) y[base + e] = v;
    sum = e < 16 ? v : sum + v;
  }
  sum = lanes_sum(lanes, sum);
  if (!isRow) return;
  if (logarithm) {
    const float logSum = ex_log(sum);
    for (int e = l; e < count; e += 16) y[base + e] = (p[e] - top) - logSum;
  } else {
    for (int e = l; e < count; e += 16) y[base + e] = ex_div(y[base + e], sum);
  }
}
