// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl
// Where a ray meets a triangle, and what the surface there is turned toward.

// A ray's triangle, and where it meets it.
typedef struct {
    Triangle t;
    vec3 a, ab, ac; // a corner, and the edges from it
    vec3 normal; // of the triangle as it is wound, not normalized
    float u, v;
    float side; // 1 where the viewer sees the front, else -1
    float over; // one over how much of the normal lies along the ray
} Meeting;

EX_INLINE void meet(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot,
    Meeting *m) {
    load_triangle(blob, state[P_HIT_PRIMITIVE * capacity + slot], &m->t);
    __global const uint *vertices = SECTION(blob, S_VERTICES);
    vec3 direction = path_vec3(state, capacity, P_DIRECTION, slot);
    m->a = load3(vertices + VERTEX_WORDS * m->t.a);
    m->ab = subtract3(load3(vertices + VERTEX_WORDS * m->t.b), m->a);
    m->ac = subtract3(load3(vertices + VERTEX_WORDS * m->t.c), m->a);
    m->normal = cross3(m->ab, m->ac);
    vec3 r = cross3(subtract3(m->a, path_vec3(state, capacity, P_ORIGIN, slot)), direction);
    float over = ex_rcp(dot3(m->normal, direction));
    m->u = dot3(r, m->ac) * over;
    m->v = -dot3(r, m->ab) * over;
    m->side = over < 0.0f ? 1.0f : -1.0f;
    m->over = fabs(over);
}

// How the path's cone, `width` wide where it meets the triangle, covers textures.
EX_INLINE void cone_footprint(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot, uint depth,
    const Meeting *m, float width, Footprint *print) {
    footprint(blob, &m->t, m->u, m->v, width * width * m->over, print);
    print->choice = unit_float(draw_bits(
        state[P_KEY * capacity + slot], state[P_SAMPLE * capacity + slot],
        depth * D_COUNT + D_TEXTURE));
}

// White where the material has no such texture.
EX_INLINE vec4 material_texel(
    __global const uint *blob, __global const uint *material, uint word,
    const Footprint *print) {
    uint texture = material[word];
    if (texture == TEXTURE_NONE) return make4(1.0f, 1.0f, 1.0f, 1.0f);
    return sample_texture(blob, texture, print);
}

// The interpolated tangent, its handedness in w.
EX_INLINE vec4 surface_tangent(__global const uint *blob, const Meeting *m) {
    __global const uint *tangents = SECTION(blob, S_TANGENTS);
    return blend4(
        load4(tangents + 4 * m->t.a), load4(tangents + 4 * m->t.b),
        load4(tangents + 4 * m->t.c), m->u, m->v);
}

// The shading normal: interpolated, bent by the normal map's texel, and never facing away from the
// viewer.
EX_INLINE vec3 shading_normal(
    __global const uint *blob, const Meeting *m, vec3 geometric, vec3 toward_viewer, bool has_map,
    vec3 texel, float scale) {
    const Triangle *t = &m->t;
    __global const uint *normals = SECTION(blob, S_VERTICES) + 3;
    vec3 smooth = blend3(
        load3(normals + VERTEX_WORDS * t->a), load3(normals + VERTEX_WORDS * t->b),
        load3(normals + VERTEX_WORDS * t->c), m->u, m->v);
    vec3 n = geometric;
    if (dot3(smooth, smooth) > 0x1p-20f) n = scale3(normalize3(smooth), m->side);
    if (has_map && SECTION_COUNT(blob, S_TANGENTS) != 0u) {
        vec4 tangent = surface_tangent(blob, m);
        vec3 along = make3(tangent.x, tangent.y, tangent.z);
        vec3 flat = fma3(n, -dot3(n, along), along);
        if (dot3(flat, flat) > 0x1p-20f) {
            vec3 x = normalize3(flat);
            vec3 y = scale3(cross3(n, x), tangent.w * m->side < 0.0f ? -1.0f : 1.0f);
            float mx = fma(texel.x, 2.0f, -1.0f) * scale;
            float my = fma(texel.y, 2.0f, -1.0f) * scale;
            float mz = fma(texel.z, 2.0f, -1.0f);
            vec3 mapped = fma3(x, mx, fma3(y, my, scale3(n, mz)));
            if (dot3(mapped, mapped) > 0x1p-20f) n = normalize3(mapped);
        }
    }
    // A normal that faces away would give a reflection from inside; bend it until it does not.
    float facing = dot3(n, toward_viewer);
    if (facing < 0x1p-6f) n = normalize3(fma3(toward_viewer, 0x1p-6f - facing, n));
    return n;
}
