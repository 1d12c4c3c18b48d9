// needs: exact/divide.cl inference/activate.cl inference/gemm.cl inference/window.cl
// Pooling by strips of rows laid out in local memory, for processors; bits as in pool.cl.
// Work-items: (strips, parts of `planesEach` planes).
#ifdef RIGOR_NARROW
typedef int4 window_ints;
#define WINDOW_INTS as_int4
#define WINDOW_FLOATS as_float4
#else
typedef int16 window_ints;
#define WINDOW_INTS as_int16
#define WINDOW_FLOATS as_float16
#endif

// As ew_max: of equal numbers, which are zeros or have the same bits, +0 wins; NaN over all.
EX_INLINE gemm_lanes window_max(gemm_lanes a, gemm_lanes b) {
  const window_ints quiet = (window_ints)(0x7fc00000);
  window_ints v = WINDOW_INTS(a) & WINDOW_INTS(b);
  v = select(v, WINDOW_INTS(a), a > b);
  v = select(v, WINDOW_INTS(b), b > a);
  return WINDOW_FLOATS(select(v, quiet, (a != a) | (b != b)));
}

__kernel void pool_max_strips(__global const float *restrict x, __global float *restrict y,
                              __global const uint *restrict offsets, window_layout s, int planes,
                              int planesEach, __local float *strip) {
  const int first = get_global_id(0) * s.stripRows, pitch = s.pitch;
  const int rows = min(s.stripRows, s.outHeight - first);
  const int places = (rows - 1) * pitch + s.outWidth;
  const float least = as_float(0xff800000);
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
  for (int plane = begin; plane < end; plane++) {
    window_spread_local(x + (ulong)plane * (s.height * s.width), strip, s, first, 0, s.rows,
                        least);
    __global float *py = y + (ulong)plane * (s.outHeight * s.outWidth) + first * s.outWidth;
    int row = 0, column = 0;
    for (int at = 0; at < places; at += 2 * GEMM_LANES) {
      gemm_lanes best[2] = {(gemm_lanes)(least), (gemm_lanes)(least)};
      for (int k = 0; k < s.taps; k++) {
        const __local float *p = strip + offsets[k] + at;
        best[0] = window_max(best[0], GEMM_LOAD(0, p));
        best[1] = window_max(best[1], GEMM_LOAD(0, p + GEMM_LANES));
      }
      for (int j = 0; j < 2 && at + j * GEMM_LANES < places; j++) {
        window_put(best[j], py, row, column, 0, places - at - j * GEMM_LANES, pitch, s.outWidth);
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
  for (int w = 8; w > 0; w >>= 1)                                                                \
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];

// One output, of whose window the rows from `top` to before `bottom` are inside.
EX_INLINE float pool_average_at(__global const float *px, const window_layout s,
                                const average_window a, int iy, int ox, int top, int bottom,
                                int paddedRows) {
  const int ix = ox * s.strideX - s.left;
  int left = 0, right = 0, padded = 0;
  for (int kx = 0; kx < a.kernelWidth; kx++) {
    if (ix + kx * a.dilationX < 0) left = kx + 1;
    if (ix + kx * a.dilationX < s.width) right = kx + 1;
    if (ix + kx * a.dilationX < s.width + a.right) padded += paddedRows;
  }
  float lanes[16];
  for (int l = 0; l < 16; l++) lanes[l] = 0.0f;
  int element = 0;
  for (int ky = top; ky < bottom; ky++)
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
  const int first = get_global_id(0) * s.stripRows;
  const int rows = min(s.stripRows, s.outHeight - first);
  // Columns whose windows lie inside from left to right: all of a row have as many elements.
  const int reach = s.width + s.left - (a.kernelWidth - 1) * a.dilationX;
  const int left = min(s.outWidth, (s.left + s.strideX - 1) / s.strideX);
  const int right = max(left, min(s.outWidth, max(0, reach + s.strideX - 1) / s.strideX));
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
  for (int plane = begin; plane < end; plane++) {
    __global const float *px = x + (ulong)plane * (s.height * s.width);
    window_spread_local(px, strip, s, first, 0, s.rows, 0.0f);
    for (int row = 0; row < rows; row++) {
      __global float *py = y + ((ulong)plane * s.outHeight + first + row) * s.outWidth;
      const int iy = (first + row) * s.strideY - s.top;
      int top = 0, bottom = 0, paddedRows = 0;
      for (int ky = 0; ky < a.kernelHeight; ky++) {
        if (iy + ky * a.dilationY < 0) top = ky + 1;
        if (iy + ky * a.dilationY < s.height) bottom = ky + 1;
        if (iy + ky * a.dilationY < s.height + a.bottom) paddedRows++;
      }
      const int taps = max(0, bottom - top) * a.kernelWidth;
      const float divisor = (float)(a.countsPadding ? paddedRows * a.kernelWidth : taps);
      for (int ox = 0; ox < left; ox++)
        py[ox] = pool_average_at(px, s, a, iy, ox, top, bottom, paddedRows);
      for (int ox = left; ox < right; ox += GEMM_LANES) {
        gemm_lanes lanes[16];
        for (int l = 0; l < 16; l++) lanes[l] = (gemm_lanes)(0.0f);
        for (int e = 0; e < taps; e++) {
          const gemm_lanes v =
              GEMM_LOAD(0, strip + offsets[top * a.kernelWidth + e] + row * s.pitch + ox);
          lanes[e & 15] = e < 16 ? v : lanes[e & 15] + v;
        }
        WINDOW_TREE(lanes)
        float sums[GEMM_LANES];
        GEMM_STORE(lanes[0], 0, sums);
        for (int l = 0; l < GEMM_LANES; l++) sums[l] = ex_div(sums[l], divisor);
        const int count = min(GEMM_LANES, right - ox);
        for (int l = 0; l < count; l++) py[ox + l] = sums[l];
      }
      for (int ox = right; ox < s.outWidth; ox++)
        py[ox] = pool_average_at(px, s, a, iy, ox, top, bottom, paddedRows);
    }
  }
}
