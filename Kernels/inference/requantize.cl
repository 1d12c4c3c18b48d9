// needs: exact/divide.cl
// Sums of integers as 8-bit integers of another scale, as the operators one by one have it:
// round((sum + bias) · factor ÷ unit) + zero, saturating, each operation rounded to float.

// Work-items: (parts of `each` elements of a plane, planes).
__kernel void requantize(__global const int *restrict x, __global const int *restrict bias,
                         __global const float *restrict factors,
                         __global const float *restrict units, __global const uchar *restrict zero,
                         __global uchar *restrict y, int pixels, int each, int channels,
                         int hasBias, int byChannel, int isSigned) {
  const int begin = get_global_id(0) * each, end = min(pixels, begin + each);
  const ulong plane = get_global_id(1);
  const int channel = (int)(plane % channels);
  const int more = hasBias ? bias[channel] : 0;
  const float factor = factors[byChannel ? channel : 0], unit = units[0];
  const int point = isSigned ? (int)(char)zero[0] : (int)zero[0];
  const int low = isSigned ? -128 : 0, high = low + 255;
  x += plane * pixels;
  y += plane * pixels;
  for (int i = begin; i < end; i++) {
    const float v = rint(ex_div(convert_float_rte(x[i] + more) * factor, unit));
    const float clipped = v < -255.0f ? -255.0f : (v > 255.0f ? 255.0f : v);
    const int whole = clipped != clipped ? 0 : convert_int_sat_rtz(clipped);
    y[i] = (uchar)clamp(whole + point, low, high);
  }
}
