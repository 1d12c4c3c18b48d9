// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl render/vector.cl
// needs: render/random.cl render/texture.cl
// What a triangle is at a point: corners, texture coordinates, colour, coverage.

typedef struct {
    uint a;
    uint b;
    uint c;
    uint material;
} Triangle;

EX_INLINE Triangle load_triangle(__global const uint *blob, uint primitive) {
    __global const uint *at = SECTION(blob, S_TRIANGLES) + primitive * TRIANGLE_WORDS;
    uint4 words = vload4(0, at);
    Triangle triangle;
    triangle.a = words.x;
    triangle.b = words.y;
    triangle.c = words.z;
    triangle.material = words.w;
    return triangle;
}

EX_INLINE float2 blend2(float2 a, float2 b, float2 c, float u, float v) {
    return fma(c - a, (float2)v, fma(b - a, (float2)u, a));
}

EX_INLINE float3 blend3(float3 a, float3 b, float3 c, float u, float v) {
    return fma(c - a, (float3)v, fma(b - a, (float3)u, a));
}

EX_INLINE float4 blend4(float4 a, float4 b, float4 c, float u, float v) {
    return fma(c - a, (float4)v, fma(b - a, (float4)u, a));
}

EX_INLINE float2 load_uv(
    __global const uint *blob, uint section, uint words, uint at, uint vertex) {
    __global const uint *p = SECTION(blob, section) + vertex * words + at;
    return as_float2(vload2(0, p));
}

EX_INLINE float2 triangle_uv0(__global const uint *blob, Triangle t, float u, float v) {
    return blend2(
        load_uv(blob, S_VERTICES, VERTEX_WORDS, 6, t.a),
        load_uv(blob, S_VERTICES, VERTEX_WORDS, 6, t.b),
        load_uv(blob, S_VERTICES, VERTEX_WORDS, 6, t.c), u, v);
}

// Set 1, zero where the scene has none.
EX_INLINE float2 triangle_uv1(__global const uint *blob, Triangle t, float u, float v) {
    if (SECTION_COUNT(blob, S_UV1) == 0u) return (float2)(0.0f);
    return blend2(
        load_uv(blob, S_UV1, 2, 0, t.a), load_uv(blob, S_UV1, 2, 0, t.b),
        load_uv(blob, S_UV1, 2, 0, t.c), u, v);
}

EX_INLINE float4 load_float4(__global const uint *at) {
    return as_float4(vload4(0, at));
}

// Base colour with the vertices' colour; alpha in w.
EX_INLINE float4 vertex_color(
    __global const uint *blob, __global const uint *material, Triangle t, float u, float v) {
    float4 color = load_float4(material + M_BASE);
    if (SECTION_COUNT(blob, S_COLORS) != 0u) {
        __global const uint *colors = SECTION(blob, S_COLORS);
        color *= blend4(
            load_float4(colors + 4 * t.a), load_float4(colors + 4 * t.b),
            load_float4(colors + 4 * t.c), u, v);
    }
    return color;
}

// Whether a ray goes on through a candidate hit: coverage by mask or by chance. The draw is keyed
// by path and primitive, never by the order of visits.
EX_INLINE bool passes_through(
    __global const uint *blob, uint primitive, float u, float v, uint alpha_key) {
    Triangle t = load_triangle(blob, primitive);
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    float alpha = vertex_color(blob, material, t, u, v).w;
    uint texture = material[M_BASE_TEXTURE];
    if (texture != TEXTURE_NONE) {
        float2 uv0 = triangle_uv0(blob, t, u, v), uv1 = triangle_uv1(blob, t, u, v);
        alpha *= sample_texture(blob, texture, uv0, uv1).w;
    }
    if (material[M_FLAGS] & MATERIAL_MASK) return alpha < as_float(material[M_CUTOFF]);
    return unit_float(hash_pair(alpha_key, primitive)) >= alpha;
}
