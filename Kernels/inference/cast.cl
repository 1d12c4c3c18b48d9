// needs: exact/narrow.cl
// defines: FROM=float TO=int LOAD=cast_as_is STORE=cast_saturate
// Conversions between element types: FROM and TO are OpenCL C's, LOAD says what an element means,
// STORE how that is written. Floats become integers by truncation, saturating; NaN gives 0.
// Integers wrap; booleans are (x != 0). What becomes a float is rounded to nearest, ties to even;
// narrow floats go by way of float.

// A long rounded to float once. Some implementations go by way of double, which rounds twice: so
// what lies below half an ulp becomes one sticky digit first, and double then holds it all.
EX_INLINE float cast_float_from_ulong(ulong whole) {
  const ulong sticky = (whole & ~0xfffful) | ((whole & 0xfffful) != 0ul ? 0x8000ul : 0ul);
  return convert_float_rte(whole >> 40 == 0ul ? whole : sticky);
}
EX_INLINE float cast_float_from_long(long v) {
  const float x = cast_float_from_ulong(v < 0 ? 0ul - (ulong)v : (ulong)v);
  return v < 0 ? -x : x;
}

// Truncation to each type, saturating; not for NaN.
EX_INLINE int cast_int(float v) { return convert_int_sat_rtz(v); }
EX_INLINE long cast_long(float v) { return convert_long_sat_rtz(v); }
EX_INLINE char cast_char(float v) { return (char)clamp(cast_int(v), -128, 127); }
EX_INLINE uchar cast_uchar(float v) { return (uchar)clamp(cast_int(v), 0, 255); }
EX_INLINE short cast_short(float v) { return (short)clamp(cast_int(v), -32768, 32767); }
EX_INLINE ushort cast_ushort(float v) { return (ushort)clamp(cast_int(v), 0, 65535); }
EX_INLINE uint cast_uint(float v) { return (uint)clamp(cast_long(v), 0L, 0xffffffffL); }
EX_INLINE ulong cast_ulong(float v) {
  if (v >= 0x1p64f) return 0xfffffffffffffffful;
  // From 2^63 on every float is even.
  const bool isLarge = v >= 0x1p63f;
  const ulong whole = (ulong)max(cast_long(isLarge ? v * 0.5f : v), 0L);
  return isLarge ? whole << 1 : whole;
}

#define cast_as_is(v) (v)
#define cast_from_half(v) ex_float_from_half(v)
#define cast_from_bfloat16(v) ex_float_from_bfloat16(v)

#define CAST_NAME(type) cast_##type
#define CAST_TO(type) CAST_NAME(type)
#define cast_saturate(v) ((v) != (v) ? (TO)0 : CAST_TO(TO)(v))
#define cast_wrap(v) (TO)(v)
#define cast_to_bool(v) ((v) != 0)
#define cast_to_float(v) convert_float_rte(v)
#define cast_to_half(v) (ushort)ex_half_from_float(cast_to_float(v))
#define cast_to_bfloat16(v) (ushort)ex_bfloat16_from_float(cast_to_float(v))
#define cast_from_long(v) cast_float_from_long(v)
#define cast_from_ulong(v) cast_float_from_ulong(v)
#define cast_from_long_to_half(v) (ushort)ex_half_from_float(cast_float_from_long(v))
#define cast_from_long_to_bfloat16(v) (ushort)ex_bfloat16_from_float(cast_float_from_long(v))
#define cast_from_ulong_to_half(v) (ushort)ex_half_from_float(cast_float_from_ulong(v))
#define cast_from_ulong_to_bfloat16(v) (ushort)ex_bfloat16_from_float(cast_float_from_ulong(v))

// Work-items: (count rounded up).
__kernel void cast(__global const FROM *x, __global TO *y, int count) {
  const int i = get_global_id(0);
  if (i < count) y[i] = STORE(LOAD(x[i]));
}
