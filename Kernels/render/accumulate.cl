// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/queue.cl render/camera.cl
// Adds a batch's samples to its pixels in 64-bit fixed point (docs/formats.md 1.6): order, batches
// and ranges of samples cannot move a bit. Four words a pixel: red, green, blue, NaN samples.

EX_INLINE long fixed_point(float radiance) {
    if (radiance != radiance) return 0;
    float limited = radiance > 0.0f ? radiance : 0.0f;
    limited = limited < 0x1.fffffep26f ? limited : 0x1.fffffep26f;
    return convert_long(rint(limited * 0x1p20f));
}

// A block of pixels, sample by sample. What is outside the frame is added up too; nobody reads it.
__kernel void accumulate(
    __global const uint *restrict state, uint capacity, __global long *restrict sums, uint pixels,
    uint samples, uint is_first) {
    uint first = first_path(pixels), end = end_of_paths(first, pixels);
    long red[PATHS_PER_ITEM], green[PATHS_PER_ITEM], blue[PATHS_PER_ITEM], bad[PATHS_PER_ITEM];
    for (uint i = 0u; i < PATHS_PER_ITEM; ++i) red[i] = green[i] = blue[i] = bad[i] = 0;
    for (uint sample = 0u; sample < samples; ++sample) {
        uint slot = sample * pixels + first;
        PATH_LOOP
        for (uint i = 0u; i < end - first; ++i) {
            vec3 radiance = path_vec3(state, capacity, P_RADIANCE, slot + i);
            red[i] += fixed_point(radiance.x);
            green[i] += fixed_point(radiance.y);
            blue[i] += fixed_point(radiance.z);
            bad[i] += radiance.x != radiance.x || radiance.y != radiance.y
                || radiance.z != radiance.z ? 1 : 0;
        }
    }
    for (uint place = first; place < end; ++place) {
        uint i = place - first;
        __global long *sum =
            sums + 4u * ((place & ~1023u) + tile_row(place) * 32u + tile_column(place));
        sum[0] = red[i] + (is_first ? 0 : sum[0]);
        sum[1] = green[i] + (is_first ? 0 : sum[1]);
        sum[2] = blue[i] + (is_first ? 0 : sum[2]);
        sum[3] = bad[i] + (is_first ? 0 : sum[3]);
    }
}
