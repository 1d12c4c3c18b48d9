// needs: exact/divide.cl inference/activate.cl inference/gemm.cl
// needs: inference/layout.cl inference/window.cl
// needs: inference/convolve_tail.cl inference/convolve.cl
// Convolution with channels of the output in lanes: for each k one vector of weights is read for
// many places, so that weights which come from far away are read in time, and no place is computed
// that is none where rows divide into segments.
#define CONV_PLACES 7 // of a segment: a divisor of usual rows

// How many of each size of tile there are, in segments.
typedef struct {
  int fours, threes, ones;
} conv_tiles;

EX_INLINE conv_tiles conv_tiles_of(int places, bool isByRows) {
  const int segments = (places + CONV_PLACES - 1) / CONV_PLACES;
  conv_tiles r = {0, 0, segments};
#ifndef RIGOR_NARROW
  if (places >= 4 * CONV_PLACES || (isByRows && segments == 3)) {
    r.ones = 0;
    r.threes = -segments & 3;
    r.fours = (segments - 3 * r.threes) / 4;
    if (segments == 5) {
      r.threes = 2;
      r.fours = 0;
    }
  }
#endif
  return r;
}

// Which rows of a window lie in the padding, if those may be left out: see conv_lanes. No more than
// seven rows then.
typedef struct {
  int skips, kernelHeight, kernelWidth;
  int height, strideY, dilationY, top;
} conv_edge;

// What all tiles of a work-item share.
typedef struct {
  __global const float *w, *x;
  __global float *c;
  __global const float *other;
  __global const uint *offsets;
  int rows, places, depth, pitch, width, plane;
  bool isByRows;
  // Of the output's places, all of which are one row where segments are.
  int line, end;
  int steps, activation;
  float low, high;
  bool isPlain;
  conv_edge edge;
  conv_bounds bounds;
  gemm_lanes bias;
  conv_after after;
} conv_part;

#ifndef WINDOW_PICKS
// The channels of a tile's places, place by place.
EX_INLINE void conv_put_places(const conv_part *p, int first, int start, int count,
                               const gemm_lanes *total) {
  for (int i = first - start; i < CONV_PLACES; i++) {
    const int at = start + i, column = at % p->line;
    if (column >= p->end) continue;
    const ulong place = at / p->line * p->end + column;
    float lanes[GEMM_LANES];
    GEMM_STORE(total[i], 0, lanes);
    for (int l = 0; l < min(count, GEMM_LANES); l++) {
      const ulong to = (ulong)l * p->plane + place;
      p->c[to] = p->steps & CONV_ADD_OTHER
                     ? gemm_activate(lanes[l] + p->other[to], p->activation, p->low, p->high)
                     : lanes[l];
    }
  }
}
#else
#define CONV_ZIP_LOW(a, b)                                                                       \
  (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6,  \
            a.s7, b.s7)
#define CONV_ZIP_HIGH(a, b)                                                                      \
  (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se,  \
            a.sf, b.sf)
#define CONV_ROUND(to, from)                                                                     \
  _Pragma("unroll") for (int i = 0; i < 8; i++) {                                                \
    to[2 * i] = CONV_ZIP_LOW(from[i], from[i + 8]);                                              \
    to[2 * i + 1] = CONV_ZIP_HIGH(from[i], from[i + 8]);                                         \
  }

// Sixteen channels, or the first `count`, of as many neighbouring places, of which `kept` says
// which are stored.
#define CONV_PUT_LINES(name, adds, put, turn, lines_)                                            \
  EX_INLINE void name(const float16 *lines, __global float *c, __global const float *other,      \
                      int plane, uint kept, int count, conv_bounds bounds) {                     \
    turn for (int l = 0; l < lines_; l++) {                                                      \
      const float16 v = lines[l];                                                                \
      put(adds ? conv_bound(v + window_some(other, kept), bounds) : v, c, kept);                   \
      c += plane;                                                                                \
      if (adds) other += plane;                                                                  \
    }                                                                                            \
  }
#define CONV_PUT_FIRST(v, c, kept)                                                               \
  __builtin_ia32_storeups512_mask((__private float16 *)(size_t)(c), v, kept)
CONV_PUT_LINES(conv_lines, false, CONV_PUT_FIRST, _Pragma("unroll"), 16)
CONV_PUT_LINES(conv_lines_join, true, CONV_PUT_FIRST, _Pragma("unroll"), 16)
CONV_PUT_LINES(conv_lines_pick, false, conv_pick, _Pragma("unroll"), 16)
CONV_PUT_LINES(conv_lines_few, false, conv_pick, _Pragma("nounroll"), count)
CONV_PUT_LINES(conv_lines_few_join, true, conv_pick, _Pragma("nounroll"), count)

// Sixteen vectors of channels, neighbouring places from `start` on, without those before `first`
// and between rows.
EX_INLINE void conv_put_block(const conv_part *p, float16 *a, int start, int places, int first,
                              int channels) {
  const int to = max(start, first);
  const uint all = (1u << min(places, 16)) - 1;
  const uint kept = window_kept(start % p->line, p->line, p->end, first - start,
                                min(places, p->places - start)) & all;
  if (kept == 0) return;
  __global float *c = p->c + to / p->line * p->end + min(to % p->line, p->end);
  __global const float *other = p->other + start;
  float16 b[16];
  CONV_ROUND(b, a)
  CONV_ROUND(a, b)
  CONV_ROUND(b, a)
  CONV_ROUND(a, b)
  const bool adds = (p->steps & CONV_ADD_OTHER) != 0;
#define CONV_PUT_WITH(name) name(a, c, other, p->plane, kept, min(channels, 16), p->bounds)
  if (channels < GEMM_LANES) {
    if (adds)
      CONV_PUT_WITH(conv_lines_few_join);
    else
      CONV_PUT_WITH(conv_lines_few);
  } else if (kept != all) {
    if (adds)
      CONV_PUT_WITH(conv_lines_few_join);
    else
      CONV_PUT_WITH(conv_lines_pick);
  } else {
    if (adds)
      CONV_PUT_WITH(conv_lines_join);
    else
      CONV_PUT_WITH(conv_lines);
  }
#undef CONV_PUT_WITH
}
#endif

// Sums of some segments over taps of one row of the window, or of all rows.
#define CONV_TAPS(from, to)                                                                      \
  for (; k < last; k++) {                                                                        \
    const uint offset = p->offsets[k];                                                           \
    CONV_FETCH(pw + 1024);                                                                       \
    const gemm_lanes vw = GEMM_LOAD(0, pw);                                                      \
    _Pragma("unroll") for (int q = from; q < to; q++)                                            \
        _Pragma("unroll") for (int i = 0; i < CONV_PLACES; i++) sum[q * CONV_PLACES + i] =       \
            fma((gemm_lanes)(x[q][offset + i]), vw, sum[q * CONV_PLACES + i]);                   \
    pw += GEMM_COLUMNS;                                                                          \
  }

// One block of k for all segments. Where `rows` are given, which hold the segments that each row of
// the window is inside of as bits, the others are left out.
#define CONV_BLOCK_SUM(segments)                                                                 \
  if (!isEdge) {                                                                                 \
    const int last = end;                                                                        \
    CONV_TAPS(0, segments)                                                                       \
  } else {                                                                                       \
    while (k < end) {                                                                            \
      const int last = min(end, k + across);                                                     \
      const uint all = (1u << segments) - 1, kept = inside >> 4 * row & all;                     \
      across -= last - k;                                                                        \
      if (kept == 0) {                                                                           \
        pw += (last - k) * GEMM_COLUMNS;                                                         \
        k = last;                                                                                \
      } else if (kept == (all & ~1u)) {                                                          \
        CONV_TAPS(1, segments)                                                                   \
      } else if (kept == (all & ~3u)) {                                                          \
        CONV_TAPS(2, segments)                                                                   \
      } else if (kept == all >> 1) {                                                             \
        CONV_TAPS(0, segments - 1)                                                               \
      } else if (kept == all >> 2) {                                                             \
        CONV_TAPS(0, segments - 2)                                                               \
      } else {                                                                                   \
        CONV_TAPS(0, segments)                                                                   \
      }                                                                                          \
      if (across == 0) {                                                                         \
        across = p->edge.kernelWidth;                                                            \
        row = row + 1 == p->edge.kernelHeight ? 0 : row + 1;                                     \
      }                                                                                          \
    }                                                                                            \
  }

// For each row of the window four bits: which of the segments from `start` on it is inside of.
EX_INLINE uint conv_inside(const conv_part *p, int start, int segments) {
  uint inside = 0;
  for (int q = 0; q < segments; q++) {
    const int first = (start + q * CONV_PLACES) / p->width * p->edge.strideY - p->edge.top;
    for (int row = 0; row < p->edge.kernelHeight; row++) {
      const int at = first + row * p->edge.dilationY;
      if (at >= 0 && at < p->edge.height) inside |= 1u << (row * 4 + q);
    }
  }
  return inside;
}

// Sums of some segments by channels of the output, and where they go.
#define CONV_TILE(name, segments)                                                                \
  EX_INLINE void name(const conv_part *p, int first, int channels) {                             \
    const int count = segments * CONV_PLACES, start = min(first, p->places - count);             \
    __global const float *x[segments];                                                           \
    _Pragma("unroll") for (int q = 0; q < segments; q++) {                                       \
      const int at = start + q * CONV_PLACES;                                                    \
      x[q] = p->x + at + (p->isByRows ? at / p->width * (p->pitch - p->width) : 0);              \
    }                                                                                            \
    const int spot = start / p->line * p->end + min(start % p->line, p->end);                    \
    conv_fetch(p->c + spot, p->other + spot, p->steps & CONV_ADD_OTHER, p->plane,                \
               min(GEMM_LANES, channels), count);                                                \
    const uint whole = (0x1111111u * ((1u << segments) - 1)) &                                   \
                       ((1u << 4 * p->edge.kernelHeight) - 1);                                   \
    const uint inside = p->edge.skips ? conv_inside(p, start, segments) : whole;                 \
    const bool isEdge = inside != whole;                                                         \
    int row = 0, across = p->edge.kernelWidth;                                                   \
    __global const float *pw = p->w;                                                             \
    gemm_lanes total[segments * CONV_PLACES];                                                    \
    for (int begin = 0; begin < p->depth; begin += GEMM_BLOCK) {                                 \
      const int end = min(p->depth, begin + GEMM_BLOCK);                                         \
      gemm_lanes sum[segments * CONV_PLACES];                                                    \
      _Pragma("unroll") for (int i = 0; i < segments * CONV_PLACES; i++) sum[i] =                \
          (gemm_lanes)(0.0f);                                                                    \
      int k = begin;                                                                             \
      CONV_BLOCK_SUM(segments)                                                                   \
      _Pragma("unroll") for (int i = 0; i < segments * CONV_PLACES; i++) total[i] =              \
          begin == 0 ? sum[i] : total[i] + sum[i];                                               \
    }                                                                                            \
    conv_finish_tile(p, total, segments * CONV_PLACES);                                          \
    CONV_PUT_TILE_LANES(segments)                                                                \
  }

EX_INLINE void conv_finish_tile(const conv_part *p, gemm_lanes *total, const int count) {
  if (!p->isPlain) {
    CONV_TURN
    for (int i = 0; i < count; i++)
      total[i] = conv_finish(total[i] + p->bias, p->after, p->steps, p->activation, p->low,
                             p->high);
    return;
  }
#pragma unroll
  for (int i = 0; i < count; i++) total[i] = total[i] + p->bias;
  if (p->steps & (CONV_MULTIPLY | CONV_ADD)) {
#pragma unroll
    for (int i = 0; i < count; i++) {
      total[i] = total[i] * p->after.factor;
      total[i] = total[i] + p->after.addend;
    }
  }
  if (p->steps & CONV_ADD_OTHER) return;
#pragma unroll
  for (int i = 0; i < count; i++) total[i] = conv_bound(total[i], p->bounds);
}

#ifndef WINDOW_PICKS
#define CONV_PUT_TILE_LANES(segments) conv_put_places(p, first, start, channels, total);
#else
// Blocks are filled up with the last place.
#define CONV_PUT_TILE_LANES(segments)                                                            \
  _Pragma("unroll") for (int at = 0; at < segments * CONV_PLACES; at += 16) {                    \
    float16 block[16];                                                                           \
    _Pragma("unroll") for (int i = 0; i < 16; i++) block[i] =                                    \
        total[at + i < segments * CONV_PLACES ? at + i : segments * CONV_PLACES - 1];            \
    conv_put_block(p, block, start + at, segments * CONV_PLACES - at, first, channels);          \
  }
#endif
CONV_TILE(conv_tile_1, 1)

// Some segments from the place `first` on.
#ifdef WINDOW_PICKS
CONV_TILE(conv_tile_3, 3)
CONV_TILE(conv_tile_4, 4)
EX_INLINE void conv_tile(const conv_part *p, int first, int segments, int channels) {
  if (segments == 4)
    conv_tile_4(p, first, channels);
  else if (segments == 3)
    conv_tile_3(p, first, channels);
  else
    conv_tile_1(p, first, channels);
}
#else
// One by one: other compilers take minutes for the long tiles.
EX_INLINE void conv_tile(const conv_part *p, int first, int segments, int channels) {
  for (int at = first; at < min(first + segments * CONV_PLACES, p->places); at += CONV_PLACES)
    conv_tile_1(p, at, channels);
}
#endif

// Work-items: (parts of `tilesEach` tiles, panels of channels, matrices). Weights lie in panels as
// B does.
//
// A tap in the padding adds a zero, which moves no bit of a sum but the sign of a zero: a sum that
// is -0, as only a tiny number rounded to zero makes one, may become +0. Behind a bias other than
// -0 both are the same, so taps in the padding may be left out there if all weights are finite:
// `edge` says whether.
__kernel void conv_lanes(__global const float *restrict w, __global const float *restrict x,
                         __global const float *restrict bias, __global float *restrict c,
                         __global const uint *restrict offsets, int rows, int places, int depth,
                         int pitch, int width, int plane, int tilesEach, int groups,
                         ulong wStride, ulong xStride, ulong cOffset, ulong cStride, int hasBias,
                         int activation, float low, float high,
                         __global const float *restrict after, int afterStride, int steps,
                         __global const float *other, conv_edge edge) {
  const int channel = get_global_id(1) * GEMM_LANES;
  if (channel >= rows) return;
  const ulong matrix = get_global_id(2), corner = cOffset + matrix * cStride;
  const int group = (int)matrix % groups;
  conv_part p;
  p.w = w + group * wStride + (ulong)(channel / GEMM_COLUMNS) * depth * GEMM_COLUMNS +
        channel % GEMM_COLUMNS;
  p.x = x + matrix * xStride;
  p.c = c + corner + (ulong)channel * plane;
  p.other = other + corner + (ulong)channel * plane;
  p.offsets = offsets;
  p.isByRows = width % CONV_PLACES == 0;
  p.places = p.isByRows ? plane : places;
  p.depth = depth;
  p.pitch = pitch;
  p.width = width;
  p.plane = plane;
  p.line = p.isByRows ? plane : pitch;
  p.end = p.isByRows ? plane : width;
  p.steps = steps;
  p.activation = activation;
  p.low = low;
  p.high = high;
  p.isPlain = conv_is_plain(steps, activation);
  p.edge = edge;
  p.bounds = conv_bounds_of(activation, low, high);
  float biases[GEMM_LANES];
  for (int l = 0; l < GEMM_LANES; l++)
    biases[l] = hasBias && channel + l < rows ? bias[group * rows + channel + l] : CONV_NONE;
  p.bias = GEMM_LOAD(0, biases);
  // Rows of these numbers go on behind the last channel.
  after += group * rows + channel;
  p.after.factor = steps & CONV_MULTIPLY ? GEMM_LOAD(0, after) : (gemm_lanes)(1.0f);
  p.after.addend =
      steps & CONV_ADD ? GEMM_LOAD(0, after + afterStride) : (gemm_lanes)(CONV_NONE);
  if (steps & CONV_MULTIPLY_LAST) p.after.lastFactor = GEMM_LOAD(0, after + 2 * afterStride);
  if (steps & CONV_ADD_LAST) p.after.lastAddend = GEMM_LOAD(0, after + 3 * afterStride);
  const conv_tiles tiles = conv_tiles_of(p.places, p.isByRows);
  for (int t = 0; t < tilesEach; t++) {
    const int tile = get_global_id(0) * tilesEach + t, third = tile - tiles.fours;
    const int segments = third < 0 ? 4 : third < tiles.threes ? 3 : 1;
    if (segments == 1 && tile >= tiles.ones) return;
    const int begin = segments == 3 ? tiles.fours * 4 + third * 3 : tile * segments;
    conv_tile(&p, begin * CONV_PLACES, segments, rows - channel);
  }
}
