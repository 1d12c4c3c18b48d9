// needs: inference/activate.cl inference/gemm_tile.cl
// C = A B from packed panels, by the rule for sums of products: k upward in blocks of 256, one fma
// chain from +0 in a block, block sums added upward, then bias, then activation.
//
// A lies in panels of GEMM_ROWS rows, B in panels of GEMM_COLUMNS columns; inside a panel k runs
// slowest, so one step of k reads GEMM_ROWS and GEMM_COLUMNS floats that lie together. Panels are
// filled up with zeros. An A whose rows lie whole in memory is as well read where it lies. Tile
// sizes and places move no bit: each output owns its chain.
#define GEMM_BIAS_ROW 1
#define GEMM_BIAS_COLUMN 2

gemm_lanes gemm_canonical(gemm_lanes x) { return select(x, (gemm_lanes)(EX_NAN), x != x); }

// GEMM_LANES neighbouring outputs of one row; those beyond the last column are dropped. A NaN is
// written as the one that outputs have.
void gemm_put(__global float *c, __global const float *bias, gemm_lanes x, int row, int column,
              int columns, int biasKind, int activation, float low, float high) {
  if (column + GEMM_LANES <= columns) {
    if (biasKind == GEMM_BIAS_ROW) x = x + (gemm_lanes)(bias[row]);
    if (biasKind == GEMM_BIAS_COLUMN) x = x + GEMM_LOAD(0, bias + column);
    GEMM_STORE(gemm_canonical(gemm_activate_lanes(x, activation, low, high)), 0, c);
    return;
  }
  float lanes[GEMM_LANES];
  GEMM_STORE(x, 0, lanes);
  for (int l = 0; column + l < columns; l++) {
    float y = lanes[l];
    if (biasKind == GEMM_BIAS_ROW) y = y + bias[row];
    if (biasKind == GEMM_BIAS_COLUMN) y = y + bias[column + l];
    y = gemm_activate(y, activation, low, high);
    c[l] = y == y ? y : EX_NAN;
  }
}

// The sums of one tile over a block of the depth, of which a row of A has its k `step` apart.
EX_INLINE void gemm_block(gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                          const ulong line, const int step, __global const float *pb, int depth) {
  gemm_clear(sum);
  for (int k = 0; k < depth; k++) {
    gemm_lanes vb[GEMM_VECTORS];
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) vb[j] = GEMM_LOAD(0, pb + j * GEMM_LANES);
    gemm_step(sum, pa, line, vb);
    pa += step;
    pb += GEMM_COLUMNS;
  }
}

// The sums of one tile. The first block is apart: without totals that wait, all is in registers.
EX_INLINE void gemm_sum(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                        const ulong line, const int step, __global const float *pb, int depth) {
  gemm_block(total, pa, line, step, pb, min(depth, GEMM_BLOCK));
  for (int begin = GEMM_BLOCK; begin < depth; begin += GEMM_BLOCK) {
    gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS];
    gemm_block(sum, pa + (ulong)begin * step, line, step, pb + (ulong)begin * GEMM_COLUMNS,
               min(depth - begin, GEMM_BLOCK));
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) total[i][j] = total[i][j] + sum[i][j];
  }
}

// Outputs of one tile, whose first row is `top`; rows before `first` are another work-item's.
EX_INLINE void gemm_finish(gemm_lanes total[GEMM_ROWS][GEMM_VECTORS], __global float *c,
                           __global const float *bias, int top, int first, int firstColumn,
                           int rows, int columns, int leading, int biasKind, int activation,
                           float low, float high) {
  // Most tiles: whole, and with nothing behind the sums.
  if (biasKind == 0 && activation == 0 && first == top && top + GEMM_ROWS <= rows &&
      firstColumn + GEMM_VECTORS * GEMM_LANES <= columns) {
    c += (ulong)top * leading + firstColumn;
#pragma unroll
    for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++)
        GEMM_STORE(gemm_canonical(total[i][j]), 0, c + (ulong)i * leading + j * GEMM_LANES);
    return;
  }
#pragma unroll
  for (int i = 0; i < GEMM_ROWS; i++) {
    const int row = top + i;
    if (row < first || row >= rows) continue;
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) {
      const int column = firstColumn + j * GEMM_LANES;
      if (column < columns)
        gemm_put(c + (ulong)row * leading + column, bias, total[i][j], row, column, columns,
                 biasKind, activation, low, high);
    }
  }
}

// One work-item computes GEMM_ROWS x (GEMM_VECTORS * GEMM_LANES) outputs. Matrix z takes A's matrix
// z % aCount, of which each has its own row biases.
#define GEMM_WIDTH (GEMM_VECTORS * GEMM_LANES)
#define GEMM_PANEL_B(column)                                                                      \
  (b + matrix * bStride + (ulong)((column) / GEMM_COLUMNS) * depth * GEMM_COLUMNS +               \
   (column) % GEMM_COLUMNS)

__kernel void gemm(__global const float *restrict a, __global const float *restrict b,
                   __global const float *restrict bias, __global float *restrict c, int rows,
                   int columns, int depth, int leading, int aCount, ulong aStride, ulong bStride,
                   ulong cOffset, ulong cStride, int biasKind, int activation, float low,
                   float high) {
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % aCount;
  for (int i = 0; i < GROUP_RUN; i++) {
    GEMM_TILE_OF(i);
    const int firstColumn = tile * GEMM_WIDTH, top = panel * GEMM_ROWS;
    if (firstColumn >= columns || top >= rows) return;
    gemm_lanes total[GEMM_ROWS][GEMM_VECTORS];
    gemm_sum(total, a + group * aStride + (ulong)top * depth, 1, GEMM_ROWS,
             GEMM_PANEL_B(firstColumn), depth);
    gemm_finish(total, c + cOffset + matrix * cStride,
                biasKind == GEMM_BIAS_ROW ? bias + group * rows : bias, top, top, firstColumn,
                rows, columns, leading, biasKind, activation, low, high);
  }
}

// The same with A as it lies: row after row, `aLine` floats apart, at least GEMM_ROWS of them. The
// last tile begins early enough to be whole.
__kernel void gemm_rows(__global const float *restrict a, __global const float *restrict b,
                        __global const float *restrict bias, __global float *restrict c, int rows,
                        int columns, int depth, int leading, int aCount, ulong aStride,
                        ulong bStride, ulong cOffset, ulong cStride, int biasKind, int activation,
                        float low, float high, ulong aOffset, ulong aLine) {
  const ulong matrix = get_global_id(2);
  const int group = (int)matrix % aCount;
  for (int i = 0; i < GROUP_RUN; i++) {
    GEMM_TILE_OF(i);
    const int firstColumn = tile * GEMM_WIDTH, first = panel * GEMM_ROWS;
    if (firstColumn >= columns || first >= rows) return;
    const int top = min(first, rows - GEMM_ROWS);
    gemm_lanes total[GEMM_ROWS][GEMM_VECTORS];
    gemm_sum(total, a + aOffset + group * aStride + top * aLine, aLine, 1,
             GEMM_PANEL_B(firstColumn), depth);
    gemm_finish(total, c + cOffset + matrix * cStride,
                biasKind == GEMM_BIAS_ROW ? bias + group * rows : bias, top, first, firstColumn,
                rows, columns, leading, biasKind, activation, low, high);
  }
}

// A row or two of A as they lie, k after k, each row on its own: its weights are read once, and
// nothing is computed that is not asked for. Work-items: (GEMM_ROW_TILES tiles of columns, rows,
// matrices).
#ifdef RIGOR_NARROW
#define GEMM_ROW_TILES 1
#else
#define GEMM_ROW_TILES 2
#endif
__kernel void gemm_row(__global const float *restrict a, __global const float *restrict b,
                       __global const float *restrict bias, __global float *restrict c, int rows,
                       int columns, int depth, int leading, int aCount, ulong aStride,
                       ulong bStride, ulong cOffset, ulong cStride, int biasKind, int activation,
                       float low, float high, ulong aOffset, ulong aLine) {
  const int firstColumn = get_global_id(0) * GEMM_ROW_TILES * GEMM_WIDTH, row = get_global_id(1);
  const ulong matrix = get_global_id(2);
  if (firstColumn >= columns) return;
  const int group = (int)matrix % aCount;
  __global const float *pa = a + aOffset + group * aStride + row * aLine;
  __global const float *pb = GEMM_PANEL_B(firstColumn);
  // Where there is no second tile, the first one is computed twice.
  const ulong apart =
      firstColumn + GEMM_WIDTH < columns ? GEMM_PANEL_B(firstColumn + GEMM_WIDTH) - pb : 0;
  gemm_lanes total[GEMM_ROW_TILES][GEMM_VECTORS];
  for (int begin = 0; begin < depth; begin += GEMM_BLOCK) {
    const int end = min(depth, begin + GEMM_BLOCK);
    gemm_lanes sum[GEMM_ROW_TILES][GEMM_VECTORS];
#pragma unroll
    for (int t = 0; t < GEMM_ROW_TILES; t++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++) sum[t][j] = (gemm_lanes)(0.0f);
    for (int k = begin; k < end; k++) {
      const gemm_lanes va = (gemm_lanes)(pa[k]);
#pragma unroll
      for (int t = 0; t < GEMM_ROW_TILES; t++)
#pragma unroll
        for (int j = 0; j < GEMM_VECTORS; j++)
          sum[t][j] = fma(va, GEMM_LOAD(0, pb + t * apart + j * GEMM_LANES), sum[t][j]);
      pb += GEMM_COLUMNS;
    }
#pragma unroll
    for (int t = 0; t < GEMM_ROW_TILES; t++)
#pragma unroll
      for (int j = 0; j < GEMM_VECTORS; j++)
        total[t][j] = begin == 0 ? sum[t][j] : total[t][j] + sum[t][j];
  }
  __global const float *from = biasKind == GEMM_BIAS_ROW ? bias + group * rows : bias;
#pragma unroll
  for (int t = 0; t < GEMM_ROW_TILES; t++)
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) {
      const int column = firstColumn + t * GEMM_WIDTH + j * GEMM_LANES;
      if (column < columns)
        gemm_put(c + cOffset + matrix * cStride + (ulong)row * leading + column, from,
                 total[t][j], row, column, columns, biasKind, activation, low, high);
    }
}
