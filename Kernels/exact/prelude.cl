// First in every program. Contraction would fuse a*b+c where the source does not say fma, and the
// bits would depend on the compiler; the pragma is the only switch OpenCL C has for it.
#pragma OPENCL FP_CONTRACT OFF

// Loops over work-items become vector code only where nothing in them is called.
#define EX_INLINE static inline __attribute__((always_inline))

// The one NaN that exact functions return. Special cases are told apart by integer compares of the
// bits, so that no floating-point option of a compiler can drop them.
#define EX_NAN as_float(0x7fc00000u)
#define EX_INFINITY as_float(0x7f800000u)
#define EX_SIGN 0x80000000u
