// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/traverse.cl
// The nearest hit of each queued path's ray.
__kernel void closest(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth) {
    uint item = get_global_id(0);
    if (item >= count) return;
    uint slot = queue[item];
    Hit hit;
    hit.distance = 0x1p126f;
    hit.primitive = PRIMITIVE_NONE;
    trace_path(
        blob, state, capacity, slot, P_ORIGIN, P_DIRECTION, depth * D_COUNT + D_ALPHA, false,
        depth == 0u, &hit);
    set_path_float(state, capacity, P_HIT_DISTANCE, slot, hit.distance);
    state[P_HIT_PRIMITIVE * capacity + slot] = hit.primitive;
}
