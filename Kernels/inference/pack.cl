// needs: inference/activate.cl inference/gemm_tile.cl
// Puts a strided matrix into panels of `width` rows (for A) or columns (for B), k slowest inside a
// panel, the last panel filled up with zeros. `line` counts rows or columns.
//
// Work-items: (depth rounded up, panels, matrices); with wide vectors every one of them takes
// PACK_DEPTH of the depth.

// One step of the depth: `some` of a panel's lines from `p` on.
EX_INLINE void pack_step(__global const float *p, __global float *q, int width, int some,
                         ulong lineStride) {
  for (int l = 0; l < some; l++) q[l] = p[(ulong)l * lineStride];
  for (int l = max(some, 0); l < width; l++) q[l] = 0.0f;
}

#ifdef RIGOR_NARROW
#define PACK_DEPTH 1

EX_INLINE void pack_block(__global const float *p, __global float *q, int width, int lines,
                          int depth, ulong lineStride, ulong depthStride) {
  (void)depth, (void)depthStride;
  pack_step(p, q, width, min(width, lines), lineStride);
}
#else
#define PACK_DEPTH 64

#define PACK_ZIP_LOW(a, b)                                                                       \
  (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6,  \
            a.s7, b.s7)
#define PACK_ZIP_HIGH(a, b)                                                                      \
  (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se,  \
            a.sf, b.sf)

// Sixteen lines, whose sixteen floats each are neighbours, across: shuffling the first half of the
// lines with the second four times exchanges lines and places.
EX_INLINE void pack_across(__global const float *p, __global float *q, int width,
                           ulong lineStride) {
  float16 r[16], s[16];
  for (int l = 0; l < 16; l++) r[l] = GEMM_LOAD(0, p + l * lineStride);
  for (int turn = 0; turn < 2; turn++) {
    for (int l = 0; l < 8; l++) {
      s[2 * l] = PACK_ZIP_LOW(r[l], r[l + 8]);
      s[2 * l + 1] = PACK_ZIP_HIGH(r[l], r[l + 8]);
    }
    for (int l = 0; l < 8; l++) {
      r[2 * l] = PACK_ZIP_LOW(s[l], s[l + 8]);
      r[2 * l + 1] = PACK_ZIP_HIGH(s[l], s[l + 8]);
    }
  }
  for (int k = 0; k < 16; k++) GEMM_STORE(r[k], 0, q + k * width);
}

// Up to PACK_DEPTH steps of the depth for all of a panel, of which `lines` are left.
EX_INLINE void pack_block(__global const float *p, __global float *q, int width, int lines,
                          int depth, ulong lineStride, ulong depthStride) {
  for (int l = 0; l < width; l += 16) {
    __global const float *from = p + (ulong)l * lineStride;
    const int some = min(min(16, width - l), lines - l);
    int k = 0;
    if (some == 16 && depthStride == 1)
      for (; k + 16 <= depth; k += 16) pack_across(from + k, q + k * width + l, width, lineStride);
    if (some == 16 && lineStride == 1)
      for (; k < depth; k++) GEMM_STORE(GEMM_LOAD(0, from + k * depthStride), 0, q + k * width + l);
    for (; k < depth; k++)
      pack_step(from + k * depthStride, q + k * width + l, min(16, width - l), some, lineStride);
  }
}
#endif

__kernel void gemm_pack(__global const float *restrict from, __global float *restrict to,
                        int width, int lines, int depth, ulong lineStride, ulong depthStride,
                        ulong fromOffset, ulong fromStride, ulong toStride) {
  const int k = (int)get_global_id(0) * PACK_DEPTH;
  if (k >= depth) return;
  const int panel = get_global_id(1);
  const ulong matrix = get_global_id(2);
  const int first = panel * width;
  pack_block(from + fromOffset + matrix * fromStride + k * depthStride + first * lineStride,
             to + matrix * toStride + ((ulong)panel * depth + k) * width, width, lines - first,
             min(PACK_DEPTH, depth - k), lineStride, depthStride);
}
