// What the kernels use of OpenCL's own types and functions, for compilers that read all of it from
// a header of 18,000 lines, 25 ms a program, even where the compiled program is at hand: PoCL's
// name for the program is a hash of the text after the preprocessor. Declared as clang's header
// (opencl-c.h, left out by its guard) declares them, so that the compiled code is the same.
#ifdef EXACT_BUILTINS
#define BUILTIN __attribute__((overloadable, const))
#define BUILTIN_PURE __attribute__((overloadable, pure))
#define BUILTIN_EFFECT __attribute__((overloadable))
#define BUILTIN_SIZES(each, T) each(T, 2) each(T, 3) each(T, 4) each(T, 8) each(T, 16)
#define BUILTIN_ALL(each, T) each(T) each(T##2) each(T##3) each(T##4) each(T##8) each(T##16)
#define BUILTIN_INTEGERS(each)                                                                     \
  each(char) each(uchar) each(short) each(ushort) BUILTIN_ALL(each, int) BUILTIN_ALL(each, uint)   \
  each(long) each(ulong)

// Vectors, and how they are loaded and stored.
#define BUILTIN_VECTOR(T, n)                                                                       \
  typedef T T##n __attribute__((ext_vector_type(n)));                                              \
  T##n BUILTIN_PURE vload##n(size_t, const __global T *);                                          \
  T##n BUILTIN_PURE vload##n(size_t, const __local T *);                                           \
  T##n BUILTIN_PURE vload##n(size_t, const __constant T *);                                        \
  T##n BUILTIN_PURE vload##n(size_t, const __private T *);                                         \
  void BUILTIN_EFFECT vstore##n(T##n, size_t, __global T *);                                       \
  void BUILTIN_EFFECT vstore##n(T##n, size_t, __local T *);                                        \
  void BUILTIN_EFFECT vstore##n(T##n, size_t, __private T *);
BUILTIN_VECTOR(char, 4)
BUILTIN_VECTOR(uchar, 4)
BUILTIN_SIZES(BUILTIN_VECTOR, int)
BUILTIN_SIZES(BUILTIN_VECTOR, uint)
BUILTIN_SIZES(BUILTIN_VECTOR, float)

// The same bits as another type.
#define as_int(x) __builtin_astype((x), int)
#define as_int4(x) __builtin_astype((x), int4)
#define as_int8(x) __builtin_astype((x), int8)
#define as_int16(x) __builtin_astype((x), int16)
#define as_uint(x) __builtin_astype((x), uint)
#define as_uint4(x) __builtin_astype((x), uint4)
#define as_uint8(x) __builtin_astype((x), uint8)
#define as_uint16(x) __builtin_astype((x), uint16)
#define as_long(x) __builtin_astype((x), long)
#define as_ulong(x) __builtin_astype((x), ulong)
#define as_float(x) __builtin_astype((x), float)
#define as_float4(x) __builtin_astype((x), float4)
#define as_float8(x) __builtin_astype((x), float8)
#define as_float16(x) __builtin_astype((x), float16)

// Work-items.
size_t BUILTIN get_global_id(uint);
size_t BUILTIN get_global_size(uint);
size_t BUILTIN get_local_id(uint);
size_t BUILTIN get_group_id(uint);
#define CLK_LOCAL_MEM_FENCE 0x01
#define CLK_GLOBAL_MEM_FENCE 0x02
void __attribute__((overloadable, convergent)) barrier(uint);
#define BUILTIN_ATOMIC(T, S)                                                                       \
  T BUILTIN_EFFECT atomic_add(volatile S T *, T);                                                  \
  T BUILTIN_EFFECT atomic_inc(volatile S T *);                                                     \
  T BUILTIN_EFFECT atomic_max(volatile S T *, T);                                                  \
  T BUILTIN_EFFECT atomic_or(volatile S T *, T);
BUILTIN_ATOMIC(int, __global)
BUILTIN_ATOMIC(uint, __global)
BUILTIN_ATOMIC(int, __local)
BUILTIN_ATOMIC(uint, __local)

// Floats.
#define BUILTIN_FLOAT(T)                                                                           \
  T BUILTIN ceil(T);                                                                               \
  T BUILTIN fabs(T);                                                                               \
  T BUILTIN floor(T);                                                                              \
  T BUILTIN fma(T, T, T);                                                                          \
  T BUILTIN rint(T);                                                                               \
  T BUILTIN sqrt(T);                                                                               \
  T BUILTIN trunc(T);
BUILTIN_ALL(BUILTIN_FLOAT, float)

// Integers.
#ifndef INT_MAX
#define INT_MAX 0x7fffffff
#endif
#define BUILTIN_INTEGER(T)                                                                         \
  T BUILTIN clamp(T, T, T);                                                                        \
  T BUILTIN clz(T);                                                                                \
  T BUILTIN max(T, T);                                                                             \
  T BUILTIN min(T, T);                                                                             \
  T BUILTIN mul_hi(T, T);                                                                          \
  T BUILTIN popcount(T);                                                                           \
  T BUILTIN rotate(T, T);
BUILTIN_INTEGERS(BUILTIN_INTEGER)
#define BUILTIN_ABSOLUTE(T, U) U BUILTIN abs(T);
BUILTIN_ABSOLUTE(char, uchar)
BUILTIN_ABSOLUTE(short, ushort)
BUILTIN_ABSOLUTE(int, uint)
BUILTIN_ABSOLUTE(long, ulong)

// Choice by a mask of the values' width.
#define BUILTIN_SELECT(T, M) T BUILTIN select(T, T, M);
#define BUILTIN_SELECTS(T, M)                                                                      \
  BUILTIN_SELECT(T, M) BUILTIN_SELECT(T##2, M##2) BUILTIN_SELECT(T##3, M##3)                       \
  BUILTIN_SELECT(T##4, M##4) BUILTIN_SELECT(T##8, M##8) BUILTIN_SELECT(T##16, M##16)
BUILTIN_SELECTS(int, int)
BUILTIN_SELECTS(int, uint)
BUILTIN_SELECTS(uint, int)
BUILTIN_SELECTS(uint, uint)
BUILTIN_SELECTS(float, int)
BUILTIN_SELECTS(float, uint)
BUILTIN_SELECT(long, long)
BUILTIN_SELECT(long, ulong)
BUILTIN_SELECT(ulong, long)
BUILTIN_SELECT(ulong, ulong)

// Conversions.
float16 BUILTIN convert_float16(int16);
float BUILTIN convert_float_rte(char);
float BUILTIN convert_float_rte(uchar);
float BUILTIN convert_float_rte(short);
float BUILTIN convert_float_rte(ushort);
float BUILTIN convert_float_rte(int);
float BUILTIN convert_float_rte(uint);
float BUILTIN convert_float_rte(long);
float BUILTIN convert_float_rte(ulong);
float BUILTIN convert_float_rte(float);
int16 BUILTIN convert_int16(float16);
int BUILTIN convert_int_rte(float);
int BUILTIN convert_int_sat(float);
int BUILTIN convert_int_sat_rtz(float);
uint BUILTIN convert_uint_rte(float);
uint BUILTIN convert_uint_sat(float);
uchar BUILTIN convert_uchar_sat_rtz(float);
long BUILTIN convert_long(float);
long BUILTIN convert_long_sat_rtz(float);
#endif
