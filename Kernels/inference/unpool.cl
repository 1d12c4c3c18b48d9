// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl exact/power.cl inference/order.cl
// needs: inference/reduce.cl inference/layout.cl inference/pool.cl
// Gradients of pooling: each element of a plane gathers, from +0, what the windows over it give, in
// the order of the taps that fall on it.

// The window that has tap (ky, kx) on element (iy, ix); -1 where none has.
int unpool_window(window_shape s, int iy, int ix, int ky, int kx) {
  const int ty = iy + s.top - ky * s.dilationY;
  const int tx = ix + s.left - kx * s.dilationX;
  if (ty < 0 || tx < 0 || ty % s.strideY != 0 || tx % s.strideX != 0) return -1;
  const int oy = ty / s.strideY, ox = tx / s.strideX;
  return oy < s.outHeight && ox < s.outWidth ? oy * s.outWidth + ox : -1;
}

// Whether tap (ky, kx) of a window is the first that equals its maximum `top`.
int unpool_isFirst(__global const float *p, window_shape s, int window, int ky, int kx, float top) {
  const int y0 = window / s.outWidth * s.strideY - s.top;
  const int x0 = window % s.outWidth * s.strideX - s.left;
  for (int k = 0; k < ky * s.kernelWidth + kx; k++) {
    const int iy = y0 + k / s.kernelWidth * s.dilationY;
    const int ix = x0 + k % s.kernelWidth * s.dilationX;
    if (iy < 0 || iy >= s.height || ix < 0 || ix >= s.width) continue;
    if (p[iy * s.width + ix] == top) return 0;
  }
  return 1;
}

// Of maxima `y` of `x`, whose gradient is `g`: a window gives to its first maximum.
// Work-items: (pixels of a plane rounded up, planes).
__kernel void unpool_max(__global const float *x, __global const float *y, __global const float *g,
                         __global float *d, window_shape s) {
  const int pixel = get_global_id(0);
  if (pixel >= s.height * s.width) return;
  const ulong plane = get_global_id(1);
  __global const float *p = x + plane * (ulong)(s.height * s.width);
  const ulong first = plane * (ulong)(s.outHeight * s.outWidth);
  const int iy = pixel / s.width, ix = pixel % s.width;
  float sum = 0.0f;
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    for (int kx = 0; kx < s.kernelWidth; kx++) {
      const int window = unpool_window(s, iy, ix, ky, kx);
      if (window < 0) continue;
      const float top = y[first + window];
      if (p[pixel] == top && unpool_isFirst(p, s, window, ky, kx, top))
        sum = sum + g[first + window];
    }
  }
  d[plane * (ulong)(s.height * s.width) + pixel] = sum;
}

// The same, a plane a work-item: windows give from the last to the first, so that what falls on an
// element comes in the order of its taps. Work-items: (planes rounded up).
__kernel void unpool_max_planes(__global const float *x, __global const float *y,
                                __global const float *g, __global float *d, window_shape s,
                                int planes) {
  const int plane = get_global_id(0);
  if (plane >= planes) return;
  const int pixels = s.height * s.width, windows = s.outHeight * s.outWidth;
  x += plane * (ulong)pixels;
  d += plane * (ulong)pixels;
  y += plane * (ulong)windows;
  g += plane * (ulong)windows;
  for (int i = 0; i < pixels; i++) d[i] = 0.0f;
  for (int oy = s.outHeight - 1; oy >= 0; oy--) {
    for (int ox = s.outWidth - 1; ox >= 0; ox--) {
      const float top = y[oy * s.outWidth + ox];
      int best = -1;
      for (int ky = 0; ky < s.kernelHeight && best < 0; ky++) {
        const int iy = oy * s.strideY - s.top + ky * s.dilationY;
        if (iy < 0 || iy >= s.height) continue;
        for (int kx = 0; kx < s.kernelWidth && best < 0; kx++) {
          const int ix = ox * s.strideX - s.left + kx * s.dilationX;
          if (ix >= 0 && ix < s.width && x[iy * s.width + ix] == top) best = iy * s.width + ix;
        }
      }
      if (best >= 0) d[best] = d[best] + g[oy * s.outWidth + ox];
    }
  }
}

// How many of a window's taps along one axis count, `size` being where those end that do.
int unpool_count(int start, int taps, int dilation, int first, int size) {
  int count = 0;
  for (int k = 0; k < taps; k++) {
    const int at = start + k * dilation;
    if (at >= first && at < size) count++;
  }
  return count;
}

// Of averages: a window gives each of its elements its gradient divided as the average was.
// Work-items: as above.
__kernel void unpool_average(__global const float *g, __global float *d, window_shape s,
                             int countsPadding, int bottom, int right) {
  const int pixel = get_global_id(0);
  if (pixel >= s.height * s.width) return;
  const ulong plane = get_global_id(1);
  const ulong first = plane * (ulong)(s.outHeight * s.outWidth);
  const int iy = pixel / s.width, ix = pixel % s.width;
  float sum = 0.0f;
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    for (int kx = 0; kx < s.kernelWidth; kx++) {
      const int window = unpool_window(s, iy, ix, ky, kx);
      if (window < 0) continue;
      const int y0 = window / s.outWidth * s.strideY - s.top;
      const int x0 = window % s.outWidth * s.strideX - s.left;
      const int rows = unpool_count(y0, s.kernelHeight, s.dilationY, countsPadding ? y0 : 0,
                                    countsPadding ? s.height + bottom : s.height);
      const int columns = unpool_count(x0, s.kernelWidth, s.dilationX, countsPadding ? x0 : 0,
                                       countsPadding ? s.width + right : s.width);
      sum = sum + ex_div(g[first + window], (float)(rows * columns));
    }
  }
  d[plane * (ulong)(s.height * s.width) + pixel] = sum;
}
