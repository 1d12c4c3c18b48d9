// Chains of fma that wait for nothing but themselves: what the device's arithmetic can reach.
//
// Every lane is a chain of its own whose start is its number, so the bits do not depend on how many
// lanes a vector has. |x| stays between 1/2 and 2: far from subnormal numbers.

#ifdef RIGOR_NARROW
#define LANES 4
typedef float4 bench_vector;
#define STORE vstore4
#define NUMBERS (float4)(0.0f, 1.0f, 2.0f, 3.0f)
#else
#define LANES 16
typedef float16 bench_vector;
#define STORE vstore16
#define NUMBERS \
    (float16)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f, 9.0f, 10.0f, 11.0f, 12.0f, \
              13.0f, 14.0f, 15.0f)
#endif

// Eight chains a lane, 2 * 8 operations a round and lane; `out` holds all lanes of a chain in turn.
kernel void bench_peak(global float *out, uint lanes, uint rounds) {
    uint item = (uint)get_global_id(0);
    if (item * LANES >= lanes) return;
    float first = (float)(item * LANES);
    bench_vector x0 = fma(NUMBERS + first, (bench_vector)(0x1p-24f), (bench_vector)(1.0f));
    bench_vector x1 = x0 + 0x1p-6f, x2 = x0 + 0x2p-6f, x3 = x0 + 0x3p-6f;
    bench_vector x4 = x0 + 0x4p-6f, x5 = x0 + 0x5p-6f, x6 = x0 + 0x6p-6f, x7 = x0 + 0x7p-6f;
    // x = a x + b jumps from one side of its fixed point, about 1, to the other, and a is so near
    // to -1 that no chain settles there within thousands of rounds.
    bench_vector a = (bench_vector)(-0x1.fffp-1f), b = (bench_vector)(0x1.fff8p+0f);
    for (uint round = 0; round < rounds; round++) {
        x0 = fma(a, x0, b);
        x1 = fma(a, x1, b);
        x2 = fma(a, x2, b);
        x3 = fma(a, x3, b);
        x4 = fma(a, x4, b);
        x5 = fma(a, x5, b);
        x6 = fma(a, x6, b);
        x7 = fma(a, x7, b);
    }
    STORE(x0, item, out);
    STORE(x1, item, out + lanes);
    STORE(x2, item, out + 2 * lanes);
    STORE(x3, item, out + 3 * lanes);
    STORE(x4, item, out + 4 * lanes);
    STORE(x5, item, out + 5 * lanes);
    STORE(x6, item, out + 6 * lanes);
    STORE(x7, item, out + 7 * lanes);
}
