// needs: exact/divide.cl inference/order.cl inference/activate.cl inference/gemm.cl
// needs: inference/window.cl
// Pooling by strips of rows laid out in local memory, for processors; bits as in pool.cl.
// Work-items: (strips, parts of `planesEach` planes).
#ifdef RIGOR_NARROW
typedef int4 window_ints;
#define WINDOW_LOAD_INTS vload4
#define WINDOW_FLOATS as_float4
#define WINDOW_INTS as_int4
#else
typedef int16 window_ints;
#define WINDOW_LOAD_INTS vload16
#define WINDOW_FLOATS as_float16
#define WINDOW_INTS as_int16
#endif

// Maxima of keys are those of ew_max.
EX_INLINE window_ints window_key(gemm_lanes v) {
  const window_ints bits = WINDOW_INTS(v), last = (window_ints)(0x7fffffff);
  return select(bits ^ ((bits >> 31) & last), last, v != v);
}
WINDOW_SPREAD(window_spread_keys, __local, int, ew_key, window_key)

EX_INLINE gemm_lanes window_unkeyed(window_ints k) {
  const window_ints last = (window_ints)(0x7fffffff), quiet = (window_ints)(0x7fc00000);
  return WINDOW_FLOATS(select(k ^ ((k >> 31) & last), quiet, k == last));
}

__kernel void pool_max_strips(__global const float *restrict x, __global float *restrict y,
                              __global const uint *restrict offsets, window_layout s, int planes,
                              int planesEach, __local int *strip) {
  const int first = get_global_id(0) * s.stripRows, pitch = s.pitch;
  const int rows = min(s.stripRows, s.outHeight - first);
  const int places = (rows - 1) * pitch + s.outWidth;
  const int least = ew_key(as_float(0xff800000));
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
  for (int plane = begin; plane < end; plane++) {
    window_spread_keys(x + (ulong)plane * (s.height * s.width), strip, s, first, 0, s.rows, least);
    __global float *py = y + (ulong)plane * (s.outHeight * s.outWidth) + first * s.outWidth;
    int row = 0, column = 0;
    for (int at = 0; at < places; at += 2 * GEMM_LANES) {
      window_ints best[2] = {(window_ints)(least), (window_ints)(least)};
      for (int k = 0; k < s.taps; k++) {
        const __local int *p = strip + offsets[k] + at;
        best[0] = max(best[0], WINDOW_LOAD_INTS(0, p));
        best[1] = max(best[1], WINDOW_LOAD_INTS(0, p + GEMM_LANES));
      }
      for (int j = 0; j < 2 && at + j * GEMM_LANES < places; j++) {
        window_put(window_unkeyed(best[j]), py, row, column, 0, places - at - j * GEMM_LANES,
                   pitch, s.outWidth);
        WINDOW_STEP(row, column, GEMM_LANES);
      }
    }
  }
}

typedef struct {
  int kernelHeight, kernelWidth;
  int dilationY, dilationX;
  int countsPadding, bottom, right;
} average_window;

// The sum of a window's sixteen lanes by the tree; and over the number of its elements.
#define WINDOW_TREE(lanes)                                                                       \
  for (int l = 0; l < 8; l++) lanes[l] = lanes[l] + lanes[l + 8];                                \
  for (int l = 0; l < 4; l++) lanes[l] = lanes[l] + lanes[l + 4];                                \
  lanes[0] = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);

// Which rows of a window that begins at row `iy` are inside, and how many in the padded plane.
typedef struct {
  int top, bottom, padded;
} average_rows;

EX_INLINE average_rows pool_average_rows(const window_layout s, const average_window a, int iy) {
  average_rows r = {0, 0, 0};
  for (int ky = 0; ky < a.kernelHeight; ky++) {
    const int y = iy + ky * a.dilationY;
    if (y < 0) r.top = ky + 1;
    if (y < s.height) r.bottom = ky + 1;
    if (y < s.height + a.bottom) r.padded++;
  }
  return r;
}

// One output by itself.
EX_INLINE float pool_average_at(__global const float *px, const window_layout s,
                                const average_window a, int iy, int ox,
                                const average_rows r) {
  const int ix = ox * s.strideX - s.left;
  int left = 0, right = 0, padded = 0;
  for (int kx = 0; kx < a.kernelWidth; kx++) {
    if (ix + kx * a.dilationX < 0) left = kx + 1;
    if (ix + kx * a.dilationX < s.width) right = kx + 1;
    if (ix + kx * a.dilationX < s.width + a.right) padded += r.padded;
  }
  float lanes[16];
  for (int l = 0; l < 16; l++) lanes[l] = 0.0f;
  int element = 0;
  for (int ky = r.top; ky < r.bottom; ky++)
    for (int kx = left; kx < right; kx++, element++) {
      const float v = px[(iy + ky * a.dilationY) * s.width + ix + kx * a.dilationX];
      lanes[element & 15] = element < 16 ? v : lanes[element & 15] + v;
    }
  WINDOW_TREE(lanes)
  return ex_div(lanes[0], (float)(a.countsPadding ? padded : element));
}

__kernel void pool_average_strips(__global const float *restrict x, __global float *restrict y,
                                  __global const uint *restrict offsets, window_layout s,
                                  average_window a, int planes, int planesEach,
                                  __local float *strip) {
  const int first = get_global_id(0) * s.stripRows, pitch = s.pitch;
  const int rows = min(s.stripRows, s.outHeight - first);
  // Columns whose windows lie inside from left to right: all of a row have as many elements.
  const int reach = s.width + s.left - (a.kernelWidth - 1) * a.dilationX;
  const int left = min(s.outWidth, (s.left + s.strideX - 1) / s.strideX);
  const int right = max(left, min(s.outWidth, max(0, reach + s.strideX - 1) / s.strideX));
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
  for (int plane = begin; plane < end; plane++) {
    __global const float *px = x + (ulong)plane * (s.height * s.width);
    window_spread_local(px, strip, s, first, 0, s.rows, 0.0f);
    for (int row = 0, span; row < rows; row += span) {
      const int iy = (first + row) * s.strideY - s.top;
      const average_rows r = pool_average_rows(s, a, iy);
      // Rows of one kind are computed together, and columns of the other kind after them.
      for (span = 1; row + span < rows; span++) {
        const average_rows next = pool_average_rows(s, a, iy + span * s.strideY);
        if (next.top != r.top || next.bottom != r.bottom || next.padded != r.padded) break;
      }
      __global float *py = y + ((ulong)plane * s.outHeight + first + row) * s.outWidth;
      const int taps = max(0, r.bottom - r.top) * a.kernelWidth;
      const float divisor = (float)(a.countsPadding ? r.padded * a.kernelWidth : taps);
      const int places = (span - 1) * pitch + s.outWidth;
      int atRow = 0, column = 0;
      for (int at = 0; at < places; at += GEMM_LANES) {
        gemm_lanes lanes[16];
#pragma unroll
        for (int l = 0; l < 16; l++) lanes[l] = (gemm_lanes)(0.0f);
        for (int e = 0; e < taps; e++) {
          const gemm_lanes v =
              GEMM_LOAD(0, strip + offsets[r.top * a.kernelWidth + e] + row * pitch + at);
          lanes[e & 15] = e < 16 ? v : lanes[e & 15] + v;
        }
        WINDOW_TREE(lanes)
        float sums[GEMM_LANES];
        GEMM_STORE(lanes[0], 0, sums);
        for (int l = 0; l < GEMM_LANES; l++) sums[l] = ex_div(sums[l], divisor);
        window_put(GEMM_LOAD(0, sums), py, atRow, column, 0, places - at, pitch, s.outWidth);
        WINDOW_STEP(atRow, column, GEMM_LANES);
      }
      for (int n = 0; n < span; n++)
        for (int ox = left > 0 ? 0 : right; ox < s.outWidth; ox = ox + 1 == left ? right : ox + 1)
          py[n * s.outWidth + ox] = pool_average_at(px, s, a, iy + n * s.strideY, ox, r);
    }
  }
}
