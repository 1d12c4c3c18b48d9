// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl render/texture.cl render/triangle.cl
// Multiple importance sampling: light is found by chance or by asking, and weighed by how likely
// each of the two was to find it.

// How much a light found by chance counts beside the one asked for: the balance heuristic.
// `mine` is the density of the method that found it; a zero of the other's means it could not.
EX_INLINE float balance(float mine, float other) {
    return other > 0.0f ? ex_div(mine, mine + other) : 1.0f;
}

// Density with which light sampling would have chosen this point of a triangle.
EX_INLINE float triangle_density(
    __global const uint *blob, uint primitive, vec3 direction, vec3 normal, float distance) {
    if (SECTION_COUNT(blob, S_TRIANGLE_EMITTERS) == 0u) return 0.0f;
    uint emitter = SECTION(blob, S_TRIANGLE_EMITTERS)[primitive];
    if (emitter == EMITTER_NONE) return 0.0f;
    float area_density = as_float((SECTION(blob, S_EMITTERS) + emitter * EMITTER_WORDS)[3]);
    float cosine = fabs(dot3(direction, normal));
    if (cosine <= 0x1p-20f) return 0.0f;
    return ex_div(area_density * distance * distance, cosine);
}
