// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: exact/trigonometric.cl exact/power.cl exact/error.cl exact/hyperbolic.cl
// needs: inference/order.cl
// Several elementwise steps in one launch: a program of operations on registers, each of
// CHAIN_LANES floats: many on processors, one on graphics cards. What only the next steps read
// never goes to memory; every operation has the bits of its own kernel.
#ifndef CHAIN_LANES
#define CHAIN_LANES 256
#endif
#define CHAIN_REGISTERS 12
#define CHAIN_WORDS 8

// A register that an operation reads and writes is so lane by lane, which compilers cannot know. By
// wide vectors, where there are any: long functions keep a processor's queues full.
#if defined(__clang__) && !defined(RIGOR_NARROW)
#define CHAIN_APART _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")
#elif defined(__clang__)
#define CHAIN_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define CHAIN_APART
#endif

// An operand's elements from `begin` on. It repeats after `count` elements, each `inner` times.
// Returns the place up to which the register holds what it will.
EX_INLINE int chain_load(float *to, __global const float *p, int begin, int lanes, int inner,
                         int count) {
  if (count == 0) { // as many as the result has
    if (lanes == CHAIN_LANES)
      for (int l = 0; l < CHAIN_LANES; l++) to[l] = p[begin + l];
    else
      for (int l = 0; l < lanes; l++) to[l] = p[begin + l];
    return 0;
  }
  int i = begin / inner, rest = (i + 1) * inner - begin;
  if (count == 1 || rest >= lanes) {
    const float v = p[count == 1 ? 0 : i % count];
    for (int l = 0; l < CHAIN_LANES; l++) to[l] = v;
    return count == 1 ? INT_MAX : begin + rest;
  }
  i %= count;
  for (int l = 0; l < lanes;) {
    if (inner == 1) {
      const int run = min(count - i, lanes - l);
      for (int r = 0; r < run; r++) to[l + r] = p[i + r];
      l += run;
      i = 0;
    } else {
      const int run = min(rest, lanes - l);
      const float v = p[i];
      for (int r = 0; r < run; r++) to[l + r] = v;
      l += run;
      rest = inner;
      i = i + 1 == count ? 0 : i + 1;
    }
  }
  return 0;
}

EX_INLINE void chain_store(__global float *result, const float *x, int lanes) {
  if (lanes == CHAIN_LANES)
    for (int l = 0; l < CHAIN_LANES; l++) result[l] = x[l];
  else
    for (int l = 0; l < lanes; l++) result[l] = x[l];
}

#define CHAIN_3(code, expression)                                                                \
  case code:                                                                                     \
    CHAIN_APART for (int l = 0; l < CHAIN_LANES; l++) {                                          \
      const float a = x[l], b = y[l], c = z[l];                                                  \
      to[l] = expression;                                                                        \
    }                                                                                            \
    break;
#define CHAIN_1(code, expression)                                                                \
  case 100 + code:                                                                               \
    CHAIN_APART for (int l = 0; l < CHAIN_LANES; l++) {                                          \
      const float v = x[l];                                                                      \
      to[l] = expression;                                                                        \
    }                                                                                            \
    break;
#define CHAIN_2(code, expression)                                                                \
  case 200 + code:                                                                               \
    CHAIN_APART for (int l = 0; l < CHAIN_LANES; l++) {                                          \
      const float a = x[l], b = y[l];                                                            \
      to[l] = expression;                                                                        \
    }                                                                                            \
    break;

// Rounded before anything is added to it, whatever a compiler contracts within an expression.
EX_INLINE float chain_product(float a, float b) { return a * b; }

float chain_relu(float v) { return v < 0.0f ? 0.0f : v; }

// Words of an operation: what, register of the result, of up to three operands (or an operand's
// buffer), and two numbers: an operand's `inner` and `count`, or bits of floats. Operations of one
// operand are numbered 100 and on, of two 200 and on, as steps number them; those of three are
// several in one. A register that is loaded with what repeats is for nothing else.
// Work-items: (parts of `each` elements).
__kernel void chain(__global const int *restrict program, int length, int elements, int each,
                    __global float *b0, __global float *b1, __global float *b2,
                    __global float *b3, __global float *b4, __global float *b5,
                    __global float *b6, __global float *b7) {
  __global float *buffers[8] = {b0, b1, b2, b3, b4, b5, b6, b7};
  float registers[CHAIN_REGISTERS * CHAIN_LANES];
  int held[CHAIN_REGISTERS];
  for (int r = 0; r < CHAIN_REGISTERS; r++) held[r] = 0;
  const int first = get_global_id(0) * each, last = min(elements, first + each);
  for (int begin = first; begin < last; begin += CHAIN_LANES) {
    const int lanes = min(CHAIN_LANES, last - begin);
    for (int n = 0; n < length; n++) {
      __global const int *word = program + n * CHAIN_WORDS;
      float *to = registers + word[1] * CHAIN_LANES;
      const float *x = registers + word[2] * CHAIN_LANES;
      const float *y = registers + word[3] * CHAIN_LANES;
      const float *z = registers + word[4] * CHAIN_LANES;
      const float p = as_float(word[5]), q = as_float(word[6]);
      if (word[0] == 0) {
        if (begin + lanes > held[word[1]])
          held[word[1]] = chain_load(to, buffers[word[2]], begin, lanes, word[5], word[6]);
        continue;
      }
      if (word[0] == 1) {
        chain_store(buffers[word[3]] + begin, x, lanes);
        continue;
      }
      switch (word[0]) {
        CHAIN_3(2, fma(a, b, c))
        CHAIN_3(3, chain_product(a, b) + c)
        CHAIN_3(4, chain_relu(fma(a, b, c)))
        CHAIN_3(5, chain_relu(chain_product(a, b) + c))
        CHAIN_3(6, ex_div(a * ew_clip(a + b, p, q), c))
        CHAIN_3(7, a * (ex_erf(ex_div(a, b)) + c))
        CHAIN_3(8, a * (ex_erf(chain_product(a, b)) + c))
        CHAIN_1(0, chain_relu(v))
        CHAIN_1(1, v < 0.0f ? v * p : v)
        CHAIN_1(2, ew_clip(v, p, q))
        CHAIN_1(3, -v)
        CHAIN_1(4, as_float(as_int(v) & 0x7fffffff))
        CHAIN_1(5, floor(v))
        CHAIN_1(6, ceil(v))
        CHAIN_1(7, ex_sqrt(v))
        CHAIN_1(8, ex_rcp(v))
        CHAIN_1(9, ex_exp(v))
        CHAIN_1(10, ex_log(v))
        CHAIN_1(13, ex_tanh(v))
        CHAIN_1(14, ex_sigmoid(v))
        CHAIN_1(15, ex_erf(v))
        CHAIN_1(16, ew_clip(fma(p, v, q), 0.0f, 1.0f))
        CHAIN_1(17, v * ew_clip(fma(0x1.555556p-3f, v, 0.5f), 0.0f, 1.0f))
        CHAIN_2(0, a + b)
        CHAIN_2(1, a - b)
        CHAIN_2(2, a * b)
        CHAIN_2(3, ex_div(a, b))
        CHAIN_2(4, ew_max(a, b))
        CHAIN_2(5, ew_min(a, b))
        CHAIN_2(7, a < 0.0f ? a * b : a)
      case 119: // x^n
        CHAIN_APART for (int l = 0; l < CHAIN_LANES; l++) {
          const float v = x[l];
          float power = v;
          for (int i = 1; i < (int)p; i++) power = power * v;
          to[l] = power;
        }
        break;
      }
    }
  }
}
