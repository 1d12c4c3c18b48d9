// fma from + - * alone, behind the prelude of every program on devices that announce neither a
// fused multiply-add nor subnormals (EXACT_SPLIT_FMA). There the compiler would write each fma out
// in 64-bit integers: minutes for a kernel of ours, against seconds with this.
//
// The exact product as a sum of two (Dekker, "A floating-point technique for extending the
// available precision", 1971; split by mask, so that nothing overflows), then a sum rounded once
// by way of rounding to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums",
// 2008).
// Small products are scaled, so that no part of them is subnormal. Right wherever operands, product
// and result are normal or zero.
#if defined(EXACT_SPLIT_FMA) && !defined(fma)

// x + y, or where that is not exact, the neighbour of the exact sum whose last bit is odd.
EX_INLINE float fma_odd_sum(float x, float y) {
    float s = x + y;
    float t = s - x;
    float rest = (x - (s - t)) + (y - t);
    int bits = as_int(s);
    int step = (rest > 0.0f) == (s > 0.0f) ? 1 : -1;
    return as_float(rest != 0.0f && !(bits & 1) ? bits + step : bits);
}

EX_INLINE float fma_split(float a, float b, float c) {
    float product = a * b;
    bool is_small = fabs(product) < 0x1p-60f;
    float x = a * (is_small ? 0x1p60f : 1.0f);
    float z = c * (is_small ? 0x1p60f : 1.0f);
    float q = x * b;
    float xh = as_float(as_uint(x) & 0xfffff000u), xl = x - xh;
    float bh = as_float(as_uint(b) & 0xfffff000u), bl = b - bh;
    float rest = (((xh * bh - q) + xh * bl) + xl * bh) + xl * bl;
    // q + rest + z: two sums without loss, the third to odd, the last one rounds.
    float low = z + rest, t = low - z;
    float lost = (z - (low - t)) + (rest - t);
    float high = q + low, v = high - q;
    float middle = (q - (high - v)) + (low - v);
    float sum = (high + fma_odd_sum(lost, middle)) * (is_small ? 0x1p-60f : 1.0f);
    // Infinities and NaN, and zeros for their sign: there one step is right.
    return !(fabs(high) < INFINITY) || sum == 0.0f ? product + c : sum;
}

#define FMA_OVERLOAD EX_INLINE __attribute__((overloadable))

FMA_OVERLOAD float fma_by_parts(float a, float b, float c) {
    return fma_split(a, b, c);
}

FMA_OVERLOAD float2 fma_by_parts(float2 a, float2 b, float2 c) {
    return (float2)(fma_split(a.x, b.x, c.x), fma_split(a.y, b.y, c.y));
}

FMA_OVERLOAD float3 fma_by_parts(float3 a, float3 b, float3 c) {
    return (float3)(
        fma_split(a.x, b.x, c.x), fma_split(a.y, b.y, c.y), fma_split(a.z, b.z, c.z));
}

FMA_OVERLOAD float4 fma_by_parts(float4 a, float4 b, float4 c) {
    return (float4)(fma_by_parts(a.lo, b.lo, c.lo), fma_by_parts(a.hi, b.hi, c.hi));
}

#ifndef RIGOR_NARROW
FMA_OVERLOAD float8 fma_by_parts(float8 a, float8 b, float8 c) {
    return (float8)(fma_by_parts(a.lo, b.lo, c.lo), fma_by_parts(a.hi, b.hi, c.hi));
}

FMA_OVERLOAD float16 fma_by_parts(float16 a, float16 b, float16 c) {
    return (float16)(fma_by_parts(a.lo, b.lo, c.lo), fma_by_parts(a.hi, b.hi, c.hi));
}
#endif

// A kernel that says fma says this one from here on.
#define fma fma_by_parts

#endif
