// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/power.cl inference/order.cl
// needs: inference/reduce.cl inference/layout.cl
// Pooling windows over planes of height x width. Elements are those inside the plane, row by row;
// averages sum them by sixteen lanes and the fixed tree.

// Work-items: (output pixels rounded up, planes).
__kernel void pool_max(__global const float *x, __global float *y, window_shape s) {
  const int pixel = get_global_id(0);
  if (pixel >= s.outHeight * s.outWidth) return;
  const ulong plane = get_global_id(1);
  __global const float *p = x + plane * (ulong)(s.height * s.width);
  const int y0 = pixel / s.outWidth * s.strideY - s.top;
  const int x0 = pixel % s.outWidth * s.strideX - s.left;
  float best = as_float(0xff800000);
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    const int iy = y0 + ky * s.dilationY;
    if (iy < 0 || iy >= s.height) continue;
    for (int kx = 0; kx < s.kernelWidth; kx++) {
      const int ix = x0 + kx * s.dilationX;
      if (ix >= 0 && ix < s.width) best = ew_max(best, p[iy * s.width + ix]);
    }
  }
  y[plane * (ulong)(s.outHeight * s.outWidth) + pixel] = best;
}

// The divisor is the number of elements, or with `countsPadding` that of the window inside the
// padded plane (`bottom` and `right` are its paddings there). Work-items: as above.
__kernel void pool_average(__global const float *x, __global float *y, window_shape s,
                           int countsPadding, int bottom, int right) {
  const int pixel = get_global_id(0);
  if (pixel >= s.outHeight * s.outWidth) return;
  const ulong plane = get_global_id(1);
  __global const float *p = x + plane * (ulong)(s.height * s.width);
  const int y0 = pixel / s.outWidth * s.strideY - s.top;
  const int x0 = pixel % s.outWidth * s.strideX - s.left;
  float lanes[16];
  for (int l = 0; l < 16; l++) lanes[l] = 0.0f;
  int element = 0, padded = 0;
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    const int iy = y0 + ky * s.dilationY;
    for (int kx = 0; kx < s.kernelWidth; kx++) {
      const int ix = x0 + kx * s.dilationX;
      if (iy < s.height + bottom && ix < s.width + right) padded++;
      if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
      const float v = p[iy * s.width + ix];
      lanes[element & 15] = element < 16 ? v : lanes[element & 15] + v;
      element++;
    }
  }
  for (int w = 8; w > 0; w >>= 1)
    for (int l = 0; l < w; l++) lanes[l] = lanes[l] + lanes[l + w];
  const int divisor = countsPadding ? padded : element;
  y[plane * (ulong)(s.outHeight * s.outWidth) + pixel] = ex_div(lanes[0], (float)divisor);
}
