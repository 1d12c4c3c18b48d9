// needs: certify/item.cl
// Integer arithmetic of 32 and 64 bits. Operands a, b, and a 64-bit one made of words 2 and 3.

#define CERTIFY_INTEGER(name, first, second) \
    CERTIFY_KERNEL(name) { \
        const uint i = get_global_id(0); \
        if (i >= count) return; \
        const uint a = in[4 * i]; \
        const uint b = in[4 * i + 1]; \
        out[2 * i] = first; \
        out[2 * i + 1] = second; \
    }

#define CERTIFY_LONG(name, expression) \
    CERTIFY_KERNEL(name) { \
        const uint i = get_global_id(0); \
        if (i >= count) return; \
        const ulong a = ((ulong)in[4 * i + 1] << 32) | in[4 * i]; \
        const ulong b = ((ulong)in[4 * i + 3] << 32) | in[4 * i + 2]; \
        const ulong x = expression; \
        out[2 * i] = (uint)x; \
        out[2 * i + 1] = (uint)(x >> 32); \
        (void)b; \
    }

CERTIFY_INTEGER(certify_multiply_int, a * b, mul_hi(a, b))
CERTIFY_INTEGER(certify_multiply_signed, as_uint(mul_hi(as_int(a), as_int(b))),
                as_uint(as_int(a) < as_int(b) ? 1 : 0))
CERTIFY_INTEGER(certify_shift, (a << (b & 31u)) ^ rotate(a, b & 31u),
                (a >> (b & 31u)) ^ as_uint(as_int(a) >> (int)(b & 31u)))
CERTIFY_INTEGER(certify_divide_int, b == 0u ? 0u : a / b, b == 0u ? 0u : a % b)
CERTIFY_INTEGER(certify_choose, min(a, b) ^ as_uint(max(as_int(a), as_int(b))),
                select(a, b, as_int(a) < 0 ? 0xffffffffu : 0u) ^ abs(as_int(b)))
CERTIFY_INTEGER(certify_count_bits, clz(a), popcount(b))

CERTIFY_LONG(certify_add_long, a + b)
CERTIFY_LONG(certify_subtract_long, a - b)
CERTIFY_LONG(certify_multiply_long, a * b)
CERTIFY_LONG(certify_multiply_high_long, mul_hi(a, b))
CERTIFY_LONG(certify_shift_long, (a << (b & 63ul)) ^ (a >> (b & 63ul))
             ^ as_ulong(as_long(a) >> (long)(b & 63ul)))
CERTIFY_LONG(certify_divide_long, b == 0ul ? 0ul : a / b ^ a % b)
CERTIFY_LONG(certify_compare_long, (a < b ? 1ul : 0ul) | (as_long(a) < as_long(b) ? 2ul : 0ul))
