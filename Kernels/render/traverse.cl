// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl
// One ray through a tree of eight-wide nodes with blocks of eight triangles in its leaves.
//
// A candidate counts only if its distance lies in the slab interval of its own padded box, computed
// like a node's. fma, min and max are monotone, so every enclosing node is entered while its
// entry is not beyond the best hit: the result, the least (distance, primitive), does not depend on
// the tree or on the order of visits.
//
// With instances (RIGOR_INSTANCES) a ray goes into a mesh's space and comes back, both kept on one
// stack. Its direction is not made unit length there, so that distances are the world's. A
// candidate counts only if its distance lies in the interval of the instance's box too: what holds
// of boxes in one space says nothing of those in another.

#ifdef RIGOR_NARROW
#define LANES 4
typedef float4 lanes;
#define LANES_LOAD vload4
#define LANES_STORE vstore4
EX_INLINE uint lane_bits(int4 mask) {
    int4 bits = mask & (int4)(1, 2, 4, 8);
    int2 half_bits = bits.lo | bits.hi;
    return (uint)(half_bits.x | half_bits.y);
}
#else
#define LANES 8
typedef float8 lanes;
#define LANES_LOAD vload8
#define LANES_STORE vstore8
EX_INLINE uint lane_bits(int8 mask) {
    // A compiler does not find this instruction by itself.
#if defined(__AVX512DQ__) && defined(__AVX512VL__)
    return (uint)__builtin_ia32_cvtd2mask256(mask);
#else
    int8 bits = mask & (int8)(1, 2, 4, 8, 16, 32, 64, 128);
    int4 quarter_bits = bits.lo | bits.hi;
    int2 half_bits = quarter_bits.lo | quarter_bits.hi;
    return (uint)(half_bits.x | half_bits.y);
#endif
}
#endif

// The host refuses trees that could need more; WideBvh.swift.
#ifdef RIGOR_INSTANCES
#define STACK_SIZE 192 // a mesh's tree on top of the scene's
#else
#define STACK_SIZE 96
#endif

typedef struct {
    float3 origin;
    float3 direction;
    float3 inverse; // 1 / direction, components below 1e-18 taken as ±1e-18
    float3 shifted; // -origin * inverse
    uint near_x, near_y, near_z; // word of a node's near bounds along each axis
} Ray;

typedef struct {
    float distance;
    uint primitive;
#ifdef RIGOR_INSTANCES
    uint instance;
#endif
} Hit;

// Where a ray is on its way: in the world, or in the space of an instance's mesh.
typedef struct {
    float pad; // of boxes there
#ifdef RIGOR_INSTANCES
    uint instance;
    uint shift; // a triangle's number less its place among those stored
    float near, far; // where the ray is in the instance's box
#endif
} Space;

EX_INLINE Space world_space(float pad) {
    Space space;
    space.pad = pad;
#ifdef RIGOR_INSTANCES
    space.instance = INSTANCE_WORLD;
    space.shift = 0u;
    space.near = -0x1p127f;
    space.far = 0x1p127f;
#endif
    return space;
}

// T / D for D > 0 within the range that geometry has; integer seed, Newton steps, one correction.
EX_INLINE float quotient(float numerator, float denominator) {
    float r = as_float(0x7ef311c7u - as_uint(denominator));
    r = fma(r, fma(-denominator, r, 1.0f), r);
    r = fma(r, fma(-denominator, r, 1.0f), r);
    r = fma(r, fma(-denominator, r, 1.0f), r);
    float q = numerator * r;
    return fma(fma(-denominator, q, numerator), r, q);
}

EX_INLINE float safe_inverse(float d) {
    float magnitude = fabs(d) < 1e-18f ? 1e-18f : fabs(d);
    float inverse = quotient(1.0f, magnitude);
    return d < 0.0f ? -inverse : inverse;
}

EX_INLINE void make_ray(vec3 origin, vec3 direction, Ray *ray) {
    ray->origin = (float3)(origin.x, origin.y, origin.z);
    ray->direction = (float3)(direction.x, direction.y, direction.z);
    ray->inverse = (float3)(
        safe_inverse(direction.x), safe_inverse(direction.y), safe_inverse(direction.z));
    ray->shifted = -(ray->origin * ray->inverse);
    ray->near_x = ray->inverse.x < 0.0f ? 8u : 0u;
    ray->near_y = ray->inverse.y < 0.0f ? 24u : 16u;
    ray->near_z = ray->inverse.z < 0.0f ? 40u : 32u;
}

// Which children the ray enters before `limit`; their entries go to `entry`.
EX_INLINE uint entered_children(
    __global const uint *node, const Ray *ray, float limit, float *entry) {
    __global const float *bounds = (__global const float *)node;
    uint bits = 0;
    for (uint at = 0; at < 8u; at += LANES) {
        lanes nx = fma(LANES_LOAD(0, bounds + ray->near_x + at), (lanes)ray->inverse.x,
            (lanes)ray->shifted.x);
        lanes ny = fma(LANES_LOAD(0, bounds + ray->near_y + at), (lanes)ray->inverse.y,
            (lanes)ray->shifted.y);
        lanes nz = fma(LANES_LOAD(0, bounds + ray->near_z + at), (lanes)ray->inverse.z,
            (lanes)ray->shifted.z);
        lanes fx = fma(LANES_LOAD(0, bounds + (ray->near_x ^ 8u) + at), (lanes)ray->inverse.x,
            (lanes)ray->shifted.x);
        lanes fy = fma(LANES_LOAD(0, bounds + (ray->near_y ^ 8u) + at), (lanes)ray->inverse.y,
            (lanes)ray->shifted.y);
        lanes fz = fma(LANES_LOAD(0, bounds + (ray->near_z ^ 8u) + at), (lanes)ray->inverse.z,
            (lanes)ray->shifted.z);
        lanes n = nx > ny ? nx : ny;
        lanes far = fx < fy ? fx : fy;
        n = n > nz ? n : nz;
        far = far < fz ? far : fz;
        n = n > (lanes)0.0f ? n : (lanes)0.0f;
        far = far < (lanes)limit ? far : (lanes)limit;
        LANES_STORE(n, 0, entry + at);
        bits |= lane_bits(n <= far) << at;
    }
    return bits & node[56];
}

// Möller-Trumbore with the division delayed: which lanes of a block may be hit before `limit`.
// Leaves u, v, distance and determinant, all times |determinant|, and the determinant's sign bit.
EX_INLINE uint block_candidates(
    __global const uint *block, const Ray *ray, float limit, float *u, float *v, float *t,
    float *determinant) {
    __global const float *b = (__global const float *)block;
    lanes dx = (lanes)ray->direction.x, dy = (lanes)ray->direction.y, dz = (lanes)ray->direction.z;
    uint bits = 0;
    for (uint at = 0; at < 8u; at += LANES) {
        lanes cx = LANES_LOAD(0, b + at) - (lanes)ray->origin.x;
        lanes cy = LANES_LOAD(0, b + 8 + at) - (lanes)ray->origin.y;
        lanes cz = LANES_LOAD(0, b + 16 + at) - (lanes)ray->origin.z;
        lanes rx = fma(cy, dz, -(cz * dy));
        lanes ry = fma(cz, dx, -(cx * dz));
        lanes rz = fma(cx, dy, -(cy * dx));
        lanes nx = LANES_LOAD(0, b + 72 + at);
        lanes ny = LANES_LOAD(0, b + 80 + at);
        lanes nz = LANES_LOAD(0, b + 88 + at);
        lanes det = fma(nx, dx, fma(ny, dy, nz * dz));
        lanes sign = det < (lanes)0.0f ? (lanes)-1.0f : (lanes)1.0f;
        lanes size = det * sign;
        lanes us = sign * fma(rx, LANES_LOAD(0, b + 48 + at),
            fma(ry, LANES_LOAD(0, b + 56 + at), rz * LANES_LOAD(0, b + 64 + at)));
        lanes vs = -sign * fma(rx, LANES_LOAD(0, b + 24 + at),
            fma(ry, LANES_LOAD(0, b + 32 + at), rz * LANES_LOAD(0, b + 40 + at)));
        lanes ts = sign * fma(nx, cx, fma(ny, cy, nz * cz));
        lanes bound = size * (lanes)(limit * 0x1.00002p0f);
        uint hits = lane_bits((us >= (lanes)0.0f) & (vs >= (lanes)0.0f) & (us + vs <= size)
            & (ts > (lanes)0.0f) & (ts <= bound) & (size > (lanes)0.0f));
        if (hits) {
            LANES_STORE(us, 0, u + at);
            LANES_STORE(vs, 0, v + at);
            LANES_STORE(ts, 0, t + at);
            LANES_STORE(det, 0, determinant + at);
        }
        bits |= hits << at;
    }
    return bits;
}

// Whether `distance` lies where the ray is in the lane's own padded box.
EX_INLINE bool is_in_own_box(
    __global const uint *block, uint lane, const Ray *ray, float pad, float distance) {
    __global const float *b = (__global const float *)block + lane;
    float3 p = (float3)(b[0], b[8], b[16]);
    float3 q = p + (float3)(b[24], b[32], b[40]);
    float3 r = p + (float3)(b[48], b[56], b[64]);
    float3 low = p < q ? p : q;
    float3 high = p > q ? p : q;
    low = (low < r ? low : r) - (float3)pad;
    high = (high > r ? high : r) + (float3)pad;
    float3 s = fma(low, ray->inverse, ray->shifted);
    float3 e = fma(high, ray->inverse, ray->shifted);
    float3 n = s < e ? s : e;
    float3 f = s > e ? s : e;
    return n.x <= distance && n.y <= distance && n.z <= distance && distance <= f.x
        && distance <= f.y && distance <= f.z;
}

// Tests a leaf's block and keeps the least (distance, primitive) in `hit`. True when it changed.
EX_INLINE bool test_block(
    __global const uint *blob, __global const uint *block, const Ray *ray, Space space,
    bool is_camera, uint alpha_key, Hit *hit) {
    float u[8], v[8], t[8], determinant[8];
    uint bits = block_candidates(block, ray, hit->distance, u, v, t, determinant);
    bool changed = false;
    while (bits) {
        uint lane = 31u - clz(bits & -bits);
        bits &= bits - 1u;
        float size = fabs(determinant[lane]);
        float distance = quotient(t[lane], size);
        uint word = block[96 + lane];
        uint stored = word & PRIMITIVE_NONE, primitive = stored;
#ifdef RIGOR_INSTANCES
        primitive += space.shift;
        if (!(space.near <= distance && distance <= space.far)) continue;
#endif
        bool is_nearer = distance < hit->distance
            || (distance == hit->distance && primitive < hit->primitive);
        if (!is_nearer || !is_in_own_box(block, lane, ray, space.pad, distance)) continue;
        // The camera does not see the back of a single-sided surface (glTF 2.0, 3.9.7).
        if (is_camera && word & PRIMITIVE_SINGLE_SIDED && determinant[lane] > 0.0f) continue;
        if (word & PRIMITIVE_ASK) {
            float bu = quotient(u[lane], size), bv = quotient(v[lane], size);
            if (passes_through(blob, stored, primitive, bu, bv, alpha_key)) continue;
        }
        hit->distance = distance;
        hit->primitive = primitive;
#ifdef RIGOR_INSTANCES
        hit->instance = space.instance;
#endif
        changed = true;
    }
    return changed;
}

// A ray on its way through the tree.
typedef struct {
    Ray ray;
    Hit hit; // the best so far; at first how far the ray goes
    uint alpha_key;
    uint current; // a child word
    uint top;
    ulong stack[STACK_SIZE]; // where a child is entered, and below it its word; the farthest first
#ifdef RIGOR_INSTANCES
    Space space;
    Ray outside; // the ray in the world, while it is in an instance
    uint base; // what waits below is in the world
    float world_pad;
#endif
} Walk;

#ifdef RIGOR_INSTANCES
// The ray goes into the space of the mesh that `instance` puts into the world.
EX_INLINE void enter_instance(__global const uint *blob, uint instance, Walk *w) {
    __global const uint *placed = instance_at(blob, instance);
    float3 low = vload3(0, (__global const float *)placed + I_LOW);
    float3 high = vload3(0, (__global const float *)placed + I_HIGH);
    float3 s = fma(low, w->ray.inverse, w->ray.shifted);
    float3 e = fma(high, w->ray.inverse, w->ray.shifted);
    float3 n = s < e ? s : e;
    float3 f = s > e ? s : e;
    float near = n.x > n.y ? n.x : n.y, far = f.x < f.y ? f.x : f.y;
    w->space.instance = instance;
    w->space.shift = placed[I_SHIFT];
    w->space.pad = as_float(placed[I_PAD]);
    w->space.near = near > n.z ? near : n.z;
    w->space.far = far < f.z ? far : f.z;
    w->outside = w->ray;
    w->base = w->top;
    w->current = placed[I_ROOT];
    vec3 origin = make3(w->ray.origin.x, w->ray.origin.y, w->ray.origin.z);
    vec3 direction = make3(w->ray.direction.x, w->ray.direction.y, w->ray.direction.z);
    make_ray(
        move_point(placed + I_TO_MESH, origin), move_direction(placed + I_TO_MESH, direction),
        &w->ray);
}

EX_INLINE void leave_instance(Walk *w) {
    w->space = world_space(w->world_pad);
    w->ray = w->outside;
}
#endif

// Goes to the nearest child that waits; false when there is none before the hit.
EX_INLINE bool go_back(Walk *w) {
    do {
#ifdef RIGOR_INSTANCES
        if (w->space.instance != INSTANCE_WORLD && w->top == w->base) leave_instance(w);
#endif
        if (w->top == 0u) return false;
        --w->top;
    } while (as_float((uint)(w->stack[w->top] >> 32)) > w->hit.distance);
    w->current = (uint)w->stack[w->top];
    return true;
}

// Goes to the nearest of the children in `bits`, and lets the others wait.
EX_INLINE void go_down(__global const uint *node, const float *entry, uint bits, Walk *w) {
    uint child = 31u - clz(bits & -bits);
    bits &= bits - 1u;
    ulong nearest = (ulong)as_uint(entry[child]) << 32 | node[48 + child];
    uint base = w->top;
    while (bits) {
        child = 31u - clz(bits & -bits);
        bits &= bits - 1u;
        ulong key = (ulong)as_uint(entry[child]) << 32 | node[48 + child];
        if (key < nearest) {
            ulong swap = key;
            key = nearest;
            nearest = swap;
        }
        uint place = w->top++;
        while (place > base && w->stack[place - 1] < key) {
            w->stack[place] = w->stack[place - 1];
            --place;
        }
        w->stack[place] = key;
    }
    w->current = (uint)nearest;
}

// One node or block; false at the way's end. With `any`, whichever hit comes first ends it.
EX_INLINE bool walk(
    __global const uint *blob, float pad, bool any, bool is_camera, Walk *w) {
    if (w->current & CHILD_LEAF) {
#ifdef RIGOR_INSTANCES
        if (w->current & CHILD_INSTANCE) {
            enter_instance(blob, w->current & ~(CHILD_LEAF | CHILD_INSTANCE), w);
            return true;
        }
        Space space = w->space;
#else
        Space space = world_space(pad);
#endif
        __global const uint *block =
            SECTION(blob, S_BLOCKS) + (w->current & ~CHILD_LEAF) * BLOCK_WORDS;
        bool is_hit = test_block(blob, block, &w->ray, space, is_camera, w->alpha_key, &w->hit);
        if (is_hit && any) return false;
        return go_back(w);
    }
    float entry[8];
    __global const uint *node = SECTION(blob, S_NODES) + w->current * NODE_WORDS;
    uint bits = entered_children(node, &w->ray, w->hit.distance, entry);
    if (!bits) return go_back(w);
    go_down(node, entry, bits, w);
    return true;
}

// What a queue of rays is: where their state is, and what becomes of their hits.
typedef struct {
    __global const uint *blob;
    __global uint *state;
    uint capacity;
    uint depth;
    bool is_shadow; // rays of light that was asked, or of paths
} Rays;

// A ray that begins; false where there is nothing to meet.
EX_INLINE bool begin_walk(const Rays *r, uint slot, Walk *w) {
    uint origin = r->is_shadow ? P_SHADOW_ORIGIN : P_ORIGIN;
    uint direction = r->is_shadow ? P_SHADOW_DIRECTION : P_DIRECTION;
    uint dimension = r->depth * D_COUNT + (r->is_shadow ? D_SHADOW_ALPHA : D_ALPHA);
    make_ray(
        path_vec3(r->state, r->capacity, origin, slot),
        path_vec3(r->state, r->capacity, direction, slot), &w->ray);
    w->alpha_key = draw_bits(
        r->state[P_KEY * r->capacity + slot], r->state[P_SAMPLE * r->capacity + slot], dimension);
    w->hit.distance = 0x1p126f;
    if (r->is_shadow) {
        w->hit.distance = path_float(r->state, r->capacity, P_SHADOW_DISTANCE, slot);
    }
    w->hit.primitive = PRIMITIVE_NONE;
    w->top = 0u;
    w->current = 0u;
#ifdef RIGOR_INSTANCES
    w->hit.instance = INSTANCE_WORLD;
    w->world_pad = as_float(r->blob[H_PAD]);
    w->space = world_space(w->world_pad);
#endif
    return SECTION_COUNT(r->blob, S_NODES) != 0u;
}

// Keeps what a path's ray met, or adds the light that was asked where nothing stands between.
EX_INLINE void end_walk(const Rays *r, uint slot, const Walk *w) {
    if (!r->is_shadow) {
        set_path_float(r->state, r->capacity, P_HIT_DISTANCE, slot, w->hit.distance);
        r->state[P_HIT_PRIMITIVE * r->capacity + slot] = w->hit.primitive;
#ifdef RIGOR_INSTANCES
        r->state[P_INSTANCE * r->capacity + slot] = w->hit.instance;
#endif
    } else if (w->hit.primitive == PRIMITIVE_NONE) {
        vec3 radiance = add3(
            path_vec3(r->state, r->capacity, P_RADIANCE, slot),
            path_vec3(r->state, r->capacity, P_SHADOW_RADIANCE, slot));
        set_path_vec3(r->state, r->capacity, P_RADIANCE, slot, radiance);
    }
}

EX_INLINE bool go_on(const Rays *r, float pad, Walk *w) {
    return walk(r->blob, pad, r->is_shadow, !r->is_shadow && r->depth == 0u, w);
}

// One ray from its beginning to its end.
EX_INLINE void trace_one(const Rays *r, float pad, uint slot, Walk *w) {
    if (begin_walk(r, slot, w)) while (go_on(r, pad, w));
    end_walk(r, slot, w);
}

#ifdef RIGOR_NARROW
// The rays first..<end of a queue.
EX_INLINE void trace(const Rays *r, __global const uint *queue, uint first, uint end) {
    float pad = as_float(r->blob[H_PAD]);
    for (uint item = first; item < end; ++item) {
        Walk w;
        trace_one(r, pad, queue[item], &w);
    }
}
#else
// The next ray of a queue takes a finished one's place; false when there is none.
EX_INLINE bool take_next(
    const Rays *r, __global const uint *queue, uint *next, uint end, uint *slot, Walk *w) {
    end_walk(r, *slot, w);
    if (*next == end) return false;
    *slot = queue[(*next)++];
    return begin_walk(r, *slot, w);
}

// The rays first..<end of a queue, two at a time: while one waits for memory or for an outcome, a
// processor can go on with the other.
EX_INLINE void trace(const Rays *r, __global const uint *queue, uint first, uint end) {
    float pad = as_float(r->blob[H_PAD]);
    uint next = first;
    Walk a, b;
    if (SECTION_COUNT(r->blob, S_NODES) == 0u || end - first < 2u) {
        while (next < end) trace_one(r, pad, queue[next++], &a);
        return;
    }
    uint slot_a = queue[next++], slot_b = queue[next++];
    bool a_goes = begin_walk(r, slot_a, &a), b_goes = begin_walk(r, slot_b, &b);
    while (a_goes && b_goes) {
        a_goes = go_on(r, pad, &a);
        b_goes = go_on(r, pad, &b);
        if (!a_goes) a_goes = take_next(r, queue, &next, end, &slot_a, &a);
        if (!b_goes) b_goes = take_next(r, queue, &next, end, &slot_b, &b);
    }
    while (a_goes && go_on(r, pad, &a));
    if (a_goes) end_walk(r, slot_a, &a);
    while (b_goes && go_on(r, pad, &b));
    if (b_goes) end_walk(r, slot_b, &b);
}
#endif
