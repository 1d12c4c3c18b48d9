// needs: inference/activate.cl inference/gemm_tile.cl inference/layout.cl
// Planes as the windows that slide over them read them.
//
// Outputs are counted along `pitch`, which is a row of the output and as many places more as the
// window reaches to the right; so each tap of the window lies at one distance from the place of
// its output, whichever that is, and neighbouring outputs read neighbouring words. Results at the
// places in excess are dropped. Strided windows read phases: planes that hold every strideX-th
// column of every strideY-th row.

// `count` elements that do not overlap what they are copied to: in vectors where there are so many,
// of which the last one may repeat some. Loops of single elements would take as long as all else.
#ifdef RIGOR_NARROW
#define WINDOW_COPY_FEW(to, from, count)
#else
#define WINDOW_COPY_BY(lanes, load, store, to, from, count)                                      \
  if (count >= lanes) {                                                                          \
    store(load(0, from), 0, to);                                                                 \
    store(load(0, from + count - lanes), 0, to + count - lanes);                                 \
    return;                                                                                      \
  }
#define WINDOW_COPY_FEW(to, from, count)                                                         \
  WINDOW_COPY_BY(8, vload8, vstore8, to, from, count)                                            \
  WINDOW_COPY_BY(4, vload4, vstore4, to, from, count)
#endif
#define WINDOW_COPY(name, toSpace, fromSpace)                                                    \
  EX_INLINE void name(toSpace float *to, fromSpace const float *from, int count) {               \
    if (count >= GEMM_LANES) {                                                                   \
      for (int i = 0; i + GEMM_LANES < count; i += GEMM_LANES)                                   \
        GEMM_STORE(GEMM_LOAD(0, from + i), 0, to + i);                                           \
      const int last = count - GEMM_LANES;                                                       \
      GEMM_STORE(GEMM_LOAD(0, from + last), 0, to + last);                                       \
      return;                                                                                    \
    }                                                                                            \
    WINDOW_COPY_FEW(to, from, count)                                                             \
    for (int i = 0; i < count; i++) to[i] = from[i];                                             \
  }
WINDOW_COPY(window_copy_global, __global, __global)
WINDOW_COPY(window_copy_local, __local, __global)
WINDOW_COPY(window_copy_lanes, __global, )

// Every other one of 2 `count` - 1 elements, from whole vectors: processors gather slowly. The
// second half is taken from an odd place, to read no element more than that.
#define WINDOW_HALF(lanes, load, from)                                                           \
  (load(0, from).even, load(0, from + lanes - 1).odd)
#ifdef RIGOR_NARROW
#define WINDOW_HALVE_FEW(to, from, count)
#else
#define WINDOW_HALVE_BY(lanes, type, load, store, to, from, count)                               \
  if (count >= lanes) {                                                                          \
    store((type)WINDOW_HALF(lanes, load, from), 0, to);                                          \
    const int last = count - lanes;                                                              \
    store((type)WINDOW_HALF(lanes, load, from + 2 * last), 0, to + last);                        \
    return;                                                                                      \
  }
#define WINDOW_HALVE_FEW(to, from, count)                                                        \
  WINDOW_HALVE_BY(8, float8, vload8, vstore8, to, from, count)                                   \
  WINDOW_HALVE_BY(4, float4, vload4, vstore4, to, from, count)
#endif
#define WINDOW_HALVE(name, space)                                                                \
  EX_INLINE void name(space float *to, __global const float *from, int count) {                  \
    if (count >= GEMM_LANES) {                                                                   \
      const int last = count - GEMM_LANES;                                                       \
      for (int i = 0; i < last; i += GEMM_LANES)                                                 \
        GEMM_STORE((gemm_lanes)WINDOW_HALF(GEMM_LANES, GEMM_LOAD, from + 2 * i), 0, to + i);     \
      GEMM_STORE((gemm_lanes)WINDOW_HALF(GEMM_LANES, GEMM_LOAD, from + 2 * last), 0, to + last); \
      return;                                                                                    \
    }                                                                                            \
    WINDOW_HALVE_FEW(to, from, count)                                                            \
    for (int i = 0; i < count; i++) to[i] = from[2 * i];                                         \
  }
WINDOW_HALVE(window_halve_global, __global)
WINDOW_HALVE(window_halve_local, __local)

// Whether vectors can be loaded and stored in part.
#if defined(__clang__) && defined(__AVX512F__) && defined(__AVX512VL__) && !defined(RIGOR_NARROW)
#define WINDOW_PICKS

// The first `count` of a vector's lanes, as bits; all where there are more, none below 0.
EX_INLINE uint window_first(int count) { return (1u << clamp(count, 0, GEMM_LANES)) - 1; }

// Those of sixteen neighbours, the others zero and not read.
EX_INLINE float16 window_some(__global const float *from, uint kept) {
  return __builtin_ia32_loadups512_mask((__private const float16 *)(size_t)from,
                                        (float16)(0.0f), kept);
}

// Sixteen neighbours from `at` on of a row of `width` elements, zero where there are none.
EX_INLINE float16 window_part(__global const float *row, int at, int width) {
  if (at >= 0 && at + GEMM_LANES <= width) return GEMM_LOAD(0, row + at);
  return window_some(row + at, window_first(width - at) & ~window_first(-at));
}

// A vector of a row of `count` elements, or as much of one as a shorter row has.
EX_INLINE void window_put(__local float *q, float16 v, int count) {
  if (count >= GEMM_LANES)
    GEMM_STORE(v, 0, q);
  else
    __builtin_ia32_storeups512_mask((__private float16 *)(size_t)q, v, window_first(count));
}

// A row of `count` elements from `from` on; or of every other one, and those between them go to
// `odd` where that is wanted.
EX_INLINE void window_line(__local float *q, __global const float *row, int from, int width,
                           int count) {
  for (int at = 0; at < count; at += GEMM_LANES) {
    const int i = max(0, min(at, count - GEMM_LANES));
    window_put(q + i, window_part(row, from + i, width), count);
  }
}
EX_INLINE void window_lines(__local float *even, __local float *odd, __global const float *row,
                            int from, int width, int count, bool isBoth) {
  for (int at = 0; at < count; at += GEMM_LANES) {
    const int i = max(0, min(at, count - GEMM_LANES));
    const float16 a = window_part(row, from + 2 * i, width);
    const float16 b = window_part(row, from + 2 * i + GEMM_LANES, width);
    window_put(even + i, (float16)(a.even, b.even), count);
    if (isBoth) window_put(odd + i, (float16)(a.odd, b.odd), count);
  }
}

// Rows that lie in phases by columns of one or two, as WINDOW_SPREAD lays them out.
EX_INLINE void window_spread_lines(__global const float *plane, __local float *to,
                                   const window_layout s, int first, int begin, int end) {
  for (int py = 0; py < s.phasesY; py++) {
    __local float *even = to + py * s.phasesX * s.rows * s.pitch;
    for (int r = begin; r < end; r++) {
      const int iy = (first + r) * s.strideY + py - s.top;
      const int width = iy >= 0 && iy < s.height ? s.width : 0;
      __local float *q = even + r * s.pitch;
      __global const float *row = plane + iy * s.width;
      if (s.strideX == 1)
        window_line(q, row, -s.left, width, s.pitch);
      else
        window_lines(q, q + s.rows * s.pitch, row, -s.left, width, s.pitch, s.phasesX == 2);
    }
  }
}
#define WINDOW_LINES                                                                             \
  if (s.strideX <= 2) {                                                                          \
    window_spread_lines(plane, to, s, first, begin, end);                                        \
    if (end == s.rows)                                                                           \
      for (int i = s.phasesY * s.phasesX * s.rows * s.pitch; i < s.planeSize; i++) to[i] = 0.0f; \
    return;                                                                                      \
  }
#else
#define WINDOW_LINES
#endif

// Rows from `first` on of all phases of a plane, zero where it has none.
#define WINDOW_SPREAD(name, space, copy, halve, byLines)                                         \
  EX_APART void name(__global const float *plane, space float *to, const window_layout s,        \
                      int first, int begin, int end) {                                           \
    byLines                                                                                      \
    for (int phase = 0; phase < s.phasesY * s.phasesX; phase++) {                                \
      const int py = phase / s.phasesX, px = phase % s.phasesX;                                  \
      const int shift = px - s.left;                                                             \
      const int reach = max(0, s.width - shift + s.strideX - 1) / s.strideX;                     \
      for (int r = begin; r < end; r++) {                                                        \
        const int iy = (first + r) * s.strideY + py - s.top;                                     \
        const bool isInside = iy >= 0 && iy < s.height;                                          \
        const int last = isInside ? min(s.pitch, reach) : 0;                                     \
        const int start = min(last, (max(0, -shift) + s.strideX - 1) / s.strideX);               \
        space float *q = to + (phase * s.rows + r) * s.pitch;                                    \
        __global const float *p = plane + iy * s.width + shift;                                  \
        for (int i = 0; i < start; i++) q[i] = 0.0f;                                             \
        if (s.strideX == 1)                                                                      \
          copy(q + start, p + start, last - start);                                              \
        else if (s.strideX == 2)                                                                 \
          halve(q + start, p + 2 * start, last - start);                                         \
        else                                                                                     \
          for (int i = start; i < last; i++) q[i] = p[i * s.strideX];                            \
        for (int i = last; i < s.pitch; i++) q[i] = 0.0f;                                        \
      }                                                                                          \
    }                                                                                            \
    if (end == s.rows)                                                                           \
      for (int i = s.phasesY * s.phasesX * s.rows * s.pitch; i < s.planeSize; i++) to[i] = 0.0f; \
  }
WINDOW_SPREAD(window_spread_global, __global, window_copy_global, window_halve_global, )
WINDOW_SPREAD(window_spread_local, __local, window_copy_local, window_halve_local, WINDOW_LINES)

// Which of GEMM_LANES neighbouring places are an output's, the first one at this column, as bits:
// neither those between rows, nor those before `skip` or from `end` on.
EX_INLINE uint window_kept(int column, int pitch, int width, int skip, int end) {
  uint kept = 0;
  for (int at = -column; at < GEMM_LANES; at += pitch) {
    const int from = max(at, max(skip, 0)), to = min(at + width, min(end, GEMM_LANES));
    if (from < to) kept |= (1u << to) - (1u << from);
  }
  return kept;
}

// Stores those lanes as neighbours.
#ifdef WINDOW_PICKS
EX_INLINE void window_pick_some(float16 v, __global float *y, uint kept) {
  v = __builtin_ia32_compresssf512_mask(v, v, kept);
  __builtin_ia32_storeups512_mask((__private float16 *)(size_t)y, v, (1u << popcount(kept)) - 1);
}
EX_INLINE void window_pick(float16 v, __global float *y, uint kept) {
  if (kept == (1u << GEMM_LANES) - 1)
    GEMM_STORE(v, 0, y);
  else
    window_pick_some(v, y, kept);
}
#else
EX_INLINE void window_pick(gemm_lanes v, __global float *y, uint kept) {
  if (kept == (1u << GEMM_LANES) - 1) {
    GEMM_STORE(v, 0, y);
    return;
  }
  float lanes[GEMM_LANES];
  GEMM_STORE(v, 0, lanes);
  while (kept != 0) {
    const int from = popcount((kept & -kept) - 1);
    const int count = popcount((~(kept >> from) & ((kept >> from) + 1)) - 1);
    window_copy_lanes(y, lanes + from, count);
    y += count;
    kept &= ~(((1u << count) - 1) << from);
  }
}
#endif
