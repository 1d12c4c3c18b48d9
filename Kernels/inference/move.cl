// defines: T=int U=uint
// Moving elements of type T about without looking at them.

// Work-items: (innermost rounded up, middle, outermost) of the collapsed shape.
__kernel void copy_strided(__global const T *from, __global T *to, int inner, long fromOffset,
                           long toOffset, long f0, long f1, long f2, long t0, long t1, long t2) {
  const int i = get_global_id(0);
  if (i >= inner) return;
  const long j = get_global_id(1), k = get_global_id(2);
  to[toOffset + k * t2 + j * t1 + i * t0] = from[fromOffset + k * f2 + j * f1 + i * f0];
}

__kernel void fill(__global T *to, int count, ulong bits) {
  const int i = get_global_id(0);
  if (i < count) to[i] = (T)bits;
}

// z = condition ? x : y. Work-items: (innermost rounded up, middle, outermost).
__kernel void choose(__global const uchar *c, __global const T *x, __global const T *y,
                     __global T *z, int inner, ulong cOffset, ulong xOffset, ulong yOffset,
                     ulong zOffset, int c0, int c1, int c2, int x0, int x1, int x2, int y0, int y1,
                     int y2) {
  const int i = get_global_id(0);
  if (i >= inner) return;
  const ulong j = get_global_id(1), k = get_global_id(2);
  const ulong ic = cOffset + k * c2 + j * c1 + (ulong)i * c0;
  const T a = x[xOffset + k * x2 + j * x1 + (ulong)i * x0];
  const T b = y[yOffset + k * y2 + j * y1 + (ulong)i * y0];
  z[zOffset + (k * get_global_size(1) + j) * inner + i] = c[ic] ? a : b;
}

// Rows of an axis by index, from `least` on: a negative index counts from the end, and one outside
// gives zeros.
// Work-items: (inner rounded up, indices, outer).
#define GATHER(name, type)                                                                       \
  __kernel void gather_##name(__global const T *x, __global const type *indices,                 \
                              __global T *y, int inner, int axis, int least) {                   \
    const int i = get_global_id(0);                                                              \
    if (i >= inner) return;                                                                      \
    const ulong n = get_global_id(1), o = get_global_id(2);                                      \
    const type index = indices[n];                                                               \
    const bool inside = index >= (type)least && index < (type)axis;                              \
    const int row = inside ? (int)index + (index < 0 ? axis : 0) : 0;                            \
    const ulong from = (o * axis + row) * inner + i;                                             \
    y[(o * get_global_size(1) + n) * inner + i] = inside ? x[from] : (T)0;                       \
  }

// The same where inner is one. Work-items: (indices rounded up, outer).
#define TAKE(name, type)                                                                         \
  __kernel void take_##name(__global const T *x, __global const type *indices, __global T *y,    \
                            int count, int axis, int least) {                                    \
    const int n = get_global_id(0);                                                              \
    if (n >= count) return;                                                                      \
    const ulong o = get_global_id(1);                                                            \
    const type index = indices[n];                                                               \
    const bool inside = index >= (type)least && index < (type)axis;                              \
    const int row = inside ? (int)index + (index < 0 ? axis : 0) : 0;                            \
    y[o * count + n] = inside ? x[o * axis + row] : (T)0;                                        \
  }

TAKE(int, int)
TAKE(long, long)
GATHER(int, int)
GATHER(long, long)
