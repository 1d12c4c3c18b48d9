// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/density.cl render/bsdf.cl
// What a surface does with light: it weighs the light that was asked, and sends the path on.

// Where a ray leaves a surface: a little off it, on the side it goes to.
EX_INLINE float3 leave(float offset, float3 position, float3 normal, float3 direction) {
    float toward = dot3(direction, normal) < 0.0f ? -offset : offset;
    return fma(normal, (float3)toward, position);
}

// Asks for a shadow ray if the light, weighed, is worth one.
EX_INLINE bool connect(
    __global uint *state, uint capacity, uint slot, float3 origin, float3 throughput, float4 f) {
    float density = path_float(state, capacity, P_SHADOW_DENSITY, slot);
    float weight = density > 0.0f ? balance(density, f.w) : 1.0f;
    float3 arriving = path_float3(state, capacity, P_SHADOW_RADIANCE, slot);
    float3 radiance = throughput * f.xyz * arriving * weight;
    if (!(largest3(radiance) > 0x1p-40f)) return false;
    set_path_float3(state, capacity, P_SHADOW_ORIGIN, slot, origin);
    set_path_float3(state, capacity, P_SHADOW_RADIANCE, slot, radiance);
    return true;
}

// Continues the path; false when it ends here.
EX_INLINE bool go_on(
    __global uint *state, uint capacity, uint slot, float3 origin, float3 direction,
    float3 throughput, float4 f, uint roulette, uint depth) {
    if (!(f.w > 0x1p-30f)) return false;
    throughput = flush3(throughput * f.xyz * ex_rcp(f.w));
    float most = largest3(throughput);
    if (!(most > 0.0f)) return false;
    // Russian roulette with the square root of the throughput, from the second bounce on.
    if (depth > 0u && most < 1.0f) {
        float chance = ex_sqrt(most);
        if (unit_float(roulette) >= chance) return false;
        throughput *= ex_rcp(chance);
    }
    set_path_float3(state, capacity, P_ORIGIN, slot, origin);
    set_path_float3(state, capacity, P_DIRECTION, slot, normalize3(direction));
    set_path_float3(state, capacity, P_THROUGHPUT, slot, throughput);
    set_path_float(state, capacity, P_DENSITY, slot, f.w);
    return true;
}

EX_INLINE void load_bsdf(__global const uint *state, uint capacity, uint slot, Bsdf *b) {
    b->base = path_float3(state, capacity, P_BASE, slot);
    b->metallic = path_float(state, capacity, P_METALLIC, slot);
    b->alpha = path_float(state, capacity, P_ALPHA, slot);
    b->transmission = path_float(state, capacity, P_TRANSMISSION, slot);
    b->f0 = path_float(state, capacity, P_F0, slot);
    b->eta = path_float(state, capacity, P_ETA, slot);
    b->is_thin = state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_THIN;
}

// Queues shadow rays, and the paths that go on.
__kernel void scatter(
    __global const uint *blob, __global uint *state, uint capacity,
    __global const uint *surfaces, uint depth, __global uint *shadows, __global uint *next,
    __global uint *counters) {
    uint item = get_global_id(0);
    if (item >= counters[COUNT_SURFACES(depth)]) return;
    uint slot = surfaces[item];
    float3 position = path_float3(state, capacity, P_ORIGIN, slot);
    float3 normal = path_float3(state, capacity, P_NORMAL, slot);
    float3 throughput = path_float3(state, capacity, P_THROUGHPUT, slot);
    Frame frame;
    frame_around(path_float3(state, capacity, P_SHADING_NORMAL, slot), &frame);
    float3 wo = to_local(&frame, -path_float3(state, capacity, P_DIRECTION, slot));
    Bsdf bsdf;
    load_bsdf(state, capacity, slot, &bsdf);
    bsdf.specular_chance = specular_chance(&bsdf, wo.z);
    uint key = state[P_KEY * capacity + slot], sample = state[P_SAMPLE * capacity + slot];
    uint first = depth * D_COUNT;
    // First toward the light, then wherever the surface sends the path: one place in the code for
    // both, since the surface's function is most of it.
    for (uint i = 0; i < 2u; ++i) {
        float3 direction, wi;
        if (i == 0u) {
            if (path_float(state, capacity, P_SHADOW_DISTANCE, slot) == 0.0f) continue;
            direction = path_float3(state, capacity, P_SHADOW_DIRECTION, slot);
            wi = to_local(&frame, direction);
        } else {
            uint2 bits = draw_pair(key, sample, first + D_BSDF);
            uint choice = draw_pair(key, sample, first + D_CHOICE).y;
            float2 u = (float2)(unit_float(bits.x), unit_float(bits.y));
            wi = bsdf_sample(&bsdf, wo, u, unit_float(choice));
            if (wi.z == 0.0f) continue;
            direction = to_world(&frame, wi);
        }
        // The two normals must agree on the side, or light would leak through.
        if ((wi.z > 0.0f) != (dot3(direction, normal) > 0.0f)) continue;
        float4 f = bsdf_evaluate(&bsdf, wo, wi);
        float3 origin = leave(as_float(blob[H_OFFSET]), position, normal, direction);
        if (i == 0u) {
            if (connect(state, capacity, slot, origin, throughput, f)) {
                shadows[atomic_inc(counters + COUNT_SHADOWS(depth))] = slot;
            }
        } else {
            uint roulette = draw_bits(key, sample, first + D_ROULETTE);
            if (go_on(state, capacity, slot, origin, direction, throughput, f, roulette, depth)) {
                next[atomic_inc(counters + COUNT_PATHS(depth + 1u))] = slot;
            }
        }
    }
}
