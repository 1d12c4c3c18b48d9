// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/camera.cl
// Adds a batch's samples to its pixels in 64-bit fixed point (docs/formats.md 1.6): order, batches
// and ranges of samples cannot move a bit. Four words a pixel: red, green, blue, NaN samples.

EX_INLINE long fixed_point(float radiance) {
    if (radiance != radiance) return 0;
    float limited = radiance > 0.0f ? radiance : 0.0f;
    limited = limited < 0x1.fffffep26f ? limited : 0x1.fffffep26f;
    return convert_long(rint(limited * 0x1p20f));
}

__kernel void accumulate(
    __global const uint *state, uint capacity, __global long *sums, uint pixels, uint samples,
    uint is_first) {
    uint place = get_global_id(0);
    if (place >= pixels) return;
    uint2 pixel = tile_pixel(place & 1023u);
    __global long *sum = sums + 4u * ((place & ~1023u) + pixel.y * 32u + pixel.x);
    long r = 0, g = 0, b = 0, bad = 0;
    for (uint i = 0; i < samples; ++i) {
        float3 radiance = path_float3(state, capacity, P_RADIANCE, place * samples + i);
        r += fixed_point(radiance.x);
        g += fixed_point(radiance.y);
        b += fixed_point(radiance.z);
        bad += radiance.x != radiance.x || radiance.y != radiance.y || radiance.z != radiance.z;
    }
    if (!is_first) {
        r += sum[0];
        g += sum[1];
        b += sum[2];
        bad += sum[3];
    }
    sum[0] = r;
    sum[1] = g;
    sum[2] = b;
    sum[3] = bad;
}
