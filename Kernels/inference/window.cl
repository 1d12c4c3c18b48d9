// needs: inference/activate.cl inference/gemm.cl
// Planes as the windows that slide over them read them.
//
// Outputs are counted along `pitch`, which is a row of the output and as many places more as the
// window reaches to the right; so each tap of the window lies at one distance from the place of
// its output, whichever that is, and neighbouring outputs read neighbouring words. Results at the
// places in excess are dropped. Strided windows read phases: planes that hold every strideX-th
// column of every strideY-th row.

typedef struct {
  int height, width;
  int outHeight, outWidth;
  int taps;
  int strideY, strideX;
  int top, left; // padding
  int phasesY, phasesX;
  int rows, pitch; // of one phase
  int stripRows;   // of the output, that `rows` suffice for
  int planeSize;   // of all phases, and what is behind them
} window_layout;

#define WINDOW_EVEN(u, v) ((gemm_lanes)(u.even, v.even))

// Rows from `first` on of all phases of a plane, with `outside` for what is not in it. Every
// other element is taken from whole vectors: processors gather slowly.
#define WINDOW_SPREAD(name, space, type, value, valueLanes)                                      \
  EX_INLINE void name(__global const float *plane, space type *to, const window_layout s,        \
                      int first, int begin, int end, type outside) {                             \
    for (int phase = 0; phase < s.phasesY * s.phasesX; phase++) {                                \
      const int py = phase / s.phasesX, px = phase % s.phasesX;                                  \
      const int shift = px - s.left;                                                             \
      const int reach = max(0, s.width - shift + s.strideX - 1) / s.strideX;                     \
      for (int r = begin; r < end; r++) {                                                        \
        const int iy = (first + r) * s.strideY + py - s.top;                                     \
        const bool isInside = iy >= 0 && iy < s.height;                                          \
        const int last = isInside ? min(s.pitch, reach) : 0;                                     \
        const int start = min(last, (max(0, -shift) + s.strideX - 1) / s.strideX);               \
        space type *q = to + (phase * s.rows + r) * s.pitch;                                     \
        __global const float *p = plane + iy * s.width + shift;                                  \
        for (int i = 0; i < start; i++) q[i] = outside;                                          \
        if (s.strideX == 1)                                                                      \
          for (int i = start; i < last; i++) q[i] = value(p[i]);                                 \
        else if (s.strideX == 2) {                                                               \
          int i = start;                                                                         \
          for (; i + GEMM_LANES < last; i += GEMM_LANES) {                                       \
            const gemm_lanes u = GEMM_LOAD(0, p + 2 * i);                                        \
            const gemm_lanes v = GEMM_LOAD(0, p + 2 * i + GEMM_LANES);                           \
            GEMM_STORE(valueLanes(WINDOW_EVEN(u, v)), 0, q + i);                                 \
          }                                                                                      \
          for (; i < last; i++) q[i] = value(p[2 * i]);                                          \
        } else                                                                                   \
          for (int i = start; i < last; i++) q[i] = value(p[i * s.strideX]);                     \
        for (int i = last; i < s.pitch; i++) q[i] = outside;                                     \
      }                                                                                          \
    }                                                                                            \
    if (end == s.rows)                                                                           \
      for (int i = s.phasesY * s.phasesX * s.rows * s.pitch; i < s.planeSize; i++)               \
        to[i] = outside;                                                                         \
  }
#define WINDOW_PLAIN(x) (x)
WINDOW_SPREAD(window_spread_global, __global, float, WINDOW_PLAIN, WINDOW_PLAIN)
WINDOW_SPREAD(window_spread_local, __local, float, WINDOW_PLAIN, WINDOW_PLAIN)

// All phases of planes, zero outside. Work-items: (parts of `rowsEach` rows, planes).
__kernel void window_spread(__global const float *restrict x, __global float *restrict to,
                            window_layout s, int rowsEach, ulong firstPlane) {
  const int begin = get_global_id(0) * rowsEach;
  const ulong plane = get_global_id(1);
  window_spread_global(x + (firstPlane + plane) * (ulong)(s.height * s.width),
                       to + plane * s.planeSize, s, 0, begin, min(s.rows, begin + rowsEach), 0.0f);
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
    __global float *q = y + row * width + column - l;
    for (int r = max(l, skip); r < stop; r++) q[r] = lanes[r];
  }
}

// Row and column of a place further on.
#define WINDOW_STEP(row, column, places)                                                         \
  for (column += places; column >= pitch; column -= pitch) row++
