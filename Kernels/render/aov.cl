// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/queue.cl render/camera.cl render/accumulate.cl
// What camera rays meet first, added up in 64-bit fixed point as radiance is: nothing about the
// order of samples or their batches can move a bit. Run after `surface` at depth zero.

// Words of a pixel's sum: albedo, normal, depth along the camera's axis, rays that met something.
#define FIRST_HIT_WORDS 8u

EX_INLINE long signed_fixed_point(float x) {
    return x < 0.0f ? -fixed_point(-x) : fixed_point(x);
}

__kernel void first_hits(
    __global const uint *restrict blob, __global const uint *restrict state, uint capacity,
    __global long *restrict sums, uint pixels, uint samples, uint is_first) {
    uint first = first_path(pixels), end = end_of_paths(first, pixels);
    vec3 eye = load3(blob + H_CAMERA), forward = load3(blob + H_FORWARD);
    for (uint place = first; place < end; ++place) {
        long sum[FIRST_HIT_WORDS];
        for (uint word = 0u; word < FIRST_HIT_WORDS; ++word) sum[word] = 0;
        for (uint sample = 0u; sample < samples; ++sample) {
            uint slot = sample * pixels + place;
            if (state[P_HIT_PRIMITIVE * capacity + slot] == PRIMITIVE_NONE) continue;
            vec3 albedo = path_vec3(state, capacity, P_BASE, slot);
            vec3 normal = path_vec3(state, capacity, P_SHADING_NORMAL, slot);
            vec3 away = subtract3(path_vec3(state, capacity, P_ORIGIN, slot), eye);
            sum[0] += fixed_point(albedo.x);
            sum[1] += fixed_point(albedo.y);
            sum[2] += fixed_point(albedo.z);
            sum[3] += signed_fixed_point(normal.x);
            sum[4] += signed_fixed_point(normal.y);
            sum[5] += signed_fixed_point(normal.z);
            sum[6] += fixed_point(dot3(away, forward));
            sum[7] += 1;
        }
        __global long *out = sums
            + FIRST_HIT_WORDS * ((place & ~1023u) + tile_row(place) * 32u + tile_column(place));
        for (uint word = 0u; word < FIRST_HIT_WORDS; ++word) {
            out[word] = sum[word] + (is_first ? 0 : out[word]);
        }
    }
}
