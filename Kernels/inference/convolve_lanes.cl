// needs: exact/divide.cl inference/activate.cl inference/gemm.cl
// needs: inference/layout.cl inference/window.cl
// needs: inference/convolve_tail.cl inference/convolve.cl
// Convolution with channels of the output in lanes: for each k one vector of weights is read for
// many places, so that weights which come from far away are read in time, and no place is computed
// that is none where rows divide into segments.
#define CONV_BEFORE 27 // taps of three by three, to the third next channel's: what is fetched
#define CONV_PLACES 7  // of a usual segment, and of every one where long tiles are too much

// How tiles lie, and whether they read planes without padding: see conv_lanes.
typedef struct {
  // Whether windows of three by three neighbours, whose taps in the padding are left out.
  int isBare;
  // Rows of a plane.
  int height;
  // Places of a segment, of which there are whole ones in a row of the output or in none.
  int segment;
  // Whether work-items that follow one another take other channels of the same places.
  int isByPlaces;
} conv_edge;

// How many tiles of each size there are: of `most` segments, of three, and of one.
typedef struct {
  int bigs, threes, ones, most;
} conv_tiles;

EX_INLINE conv_tiles conv_tiles_of(int places, bool isByRows, int segment) {
  const int segments = (places + segment - 1) / segment;
  conv_tiles r = {0, 0, segments, 1};
#ifndef RIGOR_NARROW
  if (segment == CONV_PLACES) {
    if (places >= 4 * CONV_PLACES || (isByRows && segments == 3)) {
      r.most = 4;
      r.ones = 0;
      r.threes = segments == 5 ? 2 : -segments & 3;
      r.bigs = segments == 5 ? 0 : (segments - 3 * r.threes) / 4;
    }
  } else if (segment == 13) {
    r.most = 2;
    r.bigs = segments / 2;
    r.ones = segments % 2;
  }
#endif
  return r;
}

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
EX_APART void conv_put_block(const conv_part *p, float16 *a, int start, int places, int first,
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

// One tap for the segments of a tile in [from, to). Bits of `left` and `right` say of which ones
// the first or last place is left out. Places are counted by 64 bits: sums of 32 bits wrap round,
// for which compilers need an instruction beside each that adds a product.
#define CONV_TAP(vw, offset, places, from, to, left, right)                                      \
  _Pragma("unroll") for (int q = from; q < to; q++)                                              \
      _Pragma("unroll") for (int i = (left) >> q & 1; i < places - ((right) >> q & 1); i++)      \
          CONV_TAP_ONE(q, i, places, offset, vw)

// Which segments of a tile begin or end a row, as bits; and for each row of the window, four bits
// each, which ones it is inside the plane for.
typedef struct {
  uint left, right, inside;
} conv_sides;

EX_INLINE conv_sides conv_sides_of(const conv_part *p, int start, int segments, int segment) {
  conv_sides r = {0, 0, 0};
  for (int q = 0; q < segments; q++) {
    const int at = start + q * segment, row = at / p->width, column = at - row * p->width;
    if (column == 0) r.left |= 1u << q;
    if (column + segment == p->width) r.right |= 1u << q;
    if (row > 0) r.inside |= 1u << q;
    r.inside |= 16u << q;
    if (row + 1 < p->edge.height) r.inside |= 256u << q;
  }
  return r;
}

// One block of k for all segments of a tile, which are at no edge.
#define CONV_SUM_WHOLE(segments, places)                                                          \
  for (; k < end; k++) {                                                                         \
    const uint offset = p->offsets[k];                                                           \
    const uint ahead = p->offsets[min(k + CONV_AHEAD, p->depth - 1)];                            \
    CONV_FETCH(x[0] + ahead);                                                                    \
    if (segments * places > 7) CONV_FETCH(x[0] + ahead + 16);                                    \
    CONV_FETCH(pw + 1024);                                                                       \
    const gemm_lanes vw = GEMM_LOAD(0, pw);                                                      \
    CONV_TAP(vw, offset, places, 0, segments, 0, 0)                                              \
    pw += GEMM_COLUMNS;                                                                          \
  }

// The taps of a row of the window for one segment, at `offsets`. Each offset is looked up, or
// compilers keep what neighbouring taps share in registers that there are not.
#define CONV_RUN(q, places)                                                                      \
  if (sides.inside >> (4 * row + q) & 1) {                                                       \
    CONV_TAP_AT(q, 0, places, offsets[0], vw0, sides.left >> q & 1, 0)                           \
    CONV_TAP_AT(q, 1, places, offsets[1], vw1, 0, 0)                                             \
    CONV_TAP_AT(q, 2, places, offsets[2], vw2, 0, sides.right >> q & 1)                          \
  }
#define CONV_TAP_AT(q, t, places, offset, vw, isLeft, isRight)                                   \
  if (!(isLeft)) CONV_TAP_ONE(q, 0, places, offset, vw)                                          \
  _Pragma("unroll") for (int i = 1; i < places - 1; i++)                                         \
      CONV_TAP_ONE(q, i, places, offset, vw)                                                     \
  if (!(isRight)) CONV_TAP_ONE(q, places - 1, places, offset, vw)
#define CONV_TAP_ONE(q, i, places, offset, vw)                                                   \
  sum[q * places + i] =                                                                          \
      fma((gemm_lanes)(x[q][(ulong)(offset) + i]), vw, sum[q * places + i]);

// The same without taps in the padding, by rows of the window: three taps, but where a block begins
// or ends among them. `pw` and k are those of the first tap of a row.
#define CONV_SUM_BARE(segments, places)                                                          \
  while (k < end) {                                                                              \
    const int next = min(3, end - k);                                                            \
    __global const uint *offsets = p->offsets + k;                                               \
    CONV_FETCH(pw + 1024);                                                                       \
    CONV_FETCH(pw + GEMM_COLUMNS + 1024);                                                        \
    CONV_FETCH(pw + 2 * GEMM_COLUMNS + 1024);                                                    \
    const uint ahead = p->offsets[min(k + CONV_BEFORE, p->depth - 1)];                           \
    CONV_FETCH(x[0] + ahead);                                                                    \
    CONV_FETCH(x[0] + ahead + 16);                                                               \
    if (segments * places > 16) CONV_FETCH(x[segments - 1] + ahead + places);                    \
    if (column == 0 && next == 3) {                                                              \
      const gemm_lanes vw0 = GEMM_LOAD(0, pw), vw1 = GEMM_LOAD(0, pw + GEMM_COLUMNS),            \
                       vw2 = GEMM_LOAD(0, pw + 2 * GEMM_COLUMNS);                                \
      _Pragma("unroll") for (int q = 0; q < segments; q++) { CONV_RUN(q, places) }               \
    } else {                                                                                     \
      for (int t = column; t < next; t++) {                                                      \
        const gemm_lanes vw = GEMM_LOAD(0, pw + t * GEMM_COLUMNS);                               \
        _Pragma("unroll") for (int q = 0; q < segments; q++) {                                   \
          if (sides.inside >> (4 * row + q) & 1) {                                               \
            CONV_TAP_AT(q, t, places, offsets[t], vw, t == 0 && (sides.left >> q & 1),           \
                        t == 2 && (sides.right >> q & 1))                                        \
          }                                                                                      \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
    column = next % 3;                                                                           \
    if (next < 3) break;                                                                         \
    pw += 3 * GEMM_COLUMNS;                                                                      \
    k += 3;                                                                                      \
    row = row == 2 ? 0 : row + 1;                                                                \
  }

// Sums of some segments from the place `start` on by channels of the output, and where they go:
// those before `first` nowhere.
#define CONV_TILE(name, segments, places)                                                        \
  EX_APART void name(const conv_part *p, int start, int first, int channels) {                   \
    const int count = segments * places;                                                         \
    __global const float *x[segments];                                                           \
    _Pragma("unroll") for (int q = 0; q < segments; q++) {                                       \
      const int at = start + q * places;                                                         \
      x[q] = p->x + at + (p->isByRows ? at / p->width * (p->pitch - p->width) : 0);              \
    }                                                                                            \
    const int spot = start / p->line * p->end + min(start % p->line, p->end);                    \
    conv_fetch(p->c + spot, p->other + spot, p->steps & CONV_ADD_OTHER, p->plane,                \
               min(GEMM_LANES, channels), count);                                                \
    const bool isBare = p->edge.isBare;                                                          \
    const conv_sides sides = conv_sides_of(p, start, segments, places);                          \
    int k = 0, row = 0, column = 0;                                                              \
    __global const float *pw = p->w;                                                             \
    gemm_lanes total[segments * places];                                                         \
    for (int begin = 0; begin < p->depth; begin += GEMM_BLOCK) {                                 \
      const int end = min(p->depth, begin + GEMM_BLOCK);                                         \
      gemm_lanes sum[segments * places];                                                         \
      _Pragma("unroll") for (int i = 0; i < segments * places; i++) sum[i] = (gemm_lanes)(0.0f); \
      if (!isBare) {                                                                             \
        CONV_SUM_WHOLE(segments, places)                                                         \
      } else {                                                                                   \
        CONV_SUM_BARE(segments, places)                                                          \
      }                                                                                          \
      _Pragma("unroll") for (int i = 0; i < segments * places; i++) total[i] =                   \
          begin == 0 ? sum[i] : total[i] + sum[i];                                               \
    }                                                                                            \
    conv_finish_tile(p, total, segments * places);                                               \
    CONV_PUT_TILE_LANES(segments * places)                                                       \
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
#define CONV_PUT_TILE_LANES(places) conv_put_places(p, first, start, channels, total);
CONV_TILE(conv_tile_1, 1, CONV_PLACES)

// Some segments from the place `first` on: seven places at a time, since other compilers take
// minutes for long tiles, and where a segment has some over, the last of them once more.
EX_INLINE void conv_tile(const conv_part *p, int first, int segments, int channels) {
  const int segment = p->edge.segment;
  for (int q = 0; q < segments; q++) {
    const int begin = first + q * segment;
    for (int at = 0; at < segment; at += CONV_PLACES) {
      const int start = begin + min(at, segment - CONV_PLACES);
      if (begin + at >= p->places) return;
      conv_tile_1(p, min(start, p->places - CONV_PLACES), begin + at, channels);
    }
  }
}
#else
// Blocks are filled up with the last place.
#define CONV_PUT_TILE_LANES(places)                                                              \
  _Pragma("unroll") for (int at = 0; at < places; at += 16) {                                    \
    float16 block[16];                                                                           \
    _Pragma("unroll") for (int i = 0; i < 16; i++) block[i] =                                    \
        total[at + i < places ? at + i : places - 1];                                            \
    conv_put_block(p, block, start + at, places - at, first, channels);                          \
  }
CONV_TILE(conv_tile_1x7, 1, 7)
CONV_TILE(conv_tile_3x7, 3, 7)
CONV_TILE(conv_tile_4x7, 4, 7)
CONV_TILE(conv_tile_1x13, 1, 13)
CONV_TILE(conv_tile_2x13, 2, 13)
CONV_TILE(conv_tile_1x27, 1, 27)

// Some segments from the place `first` on.
EX_INLINE void conv_tile(const conv_part *p, int first, int segments, int channels) {
  const int start = min(first, p->places - segments * p->edge.segment);
  switch (p->edge.segment) {
    case 13:
      if (segments == 2)
        conv_tile_2x13(p, start, first, channels);
      else
        conv_tile_1x13(p, start, first, channels);
      break;
    case 27: conv_tile_1x27(p, start, first, channels); break;
    default:
      if (segments == 4)
        conv_tile_4x7(p, start, first, channels);
      else if (segments == 3)
        conv_tile_3x7(p, start, first, channels);
      else
        conv_tile_1x7(p, start, first, channels);
  }
}
#endif

// Work-items: (parts of `tilesEach` tiles, panels of channels, matrices), or panels before parts.
// Weights lie in panels as B does.
//
// A tap in the padding adds a zero, which moves no bit of a sum but the sign of a zero: a sum that
// is -0, as only a tiny number rounded to zero makes one, may become +0. Behind a bias other than
// -0 both are the same, so taps in the padding may be left out there if all weights are finite.
// Windows of three by three neighbours then read planes as they lie, where `edge` says so.
__kernel void conv_lanes(__global const float *restrict w, __global const float *restrict x,
                         __global const float *restrict bias, __global float *restrict c,
                         __global const uint *restrict offsets, int rows, int places, int depth,
                         int pitch, int width, int plane, int tilesEach, int groups,
                         ulong wStride, ulong xStride, ulong cOffset, ulong cStride, int hasBias,
                         int activation, float low, float high,
                         __global const float *restrict after, int afterStride, int steps,
                         __global const float *other, conv_edge edge) {
  const int part = edge.isByPlaces ? get_global_id(1) : get_global_id(0);
  const int channel = (edge.isByPlaces ? get_global_id(0) : get_global_id(1)) * GEMM_LANES;
  if (channel >= rows) return;
  const ulong matrix = get_global_id(2), corner = cOffset + matrix * cStride;
  const int group = (int)matrix % groups;
  conv_part p;
  p.w = w + group * wStride + (ulong)(channel / GEMM_COLUMNS) * depth * GEMM_COLUMNS +
        channel % GEMM_COLUMNS;
  // Where planes lie without padding, the first tap is a row and a place before them.
  p.x = x + matrix * xStride - (edge.isBare ? pitch + 1 : 0);
  p.c = c + corner + (ulong)channel * plane;
  p.other = other + corner + (ulong)channel * plane;
  p.offsets = offsets;
  p.isByRows = width % edge.segment == 0;
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
  const conv_tiles tiles = conv_tiles_of(p.places, p.isByRows, edge.segment);
  for (int t = 0; t < tilesEach; t++) {
    const int tile = part * tilesEach + t;
    const int third = tile - tiles.bigs, one = third - tiles.threes;
    if (one >= tiles.ones) return;
    const int segments = third < 0 ? tiles.most : one < 0 ? 3 : 1;
    const int begin = min(tile, tiles.bigs) * tiles.most + max(min(third, tiles.threes), 0) * 3;
    conv_tile(&p, (begin + max(one, 0)) * edge.segment, segments, rows - channel);
  }
}
