// Conversions between element types. Floats become integers by truncation, saturating; NaN gives
// 0. Integers wrap; booleans are (x != 0). Integers become floats rounded to nearest, ties to even.

#define CAST(name, from, to, expression)                                                         \
  __kernel void cast_##name(__global const from *x, __global to *y, int count) {                 \
    const int i = get_global_id(0);                                                              \
    if (i >= count) return;                                                                      \
    const from v = x[i];                                                                         \
    y[i] = expression;                                                                           \
  }

CAST(float_int, float, int, v != v ? 0 : convert_int_sat_rtz(v))
CAST(float_long, float, long, v != v ? 0 : convert_long_sat_rtz(v))
CAST(float_uchar, float, uchar, v != v ? 0 : convert_uchar_sat_rtz(v))
CAST(float_bool, float, uchar, v != 0.0f)
CAST(int_float, int, float, convert_float_rte(v))
CAST(int_long, int, long, v)
CAST(int_uchar, int, uchar, (uchar)(v & 255))
CAST(int_bool, int, uchar, v != 0)
CAST(long_float, long, float, convert_float_rte(v))
CAST(long_int, long, int, (int)(uint)(v & 0xffffffffL))
CAST(long_uchar, long, uchar, (uchar)(v & 255))
CAST(long_bool, long, uchar, v != 0)
CAST(uchar_float, uchar, float, convert_float_rte(v))
CAST(uchar_int, uchar, int, v)
CAST(uchar_long, uchar, long, v)
CAST(uchar_bool, uchar, uchar, v != 0)
