// What may follow a sum of products in the same kernel, with the bits of a kernel of its own.
#define GEMM_RELU 1
#define GEMM_CLIP 2

// NaN passes every comparison by, and so passes through.
float gemm_activate(float x, int activation, float low, float high) {
  if (activation == GEMM_RELU) return x < 0.0f ? 0.0f : x;
  if (activation == GEMM_CLIP) return x < low ? low : (x > high ? high : x);
  return x;
}
