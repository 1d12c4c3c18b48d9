// needs: exact/narrow.cl certify/item.cl
// Narrowing to binary16 and bfloat16 behind arithmetic: rounded to float first, then narrowed, by
// integer code. A compiler that merges both steps rounds once, and is wrong on ties.

#define CERTIFY_NARROW(name, expression) \
    CERTIFY_KERNEL(name) { \
        const uint i = get_global_id(0); \
        if (i >= count) return; \
        const float a = as_float(in[4 * i]); \
        const float b = as_float(in[4 * i + 1]); \
        const float c = as_float(in[4 * i + 2]); \
        const float x = expression; \
        out[2 * i] = ex_half_from_float(x); \
        out[2 * i + 1] = ex_bfloat16_from_float(x); \
        (void)b; (void)c; \
    }

CERTIFY_NARROW(certify_narrow, a)
CERTIFY_NARROW(certify_narrow_product, fma(a, b, negative_zero))
CERTIFY_NARROW(certify_narrow_fma, fma(a, b, c))

// Widening is exact.
CERTIFY_KERNEL(certify_widen) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    out[2 * i] = certify_bits(ex_float_from_half(in[4 * i] & 0xffffu));
    out[2 * i + 1] = certify_bits(ex_float_from_bfloat16(in[4 * i] & 0xffffu));
}
