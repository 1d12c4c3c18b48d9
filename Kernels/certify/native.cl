// needs: exact/divide.cl exact/root.cl certify/item.cl
// The device's own division and square root, built with the option that asks for correct rounding.
// Only the certificate's program defines the macro.

#ifdef EXACT_NATIVE_PROBE
CERTIFY_FLOAT(certify_native_divide, a / b)
CERTIFY_FLOAT(certify_native_sqrt, sqrt(a))

// The same beside our own routines, on many more numbers than have an answer written down: an item
// counts the pairs on which both give the same bits, from its word y up.
#define CERTIFY_PAIRS 1024u

uint certify_mix(uint x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

// Pairs of any bits: subnormal numbers, infinities and NaN among them.
CERTIFY_KERNEL(certify_divide_beside) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    uint same = in[4 * i + 1];
    for (uint j = 0; j < CERTIFY_PAIRS; j++) {
        const uint bits = certify_mix(in[4 * i] + j);
        const float a = as_float(bits);
        // Every other divisor is of the dividend's size.
        const uint other = certify_mix(bits + 1u);
        const float b = as_float(j & 1u ? (other & 0x807fffffu) | (bits & 0x7f800000u) : other);
        same += certify_bits(a / b) == certify_bits(ex_div(a, b)) ? 1u : 0u;
    }
    out[2 * i] = same;
    out[2 * i + 1] = i ^ as_uint(negative_zero);
}

// Neighbouring numbers from word x up, which all items together take through [1, 4), where every
// root of a normal number has its digits; and as many of any bits.
CERTIFY_KERNEL(certify_sqrt_beside) {
    const uint i = get_global_id(0);
    if (i >= count) return;
    uint same = in[4 * i + 1];
    for (uint j = 0; j < in[4 * i + 2]; j++) {
        const uint bits = in[4 * i] + j;
        const float a = as_float(bits);
        const float b = as_float(certify_mix(bits));
        same += certify_bits(sqrt(a)) == certify_bits(ex_sqrt(a)) ? 1u : 0u;
        same += certify_bits(sqrt(b)) == certify_bits(ex_sqrt(b)) ? 1u : 0u;
    }
    out[2 * i] = same;
    out[2 * i + 1] = i ^ as_uint(negative_zero);
}
#endif
