// defines: T=int
// Moving elements of type T about, row by row, for processors.

// As copy_strided. Work-items: (parts of `each` elements, parts of `rowsEach` rows, outermost).
__kernel void copy_rows(__global const T *restrict from, __global T *restrict to, int inner,
                        int middle, int each, int rowsEach, long fromOffset, long toOffset,
                        long f0, long f1, long f2, long t0, long t1, long t2) {
  const int first = get_global_id(0) * each, end = min(inner, first + each);
  const int begin = get_global_id(1) * rowsEach, last = min(middle, begin + rowsEach);
  const long k = get_global_id(2);
  for (long j = begin; j < last; j++) {
    __global const T *p = from + fromOffset + k * f2 + j * f1;
    __global T *q = to + toOffset + k * t2 + j * t1;
    if (t0 == 1 && f0 == 1)
      for (int i = first; i < end; i++) q[i] = p[i];
    else
      for (int i = first; i < end; i++) q[i * t0] = p[i * f0];
  }
}
