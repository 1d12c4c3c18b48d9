// needs: inference/activate.cl inference/gemm.cl inference/layout.cl
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

// Rows from `first` on of all phases of a plane, zero where it has none.
#define WINDOW_SPREAD(name, space, copy, halve)                                                  \
  EX_INLINE void name(__global const float *plane, space float *to, const window_layout s,       \
                      int first, int begin, int end) {                                           \
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
WINDOW_SPREAD(window_spread_global, __global, window_copy_global, window_halve_global)
WINDOW_SPREAD(window_spread_local, __local, window_copy_local, window_halve_local)

// All phases of planes, zero outside. Work-items: (parts of `rowsEach` rows, planes).
__kernel void window_spread(__global const float *restrict x, __global float *restrict to,
                            window_layout s, int rowsEach, ulong firstPlane) {
  const int begin = get_global_id(0) * rowsEach;
  const ulong plane = get_global_id(1);
  window_spread_global(x + (firstPlane + plane) * (ulong)(s.height * s.width),
                       to + plane * s.planeSize, s, 0, begin, min(s.rows, begin + rowsEach));
}

// Lanes from `skip` to before `end`, of which the first would lie at this row and column; what is
// behind a row's end is dropped.
EX_INLINE void window_put(gemm_lanes v, __global float *y, int row, int column, int skip, int end,
                          int pitch, int width) {
  if (skip <= 0 && end >= GEMM_LANES && column + GEMM_LANES <= width) {
    GEMM_STORE(v, 0, y + row * width + column);
    return;
  }
  float lanes[GEMM_LANES];
  GEMM_STORE(v, 0, lanes);
  const int last = min(end, GEMM_LANES);
  for (int l = 0; l < last; l += pitch - column, row++, column = 0) {
    const int stop = min(last, l + width - column);
    const int from = max(l, skip);
    window_copy_lanes(y + row * width + column + from - l, lanes + from, stop - from);
  }
}
