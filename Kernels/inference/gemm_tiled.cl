// needs: inference/activate.cl
// defines: TILE_SIDE=64
// C = A B for graphics cards, by the same rule as gemm.cl. A group of 256 work-items computes
// TILE_SIDE x TILE_SIDE outputs; pieces of both panels go through local memory, the next piece
// being fetched while one is used. Panels are TILE_SIDE wide, k slowest, filled up with zeros.
#define TILE_DEPTH 8
#define TILE_EACH (TILE_SIDE / 16) // outputs of a work-item along either side
#define TILE_QUADS (TILE_EACH / 4)
#define TILE_BLOCK 256
#define TILE_BIAS_ROW 1
#define TILE_BIAS_COLUMN 2

#if TILE_SIDE == 64
// Half of the work-items fetch a piece of A, the other half one of B.
#define TILE_PARTS 1
#else
#define TILE_PARTS (TILE_SIDE * TILE_DEPTH / 4 / 256)
#endif

// Places of the first of four neighbouring outputs along a side: quads of the work-items lie next
// to each other, so that local memory is read without conflicts.
#define TILE_PLACE(item, quad) ((quad) * 64 + (item) * 4)

#if TILE_SIDE == 64
#define TILE_LOAD(piece)                                                                         \
  {                                                                                              \
    const int at = (piece) * 128 + (t & 127);                                                    \
    na[0] = at < quads ? (t < 128 ? pa[at] : pb[at]) : (float4)(0.0f);                           \
  }
#define TILE_KEEP(turn)                                                                          \
  if (t < 128)                                                                                   \
    la[turn][t] = na[0];                                                                         \
  else                                                                                           \
    lb[turn][t - 128] = na[0];
#else
#define TILE_LOAD(piece)                                                                         \
  _Pragma("unroll") for (int p = 0; p < TILE_PARTS; p++) {                                       \
    const int at = ((piece) * TILE_PARTS + p) * 256 + t;                                         \
    na[p] = at < quads ? pa[at] : (float4)(0.0f);                                                \
    nb[p] = at < quads ? pb[at] : (float4)(0.0f);                                                \
  }
#define TILE_KEEP(turn)                                                                          \
  _Pragma("unroll") for (int p = 0; p < TILE_PARTS; p++) {                                       \
    la[turn][p * 256 + t] = na[p];                                                               \
    lb[turn][p * 256 + t] = nb[p];                                                               \
  }
#endif
// One k: the outer product of a column of A and a row of B.
#define TILE_STEP                                                                                \
  {                                                                                              \
    float4 va[TILE_QUADS], vb[TILE_QUADS];                                                       \
    _Pragma("unroll") for (int q = 0; q < TILE_QUADS; q++) {                                     \
      va[q] = la[turn][k * (TILE_SIDE / 4) + q * 16 + y];                                        \
      vb[q] = lb[turn][k * (TILE_SIDE / 4) + q * 16 + x];                                        \
    }                                                                                            \
    _Pragma("unroll") for (int q = 0; q < TILE_QUADS; q++)                                       \
        _Pragma("unroll") for (int j = 0; j < TILE_QUADS; j++) {                                 \
      sum[4 * q][j] = fma((float4)(va[q].x), vb[j], sum[4 * q][j]);                              \
      sum[4 * q + 1][j] = fma((float4)(va[q].y), vb[j], sum[4 * q + 1][j]);                      \
      sum[4 * q + 2][j] = fma((float4)(va[q].z), vb[j], sum[4 * q + 2][j]);                      \
      sum[4 * q + 3][j] = fma((float4)(va[q].w), vb[j], sum[4 * q + 3][j]);                      \
    }                                                                                            \
  }

// Writes a work-item's outputs, those inside of C.
EX_INLINE void tile_put(float4 total[TILE_EACH][TILE_QUADS], __global float *c,
                        __global const float *bias, int rows, int columns, int leading,
                        int biasKind, int activation, float low, float high) {
  const int top = get_group_id(1) * TILE_SIDE, left = get_group_id(0) * TILE_SIDE;
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++) {
    const int row = top + TILE_PLACE(get_local_id(1), i / 4) + i % 4;
    if (row >= rows) continue;
    const float rowBias = biasKind == TILE_BIAS_ROW ? bias[row] : 0.0f;
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++) {
      const int column = left + TILE_PLACE(get_local_id(0), j);
      const float lanes[4] = {total[i][j].x, total[i][j].y, total[i][j].z, total[i][j].w};
#pragma unroll
      for (int l = 0; l < 4; l++)
        if (column + l < columns) {
          float v = lanes[l];
          if (biasKind == TILE_BIAS_ROW) v = v + rowBias;
          if (biasKind == TILE_BIAS_COLUMN) v = v + bias[column + l];
          v = gemm_activate(v, activation, low, high);
          c[(ulong)row * leading + column + l] = v == v ? v : EX_NAN;
        }
    }
  }
}

__attribute__((reqd_work_group_size(16, 16, 1)))
__kernel void gemm_tiled(__global const float *restrict a, __global const float *restrict b,
                         __global const float *restrict bias, __global float *restrict c,
                         int rows, int columns, int depth, int leading, int aCount, ulong aStride,
                         ulong bStride, ulong cOffset, ulong cStride, int biasKind, int activation,
                         float low, float high) {
  __local float4 la[2][TILE_DEPTH * TILE_SIDE / 4], lb[2][TILE_DEPTH * TILE_SIDE / 4];
  const int x = get_local_id(0), y = get_local_id(1), t = y * 16 + x;
  const ulong matrix = get_group_id(2);
  const int group = (int)matrix % aCount;
  // In float4s.
  const int quads = depth * (TILE_SIDE / 4);
  __global const float4 *pa = (__global const float4 *)(a + group * aStride) +
                              (ulong)get_group_id(1) * quads;
  __global const float4 *pb = (__global const float4 *)(b + matrix * bStride) +
                              (ulong)get_group_id(0) * quads;
  float4 total[TILE_EACH][TILE_QUADS], sum[TILE_EACH][TILE_QUADS];
  float4 na[TILE_PARTS];
#if TILE_SIDE > 64
  float4 nb[TILE_PARTS];
#endif
#pragma unroll
  for (int i = 0; i < TILE_EACH; i++)
#pragma unroll
    for (int j = 0; j < TILE_QUADS; j++) sum[i][j] = (float4)(0.0f);
  const int pieces = (depth + TILE_DEPTH - 1) / TILE_DEPTH;
  TILE_LOAD(0)
  TILE_KEEP(0)
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int piece = 0; piece < pieces; piece++) {
    const int turn = piece & 1;
    if (piece + 1 < pieces) TILE_LOAD(piece + 1)
    // A last piece may be short: what fills it up is not added.
    const int end = min(TILE_DEPTH, depth - piece * TILE_DEPTH);
    if (end == TILE_DEPTH) {
#pragma unroll
      for (int k = 0; k < TILE_DEPTH; k++) TILE_STEP
    } else {
      for (int k = 0; k < end; k++) TILE_STEP
    }
    const int done = (piece + 1) * TILE_DEPTH;
    if (done % TILE_BLOCK == 0 || piece + 1 == pieces) {
      const bool isFirst = done <= TILE_BLOCK;
#pragma unroll
      for (int i = 0; i < TILE_EACH; i++)
#pragma unroll
        for (int j = 0; j < TILE_QUADS; j++) {
          total[i][j] = isFirst ? sum[i][j] : total[i][j] + sum[i][j];
          sum[i][j] = (float4)(0.0f);
        }
    }
    if (piece + 1 < pieces) {
      TILE_KEEP(turn ^ 1)
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  tile_put(total, c + cOffset + matrix * cStride,
           biasKind == TILE_BIAS_ROW ? bias + group * rows : bias, rows, columns, leading,
           biasKind, activation, low, high);
}
