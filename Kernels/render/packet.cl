// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl
// needs: render/traverse.cl
// Sixteen rays through the tree together, for rays that go much the same way. The same arithmetic
// as for one ray (traverse.cl), and so the same least (distance, primitive) for each.

#ifndef RIGOR_NARROW
#define PACKET 16

typedef struct {
    float16 ox, oy, oz;
    float16 dx, dy, dz;
    float16 ix, iy, iz; // 1 / direction
    float16 sx, sy, sz; // -origin * inverse
    float16 distance; // of the nearest hit so far; below zero where there is no ray
    uint16 primitive;
#ifdef RIGOR_INSTANCES
    uint16 instance;
#endif
    bool is_alike; // all directions lie in one octant, and the near bounds are the same words
    uint near_x, near_y, near_z;
} Packet;

// Where the rays are on their way; see Space.
typedef struct {
    float pad;
#ifdef RIGOR_INSTANCES
    uint instance;
    uint shift;
    float16 near, far;
#endif
} PacketSpace;

EX_INLINE void packet_in_world(float pad, PacketSpace *space) {
    space->pad = pad;
#ifdef RIGOR_INSTANCES
    space->instance = INSTANCE_WORLD;
    space->shift = 0u;
    space->near = (float16)(-0x1p127f);
    space->far = (float16)(0x1p127f);
#endif
}

EX_INLINE bool any_lane(int16 mask) {
    // A compiler does not find these instructions by itself.
#if defined(__AVX512DQ__) && defined(__AVX512VL__)
    return __builtin_ia32_cvtd2mask512(mask) != 0;
#else
    int8 half_mask = mask.lo | mask.hi;
    int4 quarter_mask = half_mask.lo | half_mask.hi;
    int2 pair = quarter_mask.lo | quarter_mask.hi;
    return (pair.x | pair.y) != 0;
#endif
}

EX_INLINE float least_lane(float16 x) {
    float8 a = x.lo < x.hi ? x.lo : x.hi;
    float4 b = a.lo < a.hi ? a.lo : a.hi;
    float2 c = b.lo < b.hi ? b.lo : b.hi;
    return c.x < c.y ? c.x : c.y;
}

EX_INLINE float16 quotient16(float16 numerator, float16 denominator) {
    float16 r = as_float16((uint16)(0x7ef311c7u) - as_uint16(denominator));
    r = fma(r, fma(-denominator, r, (float16)(1.0f)), r);
    r = fma(r, fma(-denominator, r, (float16)(1.0f)), r);
    r = fma(r, fma(-denominator, r, (float16)(1.0f)), r);
    float16 q = numerator * r;
    return fma(fma(-denominator, q, numerator), r, q);
}

EX_INLINE float16 safe_inverse16(float16 d) {
    float16 magnitude = fabs(d);
    magnitude = magnitude < (float16)(1e-18f) ? (float16)(1e-18f) : magnitude;
    float16 inverse = quotient16((float16)(1.0f), magnitude);
    return d < (float16)(0.0f) ? -inverse : inverse;
}

// Whether all signs are the same.
EX_INLINE bool alike(float16 x) {
    int16 is_negative = x < (float16)(0.0f);
    return !any_lane(is_negative ^ (int16)(is_negative.s0));
}

// What boxes are tested with, of origins and directions.
EX_INLINE void prepare_slabs(Packet *p) {
    p->ix = safe_inverse16(p->dx);
    p->iy = safe_inverse16(p->dy);
    p->iz = safe_inverse16(p->dz);
    p->sx = -(p->ox * p->ix);
    p->sy = -(p->oy * p->iy);
    p->sz = -(p->oz * p->iz);
    p->is_alike = alike(p->ix) && alike(p->iy) && alike(p->iz);
    p->near_x = p->ix.s0 < 0.0f ? 8u : 0u;
    p->near_y = p->iy.s0 < 0.0f ? 24u : 16u;
    p->near_z = p->iz.s0 < 0.0f ? 40u : 32u;
}

// The rays of sixteen places of a queue, as far as there are so many.
EX_INLINE void load_packet(
    __global const uint *state, uint capacity, __global const uint *queue, uint first,
    uint count, uint *slots, Packet *p) {
    float words[6][PACKET], distance[PACKET];
    for (uint i = 0u; i < PACKET; ++i) {
        uint item = first + i < count ? first + i : count - 1u;
        slots[i] = queue[item];
        distance[i] = first + i < count ? 0x1p126f : -1.0f;
        for (uint word = 0u; word < 6u; ++word) {
            words[word][i] = as_float(state[(P_ORIGIN + word) * capacity + slots[i]]);
        }
    }
    p->ox = vload16(0, words[0]);
    p->oy = vload16(0, words[1]);
    p->oz = vload16(0, words[2]);
    p->dx = vload16(0, words[3]);
    p->dy = vload16(0, words[4]);
    p->dz = vload16(0, words[5]);
    prepare_slabs(p);
    p->distance = vload16(0, distance);
    p->primitive = (uint16)(PRIMITIVE_NONE);
#ifdef RIGOR_INSTANCES
    p->instance = (uint16)(INSTANCE_WORLD);
#endif
}

// The same as below with half the comparisons: least and greatest of two fused products with the
// same factor are those of the near and the far bound.
EX_INLINE int16 enter_alike(
    __global const float *bounds, uint child, const Packet *p, float16 *entry) {
    float16 nx = fma((float16)(bounds[p->near_x + child]), p->ix, p->sx);
    float16 ny = fma((float16)(bounds[p->near_y + child]), p->iy, p->sy);
    float16 nz = fma((float16)(bounds[p->near_z + child]), p->iz, p->sz);
    float16 fx = fma((float16)(bounds[(p->near_x ^ 8u) + child]), p->ix, p->sx);
    float16 fy = fma((float16)(bounds[(p->near_y ^ 8u) + child]), p->iy, p->sy);
    float16 fz = fma((float16)(bounds[(p->near_z ^ 8u) + child]), p->iz, p->sz);
    float16 n = nx > ny ? nx : ny, f = fx < fy ? fx : fy;
    n = n > nz ? n : nz;
    f = f < fz ? f : fz;
    n = n > (float16)(0.0f) ? n : (float16)(0.0f);
    f = f < p->distance ? f : p->distance;
    *entry = n;
    return n <= f;
}

// Where the rays enter a child's box, and which of them do before their nearest hit.
EX_INLINE int16 enter_child(
    __global const float *bounds, uint child, const Packet *p, float16 *entry) {
    if (p->is_alike) return enter_alike(bounds, child, p, entry);
    float16 ax = fma((float16)(bounds[child]), p->ix, p->sx);
    float16 bx = fma((float16)(bounds[8 + child]), p->ix, p->sx);
    float16 ay = fma((float16)(bounds[16 + child]), p->iy, p->sy);
    float16 by = fma((float16)(bounds[24 + child]), p->iy, p->sy);
    float16 az = fma((float16)(bounds[32 + child]), p->iz, p->sz);
    float16 bz = fma((float16)(bounds[40 + child]), p->iz, p->sz);
    float16 n = ax < bx ? ax : bx, f = ax < bx ? bx : ax;
    float16 ny = ay < by ? ay : by, fy = ay < by ? by : ay;
    float16 nz = az < bz ? az : bz, fz = az < bz ? bz : az;
    n = n > ny ? n : ny;
    f = f < fy ? f : fy;
    n = n > nz ? n : nz;
    f = f < fz ? f : fz;
    n = n > (float16)(0.0f) ? n : (float16)(0.0f);
    f = f < p->distance ? f : p->distance;
    *entry = n;
    return n <= f;
}

// Which rays have `distance` inside the padded box of a triangle.
EX_INLINE int16 in_own_box(
    __global const float *b, const Packet *p, float pad, float16 distance) {
    float3 o = (float3)(b[0], b[8], b[16]);
    float3 q = o + (float3)(b[24], b[32], b[40]);
    float3 r = o + (float3)(b[48], b[56], b[64]);
    float3 low = o < q ? o : q;
    float3 high = o > q ? o : q;
    low = (low < r ? low : r) - (float3)(pad);
    high = (high > r ? high : r) + (float3)(pad);
    float16 ax = fma((float16)(low.x), p->ix, p->sx), bx = fma((float16)(high.x), p->ix, p->sx);
    float16 ay = fma((float16)(low.y), p->iy, p->sy), by = fma((float16)(high.y), p->iy, p->sy);
    float16 az = fma((float16)(low.z), p->iz, p->sz), bz = fma((float16)(high.z), p->iz, p->sz);
    int16 x = ((ax < bx ? ax : bx) <= distance) & (distance <= (ax > bx ? ax : bx));
    int16 y = ((ay < by ? ay : by) <= distance) & (distance <= (ay > by ? ay : by));
    int16 z = ((az < bz ? az : bz) <= distance) & (distance <= (az > bz ? az : bz));
    return x & y & z;
}

// Takes out of `hits` the rays that a material lets through.
EX_INLINE int16 stopped_rays(
    __global const uint *blob, __global const uint *state, uint capacity, const uint *slots,
    uint dimension, uint stored, uint primitive, int16 hits, float16 u, float16 v,
    float16 size) {
    int marks[PACKET];
    float us[PACKET], vs[PACKET];
    vstore16(hits, 0, marks);
    vstore16(quotient16(u, size), 0, us);
    vstore16(quotient16(v, size), 0, vs);
    for (uint i = 0u; i < PACKET; ++i) {
        if (marks[i] == 0) continue;
        uint key = draw_bits(
            state[P_KEY * capacity + slots[i]], state[P_SAMPLE * capacity + slots[i]], dimension);
        if (passes_through(blob, stored, primitive, us[i], vs[i], key)) marks[i] = 0;
    }
    return vload16(0, marks);
}

// One triangle of a block against all rays; see block_candidates and test_block.
EX_INLINE void test_triangle(
    __global const uint *blob, __global const uint *block, uint lane, __global const uint *state,
    uint capacity, const uint *slots, uint dimension, bool is_camera, const PacketSpace *space,
    Packet *p) {
    __global const float *b = (__global const float *)block + lane;
    float16 cx = (float16)(b[0]) - p->ox, cy = (float16)(b[8]) - p->oy;
    float16 cz = (float16)(b[16]) - p->oz;
    float16 nx = (float16)(b[72]), ny = (float16)(b[80]), nz = (float16)(b[88]);
    float16 det = fma(nx, p->dx, fma(ny, p->dy, nz * p->dz));
    float16 sign = det < (float16)(0.0f) ? (float16)(-1.0f) : (float16)(1.0f);
    float16 size = det * sign;
    float16 ts = sign * fma(nx, cx, fma(ny, cy, nz * cz));
    float16 rx = fma(cy, p->dz, -(cz * p->dy));
    float16 ry = fma(cz, p->dx, -(cx * p->dz));
    float16 rz = fma(cx, p->dy, -(cy * p->dx));
    float16 us = sign * fma(rx, (float16)(b[48]), fma(ry, (float16)(b[56]), rz * b[64]));
    float16 vs = -sign * fma(rx, (float16)(b[24]), fma(ry, (float16)(b[32]), rz * b[40]));
    float16 bound = size * (p->distance * 0x1.00002p0f);
    int16 hits = (us >= (float16)(0.0f)) & (vs >= (float16)(0.0f)) & (us + vs <= size)
        & (ts > (float16)(0.0f)) & (ts <= bound) & (size > (float16)(0.0f));
    if (!any_lane(hits)) return;
    uint word = block[96 + lane];
    uint stored = word & PRIMITIVE_NONE, primitive = stored;
    float16 distance = quotient16(ts, size);
#ifdef RIGOR_INSTANCES
    primitive += space->shift;
    hits &= (space->near <= distance) & (distance <= space->far);
#endif
    hits &= (distance < p->distance)
        | ((distance == p->distance) & ((uint16)(primitive) < p->primitive));
    hits &= in_own_box(b, p, space->pad, distance);
    // The camera does not see the back of a single-sided surface (glTF 2.0, 3.9.7).
    if (is_camera && word & PRIMITIVE_SINGLE_SIDED) hits &= det <= (float16)(0.0f);
    if (word & PRIMITIVE_ASK && any_lane(hits)) {
        hits = stopped_rays(
            blob, state, capacity, slots, dimension, stored, primitive, hits, us, vs, size);
    }
    p->distance = hits ? distance : p->distance;
    p->primitive = hits ? (uint16)(primitive) : p->primitive;
#ifdef RIGOR_INSTANCES
    p->instance = hits ? (uint16)(space->instance) : p->instance;
#endif
}

// A node's children that any ray enters go on the stack, the farthest first.
EX_INLINE uint push_children(
    __global const uint *node, const Packet *p, uint top, uint *words, float *keys,
    float16 *entries) {
    uint base = top;
    for (uint left = node[56]; left; left &= left - 1u) {
        uint child = 31u - clz(left & -left);
        float16 entry;
        int16 mask = enter_child((__global const float *)node, child, p, &entry);
        if (!any_lane(mask)) continue;
        entry = mask ? entry : (float16)(0x1p127f);
        float key = least_lane(entry);
        uint place = top++;
        while (place > base && keys[place - 1u] < key) {
            keys[place] = keys[place - 1u];
            words[place] = words[place - 1u];
            entries[place] = entries[place - 1u];
            --place;
        }
        keys[place] = key;
        words[place] = node[48 + child];
        entries[place] = entry;
    }
    return top;
}

#ifdef RIGOR_INSTANCES
// Where the rays are between two planes of a box: the later beginning and the earlier end so far.
EX_INLINE void narrow_interval(
    float low, float high, float16 inverse, float16 shifted, PacketSpace *space) {
    float16 a = fma((float16)(low), inverse, shifted), b = fma((float16)(high), inverse, shifted);
    float16 n = a < b ? a : b, f = a > b ? a : b;
    space->near = space->near > n ? space->near : n;
    space->far = space->far < f ? space->far : f;
}

// A row of four times the packet's points or, without the last, directions.
EX_INLINE float16 row_times(__global const float *row, float16 x, float16 y, float16 z, float16 w) {
    return fma((float16)(row[0]), x, fma((float16)(row[1]), y, fma((float16)(row[2]), z, w)));
}

// A row of three times the packet's directions, as dot3 has it.
EX_INLINE float16 row_dot(__global const float *row, float16 x, float16 y, float16 z) {
    return fma((float16)(row[0]), x, fma((float16)(row[1]), y, row[2] * z));
}

// The rays go into the space of the mesh that `instance` puts into the world.
EX_INLINE void packet_into_instance(
    __global const uint *blob, uint instance, PacketSpace *space, Packet *p) {
    __global const uint *placed = instance_at(blob, instance);
    __global const float *b = (__global const float *)placed;
    space->instance = instance;
    space->shift = placed[I_SHIFT];
    space->pad = b[I_PAD];
    narrow_interval(b[I_LOW], b[I_HIGH], p->ix, p->sx, space);
    narrow_interval(b[I_LOW + 1], b[I_HIGH + 1], p->iy, p->sy, space);
    narrow_interval(b[I_LOW + 2], b[I_HIGH + 2], p->iz, p->sz, space);
    __global const float *rows = b + I_TO_MESH;
    float16 x = p->ox, y = p->oy, z = p->oz;
    p->ox = row_times(rows, x, y, z, (float16)(rows[3]));
    p->oy = row_times(rows + 4, x, y, z, (float16)(rows[7]));
    p->oz = row_times(rows + 8, x, y, z, (float16)(rows[11]));
    x = p->dx;
    y = p->dy;
    z = p->dz;
    p->dx = row_dot(rows, x, y, z);
    p->dy = row_dot(rows + 4, x, y, z);
    p->dz = row_dot(rows + 8, x, y, z);
    prepare_slabs(p);
}

// And back, with what they met.
EX_INLINE void packet_out_of_instance(const Packet *outside, Packet *p) {
    float16 distance = p->distance;
    uint16 primitive = p->primitive, instance = p->instance;
    *p = *outside;
    p->distance = distance;
    p->primitive = primitive;
    p->instance = instance;
}
#endif

// Rays that a work-item sorts: as many as its caches hold.
#define SORT_RUN 16384u
#define SORT_BINS 8u

// Runs of the queue, each sorted by the octant of its rays' directions, which is the field
// `direction` of their state: what follows in a packet then goes much the same way.
__kernel void sort_by_direction(
    __global const uint *restrict state, uint capacity, uint direction,
    __global const uint *restrict queue, __global uint *restrict sorted, uint count) {
    uint first = (uint)get_global_id(0) * SORT_RUN;
    if (first >= count) return;
    uint size = count - first < SORT_RUN ? count - first : SORT_RUN;
    __global const uint *x = state + direction * capacity;
    __global const uint *y = x + capacity, *z = y + capacity;
    uchar octants[SORT_RUN];
    uint starts[SORT_BINS];
    for (uint bin = 0u; bin < SORT_BINS; ++bin) starts[bin] = 0u;
    for (uint i = 0u; i < size; ++i) {
        uint slot = queue[first + i];
        uint octant = x[slot] >> 31 | (y[slot] >> 31) << 1 | (z[slot] >> 31) << 2;
        octants[i] = (uchar)octant;
        starts[octant] += 1u;
    }
    uint start = first;
    for (uint bin = 0u; bin < SORT_BINS; ++bin) {
        uint next = start + starts[bin];
        starts[bin] = start;
        start = next;
    }
    for (uint i = 0u; i < size; ++i) sorted[starts[octants[i]]++] = queue[first + i];
}

// The nearest hit of each queued path's ray; sixteen a work-item.
__kernel void closest_packet(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict queue, uint count, uint depth) {
    uint first = (uint)get_global_id(0) * PACKET;
    if (first >= count) return;
    uint slots[PACKET];
    Packet p;
    load_packet(state, capacity, queue, first, count, slots, &p);
    PacketSpace space;
    packet_in_world(as_float(blob[H_PAD]), &space);
#ifdef RIGOR_INSTANCES
    Packet outside = p;
    uint base = 0u;
#endif
    uint words[STACK_SIZE];
    float keys[STACK_SIZE];
    float16 entries[STACK_SIZE];
    uint top = 0u;
    if (SECTION_COUNT(blob, S_NODES) != 0u) {
        top = push_children(SECTION(blob, S_NODES), &p, 0u, words, keys, entries);
    }
    while (top > 0u) {
#ifdef RIGOR_INSTANCES
        if (space.instance != INSTANCE_WORLD && top == base) {
            packet_in_world(as_float(blob[H_PAD]), &space);
            packet_out_of_instance(&outside, &p);
        }
#endif
        --top;
        if (!any_lane(entries[top] <= p.distance)) continue;
        uint word = words[top];
#ifdef RIGOR_INSTANCES
        if ((word & (CHILD_LEAF | CHILD_INSTANCE)) == (CHILD_LEAF | CHILD_INSTANCE)) {
            base = top;
            outside = p;
            uint instance = word & ~(CHILD_LEAF | CHILD_INSTANCE);
            packet_into_instance(blob, instance, &space, &p);
            word = instance_at(blob, instance)[I_ROOT];
        }
#endif
        if (!(word & CHILD_LEAF)) {
            __global const uint *node = SECTION(blob, S_NODES) + word * NODE_WORDS;
            top = push_children(node, &p, top, words, keys, entries);
            continue;
        }
        __global const uint *block =
            SECTION(blob, S_BLOCKS) + (word & ~CHILD_LEAF) * BLOCK_WORDS;
        for (uint lane = 0u; lane < 8u && block[96 + lane] != PRIMITIVE_NONE; ++lane) {
            test_triangle(
                blob, block, lane, state, capacity, slots, depth * D_COUNT + D_ALPHA,
                depth == 0u, &space, &p);
        }
    }
    float distance[PACKET];
    uint primitive[PACKET];
    vstore16(p.distance, 0, distance);
    vstore16(p.primitive, 0, primitive);
    for (uint i = 0u; i < PACKET && first + i < count; ++i) {
        set_path_float(state, capacity, P_HIT_DISTANCE, slots[i], distance[i]);
        state[P_HIT_PRIMITIVE * capacity + slots[i]] = primitive[i];
    }
#ifdef RIGOR_INSTANCES
    vstore16(p.instance, 0, primitive);
    for (uint i = 0u; i < PACKET && first + i < count; ++i) {
        state[P_INSTANCE * capacity + slots[i]] = primitive[i];
    }
#endif
}
#endif
