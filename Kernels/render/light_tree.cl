// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/queue.cl
// Choosing one of very many lights by how much of it is likely to come to a surface: a tree whose
// nodes know where their emitters are, which way they shine and how strongly. After Conty Estevez
// and Kulla, "Importance Sampling of Many Lights with Adaptive Tree Splitting" (2018).
//
// The root has a whole number of chances, and every node parts its own between its children. So
// what a choice falls on and how likely that was are integers that agree to the last bit, all
// emitters' chances sum to the root's, and none is without one: a node gets no less than it has
// emitters, nor leaves its sibling less.

// A node that has nothing to send is taken for one that sends a little: bounds are rounded.
#define IMPORTANCE_LEAST 0x1p-10f

// The surface that asks.
typedef struct {
    vec3 position;
    vec3 normal; // the shading normal
    bool is_open; // whether light from behind counts
} Asker;

// Reads what `surface` kept of it; a path's origin may already be off it.
EX_INLINE void load_asker(
    __global const uint *state, uint capacity, uint slot, Asker *asker) {
    asker->position = path_vec3(state, capacity, P_ORIGIN, slot);
    asker->normal = path_vec3(state, capacity, P_SHADING_NORMAL, slot);
    bool is_layered = state[P_SURFACE_FLAGS * capacity + slot] & MATERIAL_LAYERED;
    asker->is_open = is_layered || path_float(state, capacity, P_TRANSMISSION, slot) > 0.0f;
}

// A cosine within bounds: 1 where it is not a number.
EX_INLINE float bounded_cosine(float cosine) {
    cosine = cosine < 1.0f ? cosine : 1.0f;
    return cosine > IMPORTANCE_LEAST ? cosine : IMPORTANCE_LEAST;
}

// About the light that a node's emitters send to a surface, never less than what they can but for
// the distance, which is taken to the middle. An angle that the node's ball subtends adds no more
// than its sine to the cosine of another.
EX_INLINE float light_importance(__global const uint *node, const Asker *asker) {
    vec3 toward = subtract3(load3(node + LN_CENTER), asker->position);
    float squared = dot3(toward, toward);
    squared = squared > 0x1p-60f ? squared : 0x1p-60f;
    float over = ex_rsqrt(squared);
    float sine = as_float(node[LN_RADIUS]) * over;
    sine = sine < 1.0f ? sine : 1.0f;
    vec3 direction = scale3(toward, over);
    float along = dot3(load3(node + LN_AXIS), direction);
    float spread = as_float(node[LN_SPREAD]);
    // Triangles shine to both sides with the cosine, spots evenly within their cones. The arc is no
    // longer than √2 sines.
    float facing = fabs(along) + sine + spread;
    float inside = fma(sine, 0x1.6a09e8p+0f, spread) - along;
    if (node[LN_CHILD] & LIGHT_NODE_SPOTS) facing = inside > 0.0f ? 1.0f : 0.0f;
    float cosine = dot3(asker->normal, direction);
    float behind = fma(-sine, sine, 1.0f) * cosine;
    if (cosine < 0.0f) cosine = asker->is_open ? -cosine : behind;
    float nearness = over * over, most = as_float(node[LN_NEARNESS]);
    nearness = nearness < most ? nearness : most;
    float lit = bounded_cosine(facing) * bounded_cosine(cosine + sine);
    float importance = as_float(node[LN_POWER]) * lit * nearness;
    importance = importance < 0x1p60f ? importance : 0x1p60f;
    return importance > 0x1p-60f ? importance : 0x1p-60f;
}

// How many of a node's chances its first child gets; `children` is the first one.
EX_INLINE uint first_share(__global const uint *children, const Asker *asker, uint chances) {
    __global const uint *second = children + LIGHT_NODE_WORDS;
    float one = light_importance(children, asker);
    float part = ex_div(one, one + light_importance(second, asker));
    uint share = (uint)(int)((float)(int)chances * part);
    uint least = children[LN_COUNT], most = chances - second[LN_COUNT];
    share = share < most ? share : most;
    return share > least ? share : least;
}

// Ways down the tree, those of a block of paths side by side.
typedef struct {
    uint slots[PATHS_PER_ITEM];
    uint nodes[PATHS_PER_ITEM];
    uint chances[PATHS_PER_ITEM]; // of the node
    uint guides[PATHS_PER_ITEM]; // which of the node's chances was drawn, or the trail to follow
} Descents;

EX_INLINE void begin_descent(
    __global const uint *blob, uint slot, uint guide, uint i, Descents *d) {
    d->slots[i] = slot;
    d->nodes[i] = 0u;
    d->chances[i] = LIGHT_CHANCES(blob);
    d->guides[i] = guide;
}

// One level down, by what was drawn or by a trail; what has come to a leaf stays there.
EX_INLINE void descend(
    __global const uint *blob, __global const uint *state, uint capacity, uint i, uint level,
    bool has_trail, Descents *d) {
    __global const uint *nodes = SECTION(blob, S_LIGHT_NODES);
    uint at = d->nodes[i], guide = d->guides[i], chances = d->chances[i];
    uint child = nodes[at * LIGHT_NODE_WORDS + LN_CHILD];
    bool is_leaf = child & LIGHT_NODE_LEAF;
    uint first = is_leaf ? 1u : child & LIGHT_NODE_INDEX;
    Asker asker;
    load_asker(state, capacity, d->slots[i], &asker);
    uint share = first_share(nodes + first * LIGHT_NODE_WORDS, &asker, chances);
    bool is_first = has_trail ? !(guide >> level & 1u) : guide < share;
    d->nodes[i] = is_leaf ? at : (is_first ? first : first + 1u);
    d->chances[i] = is_leaf ? chances : (is_first ? share : chances - share);
    d->guides[i] = is_leaf || is_first || has_trail ? guide : guide - share;
}

EX_INLINE void descend_all(
    __global const uint *blob, __global const uint *state, uint capacity, uint count,
    bool has_trail, Descents *d) {
    if (count == 0u) return;
    for (uint level = 0u; level < blob[H_LIGHT_LEVELS]; ++level) {
        PATH_LOOP
        for (uint i = 0u; i < count; ++i) {
            descend(blob, state, capacity, i, level, has_trail, d);
        }
    }
}

// The emitter that descent `i` has come to.
EX_INLINE __global const uint *emitter_found(
    __global const uint *blob, const Descents *d, uint i) {
    uint leaf = SECTION(blob, S_LIGHT_NODES)[d->nodes[i] * LIGHT_NODE_WORDS + LN_CHILD];
    return SECTION(blob, S_EMITTERS) + (leaf & LIGHT_NODE_INDEX) * EMITTER_WORDS;
}
