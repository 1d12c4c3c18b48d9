// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl
// Begins one path a slot. Slots run over tiles, then pixels of a tile, then samples, so that
// neighbours in the queue look through the same pixel.

// The place of a pixel in its 32×32 tile, along a Morton curve.
EX_INLINE uint2 tile_pixel(uint index) {
    uint x = (index & 1u) | ((index >> 1) & 2u) | ((index >> 2) & 4u) | ((index >> 3) & 8u)
        | ((index >> 4) & 16u);
    uint y = ((index >> 1) & 1u) | ((index >> 2) & 2u) | ((index >> 3) & 4u) | ((index >> 4) & 8u)
        | ((index >> 5) & 16u);
    return (uint2)(x, y);
}

__kernel void camera(
    __global const uint *blob, __global uint *state, uint capacity, __global uint *queue,
    __global uint *counters, __global const uint *tiles, uint tile_count, uint first_sample,
    uint samples) {
    uint slot = get_global_id(0);
    if (slot >= tile_count * 1024u * samples) return;
    uint sample = first_sample + slot % samples;
    uint place = slot / samples;
    uint2 pixel = tile_pixel(place & 1023u);
    uint tile = tiles[place >> 10];
    uint width = blob[H_WIDTH], height = blob[H_HEIGHT];
    uint tiles_wide = (width + 31u) >> 5;
    uint x = (tile % tiles_wide) * 32u + pixel.x;
    uint y = (tile / tiles_wide) * 32u + pixel.y;
    set_path_float3(state, capacity, P_RADIANCE, slot, (float3)(0.0f));
    if (x >= width || y >= height) return;

    uint key = pixel_key(blob[H_SEED_LOW], blob[H_SEED_HIGH], y * width + x);
    uint2 bits = draw_pair(key, sample, D_FILM);
    float fx = (float)x + unit_float(bits.x), fy = (float)y + unit_float(bits.y);
    float sx = fma(fx, as_float(blob[H_TWO_OVER_WIDTH]), -1.0f);
    float sy = fma(-fy, as_float(blob[H_TWO_OVER_HEIGHT]), 1.0f);
    float3 origin = blob_float3(blob + H_CAMERA);
    float3 forward = blob_float3(blob + H_FORWARD);
    float3 across = fma(blob_float3(blob + H_UP), (float3)sy, blob_float3(blob + H_RIGHT) * sx);
    bool is_orthographic = blob[H_CAMERA_FLAGS] & 1u;
    float3 direction = is_orthographic ? forward : normalize3(forward + across);
    if (is_orthographic) origin += across;

    set_path_float3(state, capacity, P_ORIGIN, slot, origin);
    set_path_float3(state, capacity, P_DIRECTION, slot, direction);
    set_path_float3(state, capacity, P_THROUGHPUT, slot, (float3)(1.0f));
    set_path_float(state, capacity, P_DENSITY, slot, 0.0f);
    state[P_KEY * capacity + slot] = key;
    state[P_SAMPLE * capacity + slot] = sample;
    queue[atomic_inc(counters + COUNT_PATHS(0u))] = slot;
}
