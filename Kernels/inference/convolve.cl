// needs: exact/divide.cl inference/activate.cl inference/gemm.cl
// needs: inference/layout.cl inference/window.cl
// needs: inference/convolve_tail.cl
// Convolution: an implicit matrix product, and the depthwise case by itself.
//
// k runs as the weights lie: channel of the group, kernel row, kernel column. A tap in the padding
// counts as +0 and is multiplied.
#define CONV_BLOCK 256

// Weights come in order, but from far away; planes lie apart, which no processor foresees. What has
// narrow vectors may go by way of SPIR-V, which knows no such hint.
#if defined(__clang__) && !defined(RIGOR_NARROW)
#define CONV_FETCH(p) __builtin_prefetch(p)
#define CONV_FETCH_TO(p) __builtin_prefetch(p, 1)
#else
#define CONV_FETCH(p) (void)(p)
#define CONV_FETCH_TO(p) (void)(p)
#endif
#define CONV_AHEAD 12

// What follows the sums is long: as a loop it stays in a processor's instruction cache. Where
// private memory is far away, sums stay in registers.
#ifdef RIGOR_NARROW
#define CONV_TURN _Pragma("unroll")
#else
#define CONV_TURN _Pragma("nounroll")
#endif

// Where the results of a tile go, row by row, and what is added to them: sums take long enough to
// fetch it.
EX_INLINE void conv_fetch(__global float *c, __global const float *other, bool adds, int plane,
                          int rows, int apart) {
  for (int i = 0; i < rows; i++, c += plane, other += plane) {
    CONV_FETCH_TO(c);
    CONV_FETCH_TO(c + apart);
    if (adds) {
      CONV_FETCH(other);
      CONV_FETCH(other + apart);
    }
  }
}

// The sums of one tile; tap k of the first output lies at `pb[offsets[k]]`.
EX_INLINE void conv_sum(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                        __global const float *pb, __global const uint *offsets, int depth) {
  for (int begin = 0; begin < depth; begin += GEMM_BLOCK) {
    const int end = min(depth, begin + GEMM_BLOCK);
    gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS];
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = (gemm_lanes)(0.0f);
    for (int k = begin; k < end; k++) {
      __global const float *p = pb + offsets[k];
      __global const float *next = pb + offsets[min(k + CONV_AHEAD, depth - 1)];
      CONV_FETCH(pa + 512);
      CONV_FETCH(next);
      CONV_FETCH(next + 16);
      gemm_lanes vb[GEMM_VECTORS];
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) vb[j] = GEMM_LOAD(0, p + j * GEMM_LANES);
#pragma unroll
      for (int i = 0; i < GEMM_ROWS; i++) {
        const gemm_lanes va = (gemm_lanes)(pa[i]);
#pragma unroll
        for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = fma(va, vb[j], sum[i][j]);
      }
      pa += GEMM_ROWS;
    }
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++)
        total[i][j] = begin == 0 ? sum[i][j] : total[i][j] + sum[i][j];
  }
}

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
  for (int top = panel * panelsEach * GEMM_ROWS, p = 0; p < panelsEach && top < rows;
       p++, top += GEMM_ROWS) {
    const ulong corner = (ulong)top * plane + place[0];
    conv_fetch(c + corner, other + corner, steps & CONV_ADD_OTHER, plane,
               min(GEMM_ROWS, rows - top), tileWidth / 2);
    gemm_lanes total[GEMM_ROWS][GEMM_VECTORS];
    conv_sum(total, a + group * aStride + (ulong)top * depth, x, offsets, depth);
    CONV_TURN
    for (int i = 0; i < GEMM_ROWS; i++) {
      if (top + i >= rows) break;
      const conv_after r =
          conv_after_channel(after, afterStride, steps, group * rows + top + i);
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) {
        gemm_lanes v = total[i][j];
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

// The same for small planes, where tiles of many places would be half empty: lanes are channels of
// the output, and one work-item computes CONV_PLACES places, `tilesEach` times. Where so many
// divide a row, places are those of the output alone. Weights lie in panels as B does.
// Work-items: (parts of the places, panels, matrices).
#define CONV_PLACES 7

#ifndef RIGOR_NARROW
#define CONV_ZIP(a, b)                                                                           \
  {(float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, \
             a.s7, b.s7),                                                                        \
   (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, \
             a.sf, b.sf)}

// The first `count` of sixteen channels of CONV_PLACES neighbouring places, of which `kept` says
// which are stored; all and one more where the next tile overwrites that.
#define CONV_OPEN 255
EX_INLINE void conv_put_lanes(__global float *c, __global const float *other, bool adds,
                              int activation, float low, float high, int plane, uint kept,
                              int count, float16 r0, float16 r1, float16 r2, float16 r3,
                              float16 r4, float16 r5, float16 r6) {
  const float16 a[2] = CONV_ZIP(r0, r4), b[2] = CONV_ZIP(r2, r6);
  const float16 d[2] = CONV_ZIP(r1, r5), e[2] = CONV_ZIP(r3, r6);
  float8 lines[16];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const float16 even[2] = CONV_ZIP(a[i], b[i]), odd[2] = CONV_ZIP(d[i], e[i]);
#pragma unroll
    for (int j = 0; j < 2; j++) {
      const float16 both[2] = CONV_ZIP(even[j], odd[j]);
#pragma unroll
      for (int k = 0; k < 2; k++) {
        lines[i * 8 + j * 4 + k * 2] = both[k].lo;
        lines[i * 8 + j * 4 + k * 2 + 1] = both[k].hi;
      }
    }
  }
#pragma nounroll
  for (int l = 0; l < min(count, 16); l++, c += plane, other += plane) {
    const float8 v = lines[l];
#ifdef WINDOW_PICKS
    if (!adds) {
      window_pick_8(v, c, kept);
      continue;
    }
#endif
    if (kept == CONV_OPEN) {
      vstore8(adds ? conv_join_8(v, other, activation, low, high) : v, 0, c);
    } else {
      const float4 left = v.s0123, right = v.s3456;
      vstore4(adds ? conv_join_4(left, other, activation, low, high) : left, 0, c);
      vstore4(adds ? conv_join_4(right, other + 3, activation, low, high) : right, 0, c + 3);
    }
  }
}
#endif

// The first `count` channels of neighbouring places from `first` on, without those to be skipped
// and those between rows.
EX_INLINE void conv_put_places(__global float *c, __global const float *other, bool adds,
                               int activation, float low, float high, int plane, int width,
                               int line, int first, int skip, int count,
                               gemm_lanes total[CONV_PLACES][GEMM_VECTORS]) {
  float lanes[CONV_PLACES][GEMM_VECTORS * GEMM_LANES];
#pragma unroll
  for (int i = 0; i < CONV_PLACES; i++)
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) GEMM_STORE(total[i][j], 0, lanes[i] + j * GEMM_LANES);
  int row = first / line, column = first - row * line;
  for (int i = skip; i < CONV_PLACES; i++) {
    if (column < width) {
      const int place = row * width + column;
      __global float *q = c + place;
      if (adds)
        for (int l = 0; l < count; l++)
          q[(ulong)l * plane] = gemm_activate(lanes[i][l] + other[(ulong)l * plane + place],
                                              activation, low, high);
      else
        for (int l = 0; l < count; l++) q[(ulong)l * plane] = lanes[i][l];
    }
    if (++column == line) {
      row++;
      column = 0;
    }
  }
}

// The sums of CONV_PLACES places by channels of the output.
EX_INLINE void conv_lanes_sum(gemm_lanes total[CONV_PLACES][GEMM_VECTORS],
                              __global const float *pw, __global const float *x,
                              __global const uint *offsets, int depth) {
  for (int begin = 0; begin < depth; begin += GEMM_BLOCK) {
    const int end = min(depth, begin + GEMM_BLOCK);
    gemm_lanes sum[CONV_PLACES][GEMM_VECTORS];
#pragma unroll
    for (int i = 0; i < CONV_PLACES; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = (gemm_lanes)(0.0f);
    for (int k = begin; k < end; k++) {
      __global const float *p = x + offsets[k];
      CONV_FETCH(pw + 1024);
      CONV_FETCH(pw + 1024 + 16);
      gemm_lanes vw[GEMM_VECTORS];
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) vw[j] = GEMM_LOAD(0, pw + j * GEMM_LANES);
#pragma unroll
      for (int i = 0; i < CONV_PLACES; i++) {
        const gemm_lanes v = (gemm_lanes)(p[i]);
#pragma unroll
        for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = fma(v, vw[j], sum[i][j]);
      }
      pw += GEMM_COLUMNS;
    }
#pragma unroll
    for (int i = 0; i < CONV_PLACES; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++)
        total[i][j] = begin == 0 ? sum[i][j] : total[i][j] + sum[i][j];
  }
}

__kernel void conv_lanes(__global const float *restrict w, __global const float *restrict x,
                         __global const float *restrict bias, __global float *restrict c,
                         __global const uint *restrict offsets, int rows, int places, int depth,
                         int pitch, int width, int plane, int tilesEach, int groups,
                         ulong wStride, ulong xStride, ulong cOffset, ulong cStride, int hasBias,
                         int activation, float low, float high,
                         __global const float *restrict after, int afterStride, int steps,
                         __global const float *other) {
  const int channel = get_global_id(1) * GEMM_VECTORS * GEMM_LANES;
  if (channel >= rows) return;
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % groups;
  w += group * wStride + (ulong)(channel / GEMM_COLUMNS) * depth * GEMM_COLUMNS +
       channel % GEMM_COLUMNS;
  x += matrix * xStride;
  const ulong corner = cOffset + matrix * cStride + (ulong)channel * plane;
  c += corner;
  other += corner;
  float biases[GEMM_VECTORS * GEMM_LANES];
  for (int l = 0; l < GEMM_VECTORS * GEMM_LANES; l++)
    biases[l] = hasBias && channel + l < rows ? bias[group * rows + channel + l] : 0.0f;
  // Rows of these numbers go on behind the last channel.
  after += group * rows + channel;
  conv_after r[GEMM_VECTORS];
#pragma unroll
  for (int j = 0; j < GEMM_VECTORS && steps != 0; j++) {
    r[j].factor = GEMM_LOAD(0, after + j * GEMM_LANES);
    r[j].addend = GEMM_LOAD(0, after + afterStride + j * GEMM_LANES);
    r[j].lastFactor = GEMM_LOAD(0, after + 2 * afterStride + j * GEMM_LANES);
    r[j].lastAddend = GEMM_LOAD(0, after + 3 * afterStride + j * GEMM_LANES);
  }
  const bool isByRows = width % CONV_PLACES == 0;
  if (isByRows) places = plane;
  const int line = isByRows ? width : pitch;
  for (int t = 0; t < tilesEach; t++) {
    const int first = (get_global_id(0) * tilesEach + t) * CONV_PLACES;
    if (first >= places) return;
    const int start = min(first, places - CONV_PLACES);
    gemm_lanes total[CONV_PLACES][GEMM_VECTORS];
    const int gap = isByRows ? first / width * (pitch - width) : 0;
    conv_lanes_sum(total, w, x + start + gap, offsets, depth);
    CONV_TURN
    for (int i = 0; i < CONV_PLACES; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) {
        gemm_lanes v = total[i][j];
        if (hasBias) v = v + GEMM_LOAD(0, biases + j * GEMM_LANES);
        total[i][j] = conv_finish(v, r[j], steps, activation, low, high);
      }
    const int count = min(GEMM_VECTORS * GEMM_LANES, rows - channel);
#ifndef RIGOR_NARROW
    const bool isWhole = line == width && start == first;
    const bool isOpen = isWhole && t + 1 < tilesEach && first + CONV_PLACES < places;
    uint kept = isOpen ? CONV_OPEN : CONV_OPEN >> 1;
#ifdef WINDOW_PICKS
    const bool picks = !(steps & CONV_ADD_OTHER);
    if (picks && !isWhole)
      kept = window_kept(start % line, line, width, first - start, CONV_PLACES);
#else
    const bool picks = false;
#endif
    if (isWhole || picks) {
      const int place = first / line * width + min(first % line, width);
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) {
        const ulong corner = (ulong)j * GEMM_LANES * plane + place;
        conv_put_lanes(c + corner, other + corner, steps & CONV_ADD_OTHER, activation, low, high,
                       plane, kept, count - j * GEMM_LANES, total[0][j], total[1][j], total[2][j],
                       total[3][j], total[4][j], total[5][j], total[6][j]);
      }
      continue;
    }
#endif
    conv_put_places(c, other, steps & CONV_ADD_OTHER, activation, low, high, plane, width, line,
                    first, first - start, count, total);
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

typedef struct {
  int channels; // of the input, in one group
  int height, width;
  int outHeight, outWidth;
  int kernelHeight, kernelWidth;
  int strideY, strideX;
  int dilationY, dilationX;
  int top, left; // padding
} conv_shape;

// One input channel a group, `multiplier` outputs each. Work-items: (pixels rounded up, channels
// out, items).
__kernel void conv_depthwise(__global const float *restrict x, __global const float *restrict w,
                             __global const float *restrict bias, __global float *restrict y,
                             conv_shape s, int channelsOut, int multiplier, int hasBias,
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
