// needs: exact/divide.cl inference/activate.cl inference/gemm_tile.cl inference/layout.cl
// needs: inference/window.cl inference/convolve_tail.cl
// Convolution: an implicit matrix product, and the depthwise case by itself.
//
// k runs as the weights lie: channel of the group, kernel row, kernel column. A tap in the padding
// counts as +0 and is multiplied.
#define CONV_BLOCK 256

// The sums of one tile over one block of k; tap k of the first output lies at `pb[offsets[k]]`.
EX_INLINE void conv_sum_block(gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                              __global const float *pb, __global const uint *offsets, int begin,
                              int depth) {
  const int end = min(depth, begin + GEMM_BLOCK);
  gemm_clear(sum);
  pa += begin * GEMM_ROWS;
  for (int k = begin; k < end; k++) {
    __global const float *p = pb + offsets[k];
    __global const float *next = pb + offsets[min(k + CONV_AHEAD, depth - 1)];
    CONV_FETCH(pa + 512);
    CONV_FETCH(next);
    CONV_FETCH(next + 16);
    gemm_lanes vb[GEMM_VECTORS];
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) vb[j] = GEMM_LOAD(0, p + j * GEMM_LANES);
    gemm_step(sum, pa, 1, vb);
    pa += GEMM_ROWS;
  }
}

// All blocks. Most are one: its sums stay in registers.
EX_INLINE void conv_sum(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                        __global const float *pb, __global const uint *offsets, int depth) {
  conv_sum_block(total, pa, pb, offsets, 0, depth);
  for (int begin = GEMM_BLOCK; begin < depth; begin += GEMM_BLOCK) {
    gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS];
    conv_sum_block(sum, pa, pb, offsets, begin, depth);
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) total[i][j] = total[i][j] + sum[i][j];
  }
}

#ifdef WINDOW_PICKS
// A tile of whole rows with all that follows the sums, without a branch in it. Other compilers than
// those that have such stores take minutes for as long a text.
#define CONV_PUT_TILE(name, adds, put)                                                           \
  EX_INLINE void name(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global float *c,              \
                      __global const float *other, const float *biases, const float *factors,    \
                      const float *addends, int plane, const int *place, const uint *kept,       \
                      conv_bounds bounds) {                                                      \
    _Pragma("unroll") for (int i = 0; i < GEMM_ROWS; i++) {                                      \
      _Pragma("unroll") for (int j = 0; j < GEMM_VECTORS; j++) {                                 \
        gemm_lanes v = total[i][j] + (gemm_lanes)(biases[i]);                                    \
        v = v * (gemm_lanes)(factors[i]);                                                        \
        v = v + (gemm_lanes)(addends[i]);                                                        \
        if (adds) v = v + GEMM_LOAD(0, other + j * GEMM_LANES);                                  \
        put(conv_bound(v, bounds), c + place[j], kept[j]);                                       \
      }                                                                                          \
      c += plane;                                                                                \
      other += plane;                                                                            \
    }                                                                                            \
  }
#define CONV_WHOLE(v, p, kept) GEMM_STORE(v, 0, p)
CONV_PUT_TILE(conv_put, false, CONV_WHOLE)
CONV_PUT_TILE(conv_put_join, true, CONV_WHOLE)
CONV_PUT_TILE(conv_put_picked, false, window_pick_some)
CONV_PUT_TILE(conv_put_picked_join, true, window_pick_some)

EX_INLINE void conv_put_tile(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global float *c,
                             __global const float *other, __global const float *bias,
                             __global const float *after, int afterStride, int steps, int hasBias,
                             int plane, const int *place, const uint *kept, conv_bounds bounds) {
  // By 1 and with -0, what there is nothing of is left as it is.
  float biases[GEMM_ROWS], factors[GEMM_ROWS], addends[GEMM_ROWS];
  for (int i = 0; i < GEMM_ROWS; i++) {
    biases[i] = hasBias ? bias[i] : CONV_NONE;
    factors[i] = steps & CONV_MULTIPLY ? after[i] : 1.0f;
    addends[i] = steps & CONV_ADD ? after[afterStride + i] : CONV_NONE;
  }
  bool isWhole = true;
  for (int j = 0; j < GEMM_VECTORS; j++) isWhole = isWhole && kept[j] == 0xffff;
#define CONV_PUT_WITH(name)                                                                      \
  name(total, c, other, biases, factors, addends, plane, place, kept, bounds)
  if (steps & CONV_ADD_OTHER) {
    if (isWhole)
      CONV_PUT_WITH(conv_put_join);
    else
      CONV_PUT_WITH(conv_put_picked_join);
  } else {
    if (isWhole)
      CONV_PUT_WITH(conv_put);
    else
      CONV_PUT_WITH(conv_put_picked);
  }
#undef CONV_PUT_WITH
}
#endif

// Convolution without panels of its input: x lies in planes as `offsets` says. One work-item
// computes GEMM_ROWS outputs at each of GEMM_VECTORS * GEMM_LANES places, `panelsEach` times; the
// last tile begins early enough to be whole.
__kernel void conv_direct(__global const float *restrict a, __global const float *restrict x,
                          __global const float *restrict bias, __global float *restrict c,
                          __global const uint *restrict offsets, int rows, int places, int depth,
                          int pitch, int width, int plane, int panelsEach, int aCount,
                          ulong aStride, ulong xStride, ulong cOffset, ulong cStride, int hasBias,
                          int activation, float low, float high,
                          __global const float *restrict after, int afterStride, int steps,
                          __global const float *other) {
  GEMM_TILE;
  const int tileWidth = GEMM_VECTORS * GEMM_LANES;
  const int first = tile * tileWidth;
  if (first >= places) return;
  const int start = max(0, min(first, places - tileWidth));
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % aCount;
  c += cOffset + matrix * cStride;
  other += cOffset + matrix * cStride;
  x += matrix * xStride + start;
  if (hasBias) bias += group * rows;
  // Planes without padding are one row.
  const int line = pitch == width ? plane : pitch, end = pitch == width ? plane : width;
  int place[GEMM_VECTORS];
  uint kept[GEMM_VECTORS];
#pragma unroll
  for (int j = 0; j < GEMM_VECTORS; j++) {
    const int from = start + j * GEMM_LANES, to = max(from, first);
    kept[j] = window_kept(from % line, line, end, first - from, places - from);
    place[j] = to / line * end + min(to % line, end);
  }
#ifdef WINDOW_PICKS
  const conv_bounds bounds = conv_bounds_of(activation, low, high);
  const bool isPlain = conv_is_plain(steps, activation);
#endif
  for (int top = panel * panelsEach * GEMM_ROWS, p = 0; p < panelsEach && top < rows;
       p++, top += GEMM_ROWS) {
    const ulong corner = (ulong)top * plane + place[0];
    conv_fetch(c + corner, other + corner, steps & CONV_ADD_OTHER, plane,
               min(GEMM_ROWS, rows - top), tileWidth);
    gemm_lanes total[GEMM_ROWS][GEMM_VECTORS];
    conv_sum(total, a + group * aStride + (ulong)top * depth, x, offsets, depth);
#ifdef WINDOW_PICKS
    if (isPlain && top + GEMM_ROWS <= rows) {
      conv_put_tile(total, c + (ulong)top * plane, other + (ulong)top * plane + start, bias + top,
                    after + group * rows + top, afterStride, steps, hasBias, plane, place, kept,
                    bounds);
      continue;
    }
#endif
    // What is looked up by number is a copy: the sums themselves stay in registers.
    gemm_lanes copies[GEMM_ROWS][GEMM_VECTORS];
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) copies[i][j] = total[i][j];
    CONV_TURN
    for (int i = 0; i < GEMM_ROWS; i++) {
      if (top + i >= rows) break;
      const conv_after r =
          conv_after_channel(after, afterStride, steps, group * rows + top + i);
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) {
        gemm_lanes v = copies[i][j];
        if (hasBias) v = v + (gemm_lanes)(bias[top + i]);
        v = conv_finish(v, r, steps, activation, low, high);
        if (steps & CONV_ADD_OTHER)
          v = conv_join_lanes(v, other + (ulong)(top + i) * plane + start + j * GEMM_LANES,
                              activation, low, high);
        window_pick(v, c + (ulong)(top + i) * plane + place[j], kept[j]);
      }
    }
  }
}

// One place alone, as after a mean over all: lanes are rows of A. Work-items: (CONV_PANELS panels
// each, 1, matrices).
#define CONV_PANELS 4
__kernel void conv_place(__global const float *restrict a, __global const float *restrict x,
                         __global const float *restrict bias, __global float *restrict c,
                         int rows, int depth, int aCount, ulong aStride, int hasBias,
                         int activation, float low, float high) {
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % aCount;
  const int top = get_global_id(0) * CONV_PANELS * GEMM_ROWS;
  const int panels = min(CONV_PANELS, (rows - top + GEMM_ROWS - 1) / GEMM_ROWS);
  if (panels <= 0) return;
  x += matrix * depth;
  __global const float *pa[CONV_PANELS];
  // Panels in excess repeat the last one, and are dropped.
  for (int p = 0; p < CONV_PANELS; p++)
    pa[p] = a + group * aStride + (ulong)(top + min(p, panels - 1) * GEMM_ROWS) * depth;
  float total[CONV_PANELS][GEMM_ROWS];
  for (int begin = 0; begin < depth; begin += GEMM_BLOCK) {
    const int end = min(depth, begin + GEMM_BLOCK);
    float sum[CONV_PANELS][GEMM_ROWS];
#pragma unroll
    for (int p = 0; p < CONV_PANELS; p++)
#pragma unroll
      for (int i = 0; i < GEMM_ROWS; i++) sum[p][i] = 0.0f;
    for (int k = begin; k < end; k++) {
      const float v = x[k];
#pragma unroll
      for (int p = 0; p < CONV_PANELS; p++)
#pragma unroll
        for (int i = 0; i < GEMM_ROWS; i++)
          sum[p][i] = fma(pa[p][k * GEMM_ROWS + i], v, sum[p][i]);
    }
#pragma unroll
    for (int p = 0; p < CONV_PANELS; p++)
#pragma unroll
      for (int i = 0; i < GEMM_ROWS; i++)
        total[p][i] = begin == 0 ? sum[p][i] : total[p][i] + sum[p][i];
  }
  for (int p = 0; p < panels; p++)
    for (int i = 0; i < GEMM_ROWS; i++) {
      const int row = top + p * GEMM_ROWS + i;
      if (row >= rows) break;
      float y = total[p][i];
      if (hasBias) y = y + bias[group * rows + row];
      c[matrix * rows + row] = gemm_activate(y, activation, low, high);
    }
}

// One input channel a group, `multiplier` outputs each. Work-items: (pixels rounded up, channels
// out, items).
__kernel void conv_depthwise(__global const float *restrict x, __global const float *restrict w,
                             __global const float *restrict bias, __global float *restrict y,
                             window_shape s, int channelsOut, int multiplier, int hasBias,
                             int activation, float low, float high) {
  const int pixel = get_global_id(0);
  const int pixels = s.outHeight * s.outWidth;
  if (pixel >= pixels) return;
  const int channel = get_global_id(1);
  const ulong item = get_global_id(2);
  const int channelsIn = channelsOut / multiplier;
  __global const float *plane =
      x + (item * channelsIn + channel / multiplier) * (ulong)(s.height * s.width);
  const int taps = s.kernelHeight * s.kernelWidth;
  __global const float *pw = w + (ulong)channel * taps;
  const int y0 = pixel / s.outWidth * s.strideY - s.top;
  const int x0 = pixel % s.outWidth * s.strideX - s.left;
  float total = 0.0f, sum = 0.0f;
  int k = 0;
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    const int iy = y0 + ky * s.dilationY;
    for (int kx = 0; kx < s.kernelWidth; kx++, k++) {
      if (k != 0 && k % CONV_BLOCK == 0) {
        total = k == CONV_BLOCK ? sum : total + sum;
        sum = 0.0f;
      }
      const int ix = x0 + kx * s.dilationX;
      const bool inside = iy >= 0 && iy < s.height && ix >= 0 && ix < s.width;
      const float v = inside ? plane[iy * s.width + ix] : 0.0f;
      sum = fma(pw[k], v, sum);
    }
  }
  float out = taps <= CONV_BLOCK ? sum : total + sum;
  if (hasBias) out = out + bias[channel];
  y[(item * channelsOut + channel) * pixels + pixel] = gemm_activate(out, activation, low, high);
}

// The same by strips of rows, each of which is laid out in local memory; at most CONV_BLOCK taps.
// Work-items: (strips, parts of `planesEach` planes).
__kernel void conv_depthwise_strips(__global const float *restrict x,
                                    __global const float *restrict w,
                                    __global const float *restrict bias, __global float *restrict y,
                                    __global const uint *restrict offsets, window_layout s,
                                    int planes, int planesEach, int channelsOut, int multiplier,
                                    int hasBias, int activation, float low, float high,
                                    __global const float *restrict after, int afterStride,
                                    int steps, __local float *strip) {
  const int first = get_global_id(0) * s.stripRows;
  const int rows = min(s.stripRows, s.outHeight - first);
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
  // Vectors of places, four at a time: which of their lanes are outputs, and where those lie.
  const int places = (rows - 1) * s.pitch + s.outWidth;
  const int vectors = (places + GEMM_LANES - 1) / GEMM_LANES;
  __local int *marks = (__local int *)(strip + s.planeSize + 4 * GEMM_LANES);
  for (int n = 0; n < (vectors + 3) / 4 * 4; n++) {
    const int place = n * GEMM_LANES, column = place % s.pitch;
    marks[2 * n] = window_kept(column, s.pitch, s.outWidth, 0, places - place);
    marks[2 * n + 1] = place / s.pitch * s.outWidth + min(column, s.outWidth);
  }
  for (int number = begin; number < end; number++) {
    const int channel = number % channelsOut;
    const conv_after r = conv_after_channel(after, afterStride, steps, channel);
    window_spread_local(x + (ulong)(number / multiplier) * (s.height * s.width), strip, s, first, 0,
                        s.rows);
    __global const float *pw = w + (ulong)channel * s.taps;
    __global float *py = y + (ulong)number * (s.outHeight * s.outWidth) + first * s.outWidth;
    for (int n = 0; n < vectors; n += 4) {
      gemm_lanes sum[4], total[4];
#pragma unroll
      for (int j = 0; j < 4; j++) sum[j] = (gemm_lanes)(0.0f);
      for (int k = 0; k < s.taps; k++) {
        const __local float *p = strip + offsets[k] + n * GEMM_LANES;
        const gemm_lanes vw = (gemm_lanes)(pw[k]);
#pragma unroll
        for (int j = 0; j < 4; j++) sum[j] = fma(vw, GEMM_LOAD(0, p + j * GEMM_LANES), sum[j]);
      }
#pragma unroll
      for (int j = 0; j < 4; j++) total[j] = sum[j];
      CONV_TURN
      for (int j = 0; j < 4; j++) {
        gemm_lanes v = total[j];
        if (hasBias) v = v + (gemm_lanes)(bias[channel]);
        v = conv_finish(v, r, steps, activation, low, high);
        if (marks[2 * (n + j)] != 0)
          window_pick(v, py + marks[2 * (n + j) + 1], marks[2 * (n + j)]);
      }
    }
  }
}
