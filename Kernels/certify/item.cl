// What every question has in common. One work-item reads four words (operands a, b, c as bits) and
// writes two. Bits stay integers but for the operation in question; NaN becomes one pattern, since
// its payload is nobody's promise.

#define CERTIFY_KERNEL(name) \
    __kernel void name(__global const uint *in, __global uint *out, const uint count, \
                       const float negative_zero)

uint certify_bits(float x) { return x != x ? 0x7fc00000u : as_uint(x); }

#define CERTIFY_FLOAT(name, expression) \
    CERTIFY_KERNEL(name) { \
        const uint i = get_global_id(0); \
        if (i >= count) return; \
        const float a = as_float(in[4 * i]); \
        const float b = as_float(in[4 * i + 1]); \
        const float c = as_float(in[4 * i + 2]); \
        out[2 * i] = certify_bits(expression); \
        out[2 * i + 1] = i ^ as_uint(negative_zero); \
        (void)a; (void)b; (void)c; \
    }
