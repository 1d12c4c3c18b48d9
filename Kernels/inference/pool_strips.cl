// needs: exact/divide.cl inference/order.cl inference/activate.cl inference/gemm_tile.cl
// needs: inference/layout.cl inference/window.cl inference/pool_maxima.cl
// Averages of windows for processors, row after row; bits as in pool.cl.
// Work-items: (parts of the rows, parts of `planesEach` planes).

typedef struct {
  int kernelHeight, kernelWidth;
  int dilationY, dilationX;
  int countsPadding, bottom, right;
} average_window;

// Which rows of a window that begins at row `iy` are inside, or columns; and how many in the padded
// plane.
typedef struct {
  int from, to, padded;
} average_span;

EX_INLINE average_span pool_average_span(int at, int taps, int dilation, int size, int behind) {
  average_span r = {0, 0, 0};
  if (dilation == 1) {
    r.from = clamp(-at, 0, taps);
    r.to = clamp(size - at, 0, taps);
    r.padded = clamp(size + behind - at, 0, taps);
    return r;
  }
  for (int k = 0; k < taps; k++) {
    const int i = at + k * dilation;
    if (i < 0) r.from = k + 1;
    if (i < size) r.to = k + 1;
    if (i < size + behind) r.padded++;
  }
  return r;
}

// Sixteen lanes of a window's elements in turn, and their sum by the tree. Lanes without an
// element are +0, which changes the sign of a zero alone.
#define POOL_SUM(name, type, load)                                                               \
  EX_INLINE type name##_any(const __local float *p, __global const uint *offsets,                \
                            int kernelWidth, int rows, int columns) {                            \
    type lanes[16];                                                                              \
    lanes[0] = (type)(0.0f);                                                                     \
    int count = 0;                                                                               \
    for (int ky = 0; ky < rows; ky++)                                                            \
      for (int kx = 0; kx < columns; kx++, count++) {                                            \
        const type v = load(0, p + offsets[ky * kernelWidth + kx]);                              \
        lanes[count & 15] = count < 16 ? v : lanes[count & 15] + v;                              \
      }                                                                                          \
    for (int w = 8; w > 0; w >>= 1)                                                              \
      for (int l = 0; l < w && l + w < min(count, 2 * w); l++)                                   \
        lanes[l] = lanes[l] + lanes[l + w];                                                      \
    return count < 16 ? lanes[0] + (type)(0.0f) : lanes[0];                                      \
  }                                                                                              \
  EX_INLINE type name(const __local float *p, __global const uint *offsets, int kernelWidth,     \
                      int rows, int columns) {                                                   \
    const type zero = (type)(0.0f);                                                              \
    if (columns == 3 && rows == 3) {                                                             \
      POOL_ROW(type, load, a, 0, 3) POOL_ROW(type, load, b, 1, 3) POOL_ROW(type, load, c, 2, 3)  \
      return ((((a0 + c2) + b1) + (a2 + c0)) + ((a1 + b2) + (b0 + c1))) + zero;                  \
    }                                                                                            \
    if (columns == 3 && rows == 2) {                                                             \
      POOL_ROW(type, load, a, 0, 3) POOL_ROW(type, load, b, 1, 3)                                \
      return (((a0 + b1) + a2) + ((a1 + b2) + b0)) + zero;                                       \
    }                                                                                            \
    if (columns == 2 && rows == 3) {                                                             \
      POOL_ROW(type, load, a, 0, 2) POOL_ROW(type, load, b, 1, 2) POOL_ROW(type, load, c, 2, 2)  \
      return (((a0 + c0) + b0) + ((a1 + c1) + b1)) + zero;                                       \
    }                                                                                            \
    if (columns == 2 && rows == 2) {                                                             \
      POOL_ROW(type, load, a, 0, 2) POOL_ROW(type, load, b, 1, 2)                                \
      return ((a0 + b0) + (a1 + b1)) + zero;                                                     \
    }                                                                                            \
    return name##_any(p, offsets, kernelWidth, rows, columns);                                   \
  }
#define POOL_AT(type, load, name, row, k)                                                        \
  const type name##k = load(0, p + offsets[row * kernelWidth + k]);
#define POOL_ROW(type, load, name, row, count) POOL_ROW_##count(type, load, name, row)
#define POOL_ROW_2(type, load, name, row)                                                        \
  POOL_AT(type, load, name, row, 0) POOL_AT(type, load, name, row, 1)
#define POOL_ROW_3(type, load, name, row)                                                        \
  POOL_ROW_2(type, load, name, row) POOL_AT(type, load, name, row, 2)
POOL_SUM(pool_sum_few, float4, vload4)
POOL_SUM(pool_sum_lanes, gemm_lanes, GEMM_LOAD)

EX_INLINE gemm_lanes pool_divide(gemm_lanes sum, gemm_lanes divisor) {
#ifdef EXACT_NATIVE_DIVIDE
  return sum / divisor;
#else
  float sums[GEMM_LANES], divisors[GEMM_LANES];
  GEMM_STORE(sum, 0, sums);
  GEMM_STORE(divisor, 0, divisors);
  for (int l = 0; l < GEMM_LANES; l++) sums[l] = ex_div(sums[l], divisors[l]);
  return GEMM_LOAD(0, sums);
#endif
}

// Averages of three columns, of which the outermost may lie in the padding: which lanes those are,
// and how many columns a lane's divisor counts, for as many vectors as a row has.
#define POOL_THREES 4
typedef struct {
  bool areAll;
  pool_keys isFirst[POOL_THREES], isLast[POOL_THREES];
  gemm_lanes columns[POOL_THREES];
} average_threes;

EX_INLINE void pool_average_threes(average_threes *t, const window_layout s,
                                   const average_window a) {
  t->areAll = a.kernelWidth == 3 && s.outWidth <= POOL_THREES * GEMM_LANES;
  for (int n = 0; t->areAll && n * GEMM_LANES < s.outWidth; n++) {
    int first[GEMM_LANES], last[GEMM_LANES];
    float columns[GEMM_LANES];
    for (int l = 0; l < GEMM_LANES; l++) {
      const int at = min(n * GEMM_LANES + l, s.outWidth - 1);
      const average_span c = pool_average_span(at * s.strideX - s.left, 3, a.dilationX, s.width,
                                               a.right);
      const int count = c.to - c.from;
      if (count < 2) t->areAll = false;
      first[l] = c.from == 1 ? -1 : 0;
      last[l] = c.to == 2 ? -1 : 0;
      columns[l] = (float)(a.countsPadding ? c.padded : count);
    }
    t->isFirst[n] = POOL_LOAD(0, first);
    t->isLast[n] = POOL_LOAD(0, last);
    t->columns[n] = GEMM_LOAD(0, columns);
  }
}

// A row's elements that three columns of windows begin at, and its windows' sums by lanes: the
// trees of 3, of the last 2 and of the first 2 columns over the same elements.
typedef struct {
  gemm_lanes v[3];
} pool_three;

EX_INLINE gemm_lanes pool_sum_of_3(pool_three a, pool_three b, pool_three c, pool_keys isFirst,
                                   pool_keys isLast) {
  const gemm_lanes all = (((a.v[0] + c.v[2]) + b.v[1]) + (a.v[2] + c.v[0])) +
                         ((a.v[1] + b.v[2]) + (b.v[0] + c.v[1]));
  const gemm_lanes middle = (a.v[1] + c.v[1]) + b.v[1];
  const gemm_lanes last = middle + ((a.v[2] + c.v[2]) + b.v[2]);
  const gemm_lanes first = ((a.v[0] + c.v[0]) + b.v[0]) + middle;
  return select(select(all, last, isFirst), first, isLast) + (gemm_lanes)(0.0f);
}

EX_INLINE gemm_lanes pool_sum_of_2(pool_three a, pool_three b, pool_keys isFirst,
                                   pool_keys isLast) {
  const gemm_lanes all = ((a.v[0] + b.v[1]) + a.v[2]) + ((a.v[1] + b.v[2]) + b.v[0]);
  const gemm_lanes last = (a.v[1] + b.v[1]) + (a.v[2] + b.v[2]);
  const gemm_lanes first = (a.v[0] + b.v[0]) + (a.v[1] + b.v[1]);
  return select(select(all, last, isFirst), first, isLast) + (gemm_lanes)(0.0f);
}

EX_INLINE pool_three pool_three_at(const __local float *p, __global const uint *offsets) {
  pool_three r;
  for (int k = 0; k < 3; k++) r.v[k] = GEMM_LOAD(0, p + offsets[k]);
  return r;
}

#ifdef WINDOW_PICKS
// Windows of 3x3, one or two apart, that reach one place beyond a plane at most: nothing has to be
// laid out for them.
EX_INLINE bool pool_average_is_near(const window_layout s, const average_window a) {
  return a.kernelHeight == 3 && a.kernelWidth == 3 && a.dilationY == 1 && a.dilationX == 1 &&
         s.strideY == s.strideX && s.strideX <= 2 && s.top == 1 && s.left == 1 &&
         (s.outHeight - 1) * s.strideY < s.height && s.height > 1;
}

EX_INLINE float16 pool_some(__global const float *row, int from, int width) {
  return window_some(row + from, window_first(width - from) & ~window_first(-from));
}

EX_INLINE pool_three pool_three_of(__global const float *row, int at, int width, int stride) {
  pool_three r;
  if (stride == 1) {
#pragma unroll
    for (int k = 0; k < 3; k++) r.v[k] = pool_some(row, at + k - 1, width);
    return r;
  }
  const int from = 2 * at - 1;
  const float16 a = pool_some(row, from, width), b = pool_some(row, from + GEMM_LANES, width);
  const float16 c = pool_some(row, from + 2, width);
  const float16 d = pool_some(row, from + 2 + GEMM_LANES, width);
  r.v[0] = (float16)(a.even, b.even);
  r.v[1] = (float16)(a.odd, b.odd);
  r.v[2] = (float16)(c.even, d.even);
  return r;
}

// Rows from `first` on of one plane, GEMM_LANES columns from `at` on.
EX_INLINE void pool_average_near(__global const float *x, __global float *y, int first, int rows,
                                 int at, const window_layout s, const average_window a,
                                 const average_threes *t, int stride) {
  const int n = at / GEMM_LANES, width = s.width;
  const uint kept = (1u << min(GEMM_LANES, s.outWidth - at)) - 1;
  pool_three above = pool_three_of(x + max(first * stride - 1, 0) * width, at, width, stride);
  pool_three here = pool_three_of(x + first * stride * width, at, width, stride);
  for (int row = first; row < first + rows; row++) {
    const int middle = row * stride;
    const bool isTop = row == 0, isBottom = middle + 1 >= s.height;
    const pool_three below =
        pool_three_of(x + (isBottom ? middle : middle + 1) * width, at, width, stride);
    gemm_lanes sum;
    if (isTop)
      sum = pool_sum_of_2(here, below, t->isFirst[n], t->isLast[n]);
    else if (isBottom)
      sum = pool_sum_of_2(above, here, t->isFirst[n], t->isLast[n]);
    else
      sum = pool_sum_of_3(above, here, below, t->isFirst[n], t->isLast[n]);
    const average_span r = pool_average_span(middle - 1, 3, 1, s.height, a.bottom);
    const float counted = (float)(a.countsPadding ? r.padded : r.to - r.from);
    window_pick(pool_divide(sum, t->columns[n] * (gemm_lanes)(counted)), y + row * s.outWidth + at,
                kept);
    above = stride == 1 ? here : below;
    here = below;
    if (stride == 2 && row + 1 < first + rows)
      here = pool_three_of(x + (middle + 2) * width, at, width, stride);
  }
}
#endif

// Planes are laid out by strips of rows.
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
  average_threes threes;
  pool_average_threes(&threes, s, a);
  for (int plane = begin; plane < end; plane++) {
#ifdef WINDOW_PICKS
    if (threes.areAll && pool_average_is_near(s, a)) {
      __global const float *from = x + (ulong)plane * (s.height * s.width);
      __global float *to = y + (ulong)plane * (s.outHeight * s.outWidth);
      for (int at = 0; at < s.outWidth; at += GEMM_LANES)
        if (s.strideX == 1)
          pool_average_near(from, to, first, rows, at, s, a, &threes, 1);
        else
          pool_average_near(from, to, first, rows, at, s, a, &threes, 2);
      continue;
    }
#endif
    window_spread_local(x + (ulong)plane * (s.height * s.width), strip, s, first, 0, s.rows);
    for (int row = 0; row < rows; row++) {
      const int iy = (first + row) * s.strideY - s.top;
      const average_span r =
          pool_average_span(iy, a.kernelHeight, a.dilationY, s.height, a.bottom);
      const int inside = max(0, r.to - r.from);
      __global const uint *taps = offsets + r.from * a.kernelWidth;
      const float whole = (float)(a.kernelWidth * (a.countsPadding ? r.padded : inside));
      for (int at = 0; at < s.outWidth; at += GEMM_LANES) {
        const int count = min(GEMM_LANES, s.outWidth - at);
        const __local float *p = strip + row * s.pitch + at;
        __global float *to = y + ((ulong)plane * s.outHeight + first + row) * s.outWidth + at;
        if (threes.areAll && (inside == 3 || inside == 2)) {
          const int n = at / GEMM_LANES;
          const pool_three u = pool_three_at(p, taps), v = pool_three_at(p, taps + 3);
          gemm_lanes sum = pool_sum_of_2(u, v, threes.isFirst[n], threes.isLast[n]);
          if (inside == 3)
            sum = pool_sum_of_3(u, v, pool_three_at(p, taps + 6), threes.isFirst[n],
                                threes.isLast[n]);
          const float counted = (float)(a.countsPadding ? r.padded : inside);
          window_pick(pool_divide(sum, threes.columns[n] * (gemm_lanes)(counted)), to,
                      (1u << count) - 1);
          continue;
        }
        gemm_lanes sum = pool_sum_lanes(p, taps, a.kernelWidth, inside, a.kernelWidth);
        gemm_lanes divisor = (gemm_lanes)(whole);
        for (int l = at < left ? 0 : max(0, right - at); l < count;
             l = at + l + 1 == left ? max(l + 1, right - at) : l + 1) {
          const average_span c = pool_average_span((at + l) * s.strideX - s.left, a.kernelWidth,
                                                   a.dilationX, s.width, a.right);
          const int across = max(0, c.to - c.from);
          // Put in by masks: PoCL's compiler loses a store into an array that vectors went to.
          const pool_keys here = POOL_PLACES == (pool_keys)(l);
          const float border =
              pool_sum_few(p + l, taps + c.from, a.kernelWidth, inside, across).x;
          const int elements = a.countsPadding ? r.padded * c.padded : inside * across;
          sum = select(sum, (gemm_lanes)(border), here);
          divisor = select(divisor, (gemm_lanes)((float)elements), here);
        }
        window_pick(pool_divide(sum, divisor), to, (1u << count) - 1);
      }
    }
  }
}
