// needs: inference/activate.cl inference/gemm_tile.cl
// Scales and shifts of planes by channel, for processors: what chains of elementwise steps most
// often come to. Bits are those of the single steps.
#define PLANES_NORMALIZE 1 // fma(x, scale, shift)
#define PLANES_MULTIPLY 2  // then x · factor
#define PLANES_ADD 4       // then x + addend

// Elements from `i` on of a plane, as many as fit `lanes`; then come narrower vectors, since the
// result may lie where x does.
#define PLANES_TURN(type, lanes, load, store, activate)                                          \
  for (; i + lanes <= pixels; i += lanes) {                                                      \
    type v = load(0, px + i);                                                                    \
    if (steps & PLANES_NORMALIZE) v = fma(v, (type)(s), (type)(t));                              \
    if (steps & PLANES_MULTIPLY) v = v * (type)(m);                                              \
    if (steps & PLANES_ADD) v = v + (type)(a);                                                   \
    store(activate(v, activation, low, high), 0, py + i);                                        \
  }

#define PLANES_LOAD_ONE(i, p) (*(p))
#define PLANES_STORE_ONE(v, i, p) (*(p) = v)

#ifndef RIGOR_NARROW
EX_INLINE float4 planes_activate_few(float4 x, int activation, float low, float high) {
  if (activation == GEMM_RELU) return select(x, (float4)(0.0f), x < (float4)(0.0f));
  if (activation == GEMM_CLIP) {
    const float4 l = (float4)(low), h = (float4)(high);
    return select(select(x, h, x > h), l, x < l);
  }
  return x;
}
#endif

// Work-items: (parts of `each` planes).
__kernel void planes_affine(__global const float *x, __global float *y,
                            __global const float *scale, __global const float *shift,
                            __global const float *factor, __global const float *addend, int steps,
                            int channels, int pixels, int planes, int each, int activation,
                            float low, float high) {
  const int first = get_global_id(0) * each, last = min(planes, first + each);
  for (int plane = first; plane < last; plane++) {
    const int channel = plane % channels;
    const float s = steps & PLANES_NORMALIZE ? scale[channel] : 1.0f;
    const float t = steps & PLANES_NORMALIZE ? shift[channel] : 0.0f;
    const float m = steps & PLANES_MULTIPLY ? factor[channel] : 1.0f;
    const float a = steps & PLANES_ADD ? addend[channel] : 0.0f;
    __global const float *px = x + (ulong)plane * pixels;
    __global float *py = y + (ulong)plane * pixels;
    int i = 0;
    PLANES_TURN(gemm_lanes, GEMM_LANES, GEMM_LOAD, GEMM_STORE, gemm_activate_lanes)
#ifndef RIGOR_NARROW
    PLANES_TURN(float4, 4, vload4, vstore4, planes_activate_few)
#endif
    PLANES_TURN(float, 1, PLANES_LOAD_ONE, PLANES_STORE_ONE, gemm_activate)
  }
}
