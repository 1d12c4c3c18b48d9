// defines: T=int
// Moving elements of type T about, row by row, for processors.

// Rows of so many elements are one element again and again, from neighbour to neighbour.
#define COPY_TIMES(times)                                                                        \
  if (inner == times)                                                                            \
    for (int j = begin; j < last; j++) {                                                         \
      const T v = p[j];                                                                          \
      for (int i = 0; i < times; i++) q[j * times + i] = v;                                      \
    }

// As copy_strided. Work-items: (parts of `each` elements, parts of `rowsEach` rows, outermost).
__kernel void copy_rows(__global const T *restrict from, __global T *restrict to, int inner,
                        int middle, int each, int rowsEach, long fromOffset, long toOffset,
                        long f0, long f1, long f2, long t0, long t1, long t2) {
  const int first = get_global_id(0) * each, end = min(inner, first + each);
  const int begin = get_global_id(1) * rowsEach, last = min(middle, begin + rowsEach);
  const long k = get_global_id(2);
  if (f0 == 0 && f1 == 1 && t0 == 1 && t1 == inner && (inner == 2 || inner == 4 || inner == 8)) {
    __global const T *p = from + fromOffset + k * f2;
    __global T *q = to + toOffset + k * t2;
    COPY_TIMES(2)
    COPY_TIMES(4)
    COPY_TIMES(8)
    return;
  }
  for (long j = begin; j < last; j++) {
    __global const T *p = from + fromOffset + k * f2 + j * f1;
    __global T *q = to + toOffset + k * t2 + j * t1;
    if (t0 == 1 && f0 == 1)
      for (int i = first; i < end; i++) q[i] = p[i];
    else
      for (int i = first; i < end; i++) q[i * t0] = p[i * f0];
  }
}

// A place on an axis by its index, from `least` on: a negative one counts from the end. -1 stands
// for one outside.
#define COPY_PLACE(index, least, axis)                                                           \
  ((index) >= (least) && (index) < (axis) ? (int)(index) + ((index) < 0 ? (int)(axis) : 0) : -1)

// As gather and take. Work-items: (parts of `countEach` indices, parts of `outerEach`).
#define COPY_GATHER(name, type)                                                                  \
  __kernel void gather_rows_##name(__global const T *restrict x,                                 \
                                   __global const type *restrict indices, __global T *restrict y, \
                                   int inner, int axis, int least, int count, int outer,         \
                                   int countEach, int outerEach) {                               \
    const int begin = get_global_id(0) * countEach, end = min(count, begin + countEach);         \
    const int first = get_global_id(1) * outerEach, last = min(outer, first + outerEach);        \
    for (ulong o = first; o < last; o++)                                                         \
      for (int n = begin; n < end; n++) {                                                        \
        const int place = COPY_PLACE(indices[n], (type)least, (type)axis);                       \
        __global T *q = y + (o * count + n) * inner;                                             \
        __global const T *p = x + (o * axis + max(place, 0)) * inner;                            \
        if (place >= 0)                                                                          \
          for (int i = 0; i < inner; i++) q[i] = p[i];                                           \
        else                                                                                     \
          for (int i = 0; i < inner; i++) q[i] = (T)0;                                           \
      }                                                                                          \
  }                                                                                              \
  __kernel void take_rows_##name(__global const T *restrict x,                                   \
                                 __global const type *restrict indices, __global T *restrict y,  \
                                 int inner, int axis, int least, int count, int outer,           \
                                 int countEach, int outerEach) {                                 \
    const int begin = get_global_id(0) * countEach, end = min(count, begin + countEach);         \
    const int first = get_global_id(1) * outerEach, last = min(outer, first + outerEach);        \
    for (ulong o = first; o < last; o++)                                                         \
      for (int n = begin; n < end; n++) {                                                        \
        const int place = COPY_PLACE(indices[n], (type)least, (type)axis);                       \
        const T v = x[o * axis + max(place, 0)];                                                 \
        y[o * count + n] = place < 0 ? (T)0 : v;                                                 \
      }                                                                                          \
  }
COPY_GATHER(int, int)
COPY_GATHER(long, long)
