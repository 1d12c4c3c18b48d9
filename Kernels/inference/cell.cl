// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/hyperbolic.cl
// One time step of a recurrent layer, after the products with its matrices.
//
// A gate before its activation is (x + its bias) + (h + its bias), x being the product with the
// input and h the one with the state; peepholes are added by fma, then it is clipped.

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

EX_INLINE float cell_clip(float x, float limit) {
  return x < -limit ? -limit : (x > limit ? limit : x);
}

EX_INLINE float cell_activate(float x, int kind, float a, float b) {
  switch (kind) {
  case 0: return ex_sigmoid(x);
  case 1: return ex_tanh(x);
  case 2: return x < 0.0f ? 0.0f : x;
  case 3: return fma(a, x, b);
  case 4: return x < 0.0f ? x * a : x;
  case 5: return x < a ? 0.0f : x;
  case 6: return a * ex_tanh(b * x);
  case 7: {
    const float y = fma(a, x, b);
    return y < 0.0f ? 0.0f : (y > 1.0f ? 1.0f : y);
  }
  case 8: return x < 0.0f ? a * (ex_exp(x) - 1.0f) : x;
  case 9: return ex_div(x, 1.0f + fabs(x));
  default: return (x < 0.0f ? 0.0f : x) + ex_log(1.0f + ex_exp(-fabs(x)));
  }
}

// One direction's of two: some compilers do not take a place in a kernel's argument that is not
// constant.
#define CELL_PICK(first, second) (d == 0 ? (first) : (second))

// Work-items: (hidden rounded up, batch, directions).
__kernel void cell(__global const float *x, __global const float *products,
                   __global const float *state, __global const float *more,
                   __global const float *biases, __global const float *peepholes,
                   __global float *y, cell_shape s) {
  const int i = get_global_id(0);
  if (i >= s.hidden) return;
  const int item = get_global_id(1), d = get_global_id(2);
  const int gates = s.kind == CELL_RNN ? 1 : s.kind == CELL_LSTM ? 4 : 3;
  const int own = s.kind == CELL_GRU_GATES ? 2 : s.kind == CELL_GRU_STATE ? 1 : gates;
  const ulong at = ((ulong)d * s.batch + item) * s.hidden + i;
  const ulong span = (ulong)s.directions * s.batch * s.hidden;
  const ulong begin = CELL_PICK(s.offsets[0], s.offsets[1]);
  __global const float *px = x + begin + (ulong)item * gates * s.hidden + i;
  __global const float *ph = products + ((ulong)d * s.batch + item) * own * s.hidden + i;
  __global const float *pb = biases + (ulong)d * 2 * gates * s.hidden + i;
  const bool hasBias = s.flags & CELL_BIASES;

// Gate g, without what the state contributes and with it.
#define CELL_X(g) (hasBias ? px[(g) * s.hidden] + pb[(g) * s.hidden] : px[(g) * s.hidden])
#define CELL_H(g, p)                                                                             \
  (hasBias ? ph[(p) * s.hidden] + pb[(gates + (g)) * s.hidden] : ph[(p) * s.hidden])
#define CELL_FREE(v, n)                                                                          \
  cell_activate(v, CELL_PICK(s.activations[n], s.activations[3 + (n)]),                          \
                CELL_PICK(s.alpha[n], s.alpha[3 + (n)]), CELL_PICK(s.beta[n], s.beta[3 + (n)]))
#define CELL_ACTIVATE(v, n) CELL_FREE(cell_clip(v, s.clip), n)

  if (s.kind == CELL_RNN) {
    y[at] = CELL_ACTIVATE(CELL_X(0) + CELL_H(0, 0), 0);
    return;
  }
  if (s.kind == CELL_LSTM) {
    const bool peeps = s.flags & CELL_PEEPHOLES;
    __global const float *pp = peepholes + (ulong)d * 3 * s.hidden + i;
    const float c = state[span + at];
    float vi = CELL_X(0) + CELL_H(0, 0), vo = CELL_X(1) + CELL_H(1, 1);
    float vf = CELL_X(2) + CELL_H(2, 2);
    if (peeps) {
      vi = fma(pp[0], c, vi);
      vf = fma(pp[2 * s.hidden], c, vf);
    }
    const float in = CELL_ACTIVATE(vi, 0);
    const float forget = s.flags & CELL_COUPLES ? 1.0f - in : CELL_ACTIVATE(vf, 0);
    const float next = CELL_ACTIVATE(CELL_X(3) + CELL_H(3, 3), 1);
    const float cell = fma(forget, c, in * next);
    if (peeps) vo = fma(pp[s.hidden], cell, vo);
    const float out = CELL_ACTIVATE(vo, 0);
    y[span + at] = cell;
    // The cell is not clipped, as in ONNX Runtime.
    y[at] = out * CELL_FREE(cell, 2);
    return;
  }
  const float h = state[at];
  if (s.kind == CELL_GRU_GATES) {
    const float reset = CELL_ACTIVATE(CELL_X(1) + CELL_H(1, 1), 0);
    y[at] = reset * h;
    y[span + at] = CELL_ACTIVATE(CELL_X(0) + CELL_H(0, 0), 0);
    return;
  }
  float update, v;
  if (s.kind == CELL_GRU) {
    update = CELL_ACTIVATE(CELL_X(0) + CELL_H(0, 0), 0);
    const float reset = CELL_ACTIVATE(CELL_X(1) + CELL_H(1, 1), 0);
    v = fma(reset, CELL_H(2, 2), CELL_X(2));
  } else {
    update = more[span + at];
    v = CELL_X(2) + CELL_H(2, 0);
  }
  y[at] = fma(update, h, (1.0f - update) * CELL_ACTIVATE(v, 1));
}
