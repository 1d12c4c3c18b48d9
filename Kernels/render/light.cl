// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/environment.cl
// needs: render/queue.cl
// Choosing a light and a point on it. One table holds the environment, the punctual lights and the
// emissive triangles, each with its chance by power. Where there are many (RIGOR_LIGHT_TREE), it
// holds those without a place alone, and a tree the others.

#define EMITTER_ENVIRONMENT 0u
#define EMITTER_PUNCTUAL 1u
#define EMITTER_TRIANGLE 2u

typedef struct {
    vec3 direction; // from the surface, unit
    float distance; // how far the shadow ray goes
    vec3 radiance; // over the chance of choosing it; for area lights also over `density`
    float density; // per solid angle, zero for lights that no ray can hit by chance
} LightSample;

// KHR_lights_punctual: intensity at a distance, with range and cone.
EX_INLINE void punctual_light(__global const uint *light, vec3 from, LightSample *s) {
    uint kind = light[0];
    s->radiance = load3(light + 7);
    s->density = 0.0f;
    if (kind == 0u) {
        s->direction = negate3(load3(light + 4));
        s->distance = 0x1p100f;
        return;
    }
    vec3 toward = subtract3(load3(light + 1), from);
    float squared = dot3(toward, toward);
    squared = squared > 0x1p-60f ? squared : 0x1p-60f;
    float over = ex_rsqrt(squared);
    s->direction = scale3(toward, over);
    s->distance = squared * over;
    float attenuation = ex_rcp(squared);
    float over_range = as_float(light[10]);
    float q = squared * over_range * over_range;
    float window = fma(-q, q, 1.0f);
    if (over_range > 0.0f) attenuation *= window > 0.0f && q < 1.0f ? window : 0.0f;
    if (kind == 2u) {
        float c = -dot3(load3(light + 4), s->direction);
        float cone = fma(c, as_float(light[11]), as_float(light[12]));
        cone = cone < 0.0f ? 0.0f : (cone > 1.0f ? 1.0f : cone);
        attenuation *= cone * cone;
    }
    s->radiance = scale3(s->radiance, attenuation);
}

// Emitted radiance of a triangle at a point of it.
EX_INLINE vec3 emitted_radiance(
    __global const uint *blob, __global const uint *material, const Triangle *t, float u,
    float v) {
    vec3 radiance = load3(material + M_EMISSIVE);
    uint texture = material[M_EMISSIVE_TEXTURE];
    if (texture == TEXTURE_NONE) return radiance;
    Footprint print;
    footprint(blob, t, u, v, 0.0f, &print);
    vec4 texel = sample_texture(blob, texture, &print);
    return multiply3(radiance, make3(texel.x, texel.y, texel.z));
}

EX_INLINE vec3 vertex_position(__global const uint *blob, uint vertex) {
    return load3(SECTION(blob, S_VERTICES) + vertex * VERTEX_WORDS);
}

// A point of an emissive triangle, uniform in area.
EX_INLINE void triangle_light(
    __global const uint *blob, uint primitive, float area_density, vec2 r, vec3 from,
    LightSample *s) {
    Triangle t;
    load_triangle(blob, primitive, &t);
    float root = ex_sqrt(r.x);
    float u = fma(-root, r.y, root), v = root * r.y;
    vec3 a = vertex_position(blob, t.a);
    vec3 ab = subtract3(vertex_position(blob, t.b), a);
    vec3 ac = subtract3(vertex_position(blob, t.c), a);
    vec3 toward = subtract3(fma3(ac, v, fma3(ab, u, a)), from);
    float squared = dot3(toward, toward);
    squared = squared > 0x1p-60f ? squared : 0x1p-60f;
    float over = ex_rsqrt(squared);
    s->direction = scale3(toward, over);
    // Short of the triangle itself, which would stand in its own light.
    s->distance = squared * over * 0x1.ffep-1f;
    float cosine = fabs(dot3(normalize3(cross3(ab, ac)), s->direction));
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    s->radiance = emitted_radiance(blob, material, &t, u, v);
    s->density = cosine > 0x1p-20f ? ex_div(area_density * squared, cosine) : 0.0f;
    if (s->density == 0.0f) s->radiance = same3(0.0f);
}

// The emitter that `choice` falls on.
EX_INLINE __global const uint *pick_emitter(__global const uint *blob, uint choice) {
    __global const uint *emitters = SECTION(blob, S_EMITTERS);
#ifdef RIGOR_LIGHT_TREE
    uint low = 0, high = blob[H_LIGHT_TABLE] - 1u;
#else
    uint low = 0, high = SECTION_COUNT(blob, S_EMITTERS) - 1u;
#endif
    while (low < high) {
        uint middle = (low + high) >> 1;
        if (emitters[middle * EMITTER_WORDS] > choice) high = middle;
        else low = middle + 1;
    }
    return emitters + low * EMITTER_WORDS;
}

// Radiance over the density of the draw.
EX_INLINE void weigh_by_density(LightSample *s) {
    bool is_likely = s->density > 0x1p-30f;
    float over = ex_rcp(is_likely ? s->density : 1.0f);
    s->radiance = is_likely ? scale3(s->radiance, over) : same3(0.0f);
}

// Keeps the light; where it could arrive, `scatter` weighs it.
EX_INLINE void keep_light(
    __global uint *state, uint capacity, uint slot, const LightSample *s) {
    set_path_vec3(state, capacity, P_SHADOW_DIRECTION, slot, s->direction);
    set_path_vec3(state, capacity, P_SHADOW_RADIANCE, slot, s->radiance);
    set_path_float(state, capacity, P_SHADOW_DENSITY, slot, s->density);
    set_path_float(
        state, capacity, P_SHADOW_DISTANCE, slot,
        largest3(s->radiance) > 0.0f ? s->distance : 0.0f);
}

EX_INLINE void environment_light(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, const Cell *cell,
    float chance) {
    LightSample s;
    Patch patch;
    float density;
    s.direction = environment_at(blob, cell, &patch, &density);
    s.distance = 0x1p100f;
    s.density = density * chance;
    s.radiance = patch_radiance(&patch);
    weigh_by_density(&s);
    keep_light(state, capacity, slot, &s);
}

// A punctual light, or a point of a triangle: over the chance of choosing it, or by `area_density`.
EX_INLINE void placed_light(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, bit_pair bits,
    uint emitter, float chance, float area_density) {
    LightSample s;
    uint which = emitter & 0x3fffffffu;
    vec3 from = path_vec3(state, capacity, P_ORIGIN, slot);
    if (emitter >> 30 == EMITTER_PUNCTUAL) {
        punctual_light(SECTION(blob, S_LIGHTS) + which * LIGHT_WORDS, from, &s);
        s.radiance = scale3(s.radiance, ex_rcp(chance));
    } else {
        vec2 r = make2(unit_float(bits.x), unit_float(bits.y));
        triangle_light(blob, which, area_density, r, from, &s);
        weigh_by_density(&s);
    }
    keep_light(state, capacity, slot, &s);
}

#ifdef RIGOR_LIGHT_TREE
EX_INLINE void tree_lights(
    __global const uint *blob, __global uint *state, uint capacity, uint depth, uint count,
    Descents *d) {
    descend_all(blob, state, capacity, count, false, d);
    for (uint i = 0u; i < count; ++i) {
        uint slot = d->slots[i];
        bit_pair bits = draw_pair(
            state[P_KEY * capacity + slot], state[P_SAMPLE * capacity + slot],
            depth * D_COUNT + D_LIGHT);
        __global const uint *emitter = emitter_found(blob, d, i);
        float chance = LIGHT_CHANCE(d->chances[i]);
        placed_light(
            blob, state, capacity, slot, bits, emitter[1], chance,
            chance * as_float(emitter[3]));
    }
}
#endif

// One light by chance for each surface. Those that ask the environment, which has most of a
// scene's light where there is one, go through it side by side.
__kernel void light(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict surfaces, uint depth, __global const uint *restrict counters) {
    uint count = counters[COUNT_SURFACES(depth)];
    uint first = first_path(count), end = end_of_paths(first, count);
    bool is_dark = SECTION_COUNT(blob, S_EMITTERS) == 0u;
    uint slots[PATHS_PER_ITEM];
    Cell cells[PATHS_PER_ITEM];
    uint cell_count = 0u;
#ifdef RIGOR_LIGHT_TREE
    Descents descents;
    uint descent_count = 0u;
#endif
    for (uint item = first; item < end; ++item) {
        uint slot = surfaces[item];
        if (is_dark) {
            set_path_float(state, capacity, P_SHADOW_DISTANCE, slot, 0.0f);
            continue;
        }
        uint key = state[P_KEY * capacity + slot], sample = state[P_SAMPLE * capacity + slot];
        bit_pair choices = draw_pair(key, sample, depth * D_COUNT + D_CHOICE);
        bit_pair bits = draw_pair(key, sample, depth * D_COUNT + D_LIGHT);
#ifdef RIGOR_LIGHT_TREE
        if (choices.x >= blob[H_LIGHT_BASE]) {
            uint choice = (choices.x - blob[H_LIGHT_BASE]) >> 2;
            begin_descent(blob, slot, choice, descent_count++, &descents);
            continue;
        }
#endif
        __global const uint *emitter = pick_emitter(blob, choices.x);
        if (emitter[1] >> 30 == EMITTER_ENVIRONMENT) {
            slots[cell_count] = slot;
            environment_pick(blob, bits, &cells[cell_count++]);
            continue;
        }
        placed_light(
            blob, state, capacity, slot, bits, emitter[1], as_float(emitter[2]),
            as_float(emitter[3]));
    }
#ifdef RIGOR_LIGHT_TREE
    tree_lights(blob, state, capacity, depth, descent_count, &descents);
#endif
    float chance = as_float(blob[H_ENV_CHANCE]);
    PATH_LOOP
    for (uint i = 0u; i < cell_count; ++i) {
        environment_light(blob, state, capacity, slots[i], &cells[i], chance);
    }
}
