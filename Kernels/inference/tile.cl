// needs: exact/divide.cl inference/activate.cl inference/gemm_tile.cl
// needs: inference/convolve_tail.cl inference/layout.cl
// defines: RIGOR_NARROW=1 TILE_ROWS=64 TILE_COLUMNS=64 TILE_EACH=4 TILE_DEPTH=32 TILE_UNROLL=8
// Products on graphics cards, by the same rule as gemm.cl: C = A B, where B may be the planes that
// a convolution's windows slide over. A group computes TILE_ROWS x TILE_COLUMNS outputs; pieces of
// both factors go through local memory, the next piece being fetched while one is used. Constants,
// and what many tiles read, are packed beforehand, into panels as wide as a tile, k slowest, filled
// up with zeros; other matrices are read as they lie.
//
// Where there are too few tiles for all of a card, each group takes a few blocks of k, and
// tile_join adds the blocks' sums in their order: the same additions.
#define TILE_BLOCK 256
#define TILE_X (TILE_COLUMNS / TILE_EACH)
#define TILE_Y (TILE_ROWS / TILE_EACH)
#define TILE_ITEMS (TILE_X * TILE_Y)
#define TILE_QUADS (TILE_EACH / 4) // of a work-item along either side
// Quads of a piece of either factor.
#define TILE_A (TILE_DEPTH * TILE_ROWS / 4)
#define TILE_B (TILE_DEPTH * TILE_COLUMNS / 4)
// What a work-item fetches of them, and of planes, where it goes down a column: one number a turn.
#define TILE_PARTS_A ((TILE_A + TILE_ITEMS - 1) / TILE_ITEMS)
#define TILE_PARTS_B ((TILE_B + TILE_ITEMS - 1) / TILE_ITEMS)
#define TILE_PLANE_STEP (TILE_ITEMS / TILE_COLUMNS)
#define TILE_PLANE_TURNS (TILE_DEPTH / TILE_PLANE_STEP)

#define TILE_BIAS_ROW 1
#define TILE_BIAS_COLUMN 2

// Where outputs go, and what follows their sums: see convolve_tail.cl.
typedef struct {
  int rows, columns, depth;
  int pixels;     // columns that are neighbours, of one item
  int matrices;
  int groups;     // matrices of A
  int blocksEach; // blocks of k that a work-group takes
  int biasKind, activation, steps, afterStride;
  float low, high;
  int isBare;     // whether windows reach into no padding
  ulong aStride, bStride;                            // from one matrix to the next
  ulong offset, rowStride, itemStride, matrixStride; // of C
} tile_shape;


EX_INLINE ulong tile_place(const tile_shape s, int matrix, int row, int column) {
  const int item = column / s.pixels;
  return s.offset + matrix * s.matrixStride + item * s.itemStride + row * s.rowStride +
         (column - item * s.pixels);
}

// Writes the outputs of four neighbouring columns, as far as there are such.
EX_INLINE void tile_put(float4 v, const tile_shape s, int matrix, int row, int column,
                        __global const float *bias, __global const float *after,
                        __global const float *other, __global float *c) {
  const int channel = matrix % s.groups * s.rows + row;
  if (s.biasKind == TILE_BIAS_ROW) v = v + (float4)(bias[channel]);
  if (s.biasKind == TILE_BIAS_COLUMN) {
    const int last = s.columns - 1;
    v = v + (float4)(bias[min(column, last)], bias[min(column + 1, last)],
                     bias[min(column + 2, last)], bias[min(column + 3, last)]);
  }
  v = conv_finish(v, conv_after_channel(after, s.afterStride, s.steps, channel), s.steps,
                  s.activation, s.low, s.high);
  const float lanes[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int l = 0; l < 4; l++)
    if (column + l < s.columns) {
      const ulong place = tile_place(s, matrix, row, column + l);
      float y = lanes[l];
      if (s.steps & CONV_ADD_OTHER)
        y = gemm_activate(y + other[place], s.activation, s.low, s.high);
      c[place] = y == y ? y : EX_NAN;
    }
}

EX_INLINE void tile_clear(float4 sum[TILE_EACH][TILE_QUADS]) {
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++)
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++) sum[i][j] = (float4)(0.0f);
}

// Adds a block's sums to those of the blocks before it, if any.
EX_INLINE void tile_add(float4 total[TILE_EACH][TILE_QUADS],
                        const float4 sum[TILE_EACH][TILE_QUADS], bool isFirst) {
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++)
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++)
      total[i][j] = isFirst ? sum[i][j] : total[i][j] + sum[i][j];
}

// One k: the outer product of a column of A and a row of B. Quads of the work-items lie next to
// each other, so that local memory is read without conflicts.
EX_INLINE void tile_step(float4 sum[TILE_EACH][TILE_QUADS], __local const float4 *la,
                         __local const float4 *lb) {
  float4 va[TILE_QUADS], vb[TILE_QUADS];
#pragma unroll
  for (int q = 0; q < TILE_QUADS; q++) va[q] = la[q * TILE_Y + get_local_id(1)];
#pragma unroll
  for (int q = 0; q < TILE_QUADS; q++) vb[q] = lb[q * TILE_X + get_local_id(0)];
#pragma unroll
  for (int q = 0; q < TILE_QUADS; q++)
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++) {
      sum[4 * q][j] = fma((float4)(va[q].x), vb[j], sum[4 * q][j]);
      sum[4 * q + 1][j] = fma((float4)(va[q].y), vb[j], sum[4 * q + 1][j]);
      sum[4 * q + 2][j] = fma((float4)(va[q].z), vb[j], sum[4 * q + 2][j]);
      sum[4 * q + 3][j] = fma((float4)(va[q].w), vb[j], sum[4 * q + 3][j]);
    }
}

// A packed factor's piece: from memory to registers, and on to local memory.
#define TILE_PACKED(name, count, parts)                                                          \
  EX_INLINE void name##_fetch(float4 held[parts], __global const float4 *panel, int quads,       \
                              int piece, int t) {                                                \
    _Pragma("unroll") for (int p = 0; p < parts; p++) {                                          \
      const int at = p * TILE_ITEMS + t, from = piece * count + at;                              \
      held[p] = at < count && from < quads ? panel[from] : (float4)(0.0f);                       \
    }                                                                                            \
  }                                                                                              \
  EX_INLINE void name##_keep(const float4 held[parts], __local float4 *piece, int t) {           \
    _Pragma("unroll") for (int p = 0; p < parts; p++) {                                          \
      if (count % TILE_ITEMS == 0 || p * TILE_ITEMS + t < count)                                 \
        piece[p * TILE_ITEMS + t] = held[p];                                                     \
    }                                                                                            \
  }
TILE_PACKED(tile_a, TILE_A, TILE_PARTS_A)
TILE_PACKED(tile_b, TILE_B, TILE_PARTS_B)

// A factor as it lies: element (line, k) is at line · lineStride + k · depthStride.
typedef struct {
  ulong offset, lineStride, depthStride;
} tile_strides;

// The same of such a one. Quads go along the depth, or along lines that are neighbours: these have
// to be in local memory. Lines and k in excess repeat the last ones; what they add to is dropped.
#define TILE_STRIDED(name, side, parts)                                                          \
  EX_INLINE void name##_fetch_strided(float4 held[parts], __global const float *p,               \
                                      const tile_strides f, int lines, int depth, int piece,     \
                                      int t) {                                                   \
    _Pragma("unroll") for (int q = 0; q < parts; q++) {                                          \
      const int at = q * TILE_ITEMS + t;                                                         \
      float v[4];                                                                                \
      _Pragma("unroll") for (int i = 0; i < 4; i++) {                                            \
        const bool byLines = f.lineStride == 1;                                                  \
        const int line = byLines ? at % ((side) / 4) * 4 + i : at % (side);                      \
        const int k = byLines ? at / ((side) / 4) : at / (side) * 4 + i;                         \
        v[i] = p[(ulong)min(line, lines - 1) * f.lineStride +                                    \
                 (ulong)min(piece * TILE_DEPTH + k, depth - 1) * f.depthStride];                 \
      }                                                                                          \
      held[q] = (float4)(v[0], v[1], v[2], v[3]);                                                \
    }                                                                                            \
  }                                                                                              \
  EX_INLINE void name##_keep_strided(const float4 held[parts], __local float4 *piece,            \
                                     const tile_strides f, int t) {                              \
    __local float *single = (__local float *)piece;                                              \
    _Pragma("unroll") for (int q = 0; q < parts; q++) {                                          \
      const int at = q * TILE_ITEMS + t;                                                         \
      if (at >= TILE_DEPTH * (side) / 4) continue;                                               \
      if (f.lineStride == 1) {                                                                   \
        piece[at] = held[q];                                                                     \
        continue;                                                                                \
      }                                                                                          \
      const int k = at / (side) * 4, line = at % (side);                                         \
      single[k * (side) + line] = held[q].x;                                                     \
      single[(k + 1) * (side) + line] = held[q].y;                                               \
      single[(k + 2) * (side) + line] = held[q].z;                                               \
      single[(k + 3) * (side) + line] = held[q].w;                                               \
    }                                                                                            \
  }
TILE_STRIDED(tile_a, TILE_ROWS, TILE_PARTS_A)
TILE_STRIDED(tile_b, TILE_COLUMNS, TILE_PARTS_B)

// A column of B among planes: where its window's first tap is.
typedef struct {
  __global const float *first;
  int row, column;
  window_shape shape;
  bool isBare;
} tile_window;

EX_INLINE tile_window tile_window_of(__global const float *x, const window_shape shape,
                                     int isBare) {
  const tile_window r = {x, 0, 0, shape, isBare};
  return r;
}

// From a plane's begin to a pixel of the output.
EX_INLINE void tile_window_move(tile_window *w, int pixel) {
  w->row = pixel / w->shape.outWidth * w->shape.strideY - w->shape.top;
  w->column = pixel % w->shape.outWidth * w->shape.strideX - w->shape.left;
  w->first += w->row * w->shape.width + w->column;
}

// Taps by k: how far each lies from its window's first one, and its row << 16 and column there.
// Those of a block lie in local memory: what a fetch would wait for is twice as far away else.
EX_INLINE void tile_taps(__local int2 *to, __global const int2 *taps, int block, int t) {
  for (int i = t; i < TILE_BLOCK; i += TILE_ITEMS) to[i] = taps[block * TILE_BLOCK + i];
}

// A tap in the padding counts as +0 and is multiplied.
EX_INLINE void tile_planes_fetch(float held[TILE_PLANE_TURNS], const tile_window w,
                                 __local const int2 *taps, int t) {
#pragma unroll
  for (int p = 0; p < TILE_PLANE_TURNS; p++) {
    const int2 tap = taps[p * TILE_PLANE_STEP + t / TILE_COLUMNS];
    const bool isInside = w.isBare || ((uint)(w.row + (tap.y >> 16)) < (uint)w.shape.height &&
                                       (uint)(w.column + (tap.y & 0xffff)) < (uint)w.shape.width);
    held[p] = isInside ? w.first[tap.x] : 0.0f;
  }
}
EX_INLINE void tile_planes_keep(const float held[TILE_PLANE_TURNS], __local float *piece, int t) {
#pragma unroll
  for (int p = 0; p < TILE_PLANE_TURNS; p++) piece[p * TILE_ITEMS + t] = held[p];
}

// A tile's first row and column.
#define TILE_TOP ((int)get_group_id(1) * TILE_ROWS)
#define TILE_LEFT ((int)get_group_id(0) * TILE_COLUMNS)

// Where a work-item's outputs are: row i of all it computes, and the first column of quad j.
#define TILE_ROW(i)                                                                              \
  (TILE_TOP + (i) / 4 * (TILE_Y * 4) + (int)get_local_id(1) * 4 + (i) % 4)
#define TILE_COLUMN(j)                                                                           \
  (TILE_LEFT + ((j) * TILE_X + (int)get_local_id(0)) * 4)

// Writes the sums of a block, for tile_join.
EX_INLINE void tile_put_block(const float4 sum[TILE_EACH][TILE_QUADS], const tile_shape s,
                              int matrix, int block, __global float *sums) {
  const int width = get_num_groups(0) * TILE_COLUMNS;
  sums += ((ulong)block * s.matrices + matrix) * s.rows * width;
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++) {
    if (TILE_ROW(i) >= s.rows) continue;
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++)
      *(__global float4 *)(sums + (ulong)TILE_ROW(i) * width + TILE_COLUMN(j)) = sum[i][j];
  }
}

EX_INLINE void tile_put_all(const float4 total[TILE_EACH][TILE_QUADS], const tile_shape s,
                            int matrix, __global const float *bias, __global const float *after,
                            __global const float *other, __global float *c) {
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++) {
    if (TILE_ROW(i) >= s.rows) continue;
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++)
      tile_put(total[i][j], s, matrix, TILE_ROW(i), TILE_COLUMN(j), bias, after, other, c);
  }
}

// What a group works on: its matrix, and from which block of k to which.
typedef struct {
  int matrix, firstBlock, endBlock;
} tile_share;

EX_INLINE tile_share tile_share_of(const tile_shape s, const bool splits) {
  const int blocks = (s.depth + TILE_BLOCK - 1) / TILE_BLOCK;
  const int parts = splits ? (blocks + s.blocksEach - 1) / s.blocksEach : 1;
  tile_share r;
  r.matrix = get_group_id(2) / parts;
  r.firstBlock = splits ? (int)get_group_id(2) % parts * s.blocksEach : 0;
  r.endBlock = splits ? min(blocks, r.firstBlock + s.blocksEach) : blocks;
  return r;
}

#define TILE_BLOCK_OF(n) ((n) / (TILE_BLOCK / TILE_DEPTH))
#define TILE_IN_BLOCK(n) ((n) % (TILE_BLOCK / TILE_DEPTH) * TILE_DEPTH)
// What the factors of a kernel are.
#define TILE_PLANES 0 // panels, and planes
#define TILE_PANELS 1 // panels
#define TILE_LEFT_LIES 2 // a matrix as it lies, and panels
#define TILE_BOTH_LIE 3

typedef struct {
  __global const float *a, *b; // from this tile's first line on, or panel
  tile_strides aStrides, bStrides;
  tile_window window;
  __global const int2 *taps;
} tile_factors;

#define TILE_FETCH(piece)                                                                        \
  if (kind <= TILE_PANELS)                                                                       \
    tile_a_fetch(na, (__global const float4 *)f.a, s.depth * (TILE_ROWS / 4), piece, t);         \
  else                                                                                           \
    tile_a_fetch_strided(na, f.a, f.aStrides, s.rows - TILE_TOP, s.depth, piece, t);             \
  if (kind == TILE_PLANES)                                                                       \
    tile_planes_fetch(np, f.window, lt[TILE_BLOCK_OF(piece) & 1] + TILE_IN_BLOCK(piece), t);     \
  else if (kind == TILE_BOTH_LIE)                                                                \
    tile_b_fetch_strided(nb, f.b, f.bStrides, s.columns - TILE_LEFT, s.depth, piece, t);         \
  else                                                                                           \
    tile_b_fetch(nb, (__global const float4 *)f.b, s.depth * (TILE_COLUMNS / 4), piece, t);
#define TILE_KEEP(turn)                                                                          \
  if (kind <= TILE_PANELS)                                                                       \
    tile_a_keep(na, la[turn], t);                                                                \
  else                                                                                           \
    tile_a_keep_strided(na, la[turn], f.aStrides, t);                                            \
  if (kind == TILE_PLANES)                                                                       \
    tile_planes_keep(np, (__local float *)lb[turn], t);                                          \
  else if (kind == TILE_BOTH_LIE)                                                                \
    tile_b_keep_strided(nb, lb[turn], f.bStrides, t);                                            \
  else                                                                                           \
    tile_b_keep(nb, lb[turn], t);

// The sums of a tile; or, where groups split the blocks, those of each block to `sums`.
EX_INLINE void tile_sum(float4 total[TILE_EACH][TILE_QUADS], const tile_factors f,
                        const tile_shape s, const tile_share share, __global float *sums,
                        __local float4 la[2][TILE_A], __local float4 lb[2][TILE_B],
                        __local int2 (*lt)[TILE_BLOCK], const int kind, const bool splits) {
  const int t = get_local_id(1) * TILE_X + get_local_id(0);
  const int first = share.firstBlock * (TILE_BLOCK / TILE_DEPTH);
  const int end = min(share.endBlock * (TILE_BLOCK / TILE_DEPTH),
                      (s.depth + TILE_DEPTH - 1) / TILE_DEPTH);
  float4 sum[TILE_EACH][TILE_QUADS], na[TILE_PARTS_A], nb[TILE_PARTS_B];
  float np[TILE_PLANE_TURNS];
  tile_clear(sum);
  if (kind == TILE_PLANES) {
    tile_taps(lt[share.firstBlock & 1], f.taps, share.firstBlock, t);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  TILE_FETCH(first)
  TILE_KEEP(0)
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int piece = first; piece < end; piece++) {
    const int turn = (piece - first) & 1, block = TILE_BLOCK_OF(piece);
    // The next block's, for which its first fetch waits at the barriers of this one.
    if (kind == TILE_PLANES && TILE_IN_BLOCK(piece) == 0 && block + 1 < share.endBlock)
      tile_taps(lt[(block + 1) & 1], f.taps, block + 1, t);
    if (piece + 1 < end) {
      TILE_FETCH(piece + 1)
    }
    // A last piece may be short: what fills it up is not added.
    const int count = min(TILE_DEPTH, s.depth - piece * TILE_DEPTH);
    if (count == TILE_DEPTH) {
#pragma unroll TILE_UNROLL
      for (int k = 0; k < TILE_DEPTH; k++)
        tile_step(sum, la[turn] + k * (TILE_ROWS / 4), lb[turn] + k * (TILE_COLUMNS / 4));
    } else {
      for (int k = 0; k < count; k++)
        tile_step(sum, la[turn] + k * (TILE_ROWS / 4), lb[turn] + k * (TILE_COLUMNS / 4));
    }
    if (TILE_IN_BLOCK(piece + 1) == 0 || piece + 1 == end) {
      if (splits)
        tile_put_block(sum, s, share.matrix, block, sums);
      else
        tile_add(total, sum, block == 0);
      tile_clear(sum);
    }
    if (piece + 1 < end) {
      TILE_KEEP(turn ^ 1)
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
}

// A tile's outputs; or, where groups split the blocks, the sums of each of its blocks.
EX_INLINE void tile_run(tile_factors f, const tile_shape s, __global const float *bias,
                        __global float *c, __global const float *after,
                        __global const float *other, __local float4 la[2][TILE_A],
                        __local float4 lb[2][TILE_B], __local int2 (*lt)[TILE_BLOCK],
                        const int kind, const bool splits) {
  const tile_share share = tile_share_of(s, splits);
  f.a += share.matrix % s.groups * s.aStride;
  if (kind <= TILE_PANELS)
    f.a += (ulong)TILE_TOP * s.depth;
  else
    f.a += f.aStrides.offset + TILE_TOP * f.aStrides.lineStride;
  if (kind == TILE_PLANES) {
    const int t = get_local_id(1) * TILE_X + get_local_id(0);
    const int column = min(TILE_LEFT + t % TILE_COLUMNS, s.columns - 1);
    const int item = column / s.pixels;
    f.window.first = f.b + (item * (ulong)s.groups + share.matrix) * s.bStride;
    tile_window_move(&f.window, column - item * s.pixels);
  } else {
    f.b += share.matrix * s.bStride;
    if (kind == TILE_BOTH_LIE)
      f.b += f.bStrides.offset + TILE_LEFT * f.bStrides.lineStride;
    else
      f.b += (ulong)TILE_LEFT * s.depth;
  }
  float4 total[TILE_EACH][TILE_QUADS];
  tile_sum(total, f, s, share, c, la, lb, lt, kind, splits);
  if (!splits) tile_put_all(total, s, share.matrix, bias, after, other, c);
}

#define TILE_KERNEL __attribute__((reqd_work_group_size(TILE_X, TILE_Y, 1))) __kernel void

// A program has what it needs of these: compilers take seconds for each.
#ifdef TILE_CONVOLVES
#define TILE_OF_PLANES(name, splits)                                                             \
  TILE_KERNEL name(__global const float *restrict a, __global const float *restrict b,           \
                   __global const float *restrict bias, __global float *restrict c,              \
                   __global const float *restrict after, __global const float *restrict other,   \
                   tile_shape s, window_shape window, __global const int2 *restrict taps) {      \
    __local float4 la[2][TILE_A], lb[2][TILE_B];                                                 \
    __local int2 lt[2][TILE_BLOCK];                                                              \
    const tile_strides none = {0, 0, 0};                                                         \
    const tile_factors f = {a, b, none, none, tile_window_of(b, window, s.isBare), taps};        \
    tile_run(f, s, bias, c, after, other, la, lb, lt, TILE_PLANES, splits);                      \
  }
TILE_OF_PLANES(conv_tiled, false)
TILE_OF_PLANES(conv_tiled_blocks, true)
#else
#define TILE_OF_MATRICES(name, kind, splits)                                                     \
  TILE_KERNEL name(__global const float *restrict a, __global const float *restrict b,           \
                   __global const float *restrict bias, __global float *restrict c,              \
                   tile_shape s, tile_strides aStrides, tile_strides bStrides) {                 \
    __local float4 la[2][TILE_A], lb[2][TILE_B];                                                 \
    const window_shape window = {0};                                                             \
    const tile_factors f = {a, b, aStrides, bStrides, tile_window_of(b, window, 1), 0};          \
    tile_run(f, s, bias, c, a, a, la, lb, 0, kind, splits);                                      \
  }
#ifdef TILE_PACKS
TILE_OF_MATRICES(gemm_tiled, TILE_PANELS, false)
TILE_OF_MATRICES(gemm_tiled_blocks, TILE_PANELS, true)
#else
TILE_OF_MATRICES(gemm_left, TILE_LEFT_LIES, false)
TILE_OF_MATRICES(gemm_left_blocks, TILE_LEFT_LIES, true)
TILE_OF_MATRICES(gemm_lying, TILE_BOTH_LIE, false)
TILE_OF_MATRICES(gemm_lying_blocks, TILE_BOTH_LIE, true)
#endif
#endif

// Adds the sums of blocks, which lie in rows of `width`. Work-items: (quads of columns, rows,
// matrices).
__kernel void tile_join(__global const float *restrict sums, __global const float *restrict bias,
                        __global float *restrict c, __global const float *restrict after,
                        __global const float *restrict other, tile_shape s, int width) {
  const int column = get_global_id(0) * 4;
  if (column >= s.columns) return;
  const int row = get_global_id(1), matrix = get_global_id(2);
  const ulong block = (ulong)s.matrices * s.rows * width;
  sums += ((ulong)matrix * s.rows + row) * width + column;
  float4 total = *(__global const float4 *)sums;
  for (int k = TILE_BLOCK; k < s.depth; k += TILE_BLOCK) {
    sums += block;
    total = total + *(__global const float4 *)sums;
  }
  tile_put(total, s, matrix, row, column, bias, after, other, c);
}

// A row or two of A, which is read as it lies: the sums of a block for a quad of columns, or their
// outputs where it is the only one. Work-items: (quads of columns, blocks, rows of all matrices).
__kernel void tile_rows(__global const float *restrict a, __global const float *restrict b,
                        __global const float *restrict bias, __global float *restrict c,
                        tile_shape s, tile_strides aStrides, int width) {
  const int column = get_global_id(0) * 4;
  if (column >= s.columns) return;
  const int row = get_global_id(2) % s.rows, matrix = get_global_id(2) / s.rows;
  const int block = get_global_id(1);
  const int begin = block * TILE_BLOCK, end = min(s.depth, begin + TILE_BLOCK);
  __global const float *pa = a + aStrides.offset + matrix % s.groups * s.aStride +
                             row * aStrides.lineStride;
  __global const float4 *pb =
      (__global const float4 *)(b + matrix * s.bStride +
                                ((ulong)(column / TILE_COLUMNS) * s.depth + begin) * TILE_COLUMNS +
                                column % TILE_COLUMNS);
  float4 sum = (float4)(0.0f);
#pragma unroll 8
  for (int k = begin; k < end; k++, pb += TILE_COLUMNS / 4)
    sum = fma((float4)(pa[k * aStrides.depthStride]), *pb, sum);
  if (s.depth <= TILE_BLOCK)
    tile_put(sum, s, matrix, row, column, bias, a, a, c);
  else
    *(__global float4 *)(c + (((ulong)block * s.matrices + matrix) * s.rows + row) * width +
                         column) = sum;
}

// Puts a strided matrix into panels of `side` lines, the last one filled up with zeros. Work-items:
// (depth, quads of lines, matrices), or the first two the other way round.
__kernel void tile_pack(__global const float *restrict from, __global float *restrict to, int side,
                        int lines, int depth, ulong lineStride, ulong depthStride,
                        ulong fromOffset, ulong fromStride, ulong toStride, int isByLines) {
  const int k = get_global_id(isByLines ? 1 : 0), line = get_global_id(isByLines ? 0 : 1) * 4;
  if (k >= depth || line >= (lines + side - 1) / side * side) return;
  const ulong matrix = get_global_id(2);
  from += fromOffset + matrix * fromStride + k * depthStride + line * lineStride;
  float v[4];
#pragma unroll
  for (int l = 0; l < 4; l++) v[l] = line + l < lines ? from[l * lineStride] : 0.0f;
  vstore4((float4)(v[0], v[1], v[2], v[3]), 0,
          to + matrix * toStride + ((ulong)(line / side) * depth + k) * side + line % side);
}
