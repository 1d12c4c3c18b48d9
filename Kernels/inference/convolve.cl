// needs: inference/activate.cl inference/gemm.cl inference/pack.cl
// Convolution: the columns of an implicit matrix product, and the depthwise case directly.
//
// k runs as the weights lie: channel of the group, kernel row, kernel column. A tap in the padding
// counts as +0 and is multiplied.
#define CONV_BLOCK 256

typedef struct {
  int channels; // of the input, in one group
  int height, width;
  int outHeight, outWidth;
  int kernelHeight, kernelWidth;
  int strideY, strideX;
  int dilationY, dilationX;
  int top, left; // padding
} conv_shape;

// Panels of `panelWidth` output pixels, from pixel `first` of each matrix (item and group).
// One work-item fills the taps of one channel of one panel. Work-items: (channels, panels,
// matrices).
__kernel void conv_pack(__global const float *restrict x, __global float *restrict panels,
                        conv_shape s, int panelWidth, int first, int pixels, ulong matrixOffset,
                        ulong toStride) {
  const int channel = get_global_id(0), panel = get_global_id(1);
  if (channel >= s.channels) return;
  const ulong matrix = get_global_id(2);
  const int taps = s.kernelHeight * s.kernelWidth;
  const int depth = s.channels * taps;
  __global const float *plane =
      x + ((matrixOffset + matrix) * s.channels + channel) * (ulong)(s.height * s.width);
  __global float *q = panels + matrix * toStride +
                      ((ulong)panel * depth + (ulong)channel * taps) * panelWidth;
  const int begin = first + panel * panelWidth;
  const int end = min(begin + panelWidth, pixels);
  for (int ky = 0; ky < s.kernelHeight; ky++)
    for (int kx = 0; kx < s.kernelWidth; kx++, q += panelWidth) {
      int pixel = begin, l = 0;
      int oy = begin / s.outWidth, ox = begin % s.outWidth;
      while (pixel < end) { // one row of the output at a time
        const int run = min(s.outWidth - ox, end - pixel);
        const int iy = oy * s.strideY - s.top + ky * s.dilationY;
        const int ix = ox * s.strideX - s.left + kx * s.dilationX;
        if (iy < 0 || iy >= s.height) {
          for (int r = 0; r < run; r++) q[l + r] = 0.0f;
        } else if (ix >= 0 && ix + (run - 1) * s.strideX < s.width) {
          __global const float *p = plane + iy * s.width + ix;
          if (s.strideX == 1)
            for (int r = 0; r < run; r++) q[l + r] = p[r];
          else
            for (int r = 0; r < run; r++) q[l + r] = p[r * s.strideX];
        } else {
          for (int r = 0; r < run; r++) {
            const int i = ix + r * s.strideX;
            q[l + r] = i >= 0 && i < s.width ? plane[iy * s.width + i] : 0.0f;
          }
        }
        pixel += run;
        l += run;
        ox = 0;
        oy++;
      }
      for (; l < panelWidth; l++) q[l] = 0.0f;
    }
}

// One input channel a group, `multiplier` outputs each. Work-items: (pixels rounded up, channels
// out, items).
__kernel void conv_depthwise(__global const float *restrict x, __global const float *restrict w,
                             __global const float *restrict bias, __global float *restrict y,
                             conv_shape s, int channelsOut, int multiplier, int hasBias,
                             int activation, float low, float high) {
  const int pixel = get_global_id(0);
  const int pixels = s.outHeight * s.outWidth;
  if (pixel >= pixels) return;
  const int channel = get_global_id(1);
  const ulong item = get_global_id(2);
  const int channelsIn = channelsOut / multiplier;
  __global const float *plane =
      x + (item * channelsIn + channel / multiplier) * (ulong)(s.height * s.width);
  const int taps = s.kernelHeight * s.kernelWidth;
  __global const float *pw = w + (ulong)channel * taps;
  const int y0 = pixel / s.outWidth * s.strideY - s.top;
  const int x0 = pixel % s.outWidth * s.strideX - s.left;
  float total = 0.0f, sum = 0.0f;
  int k = 0;
  for (int ky = 0; ky < s.kernelHeight; ky++) {
    const int iy = y0 + ky * s.dilationY;
    for (int kx = 0; kx < s.kernelWidth; kx++, k++) {
      if (k != 0 && k % CONV_BLOCK == 0) {
        total = k == CONV_BLOCK ? sum : total + sum;
        sum = 0.0f;
      }
      const int ix = x0 + kx * s.dilationX;
      const bool inside = iy >= 0 && iy < s.height && ix >= 0 && ix < s.width;
      const float v = inside ? plane[iy * s.width + ix] : 0.0f;
      sum = fma(pw[k], v, sum);
    }
  }
  float out = taps <= CONV_BLOCK ? sum : total + sum;
  if (hasBias) out = out + bias[channel];
  y[(item * channelsOut + channel) * pixels + pixel] = gemm_activate(out, activation, low, high);
}
