// needs: inference/activate.cl
// The vectors and tiles of products and convolutions, of GEMM_ROWS x GEMM_COLUMNS outputs.
#ifndef GEMM_ROWS
#define GEMM_ROWS 8
#endif
#ifndef GEMM_COLUMNS
#define GEMM_COLUMNS 32
#endif
#define GEMM_BLOCK 256

#ifdef RIGOR_NARROW
#define GEMM_LANES 4
#define GEMM_VECTORS 1
typedef float4 gemm_lanes;
#define GEMM_LOAD vload4
#define GEMM_STORE vstore4
#else
#define GEMM_LANES 16
#define GEMM_VECTORS (GEMM_COLUMNS / GEMM_LANES)
typedef float16 gemm_lanes;
// PoCL's vload16 and vstore16 go part by part, of which its compiler rarely makes whole ones.
#ifdef __clang__
#define GEMM_LOAD(i, p) gemm_load(p)
#define GEMM_STORE(v, i, p) gemm_store(v, p)
typedef float16 gemm_unaligned __attribute__((aligned(4)));
typedef int16 gemm_unaligned_ints __attribute__((aligned(4)));
#define GEMM_ACCESS(space)                                                                       \
  EX_INLINE float16 __attribute__((overloadable)) gemm_load(const space float *p) {              \
    return *(const space gemm_unaligned *)p;                                                     \
  }                                                                                              \
  EX_INLINE int16 __attribute__((overloadable)) gemm_load(const space int *p) {                  \
    return *(const space gemm_unaligned_ints *)p;                                                \
  }                                                                                              \
  EX_INLINE void __attribute__((overloadable)) gemm_store(float16 v, space float *p) {           \
    *(space gemm_unaligned *)p = v;                                                              \
  }                                                                                              \
  EX_INLINE void __attribute__((overloadable)) gemm_store(int16 v, space int *p) {               \
    *(space gemm_unaligned_ints *)p = v;                                                         \
  }
GEMM_ACCESS(__global)
GEMM_ACCESS(__local)
GEMM_ACCESS(__private)
#else
#define GEMM_LOAD vload16
#define GEMM_STORE vstore16
#endif
#endif

gemm_lanes gemm_activate_lanes(gemm_lanes x, int activation, float low, float high) {
  if (activation == GEMM_RELU) return select(x, (gemm_lanes)(0.0f), x < (gemm_lanes)(0.0f));
  if (activation == GEMM_CLIP) {
    const gemm_lanes l = (gemm_lanes)(low), h = (gemm_lanes)(high);
    return select(select(x, h, x > h), l, x < l);
  }
  return x;
}

EX_INLINE void gemm_clear(gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS]) {
#pragma unroll
  for (int i = 0; i < GEMM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = (gemm_lanes)(0.0f);
}

// What one k adds to the sums of a tile. Rows of A lie `line` floats apart.
EX_INLINE void gemm_step(gemm_lanes sum[GEMM_ROWS][GEMM_VECTORS], __global const float *pa,
                         const ulong line, const gemm_lanes vb[GEMM_VECTORS]) {
#pragma unroll
  for (int i = 0; i < GEMM_ROWS; i++) {
    const gemm_lanes va = (gemm_lanes)(pa[i * line]);
#pragma unroll
    for (int j = 0; j < GEMM_VECTORS; j++) sum[i][j] = fma(va, vb[j], sum[i][j]);
  }
}

// Which outputs are a work-item's. Wide: row panels run fastest, so that a panel of B stays in the
// cache. Narrow: columns do, so that neighbours read neighbouring words.
#ifdef RIGOR_NARROW
#define GEMM_TILE_OF(i) const int tile = get_global_id(0) + (i), panel = get_global_id(1)
#else
#define GEMM_TILE_OF(i) const int tile = get_global_id(1), panel = get_global_id(0) + (i)
#endif
#define GEMM_TILE GEMM_TILE_OF(0)
#ifndef GROUP_RUN
#define GROUP_RUN 1
#endif
