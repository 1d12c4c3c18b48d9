// needs: exact/divide.cl inference/order.cl
// Reductions whose sixteen lanes are work-items, for graphics cards: the bits of reduce.cl.
#define LANES_RESULTS 16 // of a group at most

// Work-items: (16, results rounded up), where results' elements are neighbours (`byRows`), and
// otherwise (results rounded up, 16): neighbours read neighbours.
#define REDUCE_LANES(name, neutral, combine, last)                                               \
  __kernel void lanes_##name(__global const float *restrict x, __global float *restrict y,       \
                             int count, int inner, int results, int byRows) {                    \
    __local float lanes[LANES_RESULTS][16];                                                      \
    const int l = get_local_id(byRows ? 0 : 1), q = get_local_id(byRows ? 1 : 0);                \
    const int r = get_global_id(byRows ? 1 : 0), some = r < results ? r : 0;                     \
    __global const float *p = x + (ulong)(some / inner) * count * inner + some % inner;          \
    float lane = l < count ? p[(ulong)l * inner] : neutral;                                      \
    _Pragma("unroll 8") for (int e = l + 16; e < count; e += 16) {                               \
      const float a = lane, b = p[(ulong)e * inner];                                             \
      lane = combine;                                                                            \
    }                                                                                            \
    lanes[q][l] = lane;                                                                          \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                \
    for (int w = 8; w > 0; w >>= 1) {                                                            \
      if (l < w) {                                                                               \
        const float a = lanes[q][l], b = lanes[q][l + w];                                        \
        lanes[q][l] = combine;                                                                   \
      }                                                                                          \
      barrier(CLK_LOCAL_MEM_FENCE);                                                              \
    }                                                                                            \
    const float s = lanes[q][0];                                                                 \
    if (l == 0 && r < results) y[r] = last;                                                      \
  }

REDUCE_LANES(sum, 0.0f, a + b, s)
REDUCE_LANES(mean, 0.0f, a + b, ex_div(s, (float)count))
REDUCE_LANES(prod, 1.0f, a * b, s)
REDUCE_LANES(max, as_float(0xff800000), ew_max(a, b), s)
REDUCE_LANES(min, as_float(0x7f800000), ew_min(a, b), s)
