// needs: exact/divide.cl exact/root.cl exact/logarithm.cl exact/trigonometric.cl
// Random words that are a function of a key and a place, and numbers made of such words.

// Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3", 2011): the first word of the place (x, y, z, 0) under a key of two words; the second
// word goes to *second.
EX_INLINE uint ex_philox(uint x, uint y, uint z, uint low, uint high, uint *second) {
    uint w = 0u;
    for (int round = 0; round < 10; round++) {
        uint a = mul_hi(x, 0xd2511f53u);
        uint b = mul_hi(z, 0xcd9e8d57u);
        uint below = x * 0xd2511f53u;
        x = b ^ y ^ low;
        y = z * 0xcd9e8d57u;
        z = a ^ w ^ high;
        w = below;
        low += 0x9e3779b9u;
        high += 0xbb67ae85u;
    }
    *second = y;
    return x;
}

// In [0, 1): the top 24 bits, exactly.
EX_INLINE float ex_unit(uint bits) {
    return (float)(bits >> 8) * 0x1p-24f;
}

// A number with mean 0 and variance 1 by Box and Muller's way: a radius of which (0, 1] is made by
// the top 24 bits of `first`, in the direction that those of `second` are of a turn. At most 5.77.
EX_INLINE float ex_normal(uint first, uint second) {
    float square = 2.0f * ex_log((float)((first >> 8) + 1u) * 0x1p-24f);
    float radius = ex_sqrt(as_float(as_uint(square) & ~EX_SIGN));
    // The nearest quarter of a turn, and the rest on either side of it.
    uint turn = second >> 8;
    uint quarter = (turn + 0x200000u) >> 22;
    int rest = (int)turn - (int)(quarter << 22);
    return radius * ex_sin_quadrant((float)rest * 0x1.921fb6p-22f, quarter + 1u, 0u);
}
