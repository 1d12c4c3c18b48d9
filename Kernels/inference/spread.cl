// needs: inference/activate.cl inference/gemm_tile.cl inference/layout.cl inference/window.cl
// All phases of planes, zero outside. Work-items: (parts of `rowsEach` rows, planes).
__kernel void window_spread(__global const float *restrict x, __global float *restrict to,
                            window_layout s, int rowsEach, ulong firstPlane) {
  const int begin = get_global_id(0) * rowsEach;
  const ulong plane = get_global_id(1);
  window_spread_global(x + (firstPlane + plane) * (ulong)(s.height * s.width),
                       to + plane * s.planeSize, s, 0, begin, min(s.rows, begin + rowsEach));
}
