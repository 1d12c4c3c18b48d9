// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/environment.cl
// needs: render/density.cl
// Where a ray ends: light found by chance is collected, and what was met is kept for the stages
// that follow.

EX_INLINE void add_radiance(__global uint *state, uint capacity, uint slot, float3 radiance) {
    float3 sum = path_float3(state, capacity, P_RADIANCE, slot) + radiance;
    set_path_float3(state, capacity, P_RADIANCE, slot, sum);
}

// The ray left the scene.
EX_INLINE void escape(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, float3 direction,
    float3 throughput, float density) {
    float2 uv = environment_uv(direction);
    float weight = 1.0f;
    if (density > 0.0f) {
        float squared = fma(direction.x, direction.x, direction.z * direction.z);
        float sine = squared > 0x1p-40f ? ex_sqrt(squared) : 0x1p-20f;
        float other = environment_density(blob, uv, sine) * as_float(blob[H_ENV_CHANCE]);
        weight = balance(density, other);
    }
    float3 radiance = environment_radiance(blob, uv);
    add_radiance(state, capacity, slot, throughput * radiance * weight);
}

// The shading normal: interpolated (`n`), bent by the normal map's texel, and never facing away
// from the viewer.
EX_INLINE float3 shading_normal(
    __global const uint *blob, Triangle t, float u, float v, float3 n, float3 geometric,
    float side, float3 toward_viewer, bool has_map, float4 texel, float scale) {
    n = dot3(n, n) > 0x1p-20f ? normalize3(n) * side : geometric;
    if (has_map && SECTION_COUNT(blob, S_TANGENTS) != 0u) {
        __global const uint *tangents = SECTION(blob, S_TANGENTS);
        float4 tangent = blend4(
            load_float4(tangents + 4 * t.a), load_float4(tangents + 4 * t.b),
            load_float4(tangents + 4 * t.c), u, v);
        float3 flat = fma(n, (float3)(-dot3(n, tangent.xyz)), tangent.xyz);
        if (dot3(flat, flat) > 0x1p-20f) {
            float3 x = normalize3(flat);
            float3 y = cross3(n, x) * (tangent.w * side < 0.0f ? -1.0f : 1.0f);
            float mx = fma(texel.x, 2.0f, -1.0f) * scale;
            float my = fma(texel.y, 2.0f, -1.0f) * scale;
            float mz = fma(texel.z, 2.0f, -1.0f);
            float3 mapped = fma(x, (float3)mx, fma(y, (float3)my, n * mz));
            if (dot3(mapped, mapped) > 0x1p-20f) n = normalize3(mapped);
        }
    }
    // A normal that faces away would give a reflection from inside; bend it until it does not.
    float facing = dot3(n, toward_viewer);
    if (facing < 0x1p-6f) n = normalize3(fma(toward_viewer, (float3)(0x1p-6f - facing), n));
    return n;
}

// The texels of a material at a point, white where it has no texture, in the order of its words.
EX_INLINE void sample_textures(
    __global const uint *blob, __global const uint *material, float2 uv0, float2 uv1,
    float4 *texels) {
    for (uint i = 0; i < 5u; ++i) {
        uint texture = material[M_BASE_TEXTURE + i];
        float4 texel = (float4)(1.0f);
        if (texture != TEXTURE_NONE) texel = sample_texture(blob, texture, uv0, uv1);
        texels[i] = texel;
    }
}

// Keeps the material's parameters at the point; `color` is the vertices'.
EX_INLINE void keep_material(
    __global uint *state, uint capacity, uint slot, __global const uint *material, float4 color,
    float side, const float4 *texels) {
    float4 words = load_float4(material + M_METALLIC);
    float3 base = flush3((color * texels[0]).xyz);
    base = (float3)(
        base.x > 1.0f ? 1.0f : base.x, base.y > 1.0f ? 1.0f : base.y,
        base.z > 1.0f ? 1.0f : base.z);
    float roughness = words.y * texels[1].y;
    float alpha = roughness * roughness;
    float ior = as_float(material[M_IOR]);
    uint flags = material[M_FLAGS];
    set_path_float3(state, capacity, P_BASE, slot, base);
    set_path_float(state, capacity, P_METALLIC, slot, words.x * texels[1].z);
    set_path_float(state, capacity, P_ALPHA, slot, alpha > 0x1p-10f ? alpha : 0x1p-10f);
    set_path_float(state, capacity, P_TRANSMISSION, slot, words.z * texels[4].x);
    set_path_float(state, capacity, P_F0, slot, words.w);
    bool enters = flags & MATERIAL_THIN || side > 0.0f;
    set_path_float(state, capacity, P_ETA, slot, enters ? ior : ex_rcp(ior));
    state[P_SURFACE_FLAGS * capacity + slot] = flags;
}

// Keeps what the ray met; gives the geometric normal toward the viewer and the light it sends out.
EX_INLINE void meet_surface(
    __global const uint *blob, __global uint *state, uint capacity, uint slot,
    __global const uint *material, Triangle t, float3 direction, float3 *normal, float3 *emitted) {
    __global const uint *vertices = SECTION(blob, S_VERTICES);
    // Position, normal and coordinates of each corner, in two halves of four words.
    float4 a0 = as_float4(vload4(2 * t.a, vertices)), a1 = as_float4(vload4(2 * t.a + 1, vertices));
    float4 b0 = as_float4(vload4(2 * t.b, vertices)), b1 = as_float4(vload4(2 * t.b + 1, vertices));
    float4 c0 = as_float4(vload4(2 * t.c, vertices)), c1 = as_float4(vload4(2 * t.c + 1, vertices));
    float3 a = a0.xyz, ab = b0.xyz - a, ac = c0.xyz - a;
    float3 n = cross3(ab, ac);
    float3 r = cross3(a - path_float3(state, capacity, P_ORIGIN, slot), direction);
    float over = ex_rcp(dot3(n, direction));
    float u = dot3(r, ac) * over, v = -dot3(r, ab) * over;
    float side = over < 0.0f ? 1.0f : -1.0f; // 1 where the viewer sees the front
    *normal = normalize3(n) * side;
    set_path_float3(
        state, capacity, P_ORIGIN, slot, fma(ac, (float3)v, fma(ab, (float3)u, a)));
    set_path_float3(state, capacity, P_NORMAL, slot, *normal);

    float4 texels[5];
    float2 uv0 = blend2(a1.zw, b1.zw, c1.zw, u, v);
    sample_textures(blob, material, uv0, triangle_uv1(blob, t, u, v), texels);
    *emitted = blob_float3(material + M_EMISSIVE) * texels[3].xyz;
    keep_material(
        state, capacity, slot, material, vertex_color(blob, material, t, u, v), side, texels);
    float3 smooth_normal = blend3(
        (float3)(a0.w, a1.xy), (float3)(b0.w, b1.xy), (float3)(c0.w, c1.xy), u, v);
    float3 bent = shading_normal(
        blob, t, u, v, smooth_normal, *normal, side, -direction,
        material[M_NORMAL_TEXTURE] != TEXTURE_NONE, texels[2],
        as_float(material[M_NORMAL_SCALE]));
    set_path_float3(state, capacity, P_SHADING_NORMAL, slot, bent);
}

// The light of a triangle that a ray met by chance.
EX_INLINE void collect(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, uint primitive,
    float3 direction, float3 throughput, float3 normal, float3 emitted) {
    float density = path_float(state, capacity, P_DENSITY, slot);
    float distance = path_float(state, capacity, P_HIT_DISTANCE, slot);
    float weight = 1.0f;
    if (density > 0.0f) {
        weight = balance(density, triangle_density(blob, primitive, direction, normal, distance));
    }
    add_radiance(state, capacity, slot, throughput * emitted * weight);
}

// Queues the paths that go on from a surface.
__kernel void surface(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth, __global uint *surfaces, __global uint *counters) {
    uint item = get_global_id(0);
    if (item >= count) return;
    uint slot = queue[item];
    float3 direction = path_float3(state, capacity, P_DIRECTION, slot);
    float3 throughput = path_float3(state, capacity, P_THROUGHPUT, slot);
    uint primitive = state[P_HIT_PRIMITIVE * capacity + slot];
    if (primitive == PRIMITIVE_NONE) {
        float density = path_float(state, capacity, P_DENSITY, slot);
        escape(blob, state, capacity, slot, direction, throughput, density);
        return;
    }
    Triangle t = load_triangle(blob, primitive);
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    bool is_emissive = material[M_FLAGS] & MATERIAL_EMISSIVE;
    bool is_last = depth > blob[H_BOUNCES];
    if (is_last && !is_emissive) return;
    float3 normal, emitted;
    meet_surface(blob, state, capacity, slot, material, t, direction, &normal, &emitted);
    if (is_emissive) {
        collect(
            blob, state, capacity, slot, primitive, direction, throughput, normal, emitted);
    }
    if (!is_last) surfaces[atomic_inc(counters + COUNT_SURFACES(depth))] = slot;
}
