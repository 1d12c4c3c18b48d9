// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/density.cl render/bsdf.cl
// needs: render/queue.cl
// What a surface does with light: it weighs the light that was asked, and sends the path on.

// A surface that a path has come to.
typedef struct {
    vec3 position;
    vec3 normal; // geometric
    vec3 throughput;
    vec3 wo; // toward the viewer, in the frame
    Frame frame; // around the shading normal
    Bsdf bsdf;
} Place;

EX_INLINE void load_place(__global const uint *state, uint capacity, uint slot, Place *p) {
    p->position = path_vec3(state, capacity, P_ORIGIN, slot);
    p->normal = path_vec3(state, capacity, P_NORMAL, slot);
    p->throughput = path_vec3(state, capacity, P_THROUGHPUT, slot);
    frame_around(path_vec3(state, capacity, P_SHADING_NORMAL, slot), &p->frame);
    p->wo = to_local(&p->frame, negate3(path_vec3(state, capacity, P_DIRECTION, slot)));
    Bsdf *b = &p->bsdf;
    b->base = path_vec3(state, capacity, P_BASE, slot);
    b->metallic = path_float(state, capacity, P_METALLIC, slot);
    b->alpha = path_float(state, capacity, P_ALPHA, slot);
    b->transmission = path_float(state, capacity, P_TRANSMISSION, slot);
    b->f0 = path_float(state, capacity, P_F0, slot);
    b->eta = path_float(state, capacity, P_ETA, slot);
    b->is_thin = state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_THIN;
    b->specular_chance = specular_chance(b, p->wo.z);
}

// Where a ray leaves a surface: a little off it, on the side it goes to.
EX_INLINE vec3 leave(float offset, const Place *p, vec3 direction) {
    float toward = dot3(direction, p->normal) < 0.0f ? -offset : offset;
    return fma3(p->normal, toward, p->position);
}

// The surface's function, where both normals agree on the side: or light would leak through.
EX_INLINE bool evaluate(const Place *p, vec3 direction, vec3 wi, vec4 *f) {
    if ((wi.z > 0.0f) != (dot3(direction, p->normal) > 0.0f)) return false;
    *f = bsdf_evaluate(&p->bsdf, p->wo, wi);
    return true;
}

// Asks for a shadow ray if the light, weighed, is worth one.
EX_INLINE bool connect(
    __global uint *state, uint capacity, uint slot, float offset, const Place *p) {
    if (path_float(state, capacity, P_SHADOW_DISTANCE, slot) == 0.0f) return false;
    vec3 direction = path_vec3(state, capacity, P_SHADOW_DIRECTION, slot);
    vec4 f;
    if (!evaluate(p, direction, to_local(&p->frame, direction), &f)) return false;
    float density = path_float(state, capacity, P_SHADOW_DENSITY, slot);
    float weight = density > 0.0f ? balance(density, f.w) : 1.0f;
    vec3 arriving = path_vec3(state, capacity, P_SHADOW_RADIANCE, slot);
    vec3 radiance = scale3(
        multiply3(multiply3(p->throughput, make3(f.x, f.y, f.z)), arriving), weight);
    if (!(largest3(radiance) > 0x1p-40f)) return false;
    set_path_vec3(state, capacity, P_SHADOW_ORIGIN, slot, leave(offset, p, direction));
    set_path_vec3(state, capacity, P_SHADOW_RADIANCE, slot, radiance);
    return true;
}

// How a path's cone grows from here on: as wide as a sample's share of what the surface sends out,
// which the density of its direction says.
EX_INLINE void widen(__global uint *state, uint capacity, uint slot, float density) {
    float spread = ex_rsqrt(density) * 0x1p-3f;
    spread = spread < 0x1p-1f ? spread : 0x1p-1f;
    float before = path_float(state, capacity, P_CONE_SPREAD, slot);
    set_path_float(state, capacity, P_CONE_SPREAD, slot, spread > before ? spread : before);
}

// Continues the path; false when it ends here.
EX_INLINE bool go_on(
    __global uint *state, uint capacity, uint slot, float offset, const Place *p, uint depth) {
    uint key = state[P_KEY * capacity + slot], sample = state[P_SAMPLE * capacity + slot];
    bit_pair bits = draw_pair(key, sample, depth * D_COUNT + D_BSDF);
    uint choice = draw_pair(key, sample, depth * D_COUNT + D_CHOICE).y;
    vec2 u = make2(unit_float(bits.x), unit_float(bits.y));
    vec3 wi = bsdf_sample(&p->bsdf, p->wo, u, unit_float(choice));
    if (wi.z == 0.0f) return false;
    vec3 direction = to_world(&p->frame, wi);
    vec4 f;
    if (!evaluate(p, direction, wi, &f) || !(f.w > 0x1p-30f)) return false;
    vec3 throughput = flush3(
        scale3(multiply3(p->throughput, make3(f.x, f.y, f.z)), ex_rcp(f.w)));
    float most = largest3(throughput);
    if (!(most > 0.0f)) return false;
    // Russian roulette with the square root of the throughput, from the second bounce on.
    if (depth > 0u && most < 1.0f) {
        float chance = ex_sqrt(most);
        uint roulette = draw_bits(key, sample, depth * D_COUNT + D_ROULETTE);
        if (unit_float(roulette) >= chance) return false;
        throughput = scale3(throughput, ex_rcp(chance));
    }
    set_path_vec3(state, capacity, P_ORIGIN, slot, leave(offset, p, direction));
    set_path_vec3(state, capacity, P_DIRECTION, slot, normalize3(direction));
    set_path_vec3(state, capacity, P_THROUGHPUT, slot, throughput);
    set_path_float(state, capacity, P_DENSITY, slot, f.w);
    widen(state, capacity, slot, f.w);
    return true;
}

// Queues shadow rays, and the paths that go on.
__kernel void scatter(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict surfaces, uint depth, __global uint *restrict shadows,
    __global uint *restrict next, __global uint *restrict counters) {
    __local uint group[2];
    uint lit[PATHS_PER_ITEM], marks[PATHS_PER_ITEM];
    uint count = counters[COUNT_SURFACES(depth)];
    uint first = first_path(count), end = end_of_paths(first, count);
    float offset = as_float(blob[H_OFFSET]);
    PATH_LOOP
    for (uint item = first; item < end; ++item) {
        uint slot = surfaces[item];
        Place place;
        load_place(state, capacity, slot, &place);
        bool is_lit = connect(state, capacity, slot, offset, &place);
        lit[item - first] = is_lit ? slot : SLOT_NONE;
        bool goes_on = go_on(state, capacity, slot, offset, &place, depth);
        marks[item - first] = goes_on ? slot : SLOT_NONE;
    }
    append(lit, end - first, shadows, counters + COUNT_SHADOWS(depth), group);
    append(marks, end - first, next, counters + COUNT_PATHS(depth + 1u), group);
}
