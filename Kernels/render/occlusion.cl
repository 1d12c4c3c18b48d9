// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/traverse.cl
// Adds the light that each queued path asked for, where nothing stands between.
__kernel void occlusion(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth) {
    uint item = get_global_id(0);
    if (item >= count) return;
    uint slot = queue[item];
    Hit hit;
    hit.distance = path_float(state, capacity, P_SHADOW_DISTANCE, slot);
    hit.primitive = PRIMITIVE_NONE;
    trace_path(
        blob, state, capacity, slot, P_SHADOW_ORIGIN, P_SHADOW_DIRECTION,
        depth * D_COUNT + D_SHADOW_ALPHA, true, false, &hit);
    if (hit.primitive != PRIMITIVE_NONE) return;
    vec3 radiance = add3(
        path_vec3(state, capacity, P_RADIANCE, slot),
        path_vec3(state, capacity, P_SHADOW_RADIANCE, slot));
    set_path_vec3(state, capacity, P_RADIANCE, slot, radiance);
}
