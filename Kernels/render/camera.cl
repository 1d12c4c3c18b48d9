// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/queue.cl
// Begins one path a slot. Slots run over samples, then tiles, then the pixels of a tile along a
// Morton curve, so that neighbours in the queue look through neighbouring pixels.

// The place of a pixel in its 32×32 tile.
EX_INLINE uint tile_column(uint index) {
    return (index & 1u) | ((index >> 1) & 2u) | ((index >> 2) & 4u) | ((index >> 3) & 8u)
        | ((index >> 4) & 16u);
}

EX_INLINE uint tile_row(uint index) { return tile_column(index >> 1); }

// The ray through a point of a thin lens that meets the pinhole's ray where that is in focus.
// `across`: from the axis to the pixel, at distance one.
EX_INLINE void pass_lens(
    __global const uint *blob, uint key, uint sample, vec3 across, vec3 *origin, vec3 *direction) {
    float radius = as_float(blob[H_LENS_RADIUS]);
    bit_pair bits = draw_pair(key, sample, D_LENS);
    vec2 turn = unit_circle(unit_float(bits.x));
    float reach = radius * ex_sqrt(unit_float(bits.y));
    vec3 right = normalize3(load3(blob + H_RIGHT)), up = normalize3(load3(blob + H_UP));
    vec3 aside = fma3(up, turn.y * reach, scale3(right, turn.x * reach));
    vec3 focus = scale3(add3(load3(blob + H_FORWARD), across), as_float(blob[H_FOCUS_DISTANCE]));
    *direction = normalize3(subtract3(focus, aside));
    *origin = add3(*origin, aside);
}

// The path of a sample through pixel (x, y).
EX_INLINE void begin_path(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint x, uint y,
    uint sample) {
    uint key = pixel_key(blob[H_SEED_LOW], blob[H_SEED_HIGH], y * blob[H_WIDTH] + x);
    bit_pair bits = draw_pair(key, sample, D_FILM);
    float fx = (float)x + unit_float(bits.x), fy = (float)y + unit_float(bits.y);
    float sx = fma(fx, as_float(blob[H_TWO_OVER_WIDTH]), -1.0f);
    float sy = fma(-fy, as_float(blob[H_TWO_OVER_HEIGHT]), 1.0f);
    vec3 forward = load3(blob + H_FORWARD);
    vec3 origin = load3(blob + H_CAMERA);
    vec3 across = fma3(load3(blob + H_UP), sy, scale3(load3(blob + H_RIGHT), sx));
    bool is_orthographic = blob[H_CAMERA_FLAGS] & 1u;
    vec3 direction = normalize3(add3(forward, across));
    if (is_orthographic) {
        direction = forward;
        origin = add3(origin, across);
    }
    if (blob[H_LENS_RADIUS] != 0u) {
        pass_lens(blob, key, sample, across, &origin, &direction);
    }
    set_path_vec3(state, capacity, P_RADIANCE, slot, same3(0.0f));
    set_path_vec3(state, capacity, P_ORIGIN, slot, origin);
    set_path_vec3(state, capacity, P_DIRECTION, slot, direction);
    set_path_vec3(state, capacity, P_THROUGHPUT, slot, same3(1.0f));
    set_path_float(state, capacity, P_DENSITY, slot, 0.0f);
    set_path_float(state, capacity, P_CONE_WIDTH, slot, as_float(blob[H_CONE_WIDTH]));
    set_path_float(state, capacity, P_CONE_SPREAD, slot, as_float(blob[H_CONE_SPREAD]));
    state[P_KEY * capacity + slot] = key;
    state[P_SAMPLE * capacity + slot] = sample;
}

// Work-items: (pixels of the tiles, samples). A tile's word is its column, and above 16 bits its
// row.
__kernel void camera(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global uint *restrict queue, __global uint *restrict counters,
    __global const uint *restrict tiles, uint pixels, uint first_sample) {
    __local uint group[2];
    uint marks[PATHS_PER_ITEM];
    uint sample = get_global_id(1);
    uint first = first_path(pixels), end = end_of_paths(first, pixels);
    PATH_LOOP
    for (uint place = first; place < end; ++place) {
        uint slot = sample * pixels + place;
        uint tile = tiles[place >> 10];
        uint x = (tile & 0xffffu) * 32u + tile_column(place);
        uint y = (tile >> 16) * 32u + tile_row(place);
        begin_path(blob, state, capacity, slot, x, y, first_sample + sample);
        marks[place - first] = x < blob[H_WIDTH] && y < blob[H_HEIGHT] ? slot : SLOT_NONE;
    }
    append(marks, end - first, queue, counters + COUNT_PATHS(0u), group);
}
