// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// Meshes that are stored once and used often. Instance 0 is the world itself, whose triangles are
// where they are: what follows gives them back as they were.

EX_INLINE __global const uint *instance_at(__global const uint *blob, uint instance) {
    return SECTION(blob, S_INSTANCES) + instance * INSTANCE_WORDS;
}

// Three rows of four times a point.
EX_INLINE vec3 move_point(__global const uint *rows, vec3 p) {
    vec4 x = load4(rows), y = load4(rows + 4), z = load4(rows + 8);
    return make3(
        fma(x.x, p.x, fma(x.y, p.y, fma(x.z, p.z, x.w))),
        fma(y.x, p.x, fma(y.y, p.y, fma(y.z, p.z, y.w))),
        fma(z.x, p.x, fma(z.y, p.y, fma(z.z, p.z, z.w))));
}

// The same without the translation.
EX_INLINE vec3 move_direction(__global const uint *rows, vec3 d) {
    return make3(dot3(load3(rows), d), dot3(load3(rows + 4), d), dot3(load3(rows + 8), d));
}

// Of unit length; zero stays zero.
EX_INLINE vec3 unit_or_zero(vec3 a) {
    float squared = dot3(a, a);
    bool is_none = !(squared > 0x1p-90f);
    float over = ex_rsqrt(is_none ? 1.0f : squared);
    return scale3(a, is_none ? 0.0f : over);
}

// A vertex's normal in the world, of unit length.
EX_INLINE vec3 placed_normal(__global const uint *placed, vec3 n) {
    __global const uint *rows = placed + I_NORMAL;
    return unit_or_zero(
        make3(dot3(load3(rows), n), dot3(load3(rows + 3), n), dot3(load3(rows + 6), n)));
}

// A vertex's tangent in the world, of unit length, with its handedness.
EX_INLINE vec4 placed_tangent(__global const uint *placed, vec4 t) {
    vec3 along = unit_or_zero(
        move_direction(placed + I_TO_WORLD, make3(t.x, t.y, t.z)));
    return make4(along.x, along.y, along.z, t.w * as_float(placed[I_HANDEDNESS]));
}
