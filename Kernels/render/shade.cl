// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/texture.cl render/surface.cl render/bsdf.cl render/environment.cl
// needs: render/light.cl render/camera.cl
// What happens where a ray ends: light is collected, a light is asked, and the path goes on.

// How much a light found by chance counts beside the one asked for: the balance heuristic.
// `mine` is the density of the method that found it; a zero of the other's means it could not.
static float balance(float mine, float other) {
    return other > 0.0f ? ex_div(mine, mine + other) : 1.0f;
}

typedef struct {
    float3 position;
    float3 normal; // geometric, toward the viewer
    float side; // +1 where the viewer sees the front
    float3 emitted;
    Frame frame; // around the shading normal, toward the viewer
    Bsdf bsdf;
} Surface;

// The shading normal: interpolated (`n`), bent by the normal map's texel, and never facing away
// from the viewer.
static float3 shading_normal(
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
static void sample_textures(
    __global const uint *blob, __global const uint *material, float2 uv0, float2 uv1,
    float4 *texels) {
    for (uint i = 0; i < 5u; ++i) {
        uint texture = material[M_BASE_TEXTURE + i];
        float4 texel = (float4)(1.0f);
        if (texture != TEXTURE_NONE) texel = sample_texture(blob, texture, uv0, uv1);
        texels[i] = texel;
    }
}

// Everything about the point where the ray met the triangle.
static void make_surface(
    __global const uint *blob, __global const uint *material, Triangle t, float3 origin,
    float3 direction, Surface *s) {
    __global const uint *vertices = SECTION(blob, S_VERTICES);
    // Position, normal and coordinates of each corner, in two halves of four words.
    float4 a0 = as_float4(vload4(2 * t.a, vertices)), a1 = as_float4(vload4(2 * t.a + 1, vertices));
    float4 b0 = as_float4(vload4(2 * t.b, vertices)), b1 = as_float4(vload4(2 * t.b + 1, vertices));
    float4 c0 = as_float4(vload4(2 * t.c, vertices)), c1 = as_float4(vload4(2 * t.c + 1, vertices));
    float3 a = a0.xyz, ab = b0.xyz - a, ac = c0.xyz - a;
    float3 n = cross3(ab, ac);
    float3 r = cross3(a - origin, direction);
    float over = ex_rcp(dot3(n, direction));
    float u = dot3(r, ac) * over, v = -dot3(r, ab) * over;
    s->position = fma(ac, (float3)v, fma(ab, (float3)u, a));
    s->side = over < 0.0f ? 1.0f : -1.0f;
    s->normal = normalize3(n) * s->side;

    float4 texels[5];
    float2 uv0 = blend2(a1.zw, b1.zw, c1.zw, u, v);
    sample_textures(blob, material, uv0, triangle_uv1(blob, t, u, v), texels);
    float4 words = load_float4(material + M_METALLIC);
    float3 color = flush3((vertex_color(blob, material, t, u, v) * texels[0]).xyz);
    s->bsdf.base = (float3)(
        color.x > 1.0f ? 1.0f : color.x, color.y > 1.0f ? 1.0f : color.y,
        color.z > 1.0f ? 1.0f : color.z);
    s->bsdf.metallic = words.x * texels[1].z;
    float roughness = words.y * texels[1].y;
    s->bsdf.alpha = roughness * roughness > 0x1p-10f ? roughness * roughness : 0x1p-10f;
    s->bsdf.transmission = words.z * texels[4].x;
    s->bsdf.f0 = words.w;
    s->bsdf.is_thin = material[M_FLAGS] & MATERIAL_THIN;
    float ior = as_float(material[M_IOR]);
    s->bsdf.eta = s->bsdf.is_thin || s->side > 0.0f ? ior : ex_rcp(ior);
    s->emitted = blob_float3(material + M_EMISSIVE) * texels[3].xyz;
    float3 smooth_normal = blend3(
        (float3)(a0.w, a1.xy), (float3)(b0.w, b1.xy), (float3)(c0.w, c1.xy), u, v);
    float3 bent = shading_normal(
        blob, t, u, v, smooth_normal, s->normal, s->side, -direction,
        material[M_NORMAL_TEXTURE] != TEXTURE_NONE, texels[2],
        as_float(material[M_NORMAL_SCALE]));
    frame_around(bent, &s->frame);
}

// Density with which light sampling would have chosen this point of a triangle.
static float triangle_density(
    __global const uint *blob, uint primitive, float3 direction, float3 normal, float distance) {
    if (SECTION_COUNT(blob, S_TRIANGLE_EMITTERS) == 0u) return 0.0f;
    uint emitter = SECTION(blob, S_TRIANGLE_EMITTERS)[primitive];
    if (emitter == EMITTER_NONE) return 0.0f;
    float area_density = as_float((SECTION(blob, S_EMITTERS) + emitter * EMITTER_WORDS)[3]);
    float cosine = fabs(dot3(direction, normal));
    if (cosine <= 0x1p-20f) return 0.0f;
    return ex_div(area_density * distance * distance, cosine);
}

static void add_radiance(__global uint *state, uint capacity, uint slot, float3 radiance) {
    float3 sum = path_float3(state, capacity, P_RADIANCE, slot) + radiance;
    set_path_float3(state, capacity, P_RADIANCE, slot, sum);
}

// The ray left the scene.
static void escape(
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

// Where a ray leaves a surface: a little off it, on the side it goes to.
static float3 leave(__global const uint *blob, const Surface *s, float3 direction) {
    float offset = as_float(blob[H_OFFSET]);
    float toward = dot3(direction, s->normal) < 0.0f ? -offset : offset;
    return fma(s->normal, (float3)toward, s->position);
}

// Asks one light; true when a shadow ray must be traced for it.
static bool ask_light(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, const Surface *s,
    float3 wo, float3 throughput, uint choice, uint2 bits) {
    if (SECTION_COUNT(blob, S_EMITTERS) == 0u) return false;
    LightSample light;
    sample_light(blob, s->position, choice, bits, &light);
    if (!(largest3(light.radiance) > 0.0f)) return false;
    float3 wi = to_local(&s->frame, light.direction);
    // The two normals must agree on the side, or light would leak through.
    if ((wi.z > 0.0f) != (dot3(light.direction, s->normal) > 0.0f)) return false;
    float4 f = bsdf_evaluate(&s->bsdf, wo, wi);
    float weight = light.density > 0.0f ? balance(light.density, f.w) : 1.0f;
    float3 radiance = throughput * f.xyz * light.radiance * weight;
    if (!(largest3(radiance) > 0x1p-40f)) return false;
    set_path_float3(state, capacity, P_SHADOW_ORIGIN, slot, leave(blob, s, light.direction));
    set_path_float3(state, capacity, P_SHADOW_DIRECTION, slot, light.direction);
    set_path_float(state, capacity, P_SHADOW_DISTANCE, slot, light.distance);
    set_path_float3(state, capacity, P_SHADOW_RADIANCE, slot, radiance);
    return true;
}

// Continues the path; false when it ends here.
static bool scatter(
    __global const uint *blob, __global uint *state, uint capacity, uint slot, const Surface *s,
    float3 wo, float3 throughput, float2 u, float choice, uint roulette, uint depth) {
    float3 wi = bsdf_sample(&s->bsdf, wo, u, choice);
    if (wi.z == 0.0f) return false;
    float3 direction = to_world(&s->frame, wi);
    if ((wi.z > 0.0f) != (dot3(direction, s->normal) > 0.0f)) return false;
    float4 f = bsdf_evaluate(&s->bsdf, wo, wi);
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
    set_path_float3(state, capacity, P_ORIGIN, slot, leave(blob, s, direction));
    set_path_float3(state, capacity, P_DIRECTION, slot, normalize3(direction));
    set_path_float3(state, capacity, P_THROUGHPUT, slot, throughput);
    set_path_float(state, capacity, P_DENSITY, slot, f.w);
    return true;
}

// `counters` holds two words a depth, queued paths and queued shadow rays, after the camera's two.
__kernel void shade(
    __global const uint *blob, __global uint *state, uint capacity, __global const uint *queue,
    uint count, uint depth, __global uint *next, __global uint *shadows,
    __global uint *counters) {
    uint item = get_global_id(0);
    if (item >= count) return;
    uint slot = queue[item];
    float3 direction = path_float3(state, capacity, P_DIRECTION, slot);
    float3 throughput = path_float3(state, capacity, P_THROUGHPUT, slot);
    float density = path_float(state, capacity, P_DENSITY, slot);
    uint primitive = state[P_HIT_PRIMITIVE * capacity + slot];
    if (primitive == PRIMITIVE_NONE) {
        escape(blob, state, capacity, slot, direction, throughput, density);
        return;
    }
    Triangle t = load_triangle(blob, primitive);
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    bool is_emissive = material[M_FLAGS] & MATERIAL_EMISSIVE;
    bool is_last = depth > blob[H_BOUNCES];
    if (is_last && !is_emissive) return;
    float3 origin = path_float3(state, capacity, P_ORIGIN, slot);
    Surface s;
    make_surface(blob, material, t, origin, direction, &s);
    if (is_emissive) {
        float distance = path_float(state, capacity, P_HIT_DISTANCE, slot);
        float weight = 1.0f;
        if (density > 0.0f) {
            weight = balance(
                density, triangle_density(blob, primitive, direction, s.normal, distance));
        }
        add_radiance(state, capacity, slot, throughput * s.emitted * weight);
    }
    if (is_last) return;
    uint key = state[P_KEY * capacity + slot], sample = state[P_SAMPLE * capacity + slot];
    uint first = depth * D_COUNT;
    float3 wo = to_local(&s.frame, -direction);
    s.bsdf.specular_chance = specular_chance(&s.bsdf, wo.z);
    uint2 choices = draw_pair(key, sample, first + D_CHOICE);
    uint2 light_bits = draw_pair(key, sample, first + D_LIGHT);
    if (ask_light(blob, state, capacity, slot, &s, wo, throughput, choices.x, light_bits)) {
        shadows[atomic_inc(counters + 2u * depth + 3u)] = slot;
    }
    uint2 bits = draw_pair(key, sample, first + D_BSDF);
    float2 u = (float2)(unit_float(bits.x), unit_float(bits.y));
    uint roulette = draw_bits(key, sample, first + D_ROULETTE);
    if (scatter(blob, state, capacity, slot, &s, wo, throughput, u, unit_float(choices.y),
            roulette, depth)) {
        next[atomic_inc(counters + 2u * depth + 2u)] = slot;
    }
}
