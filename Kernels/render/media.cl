// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/random.cl
// Solids inside each other. A path keeps the solids that it went into and has not left; the one
// entered last is the medium around it. So a solid within another one works whatever their indices
// are, and where two overlap (water that reaches a little into its glass), the one entered last
// fills the overlap, and the other's boundary in it is not there.

// The medium in which the ray has come.
EX_INLINE uint medium_before(
    __global const uint *state, uint capacity, uint slot, uint interface) {
    uint around = state[P_MEDIA * capacity + slot];
    bool leaves = interface != INTERFACE_NONE && interface & INTERFACE_LEAVES;
    // Out of a solid that it never went into: the path began there.
    return leaves && around == MEDIUM_NONE ? interface & ~INTERFACE_LEAVES : around;
}

// The medium behind the interface.
EX_INLINE uint medium_after(
    __global const uint *state, uint capacity, uint slot, uint interface) {
    uint before = medium_before(state, capacity, slot, interface);
    if (interface == INTERFACE_NONE) return before;
    uint solid = interface & ~INTERFACE_LEAVES;
    if (!(interface & INTERFACE_LEAVES)) return solid;
    if (before != solid) return before;
    return state[P_MEDIA * capacity + slot] == solid ? state[(P_MEDIA + 1) * capacity + slot]
                                                     : MEDIUM_NONE;
}

// The path goes through the interface.
EX_INLINE void cross_interface(__global uint *state, uint capacity, uint slot, uint interface) {
    if (interface == INTERFACE_NONE) return;
    uint solid = interface & ~INTERFACE_LEAVES;
    bool leaves = interface & INTERFACE_LEAVES;
    uint media[MEDIA_MAX + 2];
    media[0] = solid;
    for (uint i = 0u; i < MEDIA_MAX; ++i) media[i + 1] = state[(P_MEDIA + i) * capacity + slot];
    media[MEDIA_MAX + 1] = MEDIUM_NONE;
    // Entering, all move one back; leaving, those behind the solid come one forward.
    bool is_gone = false;
    for (uint i = 0u; i < MEDIA_MAX; ++i) {
        is_gone = is_gone || media[i + 1] == solid;
        uint kept = is_gone ? media[i + 2] : media[i + 1];
        state[(P_MEDIA + i) * capacity + slot] = leaves ? kept : media[i];
    }
}

EX_INLINE float medium_index(__global const uint *blob, uint medium) {
    if (medium == MEDIUM_NONE) return 1.0f;
    return as_float((SECTION(blob, S_MATERIALS) + medium * MATERIAL_WORDS)[M_IOR]);
}

// The index behind an interface over the one before it: one where they hardly differ.
EX_INLINE float relative_index(
    __global const uint *blob, __global const uint *state, uint capacity, uint slot,
    uint interface) {
    float before = medium_index(blob, medium_before(state, capacity, slot, interface));
    float after = medium_index(blob, medium_after(state, capacity, slot, interface));
    float eta = ex_div(after, before);
    return fabs(eta - 1.0f) < 0x1p-10f ? 1.0f : eta;
}

// What is left of light after a distance in a medium, by Beer and Lambert. Where a ray leaves the
// scene, its medium has ended somewhere.
EX_INLINE vec3 transmittance(__global const uint *blob, uint medium, float distance) {
    if (medium == MEDIUM_NONE || distance > 0x1p99f) return same3(1.0f);
    vec3 attenuation =
        load3(SECTION(blob, S_MATERIALS) + medium * MATERIAL_WORDS + M_ATTENUATION);
    if (!(largest3(attenuation) > 0.0f)) return same3(1.0f);
    vec3 depth = scale3(attenuation, -distance);
    return make3(ex_exp(depth.x), ex_exp(depth.y), ex_exp(depth.z));
}
