// needs: exact/divide.cl inference/activate.cl inference/gemm_tile.cl inference/layout.cl
// needs: inference/window.cl inference/convolve_tail.cl
// Convolution with channels of the output in lanes: for each k two vectors of weights are read for
// many places, so that weights which come from far away are read in time, and no place is computed
// that is none where rows divide into segments. A place's element is read once for two products: by
// one vector there are as many reads as products, and some processors read no faster than that.
#define CONV_PLACES 7 // of a usual segment, and of every one where long tiles are too much
#define CONV_PAIR 14  // of two
#ifdef RIGOR_NARROW
#define CONV_PANELS_EACH 1 // vectors of channels that a work-item takes
#else
#define CONV_PANELS_EACH 2
#endif

// How tiles lie, and whether they read planes without padding: see conv_lanes.
typedef struct {
  // Whether windows of three by three neighbours, whose taps in the padding are left out.
  int isBare;
  // Rows of a plane.
  int height;
  // Places of a segment, of which there are whole ones in a row of the output or in none; or
  // CONV_PAIR, where rows have tiles of as many places, of which the last one begins early.
  int segment;
  // Whether work-items that follow one another take other channels of the same places.
  int isByPlaces;
} conv_edge;

// One of the tiles that cover the output: from the place `start` on, those before `first` are
// another's. `count` is 0 behind the last one.
typedef struct {
  int start, first, count;
} conv_span;

// - width: of a row; places: of all of them, counted by rows, or along the pitch.
EX_INLINE conv_span conv_span_of(int tile, int segment, int width, int places) {
  conv_span r;
  if (segment == CONV_PAIR) {
    const int each = (width + CONV_PAIR - 1) / CONV_PAIR, row = tile / each * width;
    const int column = tile % each * CONV_PAIR;
    r.first = row + column;
    r.start = row + min(column, width - CONV_PAIR);
    r.count = row < places ? CONV_PAIR : 0;
    return r;
  }
  const int segments = (places + segment - 1) / segment;
#ifdef RIGOR_NARROW
  const int pairs = 0;
#else
  const int pairs = segment == CONV_PLACES && places >= CONV_PAIR ? segments / 2 : 0;
#endif
  const int begin = tile < pairs ? 2 * tile : pairs + tile;
  r.count = begin >= segments ? 0 : tile < pairs ? CONV_PAIR : segment;
  r.first = begin * segment;
  r.start = min(r.first, places - r.count);
  return r;
}

// What all tiles of a work-item share.
typedef struct {
  __global const float *w, *x;
  __global float *c;
  __global const float *other;
  __global const uint *offsets;
  // Floats from a panel's weights to the next one's; none where there is no other.
  ulong second;
  int rows, places, depth, pitch, width, plane;
  bool isByRows;
  // Of the output's places, all of which are one row where segments are.
  int line, end;
  int steps, activation;
  float low, high;
  bool isPlain;
  conv_edge edge;
  conv_bounds bounds;
  gemm_lanes bias[CONV_PANELS_EACH];
  conv_after after[CONV_PANELS_EACH];
} conv_part;

#ifndef WINDOW_PICKS
// The channels of a tile's places, place by place: the first `count` of a panel.
EX_INLINE void conv_put_places(const conv_part *p, int first, int start, int count, int panel,
                               const gemm_lanes *total) {
  for (int i = first - start; i < CONV_PLACES; i++) {
    const int at = start + i, column = at % p->line;
    if (column >= p->end) continue;
    const ulong place = at / p->line * p->end + column;
    float lanes[GEMM_LANES];
    GEMM_STORE(total[i], 0, lanes);
    for (int l = 0; l < min(count, GEMM_LANES); l++) {
      const ulong to = (ulong)(panel * GEMM_LANES + l) * p->plane + place;
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
CONV_PUT_LINES(conv_lines_pick, false, window_pick_some, _Pragma("unroll"), 16)
CONV_PUT_LINES(conv_lines_few, false, window_pick_some, _Pragma("nounroll"), count)
CONV_PUT_LINES(conv_lines_few_join, true, window_pick_some, _Pragma("nounroll"), count)

// Sixteen vectors of a panel's channels, neighbouring places from `start` on, without those before
// `first` and between rows.
EX_APART void conv_put_block(const conv_part *p, float16 *a, int start, int places, int first,
                             int channels, int panel) {
  const int to = max(start, first);
  const uint all = (1u << min(places, 16)) - 1;
  const uint kept = window_kept(start % p->line, p->line, p->end, first - start,
                                min(places, p->places - start)) & all;
  if (kept == 0) return;
  const ulong corner = (ulong)panel * GEMM_LANES * p->plane;
  __global float *c = p->c + corner + to / p->line * p->end + min(to % p->line, p->end);
  __global const float *other = p->other + corner + start;
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

// Where windows reach beyond planes that lie bare: for each tap of three by three, three bits for
// each segment, which say that it is not inside, and that its first or last place is not. Returns
// the bits that there are of any tap.
EX_INLINE uint conv_marks_of(const conv_part *p, int start, int segments, int segment,
                             uint *marks) {
  for (int t = 0; t < 9; t++) marks[t] = 0;
  if (!p->edge.isBare) return 0;
  for (int q = 0; q < segments; q++) {
    const int at = start + q * segment, row = at / p->width, column = at - row * p->width;
    for (int t = 0; t < 3; t++) {
      if (row == 0) marks[t] |= 1u << (3 * q);
      if (row + 1 == p->edge.height) marks[6 + t] |= 1u << (3 * q);
      if (column == 0) marks[3 * t] |= 2u << (3 * q);
      if (column + segment == p->width) marks[3 * t + 2] |= 4u << (3 * q);
    }
  }
  uint any = 0;
  for (int t = 0; t < 9; t++) any |= marks[t];
  return any;
}

// A tap's products with the elements of some places of a segment. Places are counted by 64 bits:
// sums of 32 bits wrap round, for which compilers need an instruction beside each that adds a
// product.
#define CONV_TAP(panels, segments, places, q, from, to)                                          \
  _Pragma("unroll") for (int i = from; i < to; i++) {                                            \
    const gemm_lanes vx = (gemm_lanes)(x[q][offset + i]);                                        \
    gemm_lanes *of = sum + q * places + i;                                                       \
    _Pragma("unroll") for (int v = 0; v < panels; v++, of += segments * places) *of =            \
        fma(vx, vw[v], *of);                                                                     \
  }

// One k for all segments of a tile, each by `tap`.
#define CONV_STEP(panels, segments, places, tap)                                                 \
  const ulong offset = p->offsets[k];                                                            \
  const ulong ahead = p->offsets[min(k + CONV_AHEAD, p->depth - 1)];                             \
  CONV_FETCH(x[0] + ahead);                                                                      \
  if (segments * places > 7) CONV_FETCH(x[segments - 1] + ahead + places);                       \
  CONV_FETCH(pw + 1024);                                                                         \
  if (panels == 2) CONV_FETCH(pw + p->second + 1024);                                            \
  gemm_lanes vw[panels];                                                                         \
  _Pragma("unroll") for (int v = 0; v < panels; v++) vw[v] = GEMM_LOAD(0, pw + v * p->second);   \
  _Pragma("unroll") for (int q = 0; q < segments; q++) { tap }                                   \
  pw += GEMM_COLUMNS;

// One block of k; where a tile is nowhere at an edge, without a question in it.
#define CONV_SUM(panels, segments, places)                                                       \
  if (isWhole) {                                                                                 \
    for (; k < end; k++) {                                                                       \
      CONV_STEP(panels, segments, places, CONV_TAP(panels, segments, places, q, 0, places))      \
    }                                                                                            \
  } else {                                                                                       \
    for (; k < end; k++) {                                                                       \
      const uint mark = marks[tap];                                                              \
      tap = tap == 8 ? 0 : tap + 1;                                                              \
      CONV_STEP(panels, segments, places, CONV_TAP_MARKED(panels, segments, places))             \
    }                                                                                            \
  }
#define CONV_TAP_MARKED(panels, segments, places)                                                \
  if (mark >> (3 * q) & 1) continue;                                                             \
  if (!(mark >> (3 * q) & 2)) CONV_TAP(panels, segments, places, q, 0, 1)                        \
  CONV_TAP(panels, segments, places, q, 1, places - 1)                                           \
  if (!(mark >> (3 * q) & 4)) CONV_TAP(panels, segments, places, q, places - 1, places)

// Sums of some segments from the place `start` on by channels of the output, of one panel or two,
// and where they go: those before `first` nowhere.
#define CONV_TILE(name, panels, segments, places)                                                \
  EX_APART void name(const conv_part *p, int start, int first, int channels, int panel) {        \
    const int count = segments * places;                                                         \
    __global const float *x[segments];                                                           \
    _Pragma("unroll") for (int q = 0; q < segments; q++) {                                       \
      const int at = start + q * places;                                                         \
      x[q] = p->x + at + (p->isByRows ? at / p->width * (p->pitch - p->width) : 0);              \
    }                                                                                            \
    const ulong spot = (ulong)panel * GEMM_LANES * p->plane + start / p->line * p->end +         \
                       min(start % p->line, p->end);                                             \
    conv_fetch(p->c + spot, p->other + spot, p->steps & CONV_ADD_OTHER, p->plane,                \
               min(panels * GEMM_LANES, channels - panel * GEMM_LANES), count);                  \
    uint marks[9];                                                                               \
    const bool isWhole = conv_marks_of(p, start, segments, places, marks) == 0;                  \
    int k = 0, tap = 0;                                                                          \
    __global const float *pw = p->w + panel * p->second;                                         \
    gemm_lanes total[panels * segments * places];                                                \
    for (int begin = 0; begin < p->depth; begin += GEMM_BLOCK) {                                 \
      const int end = min(p->depth, begin + GEMM_BLOCK);                                         \
      gemm_lanes sum[panels * segments * places];                                                \
      _Pragma("unroll") for (int i = 0; i < panels * count; i++) sum[i] = (gemm_lanes)(0.0f);    \
      CONV_SUM(panels, segments, places)                                                         \
      _Pragma("unroll") for (int i = 0; i < panels * count; i++) total[i] =                      \
          begin == 0 ? sum[i] : total[i] + sum[i];                                               \
    }                                                                                            \
    for (int v = 0; v < panels && (panel + v) * GEMM_LANES < channels; v++) {                    \
      conv_finish_tile(p, total + v * count, count, panel + v);                                  \
      CONV_PUT_TILE_LANES((total + v * count), segments * places, panel + v)                     \
    }                                                                                            \
  }

EX_INLINE void conv_finish_tile(const conv_part *p, gemm_lanes *total, const int count,
                                int panel) {
  const gemm_lanes bias = p->bias[panel];
  const conv_after after = p->after[panel];
  if (!p->isPlain) {
    CONV_TURN
    for (int i = 0; i < count; i++)
      total[i] = conv_finish(total[i] + bias, after, p->steps, p->activation, p->low,
                             p->high);
    return;
  }
#pragma unroll
  for (int i = 0; i < count; i++) total[i] = total[i] + bias;
  if (p->steps & (CONV_MULTIPLY | CONV_ADD)) {
#pragma unroll
    for (int i = 0; i < count; i++) {
      total[i] = total[i] * after.factor;
      total[i] = total[i] + after.addend;
    }
  }
  if (p->steps & CONV_ADD_OTHER) return;
#pragma unroll
  for (int i = 0; i < count; i++) total[i] = conv_bound(total[i], p->bounds);
}

#ifndef WINDOW_PICKS
#define CONV_PUT_TILE_LANES(total, places, panel)                                                \
  conv_put_places(p, first, start, channels - (panel) * GEMM_LANES, panel, total);
CONV_TILE(conv_tile_1, 1, 1, CONV_PLACES)

// Seven places at a time, since other compilers take minutes for long tiles; where there are some
// over, the last seven.
EX_INLINE void conv_tile(const conv_part *p, conv_span s, int channels) {
  for (int at = 0; at < s.count; at += CONV_PLACES) {
    const int start = s.start + min(at, s.count - CONV_PLACES);
    const int first = max(s.first, s.start + at);
    if (first >= start + CONV_PLACES) continue;
    for (int panel = 0; panel < CONV_PANELS_EACH && panel * GEMM_LANES < channels; panel++)
      conv_tile_1(p, start, first, channels, panel);
  }
}
#else
// Blocks are filled up with the last place.
#define CONV_PUT_TILE_LANES(total, places, panel)                                                \
  _Pragma("unroll") for (int at = 0; at < places; at += 16) {                                    \
    float16 block[16];                                                                           \
    _Pragma("unroll") for (int i = 0; i < 16; i++) block[i] =                                    \
        (total)[at + i < places ? at + i : places - 1];                                          \
    conv_put_block(p, block, start + at, places - at, first, channels - (panel) * GEMM_LANES,    \
                   panel);                                                                       \
  }
CONV_TILE(conv_tile_2x7, 1, 2, 7)
CONV_TILE(conv_pair_1x7, 2, 1, 7)
CONV_TILE(conv_pair_2x7, 2, 2, 7)
CONV_TILE(conv_pair_1x13, 2, 1, 13)

// One panel has tiles of its own where there are many; others compute it twice, and put it once.
EX_INLINE void conv_tile(const conv_part *p, conv_span s, int channels) {
  if (s.count == CONV_PLACES)
    conv_pair_1x7(p, s.start, s.first, channels, 0);
  else if (s.count != CONV_PAIR)
    conv_pair_1x13(p, s.start, s.first, channels, 0);
  else if (channels > GEMM_LANES)
    conv_pair_2x7(p, s.start, s.first, channels, 0);
  else
    conv_tile_2x7(p, s.start, s.first, channels, 0);
}
#endif

// Work-items: (parts of `tilesEach` tiles, CONV_PANELS_EACH panels of channels each, matrices), or
// panels before parts.
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
  const int channel = (edge.isByPlaces ? get_global_id(0) : get_global_id(1)) *
                      CONV_PANELS_EACH * GEMM_LANES;
  if (channel >= rows) return;
  const ulong matrix = get_global_id(2), corner = cOffset + matrix * cStride;
  const int group = (int)matrix % groups;
  conv_part p;
  p.w = w + group * wStride + (ulong)(channel / GEMM_COLUMNS) * depth * GEMM_COLUMNS +
        channel % GEMM_COLUMNS;
  p.second = rows - channel <= GEMM_LANES ? 0
             : (channel + GEMM_LANES) % GEMM_COLUMNS != 0
                 ? GEMM_LANES
                 : (ulong)(depth - 1) * GEMM_COLUMNS + GEMM_LANES;
  // Where planes lie without padding, the first tap is a row and a place before them.
  p.x = x + matrix * xStride - (edge.isBare ? pitch + 1 : 0);
  p.c = c + corner + (ulong)channel * plane;
  p.other = other + corner + (ulong)channel * plane;
  p.offsets = offsets;
  p.isByRows = edge.segment == CONV_PAIR || width % edge.segment == 0;
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
  // Rows of the numbers of what follows go on behind the last channel.
  after += group * rows + channel;
  for (int v = 0; v < CONV_PANELS_EACH && channel + v * GEMM_LANES < rows; v++) {
    float biases[GEMM_LANES];
    for (int l = 0; l < GEMM_LANES; l++) {
      const int at = channel + v * GEMM_LANES + l;
      biases[l] = hasBias && at < rows ? bias[group * rows + at] : CONV_NONE;
    }
    p.bias[v] = GEMM_LOAD(0, biases);
    conv_after *to = &p.after[v];
    to->factor = steps & CONV_MULTIPLY ? GEMM_LOAD(0, after) : (gemm_lanes)(1.0f);
    to->addend = steps & CONV_ADD ? GEMM_LOAD(0, after + afterStride) : (gemm_lanes)(CONV_NONE);
    if (steps & CONV_MULTIPLY_LAST) to->lastFactor = GEMM_LOAD(0, after + 2 * afterStride);
    if (steps & CONV_ADD_LAST) to->lastAddend = GEMM_LOAD(0, after + 3 * afterStride);
    after += GEMM_LANES;
  }
  for (int t = 0; t < tilesEach; t++) {
    const conv_span span = conv_span_of(part * tilesEach + t, edge.segment, width, p.places);
    if (span.count == 0) return;
    conv_tile(&p, span, rows - channel);
  }
}
