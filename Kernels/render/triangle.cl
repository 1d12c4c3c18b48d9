// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl
// What a triangle is at a point: corners, texture coordinates, colour, coverage.

typedef struct {
    uint a;
    uint b;
    uint c;
    uint material;
} Triangle;

EX_INLINE void load_triangle(__global const uint *blob, uint primitive, Triangle *triangle) {
    __global const uint *at = SECTION(blob, S_TRIANGLES) + primitive * TRIANGLE_WORDS;
    triangle->a = at[0];
    triangle->b = at[1];
    triangle->c = at[2];
    triangle->material = at[3];
}

EX_INLINE vec2 blend_uv(
    __global const uint *at, uint words, const Triangle *t, float u, float v) {
    vec2 a = load2(at + t->a * words), b = load2(at + t->b * words), c = load2(at + t->c * words);
    return make2(blend(a.x, b.x, c.x, u, v), blend(a.y, b.y, c.y, u, v));
}

EX_INLINE vec2 triangle_uv0(__global const uint *blob, const Triangle *t, float u, float v) {
    return blend_uv(SECTION(blob, S_VERTICES) + 6, VERTEX_WORDS, t, u, v);
}

// Set 1, zero where the scene has none.
EX_INLINE vec2 triangle_uv1(__global const uint *blob, const Triangle *t, float u, float v) {
    if (SECTION_COUNT(blob, S_UV1) == 0u) return make2(0.0f, 0.0f);
    return blend_uv(SECTION(blob, S_UV1), 2, t, u, v);
}

// Twice the area of a triangle's texture coordinates.
EX_INLINE float area_uv(__global const uint *at, uint words, const Triangle *t) {
    vec2 a = load2(at + t->a * words), b = load2(at + t->b * words), c = load2(at + t->c * words);
    float product = (b.y - a.y) * (c.x - a.x);
    return fabs(fma(b.x - a.x, c.y - a.y, -product));
}

// Both sets of coordinates at a point. `cone` is the area in which a path's cone meets the
// triangle, over twice the triangle's: zero asks for the finest texels.
EX_INLINE void footprint(
    __global const uint *blob, const Triangle *t, float u, float v, float cone,
    Footprint *print) {
    print->uv[0] = triangle_uv0(blob, t, u, v);
    print->uv[1] = triangle_uv1(blob, t, u, v);
    print->choice = 0.5f;
    print->area[0] = print->area[1] = 0.0f;
    if (cone == 0.0f) return;
    print->area[0] = cone * area_uv(SECTION(blob, S_VERTICES) + 6, VERTEX_WORDS, t);
    if (SECTION_COUNT(blob, S_UV1) == 0u) return;
    print->area[1] = cone * area_uv(SECTION(blob, S_UV1), 2, t);
}

// The vertices' own colour, where the scene has any.
EX_INLINE vec4 own_color(__global const uint *blob, const Triangle *t, float u, float v) {
    __global const uint *colors = SECTION(blob, S_COLORS);
    return blend4(
        load4(colors + 4 * t->a), load4(colors + 4 * t->b), load4(colors + 4 * t->c), u, v);
}

// Base colour with the vertices' colour; alpha in w.
EX_INLINE vec4 vertex_color(
    __global const uint *blob, __global const uint *material, const Triangle *t, float u,
    float v) {
    vec4 color = load4(material + M_BASE);
    if (SECTION_COUNT(blob, S_COLORS) == 0u) return color;
    return multiply4(color, own_color(blob, t, u, v));
}

// A texel of what a material emits, with the vertices' colour where that counts.
EX_INLINE vec4 tint_emission(
    __global const uint *blob, __global const uint *material, const Triangle *t, float u, float v,
    vec4 texel) {
    bool is_tinted = material[M_FLAGS] & MATERIAL_UNLIT && SECTION_COUNT(blob, S_COLORS) != 0u;
    return is_tinted ? multiply4(texel, own_color(blob, t, u, v)) : texel;
}

// Whether a ray goes on through a candidate hit: coverage by mask or by chance. The draw is keyed
// by path and primitive, never by the order of visits. Coverage is that of the finest texels,
// whatever the distance: a mask's threshold has no meaning for the mean of many. (`stored`: where
// the primitive is among the triangles, which for an instance's is not its number.)
EX_INLINE bool passes_through(
    __global const uint *blob, uint stored, uint primitive, float u, float v, uint alpha_key) {
    Triangle t;
    load_triangle(blob, stored, &t);
    __global const uint *material = SECTION(blob, S_MATERIALS) + t.material * MATERIAL_WORDS;
    float alpha = vertex_color(blob, material, &t, u, v).w;
    uint texture = material[M_BASE_TEXTURE];
    if (texture != TEXTURE_NONE) {
        Footprint print;
        footprint(blob, &t, u, v, 0.0f, &print);
        alpha *= sample_texture(blob, texture, &print).w;
    }
    if (material[M_FLAGS] & MATERIAL_MASK) return alpha < as_float(material[M_CUTOFF]);
    return unit_float(hash_pair(alpha_key, primitive)) >= alpha;
}
