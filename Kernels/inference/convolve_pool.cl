// needs: exact/divide.cl inference/order.cl inference/activate.cl inference/gemm_tile.cl
// needs: inference/layout.cl inference/window.cl inference/convolve_tail.cl
// needs: inference/pool_maxima.cl
// A convolution of few channels and the maxima of windows over its results, which are in a
// processor's nearest caches alone; bits as of conv_direct and pool_max_strips.
//
// Bands of rows of windows lie apart: each lays out what it reads, and computes all results that
// its windows reach, of a panel of channels after the other. Few of them are another band's too.

// The sums of a tile, of one block at most; tap k of the first output lies at `pb[offsets[k]]`.
EX_INLINE void conv_pool_sum(gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                             const __local float *pb, __global const uint *offsets, int depth) {
  gemm_clear(sum);
  for (int k = 0; k < depth; k++) {
    gemm_lanes vb[GEMM_VECTORS];
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++)
      vb[j] = GEMM_LOAD(0, pb + offsets[k] + j * GEMM_LANES);
    gemm_step(sum, pa + k * GEMM_ROWS, 1, vb);
  }
}

// Results of a panel's channels at `places`, as long rows as the layout has; channels lie `area`
// apart.
EX_INLINE void conv_pool_rows(__local float *to, int area, __global const float *pa,
                              const __local float *strip, __global const uint *offsets,
                              const float *biases, const float *factors, const float *addends,
                              bool isAffine, int places, int depth, conv_bounds bounds) {
  const int tile = GEMM_VECTORS * GEMM_LANES;
  for (int at = 0; at < places; at += tile) {
    const int start = min(at, places - tile);
    gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS];
    conv_pool_sum(sum, pa, strip + start, offsets, depth);
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) {
        gemm_lanes v = sum[i][j] + (gemm_lanes)(biases[i]);
        if (isAffine) {
          v = v * (gemm_lanes)(factors[i]);
          v = v + (gemm_lanes)(addends[i]);
        }
        GEMM_STORE(conv_bound(v, bounds), 0, to + i * area + start + j * GEMM_LANES);
      }
  }
}

// Work-items: (parts of `panelsEach` panels, bands of `bandRows` rows of windows, items). A row of
// results has as many places as a tile, or more; there is one block of k; windows are near, as in
// pool_maxima.cl. Behind the strip there is room for a panel's results, and for a row of windows.
__kernel void conv_pool(__global const float *restrict a, __global const float *restrict x,
                        __global const float *restrict bias, __global float *restrict y,
                        __global const uint *restrict offsets, window_layout s, window_shape w,
                        int rows, int channels, int depth, int panelsEach, int bandRows,
                        int hasBias, int activation, float low, float high,
                        __global const float *restrict after, int afterStride, int steps,
                        __local float *strip) {
  const int first = get_global_id(1) * bandRows, last = min(w.outHeight, first + bandRows);
  const int top = max(0, first * w.strideY - w.top);
  const int end = min(w.height, (last - 1) * w.strideY - w.top + w.kernelHeight);
  const ulong item = get_global_id(2);
  for (int c = 0; c < channels; c++)
    window_spread_local(x + (item * channels + c) * (ulong)(s.height * s.width),
                        strip + c * s.planeSize, s, top, 0, s.rows);
  const int area = s.stripRows * s.pitch, places = (end - top - 1) * s.pitch + s.outWidth;
  __local float *to = strip + channels * s.planeSize + GEMM_LANES;
#ifdef WINDOW_PICKS
  const pool_places near = pool_places_of(w);
#else
  __local int *line = (__local int *)(to + GEMM_ROWS * area);
  pool_line_ends(line, w);
#endif
  const conv_bounds bounds = conv_bounds_of(activation, low, high);
  for (int p = 0; p < panelsEach; p++) {
    const int channel = (get_global_id(0) * panelsEach + p) * GEMM_ROWS;
    if (channel >= rows) return;
    float biases[GEMM_ROWS], factors[GEMM_ROWS], addends[GEMM_ROWS];
    const int count = min(GEMM_ROWS, rows - channel);
    for (int i = 0; i < GEMM_ROWS; i++) {
      const int row = channel + min(i, count - 1);
      biases[i] = hasBias ? bias[row] : CONV_NONE;
      factors[i] = steps & CONV_MULTIPLY ? after[row] : 1.0f;
      addends[i] = steps & CONV_ADD ? after[afterStride + row] : CONV_NONE;
    }
    conv_pool_rows(to, area, a + (ulong)channel * depth, strip, offsets, biases, factors, addends,
                   (steps & (CONV_MULTIPLY | CONV_ADD)) != 0, places, depth, bounds);
    for (int i = 0; i < count; i++) {
      const __local float *plane = to + i * area - top * s.pitch;
      __global float *py = y + (item * rows + channel + i) * (ulong)(w.outHeight * w.outWidth);
#ifdef WINDOW_PICKS
      pool_max_near((__global const float *)(size_t)plane, py, &near, w, s.pitch, first, last);
#else
      for (int row = first; row < last; row++) {
        pool_columns_local(line + w.left, plane, w, s.pitch, row * w.strideY - w.top);
        pool_put_row(py + row * w.outWidth, line, w);
      }
#endif
    }
  }
}
