// needs: render/layout.cl render/random.cl render/texture.cl render/surface.cl render/traverse.cl
// The nearest hit of each queued path's ray.
__kernel void closest(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth) {
    uint item = get_global_id(0);
    if (item >= count) return;
    uint slot = queue[item];
    Ray ray;
    make_ray(
        path_float3(state, capacity, P_ORIGIN, slot),
        path_float3(state, capacity, P_DIRECTION, slot), &ray);
    uint alpha_key = draw_bits(
        state[P_KEY * capacity + slot], state[P_SAMPLE * capacity + slot],
        depth * D_COUNT + D_ALPHA);
    Hit hit;
    hit.distance = 0x1p126f;
    hit.primitive = PRIMITIVE_NONE;
    traverse(blob, &ray, false, depth == 0u, alpha_key, &hit);
    set_path_float(state, capacity, P_HIT_DISTANCE, slot, hit.distance);
    state[P_HIT_PRIMITIVE * capacity + slot] = hit.primitive;
}
