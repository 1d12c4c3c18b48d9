// Conversions between element types. Floats become integers by truncation, saturating; NaN gives
// 0. Integers wrap; booleans are (x != 0). Integers become floats rounded to nearest, ties to even.

// A long rounded to float once. Some implementations go by way of double, which rounds twice: so
// what lies below half an ulp becomes one sticky digit first, and double then holds it all.
float cast_float_from_long(long v) {
  const ulong whole = v < 0 ? 0ul - (ulong)v : (ulong)v;
  const ulong sticky = (whole & ~0xfffful) | ((whole & 0xfffful) != 0ul ? 0x8000ul : 0ul);
  const float x = convert_float_rte(whole >> 40 == 0ul ? whole : sticky);
  return v < 0 ? -x : x;
}

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
CAST(long_float, long, float, cast_float_from_long(v))
CAST(long_int, long, int, (int)(uint)(v & 0xffffffffL))
CAST(long_uchar, long, uchar, (uchar)(v & 255))
CAST(long_bool, long, uchar, v != 0)
CAST(uchar_float, uchar, float, convert_float_rte(v))
CAST(uchar_int, uchar, int, v)
CAST(uchar_long, uchar, long, v)
CAST(uchar_bool, uchar, uchar, v != 0)
