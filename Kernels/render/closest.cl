// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl render/traverse.cl
// The nearest hit of each queued path's ray.
__kernel void closest(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth) {
    Rays rays;
    rays.blob = blob;
    rays.state = state;
    rays.capacity = capacity;
    rays.depth = depth;
    rays.is_shadow = false;
    uint first = first_path(count);
    trace(&rays, queue, first, end_of_paths(first, count));
}
