// Moves memory, to see how fast it moves. Sizes are in float4.

kernel void bench_fill(global float4 *out, uint count) {
    uint i = (uint)get_global_id(0);
    if (i >= count) return;
    float base = (float)(i & 0xffffu);
    out[i] = (float4)(base, base + 0x1p-4f, base + 0x1p-3f, base + 0x1p-2f);
}

kernel void bench_copy(global const float4 *a, global float4 *out, uint count) {
    uint i = (uint)get_global_id(0);
    if (i < count) out[i] = a[i];
}

// out = a + s b, with one rounding.
kernel void bench_triad(
    global const float4 *a, global const float4 *b, global float4 *out, float s, uint count) {
    uint i = (uint)get_global_id(0);
    if (i < count) out[i] = fma((float4)(s), b[i], a[i]);
}

// As little as a launch can do.
kernel void bench_empty(global uint *out) {
    if (get_global_id(0) == 0) out[0] += 1u;
}
