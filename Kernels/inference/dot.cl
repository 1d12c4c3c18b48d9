// Products of matrices of 8-bit integers, exact modulo 2^32: C = (A - a zero) (B - b zero).
//
// A is taken as unsigned and B as signed numbers, the operand order of the instructions that
// multiply four pairs of bytes and add them to a word; the other kind is shifted by 128, and its
// zero point with it. What the zero points ask for is added at the end, from the sums of A's rows
// and of B's columns. Four neighbours in k lie in one word; the last one is filled up with zeros,
// which count nowhere. Integers may be added in any order: tile sizes move no bit.
#ifndef DOT_ROWS
#define DOT_ROWS 8
#endif
#define DOT_COLUMNS 32

#ifdef RIGOR_NARROW
#define DOT_LANES 4
#define DOT_VECTORS 1
typedef int4 dot_lanes;
#define DOT_LOAD vload4
#define DOT_STORE vstore4
#else
#define DOT_LANES 16
#define DOT_VECTORS (DOT_COLUMNS / DOT_LANES)
typedef int16 dot_lanes;
// PoCL's vload16 and vstore16 go part by part, of which its compiler rarely makes whole ones.
#ifdef __clang__
#define DOT_LOAD(i, p) dot_load(p)
#define DOT_STORE(v, i, p) dot_store(v, p)
typedef int16 dot_unaligned __attribute__((aligned(4)));
#define DOT_ACCESS(space)                                                                        \
  EX_INLINE int16 __attribute__((overloadable)) dot_load(const space int *p) {                   \
    return *(const space dot_unaligned *)p;                                                      \
  }                                                                                              \
  EX_INLINE void __attribute__((overloadable)) dot_store(int16 v, space int *p) {                \
    *(space dot_unaligned *)p = v;                                                               \
  }
DOT_ACCESS(__global)
DOT_ACCESS(__private)
#else
#define DOT_LOAD vload16
#define DOT_STORE vstore16
#endif
#endif

#define DOT_ZERO_ONE 1
#define DOT_ZERO_LINES 2

// Bytes a, of which those of signed numbers are shifted to unsigned ones.
#define DOT_UNSIGNED(x, isSigned) ((uint)(x) ^ ((isSigned) ? 0x80u : 0u))
#define DOT_SIGNED(x, isSigned) (((uint)(x) ^ ((isSigned) ? 0u : 0x80u)) & 0xffu)

// Rows of A, `depth` bytes at `line` from each other, as words; then the sum of each row.
//
// Work-items: (rows rounded up to DOT_ROWS, matrices).
__kernel void dot_pack_rows(__global const uchar *restrict from, __global uint *restrict to,
                            int rows, int depth, ulong line, ulong fromStride, int isSigned) {
  const int row = get_global_id(0), padded = get_global_size(0);
  const ulong matrix = get_global_id(1);
  const int words = (depth + 3) / 4;
  __global uint *q = to + matrix * (ulong)padded * (words + 1) + (ulong)row * words;
  __global uint *total = to + (matrix + 1) * (ulong)padded * (words + 1) - padded + row;
  uint sum = 0;
  __global const uchar *p = from + matrix * fromStride + (ulong)row * line;
  const int whole = row < rows ? depth / 4 : 0;
  for (int k = 0; k < whole; k++) {
    const uint word = as_uint(vload4(k, p)) ^ (isSigned ? 0x80808080u : 0u);
    sum += (word & 0xffu) + (word >> 8 & 0xffu) + (word >> 16 & 0xffu) + (word >> 24);
    q[k] = word;
  }
  for (int k = whole; k < words; k++) {
    uint word = 0;
    for (int i = 0; i < 4; i++) {
      if (row >= rows || 4 * k + i >= depth) continue;
      const uint x = DOT_UNSIGNED(p[4 * k + i], isSigned);
      sum += x;
      word |= x << (8 * i);
    }
    q[k] = word;
  }
  *total = sum;
}

// Columns of B in panels of DOT_COLUMNS, words of k slowest; then the sum of each column.
//
// Work-items: (panels, matrices).
__kernel void dot_pack_columns(__global const uchar *restrict from, __global uint *restrict to,
                               int columns, int depth, ulong line, ulong step, ulong fromStride,
                               int isSigned) {
  const int panel = get_global_id(0), panels = get_global_size(0);
  const ulong matrix = get_global_id(1);
  const int words = (depth + 3) / 4, first = panel * DOT_COLUMNS;
  __global const uchar *p = from + matrix * fromStride + first * line;
  __global uint *all = to + matrix * (ulong)panels * DOT_COLUMNS * (words + 1);
  __global uint *q = all + (ulong)panel * DOT_COLUMNS * words;
  __global uint *totals = all + (ulong)panels * DOT_COLUMNS * words + first;
  const int filled = min(DOT_COLUMNS, columns - first);
  int sums[DOT_COLUMNS];
  for (int j = 0; j < DOT_COLUMNS; j++) sums[j] = 0;
  for (int k = 0; k < words; k++) {
    const int count = min(4, depth - 4 * k);
    __global const uchar *r = p + (ulong)(4 * k) * step;
    uint panelWords[DOT_COLUMNS];
    for (int j = 0; j < DOT_COLUMNS; j++) panelWords[j] = 0;
    for (int i = 0; i < count; i++)
      for (int j = 0; j < filled; j++) {
        const uint x = DOT_SIGNED(r[i * step + j * line], isSigned);
        sums[j] += (char)x;
        panelWords[j] |= x << (8 * i);
      }
    for (int j = 0; j < DOT_COLUMNS; j++) q[(ulong)k * DOT_COLUMNS + j] = panelWords[j];
  }
  for (int j = 0; j < DOT_COLUMNS; j++) totals[j] = (uint)sums[j];
}

// Four products of unsigned bytes of a with signed bytes of b, added to `sum`.
#if defined(RIGOR_VNNI) && !defined(RIGOR_NARROW)
#define DOT_WORDS
#define DOT_ADD(sum, a, b)                                                                        \
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"((dot_lanes)((int)(a))), "v"(b))
#elif defined(__opencl_c_integer_dot_product_input_4x8bit_packed)
#define DOT_WORDS
#define DOT_PACKED(a, b) dot_4x8packed_us_int(a, as_uint(b))
#define DOT_ADD(sum, a, b)                                                                        \
  sum += (dot_lanes)(DOT_PACKED(a, (b).s0), DOT_PACKED(a, (b).s1), DOT_PACKED(a, (b).s2),         \
                     DOT_PACKED(a, (b).s3))
#elif defined(RIGOR_NARROW)
#define DOT_WORDS
#define DOT_PART(a, b, at) (int)((a) >> (8 * (at)) & 0xffu) * ((b) << (24 - 8 * (at)) >> 24)
#define DOT_ADD(sum, a, b)                                                                        \
  sum += DOT_PART(a, b, 0) + DOT_PART(a, b, 1) + DOT_PART(a, b, 2) + DOT_PART(a, b, 3)
#endif

// Sums of the first `count` rows, a constant.
#ifdef DOT_WORDS
EX_INLINE void dot_sum(dot_lanes total[DOT_ROWS][DOT_VECTORS], __global const uint *pa,
                       __global const int *pb, const int words, const int count) {
#pragma unroll
  for (int i = 0; i < count; i++)
#pragma unroll
    for (int j = 0; j < DOT_VECTORS; j++) total[i][j] = (dot_lanes)(0);
  for (int k = 0; k < words; k++) {
    dot_lanes b[DOT_VECTORS];
#pragma unroll
    for (int j = 0; j < DOT_VECTORS; j++) b[j] = DOT_LOAD(0, pb + j * DOT_LANES);
#pragma unroll
    for (int i = 0; i < count; i++)
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++) DOT_ADD(total[i][j], pa[i * words + k], b[j]);
    pb += DOT_COLUMNS;
  }
}
#else
// Processors without such an instruction multiply floats best: up to 64 words, all sums are whole
// numbers below 2^24.
#define DOT_BLOCK 64
EX_INLINE void dot_sum(dot_lanes total[DOT_ROWS][DOT_VECTORS], __global const uint *pa,
                       __global const int *pb, const int words, const int count) {
#pragma unroll
  for (int i = 0; i < count; i++)
#pragma unroll
    for (int j = 0; j < DOT_VECTORS; j++) total[i][j] = (dot_lanes)(0);
  for (int begin = 0; begin < words; begin += DOT_BLOCK) {
    const int end = min(words, begin + DOT_BLOCK);
    float16 sum[DOT_ROWS][DOT_VECTORS];
#pragma unroll
    for (int i = 0; i < count; i++)
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++) sum[i][j] = (float16)(0.0f);
    for (int k = begin; k < end; k++) {
      dot_lanes b[DOT_VECTORS];
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++) b[j] = DOT_LOAD(0, pb + j * DOT_LANES);
#pragma unroll
      for (int byte = 0; byte < 32; byte += 8) {
        float16 vb[DOT_VECTORS];
#pragma unroll
        for (int j = 0; j < DOT_VECTORS; j++)
          vb[j] = convert_float16((b[j] << (24 - byte)) >> 24);
#pragma unroll
        for (int i = 0; i < count; i++) {
          const float16 va = (float16)((float)(pa[i * words + k] >> byte & 0xffu));
#pragma unroll
          for (int j = 0; j < DOT_VECTORS; j++) sum[i][j] = fma(va, vb[j], sum[i][j]);
        }
      }
      pb += DOT_COLUMNS;
    }
#pragma unroll
    for (int i = 0; i < count; i++)
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++) total[i][j] += convert_int16(sum[i][j]);
  }
}
#endif

// DOT_LANES neighbouring outputs of one row; those beyond the last column are dropped.
EX_INLINE void dot_put(__global int *c, dot_lanes x, int left) {
  if (left >= DOT_LANES) {
    DOT_STORE(x, 0, c);
    return;
  }
  int lanes[DOT_LANES];
  DOT_STORE(x, 0, lanes);
  for (int l = 0; l < left; l++) c[l] = lanes[l];
}

// The zero point of a row of A, as that is shifted; and those of neighbouring columns of B.
EX_INLINE int dot_zero_a(__global const uchar *zero, int row, int kind, int isSigned) {
  const uint x = kind == 0 ? 0u : zero[kind == DOT_ZERO_LINES ? row : 0];
  return (int)DOT_UNSIGNED(x, isSigned);
}
EX_INLINE dot_lanes dot_zeros_b(__global const uchar *zero, int column, int columns, int kind,
                                int isSigned) {
  if (kind != DOT_ZERO_LINES)
    return (dot_lanes)((int)(char)DOT_SIGNED(kind == 0 ? 0u : zero[0], isSigned));
  int lanes[DOT_LANES];
  for (int l = 0; l < DOT_LANES; l++)
    lanes[l] = (int)(char)DOT_SIGNED(zero[min(column + l, columns - 1)], isSigned);
  return DOT_LOAD(0, lanes);
}

// Where packed operands have the sums of A's rows and of B's columns.
EX_INLINE __global const int *dot_sums_a(__global const uint *a, int rows, int words) {
  const int padded = (rows + DOT_ROWS - 1) / DOT_ROWS * DOT_ROWS;
  return (__global const int *)a + (ulong)padded * words;
}
EX_INLINE __global const int *dot_sums_b(__global const uint *b, int columns, int words) {
  const int panels = (columns + DOT_COLUMNS - 1) / DOT_COLUMNS;
  return (__global const int *)b + (ulong)panels * DOT_COLUMNS * words;
}
EX_INLINE __global const int *dot_panel(__global const uint *b, int column, int words) {
  return (__global const int *)b + (ulong)(column / DOT_COLUMNS) * DOT_COLUMNS * words +
         column % DOT_COLUMNS;
}

// What zero points ask for, taken from the sums of a tile: rows from `top` on; those before `first`
// are another work-item's.
EX_INLINE void dot_finish(dot_lanes total[DOT_ROWS][DOT_VECTORS], __global const int *aSums,
                          __global const int *bSums, __global const uchar *aZero,
                          __global const uchar *bZero, __global int *c, int rows, int columns,
                          int depth, int aZeros, int bZeros, int aSigned, int bSigned, int isPlain,
                          int firstColumn, int top, int first, const int count) {
  // Many tiles: whole, and with no zero points.
  if (isPlain && aZeros != DOT_ZERO_LINES && dot_zero_a(aZero, 0, aZeros, aSigned) == 0 &&
      first <= top && top + count <= rows && firstColumn + DOT_VECTORS * DOT_LANES <= columns) {
    c += (ulong)top * columns + firstColumn;
#pragma unroll
    for (int i = 0; i < count; i++)
#pragma unroll
      for (int j = 0; j < DOT_VECTORS; j++)
        DOT_STORE(total[i][j], 0, c + (ulong)i * columns + j * DOT_LANES);
    return;
  }
#pragma unroll
  for (int j = 0; j < DOT_VECTORS; j++) {
    const int column = firstColumn + j * DOT_LANES;
    if (column >= columns) continue;
    const dot_lanes zeroB = dot_zeros_b(bZero, column, columns, bZeros, bSigned);
    const dot_lanes sumB = DOT_LOAD(0, bSums + column);
#pragma unroll
    for (int i = 0; i < count; i++) {
      const int row = top + i;
      if (row < first || row >= rows) continue;
      const int zeroA = dot_zero_a(aZero, row, aZeros, aSigned);
      const int sumA = isPlain ? 0 : aSums[row];
      const dot_lanes x = total[i][j] - zeroB * (dot_lanes)(sumA - depth * zeroA) -
                          (dot_lanes)(zeroA)*sumB;
      dot_put(c + (ulong)row * columns + column, x, columns - column);
    }
  }
}

EX_INLINE void dot_tile(__global const uint *a, __global const uint *b,
                        __global const uchar *aZero, __global const uchar *bZero, __global int *c,
                        int rows, int columns, int depth, int aZeros, int bZeros, int aSigned,
                        int bSigned, int isPlain, int firstColumn, int top, int first,
                        const int count) {
  const int words = (depth + 3) / 4;
  dot_lanes total[DOT_ROWS][DOT_VECTORS];
  dot_sum(total, a + (ulong)top * words, dot_panel(b, firstColumn, words), words, count);
  dot_finish(total, dot_sums_a(a, rows, words), dot_sums_b(b, columns, words), aZero, bZero, c,
             rows, columns, depth, aZeros, bZeros, aSigned, bSigned, isPlain, firstColumn, top,
             first, count);
}

#ifdef RIGOR_NARROW
#define DOT_TILE(i) const int tile = get_global_id(0) + (i), panel = get_global_id(1)
#else
#define DOT_TILE(i) const int tile = get_global_id(1), panel = get_global_id(0) + (i)
#endif
#ifndef GROUP_RUN
#define GROUP_RUN 1
#endif

// One work-item computes DOT_ROWS x (DOT_VECTORS * DOT_LANES) outputs. Wide: row panels run
// fastest; narrow: columns do. An operand that all matrices share has a stride of 0.
//
// With `isPlain` A lies as the model has it: unsigned bytes, a whole number of words in each row,
// and zero points of B that ask for no sums. The last tile then begins early enough to be whole.
__kernel void dot_product(__global const uint *restrict a, __global const uint *restrict b,
                          __global const uchar *restrict aZero,
                          __global const uchar *restrict bZero, __global int *restrict c, int rows,
                          int columns, int depth, ulong aStride, ulong bStride, int aZeros,
                          int bZeros, int aSigned, int bSigned, int isPlain) {
  const ulong matrix = get_global_id(2);
  for (int i = 0; i < GROUP_RUN; i++) {
    DOT_TILE(i);
    const int firstColumn = tile * DOT_VECTORS * DOT_LANES, first = panel * DOT_ROWS;
    if (firstColumn >= columns || first >= rows) return;
    dot_tile(a + matrix * aStride, b + matrix * bStride, aZero, bZero,
             c + matrix * (ulong)rows * columns, rows, columns, depth, aZeros, bZeros, aSigned,
             bSigned, isPlain, firstColumn, isPlain ? min(first, rows - DOT_ROWS) : first, first,
             DOT_ROWS);
  }
}

// The same for a row or two, each on its own. Work-items: (tiles of columns, rows, matrices).
__kernel void dot_row(__global const uint *restrict a, __global const uint *restrict b,
                      __global const uchar *restrict aZero, __global const uchar *restrict bZero,
                      __global int *restrict c, int rows, int columns, int depth, ulong aStride,
                      ulong bStride, int aZeros, int bZeros, int aSigned, int bSigned,
                      int isPlain) {
  const int firstColumn = get_global_id(0) * DOT_VECTORS * DOT_LANES, row = get_global_id(1);
  const ulong matrix = get_global_id(2);
  if (firstColumn >= columns) return;
  dot_tile(a + matrix * aStride, b + matrix * bStride, aZero, bZero,
           c + matrix * (ulong)rows * columns, rows, columns, depth, aZeros, bZeros, aSigned,
           bSigned, isPlain, firstColumn, row, row, 1);
}

#if defined(RIGOR_AMX) && !defined(RIGOR_NARROW)
// Tiles of Intel's AMX: registers of up to 16 rows of 64 bytes. One instruction adds to 16 x 16
// words what 16 rows of A and 16 columns of B have of 64 bytes of k. Intel 64 and IA-32
// Architectures Software Developer's Manual, volume 1, chapter 18.
#define DOT_TILE_ROWS 16
#define DOT_TILE_WORDS 16
#define DOT_TALL (2 * DOT_TILE_ROWS) // rows of A that one work-item takes
#define DOT_TILES_DEPTH 512          // words of k of which it has a copy
#ifndef DOT_TILES_PANELS
#define DOT_TILES_PANELS 8 // panels of B that it takes, at most
#endif

typedef struct {
  uchar palette, start, reserved[14];
  ushort bytes[16];
  uchar rows[16];
} dot_shapes;

// Tiles 0 to 3 are sums, 4 and 5 rows of A, of which there may be less than 16, 6 and 7 columns of
// B.
EX_INLINE void dot_tiles_begin(int rows) {
  dot_shapes s;
  s.palette = 1;
  s.start = 0;
  for (int i = 0; i < 14; i++) s.reserved[i] = 0;
  const int upper = min(rows, DOT_TILE_ROWS), lower = max(rows - DOT_TILE_ROWS, 1);
  for (int i = 0; i < 16; i++) {
    s.bytes[i] = i < 8 ? 4 * DOT_TILE_WORDS : 0;
    s.rows[i] = i >= 8 ? 0 : i > 5 ? DOT_TILE_WORDS : i == 2 || i == 3 || i == 5 ? lower : upper;
  }
  __asm__ volatile("ldtilecfg (%0)" : : "r"(&s) : "memory");
}

// Sums that are in memory: rows of DOT_COLUMNS.
#define DOT_TILES_SUMS(upper, lower)                                                             \
  __asm__ volatile(upper : : "r"(sums), "r"((size_t)(4 * DOT_COLUMNS)) : "memory");              \
  if (isTall)                                                                                    \
    __asm__ volatile(lower                                                                       \
                     :                                                                           \
                     : "r"(sums + DOT_TILE_ROWS * DOT_COLUMNS), "r"((size_t)(4 * DOT_COLUMNS))   \
                     : "memory");
EX_INLINE void dot_tiles_load(const int *sums, bool isTall) {
  DOT_TILES_SUMS("tileloadd (%0,%1,1), %%tmm0\n tileloadd 64(%0,%1,1), %%tmm1",
                 "tileloadd (%0,%1,1), %%tmm2\n tileloadd 64(%0,%1,1), %%tmm3")
}
EX_INLINE void dot_tiles_store(int *sums, bool isTall) {
  DOT_TILES_SUMS("tilestored %%tmm0, (%0,%1,1)\n tilestored %%tmm1, 64(%0,%1,1)",
                 "tilestored %%tmm2, (%0,%1,1)\n tilestored %%tmm3, 64(%0,%1,1)")
}
EX_INLINE void dot_tiles_clear(void) {
  __asm__ volatile("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" ::);
}

// What DOT_TILE_WORDS words of k add.
EX_INLINE void dot_tiles_add(const uint *a, size_t b, bool isTall) {
  __asm__ volatile("tileloadd (%1,%2,1), %%tmm6\n tileloadd (%0,%3,1), %%tmm4\n"
                   "tdpbusd %%tmm6, %%tmm4, %%tmm0\n tileloadd 64(%1,%2,1), %%tmm7\n"
                   "tdpbusd %%tmm7, %%tmm4, %%tmm1"
                   :
                   : "r"(a), "r"(b), "r"((size_t)(4 * DOT_COLUMNS)),
                     "r"((size_t)(4 * DOT_TILE_WORDS))
                   : "memory");
  if (isTall)
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm5\n tdpbusd %%tmm6, %%tmm5, %%tmm2\n"
                     "tdpbusd %%tmm7, %%tmm5, %%tmm3"
                     :
                     : "r"(a + DOT_TILE_ROWS * DOT_TILE_WORDS), "r"((size_t)(4 * DOT_TILE_WORDS))
                     : "memory");
}

// Rows of A as tiles that lie together, the last words filled up with zeros: rows that lie a power
// of two apart would drive each other out of the nearest cache.
EX_INLINE void dot_tiles_copy(uint *to, __global const uint *pa, ulong line, int words, int rows) {
  for (int i = 0; i < rows; i++) {
    __global const int *p = (__global const int *)(pa + i * line);
    uint *q = to + i * DOT_TILE_WORDS;
    int k = 0;
    for (; k + DOT_TILE_WORDS <= words; k += DOT_TILE_WORDS, q += DOT_TALL * DOT_TILE_WORDS)
      DOT_STORE(DOT_LOAD(0, p + k), 0, (int *)q);
    if (k < words)
      for (int l = 0; l < DOT_TILE_WORDS; l++) q[l] = k + l < words ? (uint)p[k + l] : 0;
  }
}

// Adds what a block of k has to the sums of a panel of columns.
EX_INLINE void dot_tiles_panel(const uint *a, __global const int *pb, int words, bool isTall) {
  int k = 0;
  for (; k + DOT_TILE_WORDS <= words; k += DOT_TILE_WORDS, pb += DOT_TILE_WORDS * DOT_COLUMNS)
    dot_tiles_add(a + k * DOT_TALL, (size_t)pb, isTall);
  if (k == words) return;
  int b[DOT_TILE_WORDS * DOT_COLUMNS] __attribute__((aligned(64)));
  for (int i = 0; i < DOT_TILE_WORDS * DOT_COLUMNS; i += DOT_LANES)
    DOT_STORE(i < (words - k) * DOT_COLUMNS ? DOT_LOAD(0, pb + i) : (dot_lanes)(0), 0, b + i);
  dot_tiles_add(a + k * DOT_TALL, (size_t)b, isTall);
}

// dot_product by tiles. Work-items: (panels of DOT_TALL rows, parts of the panels of columns,
// matrices).
__kernel void dot_tiles(__global const uint *restrict a, __global const uint *restrict b,
                        __global const uchar *restrict aZero, __global const uchar *restrict bZero,
                        __global int *restrict c, int rows, int columns, int depth, ulong aStride,
                        ulong bStride, int aZeros, int bZeros, int aSigned, int bSigned,
                        int isPlain) {
  const ulong matrix = get_global_id(2);
  const int panels = (columns + DOT_COLUMNS - 1) / DOT_COLUMNS, parts = get_global_size(1);
  const int from = (int)(get_global_id(1) * panels / parts);
  const int end = (int)((get_global_id(1) + 1) * panels / parts);
  const int first = get_global_id(0) * DOT_TALL;
  if (first >= rows) return;
  a += matrix * aStride;
  b += matrix * bStride;
  c += matrix * (ulong)rows * columns;
  const int words = (depth + 3) / 4, count = min(rows, DOT_TALL), top = min(first, rows - count);
  const bool isTall = count > DOT_TILE_ROWS;
  uint near[DOT_TALL * DOT_TILES_DEPTH] __attribute__((aligned(64)));
  int sums[DOT_TILES_PANELS][DOT_TALL * DOT_COLUMNS] __attribute__((aligned(64)));
  dot_tiles_begin(count);
  for (int k = 0; k < words; k += DOT_TILES_DEPTH) {
    const int some = min(words - k, DOT_TILES_DEPTH);
    dot_tiles_copy(near, a + (ulong)top * words + k, words, some, count);
    for (int p = from; p < end; p++) {
      if (k == 0)
        dot_tiles_clear();
      else
        dot_tiles_load(sums[p - from], isTall);
      dot_tiles_panel(near, dot_panel(b, p * DOT_COLUMNS, words) + (ulong)k * DOT_COLUMNS, some,
                      isTall);
      dot_tiles_store(sums[p - from], isTall);
    }
  }
  __asm__ volatile("tilerelease" ::: "memory");
  for (int p = from; p < end; p++)
    for (int i = 0; i < count; i += DOT_ROWS) {
      dot_lanes total[DOT_ROWS][DOT_VECTORS];
#pragma unroll
      for (int r = 0; r < DOT_ROWS; r++)
#pragma unroll
        for (int j = 0; j < DOT_VECTORS; j++)
          total[r][j] = DOT_LOAD(0, &sums[p - from][(i + r) * DOT_COLUMNS + j * DOT_LANES]);
      dot_finish(total, dot_sums_a(a, rows, words), dot_sums_b(b, columns, words), aZero, bZero, c,
                 rows, columns, depth, aZeros, bZeros, aSigned, bSigned, isPlain, p * DOT_COLUMNS,
                 top + i, first, DOT_ROWS);
    }
}
#endif
