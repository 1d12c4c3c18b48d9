// needs: exact/divide.cl inference/order.cl inference/activate.cl inference/gemm_tile.cl
// needs: inference/layout.cl inference/window.cl
// Maxima of windows for processors, row after row; bits as in pool.cl.

#ifdef RIGOR_NARROW
typedef int4 pool_keys;
#define POOL_LOAD vload4
#define POOL_FLOATS as_float4
#define POOL_PLACES (int4)(0, 1, 2, 3)
#else
typedef int16 pool_keys;
#define POOL_LOAD GEMM_LOAD
#define POOL_FLOATS as_float16
#define POOL_PLACES (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif

// Keys of a row of windows, column by column: the maxima over a window's rows of vectors from
// column `at` on. Rows lie `pitch` apart. Maxima of keys are those of ew_max.
#define POOL_COLUMNS(name, space, lanes, ints, asInts, load, store)                              \
  EX_INLINE void name(__local int *to, const space float *plane, const window_shape s, int pitch, \
                      int iy, int at) {                                                          \
    ints best = (ints)(ew_key(as_float(0xff800000)));                                            \
    for (int ky = 0; ky < s.kernelHeight; ky++) {                                                \
      const int row = iy + ky * s.dilationY;                                                     \
      if (row < 0 || row >= s.height) continue;                                                  \
      const ints bits = asInts(load(0, plane + row * pitch + at));                               \
      const ints last = (ints)(0x7fffffff), size = bits & last;                                  \
      best = max(best, select(bits ^ ((bits >> 31) & last), last, size > (ints)(0x7f800000)));   \
    }                                                                                            \
    store(best, 0, to + at);                                                                     \
  }
#ifdef RIGOR_NARROW
#define POOL_WIDE_COLUMNS(name, space)
#define POOL_COLUMNS_WIDELY(name)
#else
#define POOL_WIDE_COLUMNS(name, space)                                                           \
  POOL_COLUMNS(name##_8, space, 8, int8, as_int8, vload8, vstore8)                               \
  POOL_COLUMNS(name##_16, space, 16, int16, as_int16, GEMM_LOAD, GEMM_STORE)
#define POOL_COLUMNS_WIDELY(name)                                                                \
  if (s.width >= 16) {                                                                           \
    for (; at + 16 < s.width; at += 16) name##_16(to, plane, s, pitch, iy, at);                  \
    name##_16(to, plane, s, pitch, iy, s.width - 16);                                            \
    return;                                                                                      \
  }                                                                                              \
  if (s.width >= 8) {                                                                            \
    name##_8(to, plane, s, pitch, iy, 0);                                                        \
    name##_8(to, plane, s, pitch, iy, s.width - 8);                                              \
    return;                                                                                      \
  }
#endif
// All columns; the last vector may repeat some.
#define POOL_ALL_COLUMNS(name, space)                                                            \
  POOL_WIDE_COLUMNS(name, space)                                                                 \
  POOL_COLUMNS(name##_4, space, 4, int4, as_int4, vload4, vstore4)                               \
  EX_INLINE void name(__local int *to, const space float *plane, const window_shape s, int pitch, \
                      int iy) {                                                                  \
    int at = 0;                                                                                  \
    POOL_COLUMNS_WIDELY(name)                                                                    \
    if (s.width >= 4) {                                                                          \
      for (; at + 4 < s.width; at += 4) name##_4(to, plane, s, pitch, iy, at);                   \
      name##_4(to, plane, s, pitch, iy, s.width - 4);                                            \
      return;                                                                                    \
    }                                                                                            \
    for (; at < s.width; at++) {                                                                 \
      int best = ew_key(as_float(0xff800000));                                                   \
      for (int ky = 0; ky < s.kernelHeight; ky++) {                                              \
        const int row = iy + ky * s.dilationY;                                                   \
        if (row >= 0 && row < s.height) best = max(best, ew_key(plane[row * pitch + at]));       \
      }                                                                                          \
      to[at] = best;                                                                             \
    }                                                                                            \
  }
POOL_ALL_COLUMNS(pool_columns, __global)
#ifndef WINDOW_PICKS
POOL_ALL_COLUMNS(pool_columns_local, __local)
#endif

// Maxima of neighbouring windows from `line` on; no more than `count` are in it.
EX_INLINE gemm_lanes pool_row(const __local int *line, const window_shape s, int count) {
  pool_keys best = (pool_keys)(ew_key(as_float(0xff800000)));
  for (int kx = 0; kx < s.kernelWidth; kx++) {
    const __local int *p = line + kx * s.dilationX;
    if (s.strideX == 1) {
      best = max(best, POOL_LOAD(0, p));
    } else if (s.strideX == 2) {
      const pool_keys u = POOL_LOAD(0, p), v = POOL_LOAD(0, p + GEMM_LANES);
      best = max(best, (pool_keys)(u.even, v.even));
    } else {
      int keys[GEMM_LANES];
      for (int l = 0; l < GEMM_LANES; l++) keys[l] = p[min(l, count - 1) * s.strideX];
      best = max(best, POOL_LOAD(0, keys));
    }
  }
  const pool_keys last = (pool_keys)(0x7fffffff), quiet = (pool_keys)(0x7fc00000);
  return POOL_FLOATS(select(best ^ ((best >> 31) & last), quiet, best == last));
}

#ifdef WINDOW_PICKS
// Windows of two or three rows and columns, one or two columns apart, none of which is in the
// padding alone. Nothing is laid out for them: a vector or two hold the columns of `each` windows.
// `count` is 0 for others.
#define POOL_NEAR 16
typedef struct {
  int each, count;
  // Which columns of a vector, and of a second one, are in the plane, and which windows there are.
  uint first[POOL_NEAR], second[POOL_NEAR], windows[POOL_NEAR];
} pool_places;

EX_INLINE pool_places pool_places_of(const window_shape s) {
  pool_places p = {0, 0, {0}, {0}, {0}};
  const bool isNear = s.kernelHeight >= 2 && s.kernelHeight <= 3 && s.kernelWidth >= 2 &&
                      s.kernelWidth <= 3 && s.dilationY == 1 && s.dilationX == 1 &&
                      s.strideX <= 2 && s.top < s.kernelHeight && s.left < s.kernelWidth &&
                      (s.outHeight - 1) * s.strideY - s.top < s.height &&
                      (s.outWidth - 1) * s.strideX - s.left < s.width;
  if (!isNear) return p;
  const int each = s.strideX == 1 ? 17 - s.kernelWidth : (34 - s.kernelWidth) / 2;
  const int count = (s.outWidth + each - 1) / each;
  if (count > POOL_NEAR) return p;
  p.each = each;
  p.count = count;
  for (int n = 0; n < count; n++) {
    const int to = n * each, at = to * s.strideX - s.left;
    p.first[n] = window_first(s.width - at) & ~window_first(-at);
    p.second[n] = window_first(s.width - at - 16);
    p.windows[n] = window_first(min(each, s.outWidth - to));
  }
  return p;
}

// Keys in whose order NaNs of either sign come last: ew_key's, so much lower that those of NaNs
// with a sign, which would be the least, come out at the other end.
#define POOL_LOWER 0x007fffffu
EX_INLINE int16 pool_keys_at(__global const float *p, uint kept) {
  const int16 bits = as_int16(__builtin_ia32_loadups512_mask(
      (__private const float16 *)(size_t)p, (float16)(as_float(0xff800000)), kept));
  const int16 size = (int16)(0x7fffffff);
  return as_int16(as_uint16(__builtin_ia32_pternlogd512_mask(bits >> 31, size, bits, 0x6a, -1)) -
                  POOL_LOWER);
}

// What a row of a plane has of the columns of some windows, as keys.
typedef struct {
  int16 u, v;
} pool_row_keys;

EX_INLINE pool_row_keys pool_row_at(__global const float *p, const pool_places *s, int n,
                                    int stride) {
  pool_row_keys r;
  r.u = pool_keys_at(p, s->first[n]);
  r.v = stride == 2 ? pool_keys_at(p + 16, s->second[n]) : r.u;
  return r;
}

// Rows of windows over a plane's, which lie `pitch` apart. A row that is outside is another of its
// window once more. The last one of a window may be the next one's first.
EX_INLINE void pool_near(__global const float *plane, __global float *y, const pool_places *p,
                         const window_shape s, int pitch, int first, int last, int stride) {
  const bool isShared = s.kernelHeight == s.strideY + 1;
  __global const float *x = plane - s.left;
  for (int n = 0; n < p->count; n++, x += p->each * stride) {
    pool_row_keys c = pool_row_at(x + max(first * s.strideY - s.top, 0) * pitch, p, n, stride);
    for (int row = first; row < last; row++) {
      const int top = row * s.strideY - s.top, from = max(top, 0);
      const int end = min(top + s.kernelHeight, s.height) - 1, middle = min(from + 1, end);
      const pool_row_keys a = isShared ? c : pool_row_at(x + from * pitch, p, n, stride);
      const pool_row_keys b = pool_row_at(x + middle * pitch, p, n, stride);
      c = pool_row_at(x + end * pitch, p, n, stride);
      const int16 u = max(max(a.u, b.u), c.u);
      int16 even = u, odd = u.s123456789abcdeff;
      if (stride == 2) {
        const int16 v = max(max(a.v, b.v), c.v);
        even = (int16)(u.even, v.even);
        odd = (int16)(u.odd, v.odd);
      }
      int16 best = max(even, odd);
      if (s.kernelWidth == 3)
        best = max(best, (stride == 2 ? even : odd).s123456789abcdeff);
      const int16 keys = as_int16(as_uint16(best) + POOL_LOWER), quiet = (int16)(0x7fc00000);
      const int16 bits = select(keys ^ (keys >> 31 & 0x7fffffff), quiet,
                                best > (int16)(0x7f800000 - POOL_LOWER));
      __builtin_ia32_storeups512_mask(
          (__private float16 *)(size_t)(y + row * s.outWidth + n * p->each), as_float16(bits),
          p->windows[n]);
    }
  }
}
EX_APART void pool_max_near(__global const float *plane, __global float *y, const pool_places *p,
                            const window_shape s, int pitch, int first, int last) {
  if (s.strideX == 1)
    pool_near(plane, y, p, s, pitch, first, last, 1);
  else
    pool_near(plane, y, p, s, pitch, first, last, 2);
}
#endif

// `line` holds the keys of a row of windows, with those of its padding, which are the least.
EX_INLINE void pool_line_ends(__local int *line, const window_shape s) {
  const int least = ew_key(as_float(0xff800000));
  const int reach = (s.outWidth - 1) * s.strideX + (s.kernelWidth - 1) * s.dilationX + 1;
  for (int i = 0; i < s.left; i++) line[i] = least;
  for (int i = s.left + s.width; i < reach; i++) line[i] = least;
}

EX_INLINE void pool_put_row(__global float *y, const __local int *line, const window_shape s) {
  for (int at = 0; at < s.outWidth; at += GEMM_LANES) {
    const int count = min(GEMM_LANES, s.outWidth - at);
    window_pick(pool_row(line + at * s.strideX, s, count), y + at, (1u << count) - 1);
  }
}

// Work-items: (parts of the rows, parts of `planesEach` planes).
__kernel void pool_max_strips(__global const float *restrict x, __global float *restrict y,
                              window_shape s, int planes, int planesEach, int rowsEach,
                              __local int *line) {
  const int first = get_global_id(0) * rowsEach, last = min(s.outHeight, first + rowsEach);
  const int begin = get_global_id(1) * planesEach, end = min(planes, begin + planesEach);
#ifdef WINDOW_PICKS
  const pool_places places = pool_places_of(s);
#endif
  pool_line_ends(line, s);
  for (int plane = begin; plane < end; plane++) {
    __global const float *px = x + (ulong)plane * (s.height * s.width);
    __global float *py = y + (ulong)plane * (s.outHeight * s.outWidth);
#ifdef WINDOW_PICKS
    if (places.count > 0) {
      pool_max_near(px, py, &places, s, s.width, first, last);
      continue;
    }
#endif
    for (int row = first; row < last; row++) {
      pool_columns(line + s.left, px, s, s.width, row * s.strideY - s.top);
      pool_put_row(py + row * s.outWidth, line, s);
    }
  }
}
