// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/environment.cl
// needs: render/density.cl render/queue.cl render/meeting.cl
// Where a ray ends: light found by chance is collected, and what was met is kept for the stages
// that follow.

EX_INLINE void add_radiance(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth,
    vec3 radiance) {
    if (depth > 1u) radiance = limit_indirect(blob, radiance);
    vec3 sum = add3(path_vec3(state, capacity, P_RADIANCE, slot), radiance);
    set_path_vec3(state, capacity, P_RADIANCE, slot, sum);
}

// The ray left the scene.
EX_INLINE void escape(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth) {
    vec3 direction = path_vec3(state, capacity, P_DIRECTION, slot);
    vec3 throughput = path_vec3(state, capacity, P_THROUGHPUT, slot);
    Patch patch;
    environment_patch(blob, environment_uv(direction), &patch);
    float density = path_float(state, capacity, P_DENSITY, slot);
    float weight = 1.0f;
    if (density > 0.0f) {
        float squared = fma(direction.x, direction.x, direction.z * direction.z);
        float sine = squared > 0x1p-40f ? ex_sqrt(squared) : 0x1p-20f;
        float other = patch_density(blob, &patch, sine) * as_float(blob[H_ENV_CHANCE]);
        weight = balance(density, other);
    }
    vec3 radiance = patch_radiance(&patch);
    add_radiance(
        blob, state, capacity, slot, depth, scale3(multiply3(throughput, radiance), weight));
}

// What a block's materials have from their textures: one after the other, since reading texels here
// and there is nothing that vectors are good at. White where there is no texture.
typedef struct {
    float base[3][PATHS_PER_ITEM];
    float roughness[PATHS_PER_ITEM];
    float metallic[PATHS_PER_ITEM];
    float normal[3][PATHS_PER_ITEM];
    float emissive[3][PATHS_PER_ITEM];
    float transmission[PATHS_PER_ITEM];
} Texels;

EX_INLINE void read_texels(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth, uint i,
    Texels *texels) {
    Meeting m;
    meet(blob, state, capacity, slot, &m);
    __global const uint *material = SECTION(blob, S_MATERIALS) + m.t.material * MATERIAL_WORDS;
    float width = fma(
        path_float(state, capacity, P_CONE_SPREAD, slot),
        path_float(state, capacity, P_HIT_DISTANCE, slot),
        path_float(state, capacity, P_CONE_WIDTH, slot));
    set_path_float(state, capacity, P_CONE_WIDTH, slot, width);
    Footprint print;
    cone_footprint(blob, state, capacity, slot, depth, &m, width, &print);
    vec4 color = vertex_color(blob, material, &m.t, m.u, m.v);
    color = multiply4(color, material_texel(blob, material, M_BASE_TEXTURE, &print));
    texels->base[0][i] = color.x;
    texels->base[1][i] = color.y;
    texels->base[2][i] = color.z;
    vec4 texel = material_texel(blob, material, M_ROUGHNESS_TEXTURE, &print);
    texels->roughness[i] = texel.y;
    texels->metallic[i] = texel.z;
    texel = material_texel(blob, material, M_NORMAL_TEXTURE, &print);
    texels->normal[0][i] = texel.x;
    texels->normal[1][i] = texel.y;
    texels->normal[2][i] = texel.z;
    texel = tint_emission(
        blob, material, &m.t, m.u, m.v,
        material_texel(blob, material, M_EMISSIVE_TEXTURE, &print));
    texels->emissive[0][i] = texel.x;
    texels->emissive[1][i] = texel.y;
    texels->emissive[2][i] = texel.z;
    texels->transmission[i] =
        material_texel(blob, material, M_TRANSMISSION_TEXTURE, &print).x;
}

#ifdef RIGOR_MEDIA
// Takes from the path what the medium on the way took, and keeps the interface that it came to.
EX_INLINE void arrive_in_medium(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth,
    __global const uint *material, const Meeting *m) {
    if (depth == 0u) {
        for (uint i = 0u; i < MEDIA_MAX; ++i) {
            state[(P_MEDIA + i) * capacity + slot] = MEDIUM_NONE;
        }
    }
    uint leaves = m->side > 0.0f ? 0u : INTERFACE_LEAVES;
    uint interface =
        material[M_FLAGS] & MATERIAL_SOLID ? m->t.material | leaves : INTERFACE_NONE;
    state[P_INTERFACE * capacity + slot] = interface;
    vec3 left = transmittance(
        blob, medium_before(state, capacity, slot, interface),
        path_float(state, capacity, P_HIT_DISTANCE, slot));
    vec3 throughput = path_vec3(state, capacity, P_THROUGHPUT, slot);
    set_path_vec3(state, capacity, P_THROUGHPUT, slot, flush3(multiply3(throughput, left)));
}
#endif

EX_INLINE float at_most_one(float x) { return x > 1.0f ? 1.0f : x; }

// Keeps what the ray met, with the material's parameters at the point.
EX_INLINE void keep_surface(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, const Meeting *m, vec3 normal, vec3 toward_viewer, uint i,
    const Texels *texels) {
    vec3 base = flush3(make3(texels->base[0][i], texels->base[1][i], texels->base[2][i]));
    float roughness = as_float(material[M_ROUGHNESS]) * texels->roughness[i];
    float alpha = roughness * roughness;
    float ior = as_float(material[M_IOR]);
    uint flags = material[M_FLAGS];
    set_path_vec3(
        state, capacity, P_ORIGIN, slot, fma3(m->ac, m->v, fma3(m->ab, m->u, m->a)));
    set_path_vec3(state, capacity, P_NORMAL, slot, normal);
    set_path_vec3(
        state, capacity, P_BASE, slot,
        make3(at_most_one(base.x), at_most_one(base.y), at_most_one(base.z)));
    set_path_float(
        state, capacity, P_METALLIC, slot,
        as_float(material[M_METALLIC]) * texels->metallic[i]);
    set_path_float(state, capacity, P_ALPHA, slot, alpha > 0x1p-10f ? alpha : 0x1p-10f);
    set_path_float(
        state, capacity, P_TRANSMISSION, slot,
        as_float(material[M_TRANSMISSION]) * texels->transmission[i]);
    set_path_float(state, capacity, P_F0, slot, as_float(material[M_F0]));
#ifdef RIGOR_MEDIA
    uint interface = state[P_INTERFACE * capacity + slot];
    float eta = interface == INTERFACE_NONE
        ? ior : relative_index(blob, state, capacity, slot, interface);
#else
    float eta = ior; // of thin walls
#endif
    set_path_float(state, capacity, P_ETA, slot, eta);
    state[P_SURFACE_FLAGS * capacity + slot] = flags;
    vec3 bent = shading_normal(
        blob, m, normal, toward_viewer, material[M_NORMAL_TEXTURE] != TEXTURE_NONE,
        make3(texels->normal[0][i], texels->normal[1][i], texels->normal[2][i]),
        as_float(material[M_NORMAL_SCALE]));
    set_path_vec3(state, capacity, P_SHADING_NORMAL, slot, bent);
}

// The light of a triangle that a ray met by chance.
EX_INLINE void collect(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth,
    uint primitive, vec3 direction, vec3 throughput, vec3 normal, vec3 emitted) {
    float density = path_float(state, capacity, P_DENSITY, slot);
    float distance = path_float(state, capacity, P_HIT_DISTANCE, slot);
    float weight = 1.0f;
    if (density > 0.0f) {
        float other = triangle_density(blob, primitive, direction, normal, distance);
#ifdef RIGOR_LIGHT_TREE
        other *= path_float(state, capacity, P_LIGHT_CHANCE, slot);
#endif
        weight = balance(density, other);
    }
    add_radiance(
        blob, state, capacity, slot, depth, scale3(multiply3(throughput, emitted), weight));
}

EX_INLINE bool is_emissive(__global const uint *blob, uint primitive) {
    uint material = SECTION(blob, S_TRIANGLES)[primitive * TRIANGLE_WORDS + 3];
    return SECTION(blob, S_MATERIALS)[material * MATERIAL_WORDS + M_FLAGS] & MATERIAL_EMISSIVE;
}

#ifdef RIGOR_LIGHT_TREE
// The chances that the surfaces, from which paths went on, had to ask for the triangles that these
// met by chance; zero where no such chance counts.
EX_INLINE void chances_of_hits(
    __global const uint *blob, __global uint *state, uint capacity, const uint *hits,
    uint hit_count) {
    Descents d;
    uint count = 0u;
    bool has_triangles = SECTION_COUNT(blob, S_TRIANGLE_EMITTERS) != 0u;
    for (uint i = 0u; i < hit_count; ++i) {
        uint slot = hits[i];
        set_path_float(state, capacity, P_LIGHT_CHANCE, slot, 0.0f);
        if (!has_triangles) continue;
#ifdef RIGOR_INSTANCES
        uint primitive = stored_triangle(blob, state, capacity, slot);
#else
        uint primitive = state[P_HIT_PRIMITIVE * capacity + slot];
#endif
        uint emitter = SECTION(blob, S_TRIANGLE_EMITTERS)[primitive];
        if (emitter == EMITTER_NONE) continue;
        if (!(path_float(state, capacity, P_DENSITY, slot) > 0.0f)) continue;
        uint trail = SECTION(blob, S_EMITTERS)[emitter * EMITTER_WORDS];
        begin_descent(blob, slot, trail, count++, &d);
    }
    descend_all(blob, state, capacity, count, true, &d);
    for (uint i = 0u; i < count; ++i) {
        set_path_float(state, capacity, P_LIGHT_CHANCE, d.slots[i], LIGHT_CHANCE(d.chances[i]));
    }
}
#endif

// Whether the path goes on from the surface that it came to.
EX_INLINE bool arrive(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint depth, uint i,
    const Texels *texels) {
    vec3 direction = path_vec3(state, capacity, P_DIRECTION, slot);
    Meeting m;
    meet(blob, state, capacity, slot, &m);
    __global const uint *material = SECTION(blob, S_MATERIALS) + m.t.material * MATERIAL_WORDS;
    vec3 normal = scale3(normalize3(m.normal), m.side);
#ifdef RIGOR_MEDIA
    arrive_in_medium(blob, state, capacity, slot, depth, material, &m);
#endif
    if (material[M_FLAGS] & MATERIAL_EMISSIVE) {
        vec3 emitted = multiply3(
            load3(material + M_EMISSIVE),
            make3(texels->emissive[0][i], texels->emissive[1][i], texels->emissive[2][i]));
#ifdef RIGOR_INSTANCES
        uint stored = m.stored;
#else
        uint stored = state[P_HIT_PRIMITIVE * capacity + slot];
#endif
        collect(
            blob, state, capacity, slot, depth, stored, direction,
            path_vec3(state, capacity, P_THROUGHPUT, slot), normal, emitted);
    }
    if (depth > blob[H_BOUNCES]) return false;
    keep_surface(
        blob, state, capacity, slot, material, &m, normal, negate3(direction), i, texels);
    return true;
}

// Queues the paths that go on from a surface.
__kernel void surface(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict queue, uint count, uint depth,
    __global uint *restrict surfaces, __global uint *restrict counters) {
    __local uint group[2];
    uint hits[PATHS_PER_ITEM], misses[PATHS_PER_ITEM], marks[PATHS_PER_ITEM];
    uint first = first_path(count), end = end_of_paths(first, count);
    uint hit_count = 0u, miss_count = 0u;
    // Beyond the last bounce light alone counts.
    bool is_last = depth > blob[H_BOUNCES];
    for (uint item = first; item < end; ++item) {
        uint slot = queue[item];
        uint primitive = state[P_HIT_PRIMITIVE * capacity + slot];
        if (primitive == PRIMITIVE_NONE) {
            misses[miss_count++] = slot;
            continue;
        }
#ifdef RIGOR_INSTANCES
        primitive = stored_triangle(blob, state, capacity, slot);
#endif
        if (!is_last || is_emissive(blob, primitive)) hits[hit_count++] = slot;
    }
    PATH_LOOP
    for (uint i = 0u; i < miss_count; ++i) escape(blob, state, capacity, misses[i], depth);
    Texels texels;
    for (uint i = 0u; i < hit_count; ++i) {
        read_texels(blob, state, capacity, hits[i], depth, i, &texels);
    }
#ifdef RIGOR_LIGHT_TREE
    chances_of_hits(blob, state, capacity, hits, hit_count);
#endif
    PATH_LOOP
    for (uint i = 0u; i < hit_count; ++i) {
        bool goes_on = arrive(blob, state, capacity, hits[i], depth, i, &texels);
        marks[i] = goes_on ? hits[i] : SLOT_NONE;
    }
    append(marks, hit_count, surfaces, counters + COUNT_SURFACES(depth), group);
}
