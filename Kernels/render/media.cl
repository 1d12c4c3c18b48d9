// needs: exact/divide.cl exact/root.cl exact/inverse.cl exact/exponential.cl render/vector.cl
// needs: render/layout.cl
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

// The path goes through the interface: entering a solid, all media move one back; leaving it, those
// behind it come one forward. (Spelled out, since loops over paths become vector code only without
// loops in them.)
EX_INLINE void cross_interface(__global uint *state, uint capacity, uint slot, uint interface) {
    if (interface == INTERFACE_NONE) return;
    uint solid = interface & ~INTERFACE_LEAVES;
    bool leaves = interface & INTERFACE_LEAVES;
    __global uint *media = state + P_MEDIA * capacity + slot;
    uint a = media[0], b = media[capacity], c = media[2 * capacity], d = media[3 * capacity];
    bool a_is_gone = a == solid, b_is_gone = a_is_gone || b == solid;
    bool c_is_gone = b_is_gone || c == solid, d_is_gone = c_is_gone || d == solid;
    media[0] = leaves ? (a_is_gone ? b : a) : solid;
    media[capacity] = leaves ? (b_is_gone ? c : b) : a;
    media[2 * capacity] = leaves ? (c_is_gone ? d : c) : b;
    media[3 * capacity] = leaves ? (d_is_gone ? MEDIUM_NONE : d) : c;
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
