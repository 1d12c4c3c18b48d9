// First in every program. Contraction would fuse a*b+c where the source does not say fma, and the
// bits would depend on the compiler; the pragma is the only switch OpenCL C has for it.
#pragma OPENCL FP_CONTRACT OFF

// Every function is inlined. Loops over work-items become vector code only where nothing in them is
// called; and Intel's runtime for processors (2026.22), packing 16 work-items into a vector, gives
// all of them the first one's values where a function that is not inlined gets a pointer. Mesa's
// rusticl (22.3) inlines by itself, and skips whole loops where the compiler did so before it.
#ifdef EXACT_CALLS
#define EX_INLINE static
#else
#define EX_INLINE static inline __attribute__((always_inline))
#endif

// Large functions that each do much for one work-item stay apart where the host says that calls are
// sound: compilers take several times as long for one function of them all.
#ifdef EXACT_APART
#define EX_APART static __attribute__((noinline))
#else
#define EX_APART EX_INLINE
#endif

// The one NaN that exact functions return. Special cases are told apart by integer compares of the
// bits, so that no floating-point option of a compiler can drop them.
#define EX_NAN as_float(0x7fc00000u)
#define EX_INFINITY as_float(0x7f800000u)
#define EX_SIGN 0x80000000u
