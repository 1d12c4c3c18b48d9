// needs: inference/layout.cl inference/dot.cl
// Convolutions of 8-bit integers less their zero points, exact modulo 2^32, as implicit products:
// x lies in planes as window.cl has them, but of words that hold four neighbouring channels, and
// weights in panels of DOT_ROWS channels of the output. Operands are shifted as in dot.cl. Outside
// of x there are zero points, which count nowhere.

// Four products of the unsigned bytes of lanes x with the signed ones of a word w, added to `sum`.
#if defined(RIGOR_VNNI) && !defined(RIGOR_NARROW)
#define DOT_ADD_LANES(sum, x, w)                                                                  \
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"((dot_lanes)((int)(w))))
#elif defined(__opencl_c_integer_dot_product_input_4x8bit_packed)
#define DOT_ADD_LANES(sum, x, w)                                                                  \
  sum += (dot_lanes)(dot_4x8packed_us_int(as_uint((x).s0), w),                                    \
                     dot_4x8packed_us_int(as_uint((x).s1), w),                                    \
                     dot_4x8packed_us_int(as_uint((x).s2), w),                                    \
                     dot_4x8packed_us_int(as_uint((x).s3), w))
#else
#define DOT_LANES_PART(x, w, at) ((x) >> (8 * (at)) & 0xff) * ((int)((w) << (24 - 8 * (at))) >> 24)
#define DOT_ADD_LANES(sum, x, w)                                                                  \
  sum += DOT_LANES_PART(x, w, 0) + DOT_LANES_PART(x, w, 1) + DOT_LANES_PART(x, w, 2) +            \
         DOT_LANES_PART(x, w, 3)
#endif

// A row of words: those of up to four planes `pixels` apart, every `step`-th one.
EX_INLINE void dot_spread_row(__global const uchar *p, __global uint *q, int count, int step,
                              int channels, int pixels, uint flip) {
  if (channels == 4) {
    __global const uchar *p1 = p + pixels, *p2 = p1 + pixels, *p3 = p2 + pixels;
    for (int i = 0; i < count; i++)
      q[i] = ((uint)p[i * step] | (uint)p1[i * step] << 8 | (uint)p2[i * step] << 16 |
              (uint)p3[i * step] << 24) ^ flip;
    return;
  }
  for (int i = 0; i < count; i++) {
    uint word = 0;
    for (int c = 0; c < channels; c++) word |= (uint)p[c * pixels + i * step] << (8 * c);
    q[i] = word ^ flip;
  }
}

// Planes of words. Work-items: (rows of a phase, words of all groups).
__kernel void dot_spread(__global const uchar *restrict x, __global const uchar *restrict zero,
                         __global uint *restrict to, window_layout s, int channels, int hasZero,
                         int isSigned, ulong firstGroup) {
  const int r = get_global_id(0), words = (channels + 3) / 4;
  const ulong plane = get_global_id(1), group = plane / words;
  const int word = (int)(plane % words), filled = min(4, channels - 4 * word);
  const uint mask = filled == 4 ? 0xffffffffu : (1u << (8 * filled)) - 1u;
  const uint flip = (isSigned ? 0x80808080u : 0u) & mask;
  const uint fill = ((hasZero ? zero[0] : 0u) * 0x01010101u & mask) ^ flip;
  const int pixels = s.height * s.width;
  __global const uchar *p = x + ((firstGroup + group) * channels + 4 * word) * pixels;
  __global uint *all = to + plane * s.planeSize;
  for (int phase = 0; phase < s.phasesY * s.phasesX; phase++) {
    const int py = phase / s.phasesX, px = phase % s.phasesX;
    const int shift = px - s.left, reach = max(0, s.width - shift + s.strideX - 1) / s.strideX;
    const int iy = r * s.strideY + py - s.top;
    const int last = iy >= 0 && iy < s.height ? min(s.pitch, reach) : 0;
    const int start = min(last, (max(0, -shift) + s.strideX - 1) / s.strideX);
    __global uint *q = all + (phase * s.rows + r) * s.pitch;
    for (int i = 0; i < start; i++) q[i] = fill;
    if (s.strideX == 1)
      dot_spread_row(p + iy * s.width + shift + start, q + start, last - start, 1, filled, pixels,
                     flip);
    else
      dot_spread_row(p + iy * s.width + shift + start * s.strideX, q + start, last - start,
                     s.strideX, filled, pixels, flip);
    for (int i = last; i < s.pitch; i++) q[i] = fill;
  }
  if (r == s.rows - 1)
    for (int i = s.phasesY * s.phasesX * s.rows * s.pitch; i < s.planeSize; i++) all[i] = fill;
}

// Weights of a group in panels: words of four channels, taps fastest; then the sum of each row.
// Work-items: (channels of the output rounded up to DOT_ROWS, groups).
__kernel void dot_pack_filters(__global const uchar *restrict from, __global uint *restrict to,
                               int rows, int channels, int taps, int isSigned) {
  const int row = get_global_id(0), padded = get_global_size(0);
  const ulong group = get_global_id(1);
  const int words = (channels + 3) / 4, depth = words * taps;
  __global uint *q = to + group * (ulong)padded * (depth + 1) +
                     (ulong)(row / DOT_ROWS * DOT_ROWS) * depth + row % DOT_ROWS;
  __global const uchar *p = from + (group * rows + row) * (ulong)(channels * taps);
  int sum = 0;
  for (int k = 0; k < depth; k++) {
    uint word = 0;
    for (int i = 0; i < 4; i++) {
      const int channel = k / taps * 4 + i;
      if (row >= rows || channel >= channels) continue;
      const uint w = DOT_SIGNED(p[channel * taps + k % taps], isSigned);
      sum += (char)w;
      word |= w << (8 * i);
    }
    q[k * DOT_ROWS] = word;
  }
  to[(group + 1) * (ulong)padded * (depth + 1) - padded + row] = (uint)sum;
}

// Lanes from `skip` to before `end`, of which the first would lie at this row and column; what is
// behind a row's end is dropped.
EX_INLINE void dot_put_places(dot_lanes v, __global int *y, int row, int column, int skip, int end,
                              int pitch, int width) {
  if (skip <= 0 && end >= DOT_LANES && column + DOT_LANES <= width) {
    DOT_STORE(v, 0, y + row * width + column);
    return;
  }
  int lanes[DOT_LANES];
  DOT_STORE(v, 0, lanes);
  const int last = min(end, DOT_LANES);
  for (int l = 0; l < last; l += pitch - column, row++, column = 0) {
    const int stop = min(last, l + width - column);
    for (int i = max(l, skip); i < stop; i++) y[row * width + column + i - l] = lanes[i];
  }
}

// One work-item computes DOT_ROWS outputs at each of DOT_VECTORS * DOT_LANES places; the last tile
// begins early enough to be whole. `depth` counts words, `count` true products. Wide: panels run
// fastest; narrow: places do.
__kernel void dot_convolve(__global const uint *restrict a, __global const uint *restrict x,
                           __global const uchar *restrict xZero,
                           __global const uchar *restrict wZero, __global int *restrict c,
                           __global const uint *restrict offsets, int rows, int places, int depth,
                           int count, int pitch, int width, int plane, int groups, ulong xStride,
                           ulong cOffset, int xZeros, int wZeros, int xSigned, int wSigned) {
#ifdef RIGOR_NARROW
  const int tile = get_global_id(0), top = get_global_id(1) * DOT_ROWS;
#else
  const int tile = get_global_id(1), top = get_global_id(0) * DOT_ROWS;
#endif
  const int tileWidth = DOT_VECTORS * DOT_LANES, first = tile * tileWidth;
  if (first >= places || top >= rows) return;
  const int start = max(0, min(first, places - tileWidth));
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % groups, padded = (rows + DOT_ROWS - 1) / DOT_ROWS * DOT_ROWS;
  __global const uint *filters = a + group * (ulong)padded * (depth + 1);
  __global const uint *pa = filters + (ulong)top * depth;
  __global const int *sums = (__global const int *)filters + (ulong)padded * depth;
  __global const int *px = (__global const int *)x + matrix * xStride + start;
  const bool sumsX = wZeros != 0 || !wSigned;
  dot_lanes total[DOT_ROWS][DOT_VECTORS], sumX[DOT_VECTORS];
#pragma unroll
  for (int j = 0; j < DOT_VECTORS; j++) {
    sumX[j] = (dot_lanes)(0);
#pragma unroll
    for (int i = 0; i < DOT_ROWS; i++) total[i][j] = (dot_lanes)(0);
  }
  for (int k = 0; k < depth; k++) {
    __global const int *p = px + offsets[k];
    dot_lanes v[DOT_VECTORS];
#pragma unroll
    for (int j = 0; j < DOT_VECTORS; j++) {
      v[j] = DOT_LOAD(0, p + j * DOT_LANES);
      if (sumsX) DOT_ADD_LANES(sumX[j], v[j], 0x01010101u);
    }
#pragma unroll
    for (int i = 0; i < DOT_ROWS; i++)
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++) DOT_ADD_LANES(total[i][j], v[j], pa[i]);
    pa += DOT_ROWS;
  }
  c += cOffset + matrix * (ulong)rows * plane;
  const int zeroX = dot_zero_a(xZero, 0, xZeros, xSigned);
  // Planes without padding are one row.
  const int line = pitch == width ? plane : pitch, end = pitch == width ? plane : width;
#pragma unroll
  for (int i = 0; i < DOT_ROWS; i++) {
    const int row = top + i;
    if (row >= rows) continue;
    const int zeroW = (char)DOT_SIGNED(
        wZeros == 0 ? 0u : wZero[wZeros == DOT_ZERO_LINES ? group * rows + row : 0], wSigned);
    const int fixed = zeroX * (count * zeroW - sums[row]);
#pragma unroll
    for (int j = 0; j < DOT_VECTORS; j++) {
      const int place = start + j * DOT_LANES;
      dot_put_places(total[i][j] + (dot_lanes)(fixed) - (dot_lanes)(zeroW)*sumX[j],
                     c + (ulong)row * plane, place / line, place % line, first - place,
                     places - place, line, end);
    }
  }
}
