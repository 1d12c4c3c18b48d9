// needs: inference/activate.cl inference/gemm.cl
// Puts a strided matrix into panels of `width` rows (for A) or columns (for B), k slowest inside a
// panel, the last panel filled up with zeros.
//
// Work-items: (depth rounded up, panels, matrices). `line` counts rows or columns.
__kernel void gemm_pack(__global const float *restrict from, __global float *restrict to,
                        int width, int lines, int depth, ulong lineStride, ulong depthStride,
                        ulong fromOffset, ulong fromStride, ulong toStride) {
  const int k = get_global_id(0);
  if (k >= depth) return;
  const int panel = get_global_id(1);
  const ulong matrix = get_global_id(2);
  __global const float *p = from + fromOffset + matrix * fromStride + k * depthStride;
  __global float *q = to + matrix * toStride + ((ulong)panel * depth + k) * width;
  const int first = panel * width;
  const int filled = min(width, lines - first);
  for (int l = 0; l < filled; l++) q[l] = p[(ulong)(first + l) * lineStride];
  for (int l = filled; l < width; l++) q[l] = 0.0f;
}
