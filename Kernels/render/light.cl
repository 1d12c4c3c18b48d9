// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/environment.cl
// Choosing a light and a point on it. One table holds the environment, the punctual lights and the
// emissive triangles, each with its chance by power.

#define EMITTER_ENVIRONMENT 0u
#define EMITTER_PUNCTUAL 1u
#define EMITTER_TRIANGLE 2u

typedef struct {
    float3 direction; // from the surface, unit
    float distance; // how far the shadow ray goes
    float3 radiance; // over the chance of choosing it; for area lights also over `density`
    float density; // per solid angle, zero for lights that no ray can hit by chance
} LightSample;

// KHR_lights_punctual: intensity at a distance, with range and cone.
EX_INLINE void punctual_light(__global const uint *light, float3 from, LightSample *s) {
    uint kind = light[0];
    s->radiance = blob_float3(light + 7);
    s->density = 0.0f;
    if (kind == 0u) {
        s->direction = -blob_float3(light + 4);
        s->distance = 0x1p100f;
        return;
    }
    float3 toward = blob_float3(light + 1) - from;
    float squared = dot3(toward, toward);
    squared = squared > 0x1p-60f ? squared : 0x1p-60f;
    float over = ex_rsqrt(squared);
    s->direction = toward * over;
    s->distance = squared * over;
    float attenuation = ex_rcp(squared);
    float over_range = as_float(light[10]);
    float q = squared * over_range * over_range;
    float window = fma(-q, q, 1.0f);
    if (over_range > 0.0f) attenuation *= window > 0.0f && q < 1.0f ? window : 0.0f;
    if (kind == 2u) {
        float c = -dot3(blob_float3(light + 4), s->direction);
        float cone = fma(c, as_float(light[11]), as_float(light[12]));
        cone = cone < 0.0f ? 0.0f : (cone > 1.0f ? 1.0f : cone);
        attenuation *= cone * cone;
    }
    s->radiance *= attenuation;
}

// Emitted radiance of a triangle at a point of it.
EX_INLINE float3 emitted_radiance(
    __global const uint *blob, __global const uint *material, Triangle t, float u, float v) {
    float3 radiance = blob_float3(material + M_EMISSIVE);
    uint texture = material[M_EMISSIVE_TEXTURE];
    if (texture == TEXTURE_NONE) return radiance;
    return radiance * sample_texture(
        blob, texture, triangle_uv0(blob, t, u, v), triangle_uv1(blob, t, u, v)).xyz;
}

EX_INLINE float3 vertex_position(__global const uint *blob, uint vertex) {
    return blob_float3(SECTION(blob, S_VERTICES) + vertex * VERTEX_WORDS);
}

// A point of an emissive triangle, uniform in area.
EX_INLINE void triangle_light(
    __global const uint *blob, uint primitive, float area_density, float2 r, float3 from,
    LightSample *s) {
    Triangle t = load_triangle(blob, primitive);
    float root = ex_sqrt(r.x);
    float u = fma(-root, r.y, root), v = root * r.y;
    float3 a = vertex_position(blob, t.a);
    float3 ab = vertex_position(blob, t.b) - a, ac = vertex_position(blob, t.c) - a;
    float3 toward = fma(ac, (float3)v, fma(ab, (float3)u, a)) - from;
    float squared = dot3(toward, toward);
    squared = squared > 0x1p-60f ? squared : 0x1p-60f;
    float over = ex_rsqrt(squared);
    s->direction = toward * over;
    // Short of the triangle itself, which would stand in its own light.
    s->distance = squared * over * 0x1.ffep-1f;
    float cosine = fabs(dot3(normalize3(cross3(ab, ac)), s->direction));
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    s->radiance = emitted_radiance(blob, material, t, u, v);
    s->density = cosine > 0x1p-20f ? ex_div(area_density * squared, cosine) : 0.0f;
    if (s->density == 0.0f) s->radiance = (float3)(0.0f);
}

// A light by chance, seen from a point.
EX_INLINE void sample_light(
    __global const uint *blob, float3 from, uint choice, uint2 bits, LightSample *s) {
    __global const uint *emitters = SECTION(blob, S_EMITTERS);
    uint low = 0, high = SECTION_COUNT(blob, S_EMITTERS) - 1u;
    while (low < high) {
        uint middle = (low + high) >> 1;
        if (emitters[middle * EMITTER_WORDS] > choice) high = middle;
        else low = middle + 1;
    }
    __global const uint *emitter = emitters + low * EMITTER_WORDS;
    uint kind = emitter[1] >> 30, which = emitter[1] & 0x3fffffffu;
    float chance = as_float(emitter[2]);
    if (kind == EMITTER_PUNCTUAL) {
        __global const uint *light = SECTION(blob, S_LIGHTS) + which * LIGHT_WORDS;
        punctual_light(light, from, s);
        s->radiance *= ex_rcp(chance);
        return;
    }
    if (kind == EMITTER_TRIANGLE) {
        float2 r = (float2)(unit_float(bits.x), unit_float(bits.y));
        triangle_light(blob, which, as_float(emitter[3]), r, from, s);
    } else {
        float2 uv;
        float density;
        s->direction = environment_sample(blob, bits, &uv, &density);
        s->distance = 0x1p100f;
        s->density = density * chance;
        s->radiance = environment_radiance(blob, uv);
    }
    if (s->density > 0x1p-30f) s->radiance *= ex_rcp(s->density);
    else s->radiance = (float3)(0.0f);
}

// Asks one light for each surface; where its light could arrive, `scatter` weighs it.
__kernel void light(
    __global const uint *blob, __global uint *state, uint capacity,
    __global const uint *surfaces, uint depth, __global const uint *counters) {
    uint item = get_global_id(0);
    if (item >= counters[COUNT_SURFACES(depth)]) return;
    uint slot = surfaces[item];
    float distance = 0.0f;
    if (SECTION_COUNT(blob, S_EMITTERS) != 0u) {
        uint key = state[P_KEY * capacity + slot], sample = state[P_SAMPLE * capacity + slot];
        uint2 choices = draw_pair(key, sample, depth * D_COUNT + D_CHOICE);
        uint2 bits = draw_pair(key, sample, depth * D_COUNT + D_LIGHT);
        LightSample light;
        sample_light(blob, path_float3(state, capacity, P_ORIGIN, slot), choices.x, bits, &light);
        if (largest3(light.radiance) > 0.0f) distance = light.distance;
        set_path_float3(state, capacity, P_SHADOW_DIRECTION, slot, light.direction);
        set_path_float3(state, capacity, P_SHADOW_RADIANCE, slot, light.radiance);
        set_path_float(state, capacity, P_SHADOW_DENSITY, slot, light.density);
    }
    set_path_float(state, capacity, P_SHADOW_DISTANCE, slot, distance);
}
