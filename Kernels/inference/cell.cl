// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/hyperbolic.cl
// Time steps of a recurrent layer, after the products with the input.
//
// A gate before its activation is (x + its bias) + (h + its bias), x being the product with the
// input and h the one with the state; peepholes are added by fma, then it is clipped.

// Hidden units that a work-item takes together.
#ifndef CELL_LANES
#define CELL_LANES 1
#endif

// Lanes never meet, which compilers cannot always know.
#if defined(__clang__) && CELL_LANES > 1
#define CELL_EACH                                                                                \
  _Pragma("clang loop vectorize(assume_safety)") for (int l = 0; l < CELL_LANES; l++)
#else
#define CELL_EACH for (int l = 0; l < CELL_LANES; l++)
#endif

#define CELL_RNN 0
#define CELL_LSTM 1
#define CELL_GRU 2       // whose reset gate acts on the product with the state
#define CELL_GRU_GATES 3 // the two gates of one whose reset gate acts on the state
#define CELL_GRU_STATE 4 // and what follows the product with the state they gave

#define CELL_BIASES 1
#define CELL_PEEPHOLES 2
#define CELL_COUPLES 4 // the forget gate is what the input gate leaves

typedef struct {
  int kind, directions, batch, hidden, flags;
  int offsets[2]; // of this time step's products with the input, by direction
  int activations[6];
  float clip;
  float alpha[6], beta[6];
} cell_shape;

// Clips gates, and activates them.
EX_INLINE void cell_clip(float *v, float limit) {
  CELL_EACH {
    const float x = v[l];
    v[l] = x < -limit ? -limit : (x > limit ? limit : x);
  }
}

#define CELL_CASE(kind, expression)                                                              \
  case kind:                                                                                     \
    CELL_EACH {                                                                                  \
      const float x = v[l];                                                                      \
      v[l] = expression;                                                                         \
    }                                                                                            \
    break;

EX_INLINE void cell_activate(float *v, int kind, float a, float b) {
  switch (kind) {
    CELL_CASE(0, ex_sigmoid(x))
    CELL_CASE(1, ex_tanh(x))
    CELL_CASE(2, x < 0.0f ? 0.0f : x)
    CELL_CASE(3, fma(a, x, b))
    CELL_CASE(4, x < 0.0f ? x * a : x)
    CELL_CASE(5, x < a ? 0.0f : x)
    CELL_CASE(6, a * ex_tanh(b * x))
  case 7:
    CELL_EACH {
      const float y = fma(a, v[l], b);
      v[l] = y < 0.0f ? 0.0f : (y > 1.0f ? 1.0f : y);
    }
    break;
    CELL_CASE(8, x < 0.0f ? a * (ex_exp(x) - 1.0f) : x)
    CELL_CASE(9, ex_div(x, 1.0f + fabs(x)))
    CELL_CASE(10, (x < 0.0f ? 0.0f : x) + ex_log(1.0f + ex_exp(-fabs(x))))
  }
}

EX_INLINE void cell_load(float *to, __global const float *p, int lanes) {
  if (lanes == CELL_LANES)
    for (int l = 0; l < CELL_LANES; l++) to[l] = p[l];
  else
    for (int l = 0; l < CELL_LANES; l++) to[l] = l < lanes ? p[l] : 0.0f;
}

EX_INLINE void cell_store(__global float *p, const float *from, int lanes) {
  if (lanes == CELL_LANES)
    for (int l = 0; l < CELL_LANES; l++) p[l] = from[l];
  else
    for (int l = 0; l < lanes; l++) p[l] = from[l];
}

// One direction's of two: some compilers do not take a place in a kernel's argument that is not
// constant.
#define CELL_PICK(first, second) (d == 0 ? (first) : (second))
#define CELL_FREE(v, n)                                                                          \
  cell_activate(v, CELL_PICK(s.activations[n], s.activations[3 + (n)]),                          \
                CELL_PICK(s.alpha[n], s.alpha[3 + (n)]), CELL_PICK(s.beta[n], s.beta[3 + (n)]))
#define CELL_ACTIVATE(v, n)                                                                      \
  cell_clip(v, s.clip);                                                                          \
  CELL_FREE(v, n)
#define CELL_GATES (s.kind == CELL_RNN ? 1 : s.kind == CELL_LSTM ? 4 : 3)

// Units of an LSTM from their gates without the state, `g`, and the products with it, `h`. What
// belongs to the first unit lies at `at`, the cell `span` behind.
EX_INLINE void cell_lstm(cell_shape s, int d, int lanes, ulong at, ulong span,
                         float g[4][CELL_LANES], float h[4][CELL_LANES],
                         __global const float *state, __global const float *pp,
                         __global float *y) {
  float old[CELL_LANES], made[CELL_LANES];
  const bool peeps = s.flags & CELL_PEEPHOLES;
  cell_load(old, state + span + at, lanes);
#pragma unroll
  for (int n = 0; n < 4; n++) CELL_EACH g[n][l] = g[n][l] + h[n][l];
  if (peeps) {
    cell_load(made, pp, lanes);
    CELL_EACH g[0][l] = fma(made[l], old[l], g[0][l]);
    cell_load(made, pp + 2 * s.hidden, lanes);
    CELL_EACH g[2][l] = fma(made[l], old[l], g[2][l]);
  }
  CELL_ACTIVATE(g[0], 0);
  if (s.flags & CELL_COUPLES) {
    CELL_EACH g[2][l] = 1.0f - g[0][l];
  } else {
    CELL_ACTIVATE(g[2], 0);
  }
  CELL_ACTIVATE(g[3], 1);
  CELL_EACH old[l] = fma(g[2][l], old[l], g[0][l] * g[3][l]);
  if (peeps) {
    cell_load(made, pp + s.hidden, lanes);
    CELL_EACH g[1][l] = fma(made[l], old[l], g[1][l]);
  }
  CELL_ACTIVATE(g[1], 0);
  cell_store(y + span + at, old, lanes);
  // The cell is not clipped, as in ONNX Runtime.
  CELL_FREE(old, 2);
  CELL_EACH made[l] = g[1][l] * old[l];
  cell_store(y + at, made, lanes);
}

// The same of a GRU.
EX_INLINE void cell_gru(cell_shape s, int d, int lanes, ulong at, ulong span,
                        float g[4][CELL_LANES], float h[4][CELL_LANES],
                        __global const float *state, __global const float *more,
                        __global float *y) {
  float old[CELL_LANES], made[CELL_LANES];
  cell_load(old, state + at, lanes);
  if (s.kind == CELL_GRU_GATES || s.kind == CELL_GRU) {
    CELL_EACH g[0][l] = g[0][l] + h[0][l];
    CELL_EACH g[1][l] = g[1][l] + h[1][l];
    CELL_ACTIVATE(g[0], 0);
    CELL_ACTIVATE(g[1], 0);
  }
  if (s.kind == CELL_GRU_GATES) {
    CELL_EACH made[l] = g[1][l] * old[l];
    cell_store(y + at, made, lanes);
    cell_store(y + span + at, g[0], lanes);
    return;
  }
  if (s.kind == CELL_GRU) {
    CELL_EACH g[2][l] = fma(g[1][l], h[2][l], g[2][l]);
  } else {
    cell_load(g[0], more + span + at, lanes);
    CELL_EACH g[2][l] = g[2][l] + h[0][l];
  }
  CELL_ACTIVATE(g[2], 1);
  CELL_EACH made[l] = fma(g[0][l], old[l], (1.0f - g[0][l]) * g[2][l]);
  cell_store(y + at, made, lanes);
}

// CELL_LANES units of one item and direction from unit `i` on, as far as there are that many. `x`
// holds the time step's products with the input from `begin` on, `h` those with the state.
EX_INLINE void cell_units(cell_shape s, int d, int item, int i, __global const float *x,
                          ulong begin, float h[4][CELL_LANES], __global const float *state,
                          __global const float *more, __global const float *biases,
                          __global const float *peepholes, __global float *y) {
  const int gates = CELL_GATES, lanes = min(CELL_LANES, s.hidden - i);
  const ulong at = ((ulong)d * s.batch + item) * s.hidden + i;
  const ulong span = (ulong)s.directions * s.batch * s.hidden;
  // Gates, without what the state contributes and with it; only those of this kind are read.
  float g[4][CELL_LANES], made[CELL_LANES];
  const bool skips = s.kind == CELL_GRU_GATES;
#pragma unroll
  for (int n = 0; n < 4; n++) {
    if (n >= gates || (skips && n == 2) || (s.kind == CELL_GRU_STATE && n < 2)) continue;
    cell_load(g[n], x + begin + ((ulong)item * gates + n) * s.hidden + i, lanes);
    if (!(s.flags & CELL_BIASES)) continue;
    __global const float *pb = biases + ((ulong)d * 2 * gates + n) * s.hidden + i;
    cell_load(made, pb, lanes);
    CELL_EACH g[n][l] = g[n][l] + made[l];
    cell_load(made, pb + (ulong)gates * s.hidden, lanes);
    float *own = h[s.kind == CELL_GRU_STATE ? 0 : n];
    CELL_EACH own[l] = own[l] + made[l];
  }

  if (s.kind == CELL_RNN) {
    CELL_EACH made[l] = g[0][l] + h[0][l];
    CELL_ACTIVATE(made, 0);
    cell_store(y + at, made, lanes);
    return;
  }
  if (s.kind == CELL_LSTM)
    cell_lstm(s, d, lanes, at, span, g, h, state, peepholes + (ulong)d * 3 * s.hidden + i, y);
  else
    cell_gru(s, d, lanes, at, span, g, h, state, more, y);
}

// One time step, after the products with the state. Work-items: (hidden in CELL_LANES, rounded up;
// batch, directions).
__kernel void cell(__global const float *x, __global const float *products,
                   __global const float *state, __global const float *more,
                   __global const float *biases, __global const float *peepholes,
                   __global float *y, cell_shape s) {
  const int i = get_global_id(0) * CELL_LANES;
  if (i >= s.hidden) return;
  const int item = get_global_id(1), d = get_global_id(2);
  const int own = s.kind == CELL_GRU_GATES ? 2 : s.kind == CELL_GRU_STATE ? 1 : CELL_GATES;
  float h[4][CELL_LANES];
#pragma unroll
  for (int n = 0; n < 4; n++)
    if (n < own)
      cell_load(h[n], products + (((ulong)d * s.batch + item) * own + n) * s.hidden + i,
                min(CELL_LANES, s.hidden - i));
  cell_units(s, d, item, i, x, CELL_PICK(s.offsets[0], s.offsets[1]), h, state, more, biases,
             peepholes, y);
}

// Several time steps with their products with the state, for processors. A gate's part of the
// matrix lies in panels, as a product's right side does.
#if CELL_LANES == 32
#define CELL_BLOCK 256
#define CELL_STATES 8

// Products of one state with CELL_LANES units of COUNT gates, by the rule for sums of products.
#define CELL_PRODUCT(COUNT)                                                                      \
  EX_INLINE void cell_product_##COUNT(float h[4][CELL_LANES], __global const float *state,       \
                                      __global const float *low, __global const float *high,     \
                                      ulong gate, int depth) {                                   \
    float16 total[COUNT][2];                                                                     \
    for (int begin = 0; begin < depth; begin += CELL_BLOCK) {                                    \
      const int end = min(depth, begin + CELL_BLOCK);                                            \
      float16 sum[COUNT][2];                                                                     \
      _Pragma("unroll") for (int n = 0; n < COUNT; n++)                                          \
        sum[n][0] = sum[n][1] = (float16)(0.0f);                                                 \
      for (int k = begin; k < end; k++) {                                                        \
        const float16 v = (float16)(state[k]);                                                   \
        _Pragma("unroll") for (int n = 0; n < COUNT; n++) {                                      \
          sum[n][0] = fma(v, vload16(0, low + n * gate + k * GEMM_COLUMNS), sum[n][0]);          \
          sum[n][1] = fma(v, vload16(0, high + n * gate + k * GEMM_COLUMNS), sum[n][1]);         \
        }                                                                                        \
      }                                                                                          \
      _Pragma("unroll") for (int n = 0; n < COUNT; n++) {                                        \
        total[n][0] = begin == 0 ? sum[n][0] : total[n][0] + sum[n][0];                          \
        total[n][1] = begin == 0 ? sum[n][1] : total[n][1] + sum[n][1];                          \
      }                                                                                          \
    }                                                                                            \
    _Pragma("unroll") for (int n = 0; n < COUNT; n++) {                                          \
      vstore16(total[n][0], 0, h[n]);                                                            \
      vstore16(total[n][1], 1, h[n]);                                                            \
    }                                                                                            \
  }
CELL_PRODUCT(1)
CELL_PRODUCT(3)
CELL_PRODUCT(4)

// Reads state t and writes state t + 1, `times` times. The products with the input of a time step
// begin `next` behind those of the one before, by direction. Work-items: (parts of `unitsEach`
// units, one if there are several time steps; batch, directions).
__kernel void recurrence(__global const float *x, __global const float *panels,
                         __global const float *biases, __global const float *peepholes,
                         __global float *s0, __global float *s1, __global float *s2,
                         __global float *s3, __global float *s4, __global float *s5,
                         __global float *s6, __global float *s7, cell_shape s, int times,
                         int next0, int next1, int unitsEach) {
  __global float *states[CELL_STATES] = {s0, s1, s2, s3, s4, s5, s6, s7};
  const int item = get_global_id(1), d = get_global_id(2);
  const int first = get_global_id(0) * unitsEach, last = min(s.hidden, first + unitsEach);
  const int gates = CELL_GATES, depth = s.hidden;
  const int columns = (s.hidden + GEMM_COLUMNS - 1) / GEMM_COLUMNS * GEMM_COLUMNS;
  const ulong gate = (ulong)columns * depth;
  panels += (ulong)d * gates * gate;
  for (int t = 0; t < times; t++) {
    __global const float *own = states[t] + ((ulong)d * s.batch + item) * s.hidden;
    const long begin = CELL_PICK(s.offsets[0], s.offsets[1]) + (long)t * CELL_PICK(next0, next1);
    for (int i = first; i < last; i += CELL_LANES) {
      // Where no second vector is left, the first one's is dropped with the lanes in excess.
      const int j = i + 16 < columns ? i + 16 : i;
      __global const float *low =
          panels + (ulong)(i / GEMM_COLUMNS) * depth * GEMM_COLUMNS + i % GEMM_COLUMNS;
      __global const float *high =
          panels + (ulong)(j / GEMM_COLUMNS) * depth * GEMM_COLUMNS + j % GEMM_COLUMNS;
      float h[4][CELL_LANES];
      if (gates == 4)
        cell_product_4(h, own, low, high, gate, depth);
      else if (gates == 3)
        cell_product_3(h, own, low, high, gate, depth);
      else
        cell_product_1(h, own, low, high, gate, depth);
      cell_units(s, d, item, i, x, begin, h, states[t], x, biases, peepholes, states[t + 1]);
    }
  }
}
#endif
