// needs: certify/item.cl
// Known-answer kernels for + - * fma, comparisons, and copies.

CERTIFY_FLOAT(certify_add, a + b)
CERTIFY_FLOAT(certify_subtract, a - b)
CERTIFY_FLOAT(certify_multiply, a * b)
CERTIFY_FLOAT(certify_fma, fma(a, b, c))
// The trap: one expression, which a compiler that contracts turns into an fma.
CERTIFY_FLOAT(certify_multiply_add, a * b + c)
CERTIFY_FLOAT(certify_multiply_subtract, a * b - c)
// The same in a vector, where other patterns match.
CERTIFY_FLOAT(certify_multiply_add4, ((float4)(a, a, a, a) * b + (float4)(c, c, c, c)).z)
// As wide as the device's variant of our kernels goes, with other numbers in the other lanes.
#ifdef RIGOR_NARROW
CERTIFY_FLOAT(certify_fma_wide, fma((float4)(c, b, a, 1.0f), (float4)(b), (float4)(c)).z)
CERTIFY_FLOAT(certify_multiply_add_wide, ((float4)(c, b, a, 1.0f) * (float4)(b) + (float4)(c)).z)
#else
CERTIFY_FLOAT(certify_fma_wide, fma((float16)((float8)(c), (float4)(b), b, c, a, 1.0f),
                                    (float16)(b), (float16)(c)).se)
CERTIFY_FLOAT(certify_multiply_add_wide, ((float16)((float8)(c), (float4)(b), b, c, a, 1.0f)
                                          * (float16)(b) + (float16)(c)).se)
#endif
// The defence that needs no pragma: a zero unknown to the compiler pins the product.
CERTIFY_FLOAT(certify_multiply_add_pinned, fma(a, b, negative_zero) + c)

// Every comparison as one bit, then selections by comparison.
CERTIFY_KERNEL(certify_compare) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    const float a = as_float(in[4 * i]);
    const float b = as_float(in[4 * i + 1]);
    out[2 * i] = (a < b ? 1u : 0u) | (a <= b ? 2u : 0u) | (a == b ? 4u : 0u)
        | (a != b ? 8u : 0u) | (a > b ? 16u : 0u) | (a >= b ? 32u : 0u);
    out[2 * i + 1] = certify_bits(a < b ? a : b);
}

// Floats through registers and memory, untouched; through a sign change, which is exact.
CERTIFY_KERNEL(certify_copy) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    const float a = ((__global const float *)in)[4 * i];
    ((__global float *)out)[2 * i] = in[4 * i + 3] & 1u ? -a : a;
    ((__global float *)out)[2 * i + 1] = fabs(a);
}

// What may be done without breaking fma's answers: whole numbers in floats.
CERTIFY_FLOAT(certify_floor, floor(a))
CERTIFY_FLOAT(certify_ceil, ceil(a))
CERTIFY_FLOAT(certify_trunc, trunc(a))
CERTIFY_FLOAT(certify_rint, rint(a))
