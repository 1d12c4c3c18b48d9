// needs: certify/item.cl
// Conversions between integers and floats: ties, signs, limits.

#define CERTIFY_CONVERT(name, first, second) \
    CERTIFY_KERNEL(name) { \
        const uint i = get_global_id(0); \
        if (i >= count) return; \
        const uint a = in[4 * i]; \
        const ulong wide = ((ulong)in[4 * i + 1] << 32) | a; \
        out[2 * i] = first; \
        out[2 * i + 1] = second; \
        (void)wide; \
    }

// In range only: out of range is undefined.
CERTIFY_CONVERT(certify_float_to_int, as_uint((int)as_float(a)),
                as_uint(convert_int_rte(as_float(a))))
CERTIFY_CONVERT(certify_float_to_uint, (uint)fabs(as_float(a)), convert_uint_rte(fabs(as_float(a))))
CERTIFY_CONVERT(certify_int_to_float, as_uint((float)as_int(a)), as_uint((float)a))
CERTIFY_CONVERT(certify_long_to_float, as_uint((float)as_long(wide)), as_uint((float)wide))

// Truncated to 64 bits, whose halves are compared.
CERTIFY_CONVERT(certify_float_to_long, (uint)((ulong)(long)as_float(a)),
                (uint)((ulong)(long)as_float(a) >> 32))

CERTIFY_CONVERT(certify_saturate_others, convert_uchar_sat_rtz(as_float(a)),
                (uint)((ulong)convert_long_sat_rtz(as_float(a)) >> 32))

// Out of range clamps and NaN becomes zero, when asked for.
CERTIFY_CONVERT(certify_saturate, as_uint(convert_int_sat(as_float(a))),
                convert_uint_sat(as_float(a)))
