// needs: exact/divide.cl inference/activate.cl inference/gemm_tile.cl
// What follows the sums of a convolution in the same kernel, with the bits of kernels of their own.
// x · clip(x + 3, 0, 6) / 6, beside the activations of all products.
#define CONV_HARD_SWISH 3

// What a processor's convolution takes in of the steps behind it, by channel: sum · factor + addend
// before the activation, and the same after it. Their numbers lie in four rows, `stride` apart. Or,
// behind a factor and addend, a tensor that lies as the output does, and the activation.
#define CONV_MULTIPLY 1
#define CONV_ADD 2
#define CONV_MULTIPLY_LAST 4
#define CONV_ADD_LAST 8
#define CONV_ADD_OTHER 16
typedef struct {
  gemm_lanes factor, addend, lastFactor, lastAddend;
} conv_after;

EX_INLINE conv_after conv_after_channel(__global const float *after, int stride, int steps,
                                        int channel) {
  conv_after r;
  r.factor = (gemm_lanes)(steps & CONV_MULTIPLY ? after[channel] : 1.0f);
  r.addend = (gemm_lanes)(steps & CONV_ADD ? after[stride + channel] : 0.0f);
  r.lastFactor = (gemm_lanes)(steps & CONV_MULTIPLY_LAST ? after[2 * stride + channel] : 1.0f);
  r.lastAddend = (gemm_lanes)(steps & CONV_ADD_LAST ? after[3 * stride + channel] : 0.0f);
  return r;
}

EX_INLINE gemm_lanes conv_sixth(gemm_lanes v) {
#ifdef EXACT_NATIVE_DIVIDE
  return v / (gemm_lanes)(6.0f);
#else
  float lanes[GEMM_LANES];
  GEMM_STORE(v, 0, lanes);
  for (int l = 0; l < GEMM_LANES; l++) lanes[l] = ex_div(lanes[l], 6.0f);
  return GEMM_LOAD(0, lanes);
#endif
}

// Another tensor's elements added to sums, and the activation.
EX_INLINE gemm_lanes conv_join_lanes(gemm_lanes v, __global const float *other, int activation,
                                     float low, float high) {
  return gemm_activate_lanes(v + GEMM_LOAD(0, other), activation, low, high);
}

// A sum with what follows it; before another tensor, with factor and addend alone.
EX_INLINE gemm_lanes conv_finish(gemm_lanes v, const conv_after r, int steps, int activation,
                                 float low, float high) {
  if (steps & CONV_MULTIPLY) v = v * r.factor;
  if (steps & CONV_ADD) v = v + r.addend;
  if (steps & CONV_ADD_OTHER) return v;
  if (activation == CONV_HARD_SWISH)
    v = conv_sixth(v * gemm_activate_lanes(v + (gemm_lanes)(3.0f), GEMM_CLIP, 0.0f, 6.0f));
  else
    v = gemm_activate_lanes(v, activation, low, high);
  if (steps & CONV_MULTIPLY_LAST) v = v * r.lastFactor;
  if (steps & CONV_ADD_LAST) v = v + r.lastAddend;
  return v;
}

// Activations as bounds, without any where there is none: nothing is to be decided for each sum.
typedef struct {
  float low, high;
} conv_bounds;

EX_INLINE conv_bounds conv_bounds_of(int activation, float low, float high) {
  conv_bounds r = {as_float(0xff800000), as_float(0x7f800000)};
  if (activation == GEMM_RELU) r.low = 0.0f;
  if (activation == GEMM_CLIP) {
    r.low = low;
    r.high = high;
  }
  return r;
}

EX_INLINE gemm_lanes conv_bound(gemm_lanes v, conv_bounds b) {
  const gemm_lanes l = (gemm_lanes)(b.low), h = (gemm_lanes)(b.high);
  return select(select(v, h, v > h), l, v < l);
}

// Whether factor, addend and bounds are all that follows, and another tensor between them.
EX_INLINE bool conv_is_plain(int steps, int activation) {
  return !(steps & (CONV_MULTIPLY_LAST | CONV_ADD_LAST)) && activation != CONV_HARD_SWISH;
}

// What adds nothing, not even to a zero.
#define CONV_NONE (-0.0f)

// Weights come in order, but from far away; planes lie apart, which no processor foresees. What has
// narrow vectors may go by way of SPIR-V, which knows no such hint.
#if defined(__clang__) && !defined(RIGOR_NARROW)
#define CONV_FETCH(p) __builtin_prefetch(p)
#define CONV_FETCH_TO(p) __builtin_prefetch(p, 1)
#else
#define CONV_FETCH(p) (void)(p)
#define CONV_FETCH_TO(p) (void)(p)
#endif
#define CONV_AHEAD 12

// Where the results of a tile go, `count` of them row by row, and what is added to them: sums take
// long enough to fetch it.
EX_INLINE void conv_fetch(__global float *c, __global const float *other, bool adds, int plane,
                          int rows, int count) {
  for (int i = 0; i < rows; i++, c += plane, other += plane)
    for (int j = 0; j < count + 15; j += 16) {
      CONV_FETCH_TO(c + min(j, count - 1));
      if (adds) CONV_FETCH(other + min(j, count - 1));
    }
}

// What follows the sums is long: as a loop it stays in a processor's instruction cache. Where
// private memory is far away, sums stay in registers.
#ifdef RIGOR_NARROW
#define CONV_TURN _Pragma("unroll")
#else
#define CONV_TURN _Pragma("nounroll")
#endif
