// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/density.cl render/bsdf.cl
// needs: render/queue.cl
// What a surface does with light: it weighs the light that was asked, and sends the path on.
//
// In scenes with layered materials there are two kernels: RIGOR_MIXED leaves those surfaces out,
// and RIGOR_LAYERED takes no others, one after the other.

// A surface that a path has come to.
typedef struct {
    vec3 position;
    vec3 normal; // geometric
    vec3 throughput;
    vec3 wo; // toward the viewer, in the frame
    Frame frame; // around the shading normal
    Bsdf bsdf;
#ifdef RIGOR_LAYERED
    Layers layers;
#endif
#ifdef RIGOR_MEDIA
    uint interface;
    float straight; // the part of light that an interface of no index lets by as it came
#endif
} Place;

#ifdef RIGOR_MEDIA
// Between two solids of one index there is nothing to be refracted: a part of the light goes on
// straight, and the rest meets the surface without its clear part, which neither reflects nor
// transmits.
EX_INLINE void take_out_straight(__global const uint *state, uint capacity, uint slot, Place *p) {
    Bsdf *b = &p->bsdf;
    p->interface = state[P_INTERFACE * capacity + slot];
    p->straight = 0.0f;
    if (p->interface == INTERFACE_NONE || b->eta != 1.0f) return;
    p->straight = (1.0f - b->metallic) * b->transmission;
    float metallic = p->straight < 1.0f ? ex_div(b->metallic, 1.0f - p->straight) : 0.0f;
    b->metallic = metallic < 1.0f ? metallic : 1.0f;
    b->transmission = 0.0f;
    b->f0 = 0.0f;
#ifdef RIGOR_LAYERED
    b->specular = same3(0.0f);
#endif
}
#endif

EX_INLINE void finish_place(__global const uint *state, uint capacity, uint slot, Place *p) {
#ifdef RIGOR_MEDIA
    take_out_straight(state, capacity, slot, p);
#endif
    p->bsdf.specular_chance = specular_chance(&p->bsdf, p->wo.z);
}

// (An argument that only some builds read would keep loops from becoming vector code: hence two
// functions.)
EX_INLINE void load_place(__global const uint *state, uint capacity, uint slot, Place *p) {
    p->position = path_vec3(state, capacity, P_ORIGIN, slot);
    p->normal = path_vec3(state, capacity, P_NORMAL, slot);
    p->throughput = path_vec3(state, capacity, P_THROUGHPUT, slot);
    frame_around(path_vec3(state, capacity, P_SHADING_NORMAL, slot), &p->frame);
#ifdef RIGOR_LAYERED
    turn_frame(path_vec3(state, capacity, P_TANGENT, slot), &p->frame);
#endif
    p->wo = to_local(&p->frame, negate3(path_vec3(state, capacity, P_DIRECTION, slot)));
    Bsdf *b = &p->bsdf;
    b->base = path_vec3(state, capacity, P_BASE, slot);
    b->metallic = path_float(state, capacity, P_METALLIC, slot);
    b->alpha = path_float(state, capacity, P_ALPHA, slot);
    b->transmission = path_float(state, capacity, P_TRANSMISSION, slot);
    b->f0 = path_float(state, capacity, P_F0, slot);
    b->eta = path_float(state, capacity, P_ETA, slot);
    b->is_thin = state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_THIN;
#ifndef RIGOR_LAYERED
    finish_place(state, capacity, slot, p);
#endif
}

#ifdef RIGOR_LAYERED
EX_INLINE void load_layered(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot, Place *p) {
    load_place(state, capacity, slot, p);
    vec3 toward_viewer = negate3(path_vec3(state, capacity, P_DIRECTION, slot));
    load_layers(blob, state, capacity, slot, toward_viewer, &p->frame, &p->bsdf, &p->layers);
    finish_place(state, capacity, slot, p);
}
#endif

// Where a ray leaves a surface: a little off it, on the side it goes to.
EX_INLINE vec3 leave(float offset, const Place *p, vec3 direction) {
    float toward = dot3(direction, p->normal) < 0.0f ? -offset : offset;
    return fma3(p->normal, toward, p->position);
}

// The surface's function, where both normals agree on the side: or light would leak through.
EX_INLINE bool evaluate(
    __global const uint *state, uint capacity, uint slot, const Place *p, vec3 direction, vec3 wi,
    vec4 *f) {
    if ((wi.z > 0.0f) != (dot3(direction, p->normal) > 0.0f)) return false;
#ifdef RIGOR_LAYERED
    *f = layered_evaluate(&p->layers, &p->bsdf, p->wo, wi, direction);
    keep_band(state, capacity, slot, wi, f);
#else
    *f = bsdf_evaluate(&p->bsdf, p->wo, wi);
#endif
    return true;
}

#ifdef RIGOR_MEDIA
// What the medium leaves of light that comes from as far as the shadow ray goes.
EX_INLINE vec3 shadow_transmittance(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot,
    const Place *p, vec3 wi) {
    uint medium = wi.z > 0.0f ? medium_before(state, capacity, slot, p->interface)
                              : medium_after(state, capacity, slot, p->interface);
    return transmittance(blob, medium, path_float(state, capacity, P_SHADOW_DISTANCE, slot));
}

// Whether the path goes straight on through an interface of no index. Nothing that asks for light
// sees through it, so that what lies behind counts in full when the path finds it.
EX_INLINE bool go_straight(
    __global uint *state, uint capacity, uint slot, float offset, const Place *p, float choice) {
    if (!(choice < p->straight)) return false;
    vec3 direction = path_vec3(state, capacity, P_DIRECTION, slot);
    set_path_vec3(state, capacity, P_ORIGIN, slot, leave(offset, p, direction));
    set_path_float(state, capacity, P_DENSITY, slot, 0.0f);
    cross_interface(state, capacity, slot, p->interface);
    return true;
}
#endif

// Asks for a shadow ray if the light, weighed, is worth one.
EX_INLINE bool connect(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, float offset,
    const Place *p, uint depth) {
    if (path_float(state, capacity, P_SHADOW_DISTANCE, slot) == 0.0f) return false;
    vec3 direction = path_vec3(state, capacity, P_SHADOW_DIRECTION, slot);
    vec3 wi = to_local(&p->frame, direction);
    vec4 f;
    if (!evaluate(state, capacity, slot, p, direction, wi, &f)) return false;
    float density = path_float(state, capacity, P_SHADOW_DENSITY, slot);
    float own = f.w;
#ifdef RIGOR_MEDIA
    own *= 1.0f - p->straight;
#endif
    float weight = density > 0.0f ? balance(density, own) : 1.0f;
#ifdef RIGOR_MEDIA
    weight *= 1.0f - p->straight;
#endif
    vec3 arriving = path_vec3(state, capacity, P_SHADOW_RADIANCE, slot);
    vec3 radiance = scale3(
        multiply3(multiply3(p->throughput, make3(f.x, f.y, f.z)), arriving), weight);
#ifdef RIGOR_MEDIA
    radiance = multiply3(radiance, shadow_transmittance(blob, state, capacity, slot, p, wi));
#endif
    if (depth > 0u) radiance = limit_indirect(blob, radiance);
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
    float choice = unit_float(draw_pair(key, sample, depth * D_COUNT + D_CHOICE).y);
    vec2 u = make2(unit_float(bits.x), unit_float(bits.y));
#ifdef RIGOR_MEDIA
    if (go_straight(state, capacity, slot, offset, p, choice)) return true;
    choice = ex_div(choice - p->straight, 1.0f - p->straight);
#endif
#ifdef RIGOR_LAYERED
    vec3 wi = layered_sample(&p->layers, &p->bsdf, &p->frame, p->wo, u, choice);
#else
    vec3 wi = bsdf_sample(&p->bsdf, p->wo, u, choice);
#endif
    if (wi.z == 0.0f) return false;
    vec3 direction = to_world(&p->frame, wi);
    vec4 f;
    if (!evaluate(state, capacity, slot, p, direction, wi, &f)) return false;
    if (!(f.w > 0x1p-30f)) return false;
    // (How likely it is not to go straight is in what it finds and in its chance alike.)
    float density = f.w;
    vec3 throughput = flush3(
        scale3(multiply3(p->throughput, make3(f.x, f.y, f.z)), ex_rcp(density)));
#ifdef RIGOR_MEDIA
    density *= 1.0f - p->straight;
#endif
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
    set_path_float(state, capacity, P_DENSITY, slot, density);
    widen(state, capacity, slot, density);
#ifdef RIGOR_MEDIA
    if (wi.z < 0.0f) cross_interface(state, capacity, slot, p->interface);
#endif
#ifdef RIGOR_LAYERED
    if (wi.z < 0.0f && state[P_BAND * capacity + slot] & 3u) {
        state[P_BAND * capacity + slot] |= BAND_CHOSEN;
    }
#endif
    return true;
}

#if defined(RIGOR_MIXED) || defined(RIGOR_LAYERED)
EX_INLINE bool is_ours(__global const uint *state, uint capacity, uint slot) {
    bool is_layered = state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_LAYERED;
#ifdef RIGOR_LAYERED
    return is_layered;
#else
    return !is_layered;
#endif
}
#endif

#ifdef RIGOR_LAYERED
#define SCATTER_KERNEL scatter_layered
#define SCATTER_LOOP
#else
#define SCATTER_KERNEL scatter
#define SCATTER_LOOP PATH_LOOP
#endif

#if defined(RIGOR_MIXED) || defined(RIGOR_LAYERED)
#define SLOT_OF(item) ours[item]
#else
#define SLOT_OF(item) surfaces[item]
#endif

// Queues shadow rays, and the paths that go on.
__kernel void SCATTER_KERNEL(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict surfaces, uint depth, __global uint *restrict shadows,
    __global uint *restrict next, __global uint *restrict counters) {
    __local uint group[2];
    uint lit[PATHS_PER_ITEM], marks[PATHS_PER_ITEM];
    uint count = counters[COUNT_SURFACES(depth)];
    uint first = first_path(count), end = end_of_paths(first, count);
    float offset = as_float(blob[H_OFFSET]);
#if defined(RIGOR_MIXED) || defined(RIGOR_LAYERED)
    uint ours[PATHS_PER_ITEM];
    uint ours_count = 0u;
    for (uint item = first; item < end; ++item) {
        if (is_ours(state, capacity, surfaces[item])) ours[ours_count++] = surfaces[item];
    }
    first = 0u;
    end = ours_count;
#endif
    // Written with `surfaces` itself and from `first` on: a compiler turns the loop into vector
    // code so, and neither with another pointer nor with another count.
    SCATTER_LOOP
    for (uint item = first; item < end; ++item) {
        uint slot = SLOT_OF(item);
        Place place;
#ifdef RIGOR_LAYERED
        load_layered(blob, state, capacity, slot, &place);
#else
        load_place(state, capacity, slot, &place);
#endif
        bool is_lit = connect(blob, state, capacity, slot, offset, &place, depth);
        lit[item - first] = is_lit ? slot : SLOT_NONE;
        bool goes_on = go_on(state, capacity, slot, offset, &place, depth);
        marks[item - first] = goes_on ? slot : SLOT_NONE;
    }
    append(lit, end - first, shadows, counters + COUNT_SHADOWS(depth), group);
    append(marks, end - first, next, counters + COUNT_PATHS(depth + 1u), group);
}
