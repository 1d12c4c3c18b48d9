// defines: T=int U=uint
// Elementwise operators on integer tensors of type T, with broadcasting by strides. Arithmetic
// wraps. Booleans are bytes, 0 or 1. U is the unsigned type of T's width.

// Truncated; by zero it is 0. The one overflow wraps.
EX_INLINE T whole_quotient(T a, T b) {
  const bool isMinusOne = (T)-1 < (T)0 && b == (T)-1;
  const T divisor = b == 0 || isMinusOne ? (T)1 : b;
  return b == 0 ? (T)0 : isMinusOne ? (T)((U)0 - (U)a) : (T)(a / divisor);
}

EX_INLINE T whole_remainder(T a, T b) {
  const bool isMinusOne = (T)-1 < (T)0 && b == (T)-1;
  return b == 0 || isMinusOne ? (T)0 : (T)(a % (b == 0 || isMinusOne ? (T)1 : b));
}
// With the divisor's sign.
EX_INLINE T whole_mod(T a, T b) {
  const T rest = whole_remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? (T)(rest + b) : rest;
}
EX_INLINE T whole_shift_right(T a, T b) {
  const bool isInside = (ulong)b < sizeof(T) * 8;
  return isInside ? (T)(a >> b) : a < 0 ? (T)-1 : (T)0;
}
// By repeated squaring, wrapping; a negative exponent leaves the inverse's whole part.
EX_INLINE T whole_power(T a, T b) {
  if (b < 0) return a == 1 ? (T)1 : a == (T)-1 ? ((b & 1) == 0 ? (T)1 : (T)-1) : (T)0;
  U result = 1, base = (U)a;
  for (U rest = (U)b; rest != 0; rest >>= 1) {
    if ((rest & 1) == 1) result = (U)(result * base);
    base = (U)(base * base);
  }
  return (T)result;
}

// Work-items: as in elementwise.cl.
#define BINARY(name, type, expression)                                                           \
  __kernel void integer_##name(__global const T *x, __global const T *y, __global type *z,       \
                               int inner, ulong xOffset, ulong yOffset, ulong zOffset, int x0,   \
                               int x1, int x2, int y0, int y1, int y2) {                         \
    const int i = get_global_id(0);                                                              \
    if (i >= inner) return;                                                                      \
    const ulong j = get_global_id(1), k = get_global_id(2);                                      \
    const T a = x[xOffset + k * x2 + j * x1 + (ulong)i * x0];                                    \
    const T b = y[yOffset + k * y2 + j * y1 + (ulong)i * y0];                                    \
    z[zOffset + (k * get_global_size(1) + j) * inner + i] = expression;                          \
  }

BINARY(add, T, (T)((U)a + (U)b))
BINARY(sub, T, (T)((U)a - (U)b))
BINARY(mul, T, (T)((U)a * (U)b))
BINARY(div, T, whole_quotient(a, b))
BINARY(remainder, T, whole_remainder(a, b))
BINARY(mod, T, whole_mod(a, b))
BINARY(shift_left, T, (ulong)b < sizeof(T) * 8 ? (T)((U)a << (U)b) : (T)0)
BINARY(shift_right, T, whole_shift_right(a, b))
BINARY(pow, T, whole_power(a, b))
BINARY(max, T, a < b ? b : a)
BINARY(min, T, b < a ? b : a)
BINARY(and, T, a & b)
BINARY(or, T, a | b)
BINARY(xor, T, a ^ b)
BINARY(equal, uchar, a == b)
BINARY(less, uchar, a < b)
BINARY(less_or_equal, uchar, a <= b)
BINARY(greater, uchar, a > b)
BINARY(greater_or_equal, uchar, a >= b)

// Of booleans.
__kernel void integer_negate(__global const T *x, __global T *y, int count) {
  const int i = get_global_id(0);
  if (i < count) y[i] = x[i] == 0;
}

// Work-items: (count rounded up).
#define UNARY(name, expression)                                                                  \
  __kernel void integer_##name(__global const T *x, __global T *y, int count) {                  \
    const int i = get_global_id(0);                                                              \
    if (i >= count) return;                                                                      \
    const T v = x[i];                                                                            \
    y[i] = expression;                                                                           \
  }

UNARY(not, (T)~v)
UNARY(sign, v == 0 ? (T)0 : v < 0 ? (T)-1 : (T)1)
UNARY(neg, (T)((U)0 - (U)v))
UNARY(abs, v < 0 ? (T)((U)0 - (U)v) : v)

// Reductions over one axis of (outer, count, inner). Work-items: (results rounded up).
#define REDUCE(name, combine)                                                                    \
  __kernel void integer_reduce_##name(__global const T *x, __global T *y, int count, int inner,  \
                                      int results) {                                             \
    const int r = get_global_id(0);                                                              \
    if (r >= results) return;                                                                    \
    __global const T *p = x + (ulong)(r / inner) * count * inner + r % inner;                    \
    T a = p[0];                                                                                  \
    for (int e = 1; e < count; e++) {                                                            \
      const T b = p[(ulong)e * inner];                                                           \
      a = combine;                                                                               \
    }                                                                                            \
    y[r] = a;                                                                                    \
  }

REDUCE(sum, (T)((U)a + (U)b))
REDUCE(prod, (T)((U)a * (U)b))
REDUCE(max, a < b ? b : a)
REDUCE(min, b < a ? b : a)

// The index of the greatest element, or of the least; ties go to the lower index.
__kernel void integer_reduce_arg(__global const T *x, __global long *y, int count, int inner,
                                 int results, int wantsLeast) {
  const int r = get_global_id(0);
  if (r >= results) return;
  __global const T *p = x + (ulong)(r / inner) * count * inner + r % inner;
  int best = 0;
  for (int e = 1; e < count; e++) {
    const T v = p[(ulong)e * inner], top = p[(ulong)best * inner];
    if (wantsLeast ? v < top : v > top) best = e;
  }
  y[r] = best;
}
