// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
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
#ifdef RIGOR_INSTANCES
    uint instance;
    uint stored; // the triangle's place among those stored
#endif
} Meeting;

#ifdef RIGOR_INSTANCES
// Where a hit's triangle is among those stored.
EX_INLINE uint stored_triangle(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot) {
    return state[P_HIT_PRIMITIVE * capacity + slot]
        - instance_at(blob, state[P_INSTANCE * capacity + slot])[I_SHIFT];
}

EX_INLINE vec3 placed_corner(
    __global const uint *blob, __global const uint *placed, uint vertex) {
    return move_point(
        placed + I_TO_WORLD, load3(SECTION(blob, S_VERTICES) + VERTEX_WORDS * vertex));
}

// The triangle as it is in the world: its corners are moved there, and what is reckoned from them
// is as for any other triangle. In a mirror its front is its back.
EX_INLINE void meet(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot,
    Meeting *m) {
    m->instance = state[P_INSTANCE * capacity + slot];
    m->stored = stored_triangle(blob, state, capacity, slot);
    load_triangle(blob, m->stored, &m->t);
    __global const uint *placed = instance_at(blob, m->instance);
    vec3 direction = path_vec3(state, capacity, P_DIRECTION, slot);
    m->a = placed_corner(blob, placed, m->t.a);
    m->ab = subtract3(placed_corner(blob, placed, m->t.b), m->a);
    m->ac = subtract3(placed_corner(blob, placed, m->t.c), m->a);
    vec3 normal = cross3(m->ab, m->ac);
    vec3 r = cross3(subtract3(m->a, path_vec3(state, capacity, P_ORIGIN, slot)), direction);
    float over = ex_rcp(dot3(normal, direction));
    float handedness = as_float(placed[I_HANDEDNESS]);
    m->u = dot3(r, m->ac) * over;
    m->v = -dot3(r, m->ab) * over;
    m->side = over * handedness < 0.0f ? 1.0f : -1.0f;
    m->over = fabs(over);
    m->normal = scale3(normal, handedness);
}
#else
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
#endif

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
#ifdef RIGOR_INSTANCES
    __global const uint *placed = instance_at(blob, m->instance);
    return blend4(
        placed_tangent(placed, load4(tangents + 4 * m->t.a)),
        placed_tangent(placed, load4(tangents + 4 * m->t.b)),
        placed_tangent(placed, load4(tangents + 4 * m->t.c)), m->u, m->v);
#else
    return blend4(
        load4(tangents + 4 * m->t.a), load4(tangents + 4 * m->t.b),
        load4(tangents + 4 * m->t.c), m->u, m->v);
#endif
}

// The interpolated normal.
EX_INLINE vec3 smooth_normal(__global const uint *blob, const Meeting *m) {
    __global const uint *normals = SECTION(blob, S_VERTICES) + 3;
    const Triangle *t = &m->t;
#ifdef RIGOR_INSTANCES
    __global const uint *placed = instance_at(blob, m->instance);
    return blend3(
        placed_normal(placed, load3(normals + VERTEX_WORDS * t->a)),
        placed_normal(placed, load3(normals + VERTEX_WORDS * t->b)),
        placed_normal(placed, load3(normals + VERTEX_WORDS * t->c)), m->u, m->v);
#else
    return blend3(
        load3(normals + VERTEX_WORDS * t->a), load3(normals + VERTEX_WORDS * t->b),
        load3(normals + VERTEX_WORDS * t->c), m->u, m->v);
#endif
}

// The shading normal: interpolated, bent by the normal map's texel, and never facing away from the
// viewer.
EX_INLINE vec3 shading_normal(
    __global const uint *blob, const Meeting *m, vec3 geometric, vec3 toward_viewer, bool has_map,
    vec3 texel, float scale) {
    vec3 smooth = smooth_normal(blob, m);
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
