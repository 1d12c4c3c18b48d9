// needs: exact/divide.cl exact/exponential.cl exact/logarithm.cl
// x to the power y, over all pairs of numbers; special cases as in IEEE 754-2019, 9.2.1.

// The bits of |x|^y for finite x other than zero: 2^(y log2|x|), the logarithm in two parts to
// about 2^-36. With a = (m-1)/(m+1): log2 m = a (C + C/3 a^2 + ...), C = 2 log2 e.
EX_INLINE float ex_power_magnitude(uint ux, float y) {
    float k = (float)ex_log_exponent(ux);
    float m = ex_log_fraction(ux);
    // a in two parts, from the exact remainder of its division.
    float g = m + 1.0f;
    float g_low = m - (g - 1.0f);
    float inverse = ex_reciprocal_near(g);
    float a = (m - 1.0f) * inverse;
    float a_low = fma(-a, g_low, fma(-a, g, m - 1.0f)) * inverse;
    // a^2 in two parts.
    float z = a * a;
    float z_low = fma(2.0f * a, a_low, fma(a, a, -z));
    // The series from a^4 on, then C/3 a^2 in two parts with it, then C.
    float p = fma(z, 0x1.2078c4p-2f, 0x1.47b12ep-2f);
    p = fma(p, z, 0x1.a6195p-2f);
    p = fma(p, z, 0x1.2776c4p-1f);
    float v = fma(z, 0x1.ec709ep-1f, p * (z * z));
    float v_low = fma(p, z * z, fma(z, 0x1.ec709ep-1f, -v));
    v_low = fma(z_low, 0x1.ec709ep-1f, fma(z, -0x1.e2fe02p-28f, v_low));
    float w = 0x1.715476p1f + v;
    float w_low = (v - (w - 0x1.715476p1f)) + (v_low + 0x1.4ae0cp-25f);
    // log2|x| = k + a w in two parts.
    float h = a * w;
    float low = fma(a_low, w, fma(a, w_low, fma(a, w, -h)));
    float high = k + h;
    low = (h - (high - k)) + low;
    // Beyond 2^31 every power other than of 1 has left the range of numbers.
    float c = y > 0x1p31f ? 0x1p31f : y;
    c = c < -0x1p31f ? -0x1p31f : c;
    float e = c * high;
    float e_low = fma(c, low, fma(c, high, -e));
    bool over = e > 0x1.02p7f;
    bool under = e < -0x1.3p7f;
    e = over ? 0x1.02p7f : e;
    e = under ? -0x1.3p7f : e;
    float t = e + 0x1.8p23f;
    float r = (e - (t - 0x1.8p23f)) + ((over | under) ? 0.0f : e_low);
    return ex_scale(ex_exp2_near(r), as_uint(t) - 0x4b3fff00u);
}

// At most 1 ulp.
EX_INLINE float ex_pow(float x, float y) {
    uint ux = as_uint(x) & ~EX_SIGN;
    uint uy = as_uint(y) & ~EX_SIGN;
    bool grows = as_uint(y) < EX_SIGN;
    bool negative = as_uint(x) >= EX_SIGN;
    // Bits of y below its units; below 1 and above 2^24 they are all and none.
    int places = 150 - (int)(uy >> 23);
    uint shift = (uint)(places < 0 ? 0 : places > 24 ? 24 : places);
    uint digits = (uy & 0x007fffffu) | 0x00800000u;
    bool whole = (digits & ((1u << shift) - 1u)) == 0u;
    bool odd = whole & (places >= 0) & (((digits >> shift) & 1u) != 0u);

    uint bits = as_uint(ex_power_magnitude(ux, y));
    bits = ux == 0u ? (grows ? 0u : 0x7f800000u) : bits;
    bits = ux == 0x7f800000u ? (grows ? 0x7f800000u : 0u) : bits;
    bits |= (negative & odd) ? EX_SIGN : 0u;
    bool invalid = (ux > 0x7f800000u) | (uy > 0x7f800000u)
        | (negative & !whole & (ux != 0u) & (ux != 0x7f800000u));
    bits = invalid ? 0x7fc00000u : bits;
    return as_float(((uy == 0u) | (as_uint(x) == 0x3f800000u)) ? 0x3f800000u : bits);
}
