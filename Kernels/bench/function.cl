// needs: exact/divide.cl exact/root.cl exact/exponential.cl exact/logarithm.cl
// needs: exact/trigonometric.cl exact/power.cl
// One exact function over and over, on numbers in [1, 2). Results meet by exclusive or, which has
// no order and no rounding.

#if BENCH_FUNCTION == 0
#define CALL(x) ex_div(0x1.921fb6p+1f, (x))
#elif BENCH_FUNCTION == 1
#define CALL(x) ex_sqrt(x)
#elif BENCH_FUNCTION == 2
#define CALL(x) ex_exp(x)
#elif BENCH_FUNCTION == 3
#define CALL(x) ex_log(x)
#elif BENCH_FUNCTION == 4
#define CALL(x) ex_sin(x)
#else
#define CALL(x) ex_pow((x), 0x1.19999ap+1f)
#endif

kernel void bench_function(global uint *out, uint count, uint rounds) {
    uint item = (uint)get_global_id(0);
    if (item >= count) return;
    uint all = 0u;
    for (uint round = 0; round < rounds; round++) {
        // A different fraction for every item and round.
        uint fraction = (item * 0x9e3779b9u + round * 0x85ebca6bu) >> 9;
        all ^= as_uint(CALL(as_float(0x3f800000u | fraction)));
    }
    out[item] = all;
}
