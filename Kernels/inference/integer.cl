// defines: T=int U=uint
// Elementwise operators on integer tensors of type T (int, long or uchar), with broadcasting by
// strides. Arithmetic wraps. Booleans are bytes, 0 or 1.

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

__kernel void integer_not(__global const T *x, __global T *y, int count) {
  const int i = get_global_id(0);
  if (i < count) y[i] = x[i] == 0;
}
