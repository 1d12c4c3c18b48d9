// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl
// needs: render/traverse.cl render/rays.cl
// Sixteen rays through the tree together, for rays that go much the same way. The same arithmetic
// as for one ray (traverse.cl), and so the same least (distance, primitive) for each.

// Where the rays are on their way; see Space.
typedef struct {
    float pad;
#ifdef RIGOR_INSTANCES
    uint instance;
    uint shift;
    floats near, far;
#endif
} GroupSpace;

EX_INLINE void rays_in_world(float pad, GroupSpace *space) {
    space->pad = pad;
#ifdef RIGOR_INSTANCES
    space->instance = INSTANCE_WORLD;
    space->shift = 0u;
    space->near = (floats)(-0x1p127f);
    space->far = (floats)(0x1p127f);
#endif
}

// The rays of so many places of a queue from `first` on, as far as it has them.
EX_INLINE void load_rays(
    __global const uint *state, uint capacity, __global const uint *queue, uint first,
    uint count, uint *slots, RayGroup *p) {
    float words[6][RAYS], distance[RAYS];
    for (uint i = 0u; i < RAYS; ++i) {
        uint item = first + i < count ? first + i : count - 1u;
        slots[i] = queue[item];
        distance[i] = first + i < count ? 0x1p126f : -1.0f;
        for (uint word = 0u; word < 6u; ++word) {
            words[word][i] = as_float(state[(P_ORIGIN + word) * capacity + slots[i]]);
        }
    }
    p->ox = RAYS_LOAD(0, words[0]);
    p->oy = RAYS_LOAD(0, words[1]);
    p->oz = RAYS_LOAD(0, words[2]);
    p->dx = RAYS_LOAD(0, words[3]);
    p->dy = RAYS_LOAD(0, words[4]);
    p->dz = RAYS_LOAD(0, words[5]);
    p->distance = RAYS_LOAD(0, distance);
    prepare_slabs(p);
    p->primitive = (uints)(PRIMITIVE_NONE);
#ifdef RIGOR_INSTANCES
    p->instance = (uints)(INSTANCE_WORLD);
#endif
}

// The same as below with half the comparisons: least and greatest of two fused products with the
// same factor are those of the near and the far bound.
EX_INLINE ints enter_alike(
    __global const float *bounds, uint child, const RayGroup *p, floats *entry) {
    floats nx = fma((floats)(bounds[p->near_x + child]), p->ix, p->sx);
    floats ny = fma((floats)(bounds[p->near_y + child]), p->iy, p->sy);
    floats nz = fma((floats)(bounds[p->near_z + child]), p->iz, p->sz);
    floats fx = fma((floats)(bounds[(p->near_x ^ 8u) + child]), p->ix, p->sx);
    floats fy = fma((floats)(bounds[(p->near_y ^ 8u) + child]), p->iy, p->sy);
    floats fz = fma((floats)(bounds[(p->near_z ^ 8u) + child]), p->iz, p->sz);
    floats n = nx > ny ? nx : ny, f = fx < fy ? fx : fy;
    n = n > nz ? n : nz;
    f = f < fz ? f : fz;
    n = n > (floats)(0.0f) ? n : (floats)(0.0f);
    f = f < p->distance ? f : p->distance;
    *entry = n;
    return n <= f;
}

// Where the rays enter a child's box, and which of them do before their nearest hit.
EX_INLINE ints enter_child(
    __global const float *bounds, uint child, const RayGroup *p, floats *entry) {
    if (p->is_alike) return enter_alike(bounds, child, p, entry);
    floats ax = fma((floats)(bounds[child]), p->ix, p->sx);
    floats bx = fma((floats)(bounds[8 + child]), p->ix, p->sx);
    floats ay = fma((floats)(bounds[16 + child]), p->iy, p->sy);
    floats by = fma((floats)(bounds[24 + child]), p->iy, p->sy);
    floats az = fma((floats)(bounds[32 + child]), p->iz, p->sz);
    floats bz = fma((floats)(bounds[40 + child]), p->iz, p->sz);
    floats n = ax < bx ? ax : bx, f = ax < bx ? bx : ax;
    floats ny = ay < by ? ay : by, fy = ay < by ? by : ay;
    floats nz = az < bz ? az : bz, fz = az < bz ? bz : az;
    n = n > ny ? n : ny;
    f = f < fy ? f : fy;
    n = n > nz ? n : nz;
    f = f < fz ? f : fz;
    n = n > (floats)(0.0f) ? n : (floats)(0.0f);
    f = f < p->distance ? f : p->distance;
    *entry = n;
    return n <= f;
}

// Which rays have `distance` inside the padded box of a triangle.
EX_INLINE ints in_own_box(
    __global const float *b, const RayGroup *p, float pad, floats distance) {
    float3 o = (float3)(b[0], b[8], b[16]);
    float3 q = o + (float3)(b[24], b[32], b[40]);
    float3 r = o + (float3)(b[48], b[56], b[64]);
    float3 low = o < q ? o : q;
    float3 high = o > q ? o : q;
    low = (low < r ? low : r) - (float3)(pad);
    high = (high > r ? high : r) + (float3)(pad);
    floats ax = fma((floats)(low.x), p->ix, p->sx), bx = fma((floats)(high.x), p->ix, p->sx);
    floats ay = fma((floats)(low.y), p->iy, p->sy), by = fma((floats)(high.y), p->iy, p->sy);
    floats az = fma((floats)(low.z), p->iz, p->sz), bz = fma((floats)(high.z), p->iz, p->sz);
    ints x = ((ax < bx ? ax : bx) <= distance) & (distance <= (ax > bx ? ax : bx));
    ints y = ((ay < by ? ay : by) <= distance) & (distance <= (ay > by ? ay : by));
    ints z = ((az < bz ? az : bz) <= distance) & (distance <= (az > bz ? az : bz));
    return x & y & z;
}

// Takes out of `hits` the rays that a material lets through.
EX_INLINE ints stopped_rays(
    __global const uint *blob, __global const uint *state, uint capacity, const uint *slots,
    uint dimension, uint stored, uint primitive, ints hits, floats u, floats v,
    floats size) {
    int marks[RAYS];
    float us[RAYS], vs[RAYS];
    RAYS_STORE(hits, 0, marks);
    RAYS_STORE(rays_quotient(u, size), 0, us);
    RAYS_STORE(rays_quotient(v, size), 0, vs);
    for (uint i = 0u; i < RAYS; ++i) {
        if (marks[i] == 0) continue;
        uint key = draw_bits(
            state[P_KEY * capacity + slots[i]], state[P_SAMPLE * capacity + slots[i]], dimension);
        if (passes_through(blob, stored, primitive, us[i], vs[i], key)) marks[i] = 0;
    }
    return RAYS_LOAD(0, marks);
}

// One triangle of a block against all rays; see block_candidates and test_block.
EX_INLINE void test_triangle(
    __global const uint *blob, __global const uint *block, uint lane, __global const uint *state,
    uint capacity, const uint *slots, uint dimension, bool is_camera, const GroupSpace *space,
    RayGroup *p) {
    __global const float *b = (__global const float *)block + lane;
    floats cx = (floats)(b[0]) - p->ox, cy = (floats)(b[8]) - p->oy;
    floats cz = (floats)(b[16]) - p->oz;
    floats nx = (floats)(b[72]), ny = (floats)(b[80]), nz = (floats)(b[88]);
    floats det = fma(nx, p->dx, fma(ny, p->dy, nz * p->dz));
    floats sign = det < (floats)(0.0f) ? (floats)(-1.0f) : (floats)(1.0f);
    floats size = det * sign;
    floats ts = sign * fma(nx, cx, fma(ny, cy, nz * cz));
    floats rx = fma(cy, p->dz, -(cz * p->dy));
    floats ry = fma(cz, p->dx, -(cx * p->dz));
    floats rz = fma(cx, p->dy, -(cy * p->dx));
    floats us = sign * fma(rx, (floats)(b[48]), fma(ry, (floats)(b[56]), rz * b[64]));
    floats vs = -sign * fma(rx, (floats)(b[24]), fma(ry, (floats)(b[32]), rz * b[40]));
    floats bound = size * (p->distance * 0x1.00002p0f);
    ints hits = (us >= (floats)(0.0f)) & (vs >= (floats)(0.0f)) & (us + vs <= size)
        & (ts > (floats)(0.0f)) & (ts <= bound) & (size > (floats)(0.0f));
    if (!any_lane(hits)) return;
    uint word = block[96 + lane];
    uint stored = word & PRIMITIVE_NONE, primitive = stored;
    floats distance = rays_quotient(ts, size);
#ifdef RIGOR_INSTANCES
    primitive += space->shift;
    hits &= (space->near <= distance) & (distance <= space->far);
#endif
    hits &= (distance < p->distance)
        | ((distance == p->distance) & ((uints)(primitive) < p->primitive));
    hits &= in_own_box(b, p, space->pad, distance);
    // The camera does not see the back of a single-sided surface (glTF 2.0, 3.9.7).
    if (is_camera && word & PRIMITIVE_SINGLE_SIDED) hits &= det <= (floats)(0.0f);
    if (word & PRIMITIVE_ASK && any_lane(hits)) {
        hits = stopped_rays(
            blob, state, capacity, slots, dimension, stored, primitive, hits, us, vs, size);
    }
    p->distance = hits ? distance : p->distance;
    p->primitive = hits ? (uints)(primitive) : p->primitive;
#ifdef RIGOR_INSTANCES
    p->instance = hits ? (uints)(space->instance) : p->instance;
#endif
}

// A block's triangles against the live groups.
EX_INLINE void test_leaf(
    __global const uint *blob, __global const uint *block, __global const uint *state,
    uint capacity, const uint *slots, uint depth, uint live, const GroupSpace *spaces,
    RayGroup *groups) {
    uint reached = 255u;
    if (groups->is_alike) reached = triangles_in_reach(block, spaces->pad, groups);
    for (uint lane = 0u; lane < 8u && block[96 + lane] != PRIMITIVE_NONE; ++lane) {
        if (!(reached >> lane & 1u)) continue;
        EACH_GROUP {
            if (!(live >> g & 1u)) continue;
            test_triangle(
                blob, block, lane, state, capacity, slots + g * RAYS, depth * D_COUNT + D_ALPHA,
                depth == 0u, spaces + g, groups + g);
        }
    }
}

// A node's children that any ray of the `live` groups enters go on the stack, the farthest first.
// An entry there is a vector for each group of rays.
EX_INLINE uint push_children(
    __global const uint *node, const RayGroup *groups, uint live, uint top, uint *words,
    float *keys, floats *entries) {
    uint base = top;
    uint left = node[56];
    if (groups->is_alike) left &= children_in_reach(node, groups);
    for (; left; left &= left - 1u) {
        uint child = 31u - clz(left & -left);
        floats entered[GROUPS];
        float key = 0x1p127f;
        EACH_GROUP {
            entered[g] = (floats)(0x1p127f);
            if (!(live >> g & 1u)) continue;
            floats entry;
            ints mask = enter_child(
                (__global const float *)node, child, groups + g, &entry);
            if (!any_lane(mask)) continue;
            entered[g] = mask ? entry : entered[g];
            float least = least_lane(entered[g]);
            key = least < key ? least : key;
        }
        if (key == 0x1p127f) continue;
        uint place = top++;
        while (place > base && keys[place - 1u] < key) {
            keys[place] = keys[place - 1u];
            words[place] = words[place - 1u];
            EACH_GROUP entries[place * GROUPS + g] = entries[(place - 1u) * GROUPS + g];
            --place;
        }
        keys[place] = key;
        words[place] = node[48 + child];
        EACH_GROUP entries[place * GROUPS + g] = entered[g];
    }
    return top;
}

#ifdef RIGOR_INSTANCES
// Where the rays are between two planes of a box: the later beginning and the earlier end so far.
EX_INLINE void narrow_interval(
    float low, float high, floats inverse, floats shifted, GroupSpace *space) {
    floats a = fma((floats)(low), inverse, shifted), b = fma((floats)(high), inverse, shifted);
    floats n = a < b ? a : b, f = a > b ? a : b;
    space->near = space->near > n ? space->near : n;
    space->far = space->far < f ? space->far : f;
}

// A row of four times the packet's points or, without the last, directions.
EX_INLINE floats row_times(__global const float *row, floats x, floats y, floats z, floats w) {
    return fma((floats)(row[0]), x, fma((floats)(row[1]), y, fma((floats)(row[2]), z, w)));
}

// A row of three times the packet's directions, as dot3 has it.
EX_INLINE floats row_dot(__global const float *row, floats x, floats y, floats z) {
    return fma((floats)(row[0]), x, fma((floats)(row[1]), y, row[2] * z));
}

// RayGroup go into the space of the mesh that `instance` puts into the world.
EX_INLINE void rays_into_instance(
    __global const uint *blob, uint instance, GroupSpace *space, RayGroup *p) {
    __global const uint *placed = instance_at(blob, instance);
    __global const float *b = (__global const float *)placed;
    space->instance = instance;
    space->shift = placed[I_SHIFT];
    space->pad = b[I_PAD];
    narrow_interval(b[I_LOW], b[I_HIGH], p->ix, p->sx, space);
    narrow_interval(b[I_LOW + 1], b[I_HIGH + 1], p->iy, p->sy, space);
    narrow_interval(b[I_LOW + 2], b[I_HIGH + 2], p->iz, p->sz, space);
    __global const float *rows = b + I_TO_MESH;
    floats x = p->ox, y = p->oy, z = p->oz;
    p->ox = row_times(rows, x, y, z, (floats)(rows[3]));
    p->oy = row_times(rows + 4, x, y, z, (floats)(rows[7]));
    p->oz = row_times(rows + 8, x, y, z, (floats)(rows[11]));
    x = p->dx;
    y = p->dy;
    z = p->dz;
    p->dx = row_dot(rows, x, y, z);
    p->dy = row_dot(rows + 4, x, y, z);
    p->dz = row_dot(rows + 8, x, y, z);
    prepare_slabs(p);
}

// And back, with what they met.
EX_INLINE void rays_out_of_instance(const RayGroup *outside, RayGroup *p) {
    floats distance = p->distance;
    uints primitive = p->primitive, instance = p->instance;
    *p = *outside;
    p->distance = distance;
    p->primitive = primitive;
    p->instance = instance;
}
#endif

// RayGroup that a work-item sorts: as many as its caches hold.
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

// The groups with a ray that may meet something nearer than what it has, in a box of the stack.
EX_INLINE uint live_groups(const floats *entered, const RayGroup *groups) {
    uint live = 0u;
    EACH_GROUP live |= any_lane(entered[g] <= groups[g].distance) ? 1u << g : 0u;
    return live;
}

// What the rays have met.
EX_INLINE void keep_hits(
    __global uint *state, uint capacity, uint count, const uint *slots, const RayGroup *p) {
    float distance[RAYS];
    uint primitive[RAYS];
    RAYS_STORE(p->distance, 0, distance);
    RAYS_STORE(p->primitive, 0, primitive);
    for (uint i = 0u; i < RAYS && i < count; ++i) {
        set_path_float(state, capacity, P_HIT_DISTANCE, slots[i], distance[i]);
        state[P_HIT_PRIMITIVE * capacity + slots[i]] = primitive[i];
    }
#ifdef RIGOR_INSTANCES
    RAYS_STORE(p->instance, 0, primitive);
    for (uint i = 0u; i < RAYS && i < count; ++i) {
        state[P_INSTANCE * capacity + slots[i]] = primitive[i];
    }
#endif
}

// The nearest hit of each queued path's ray; sixteen a work-item.
__kernel void closest_packet(
    __global const uint *restrict blob, __global uint *restrict state, uint capacity,
    __global const uint *restrict queue, uint count, uint depth) {
    uint first = (uint)get_global_id(0) * PACKET;
    if (first >= count) return;
    uint slots[PACKET];
    RayGroup groups[GROUPS];
    GroupSpace spaces[GROUPS];
    EACH_GROUP {
        load_rays(
            state, capacity, queue, first + g * RAYS, count, slots + g * RAYS, groups + g);
        rays_in_world(as_float(blob[H_PAD]), spaces + g);
    }
#ifdef RIGOR_INSTANCES
    RayGroup outside[GROUPS];
    uint base = 0u;
#endif
    uint words[STACK_SIZE];
    float keys[STACK_SIZE];
    floats entries[STACK_SIZE * GROUPS];
    uint top = 0u;
    if (SECTION_COUNT(blob, S_NODES) != 0u) {
        top = push_children(
            SECTION(blob, S_NODES), groups, (1u << GROUPS) - 1u, 0u, words, keys, entries);
    }
    while (top > 0u) {
#ifdef RIGOR_INSTANCES
        if (spaces[0].instance != INSTANCE_WORLD && top == base) {
            EACH_GROUP {
                rays_in_world(as_float(blob[H_PAD]), spaces + g);
                rays_out_of_instance(outside + g, groups + g);
            }
        }
#endif
        --top;
        uint live = live_groups(entries + top * GROUPS, groups);
        if (live == 0u) continue;
        uint word = words[top];
#ifdef RIGOR_INSTANCES
        if ((word & (CHILD_LEAF | CHILD_INSTANCE)) == (CHILD_LEAF | CHILD_INSTANCE)) {
            base = top;
            uint instance = word & ~(CHILD_LEAF | CHILD_INSTANCE);
            EACH_GROUP {
                outside[g] = groups[g];
                rays_into_instance(blob, instance, spaces + g, groups + g);
            }
            word = instance_at(blob, instance)[I_ROOT];
        }
#endif
        if (!(word & CHILD_LEAF)) {
            __global const uint *node = SECTION(blob, S_NODES) + word * NODE_WORDS;
            top = push_children(node, groups, live, top, words, keys, entries);
            continue;
        }
        __global const uint *block =
            SECTION(blob, S_BLOCKS) + (word & ~CHILD_LEAF) * BLOCK_WORDS;
        test_leaf(blob, block, state, capacity, slots, depth, live, spaces, groups);
    }
    EACH_GROUP {
        uint done = first + g * RAYS;
        if (done >= count) break;
        keep_hits(state, capacity, count - done, slots + g * RAYS, groups + g);
    }
}
