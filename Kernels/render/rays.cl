// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/vector.cl render/layout.cl
// needs: render/instance.cl
// needs: render/random.cl render/texture.cl render/triangle.cl render/queue.cl
// needs: render/traverse.cl
// A packet's rays side by side: in one vector, or in as many as it takes.

#define PACKET 16u

#ifdef RIGOR_NARROW
#define RAYS 4u
typedef float4 floats;
typedef int4 ints;
typedef uint4 uints;
#define RAYS_LOAD vload4
#define RAYS_STORE vstore4
#define AS_RAY_FLOATS as_float4
#define AS_RAY_UINTS as_uint4
EX_INLINE bool any_lane(int4 mask) {
    int2 half_mask = mask.lo | mask.hi;
    return (half_mask.x | half_mask.y) != 0;
}
EX_INLINE float least_lane(float4 x) {
    float2 a = x.lo < x.hi ? x.lo : x.hi;
    return a.x < a.y ? a.x : a.y;
}
#else
#define RAYS 16u
typedef float16 floats;
typedef int16 ints;
typedef uint16 uints;
#define RAYS_LOAD vload16
#define RAYS_STORE vstore16
#define AS_RAY_FLOATS as_float16
#define AS_RAY_UINTS as_uint16
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
#endif
#define GROUPS (PACKET / RAYS)
#define EACH_GROUP for (uint g = 0u; g < GROUPS; ++g)

EX_INLINE floats rays_quotient(floats numerator, floats denominator) {
    floats r = AS_RAY_FLOATS((uints)(0x7ef311c7u) - AS_RAY_UINTS(denominator));
    r = fma(r, fma(-denominator, r, (floats)(1.0f)), r);
    r = fma(r, fma(-denominator, r, (floats)(1.0f)), r);
    r = fma(r, fma(-denominator, r, (floats)(1.0f)), r);
    floats q = numerator * r;
    return fma(fma(-denominator, q, numerator), r, q);
}

EX_INLINE floats rays_safe_inverse(floats d) {
    floats magnitude = fabs(d);
    magnitude = magnitude < (floats)(1e-18f) ? (floats)(1e-18f) : magnitude;
    floats inverse = rays_quotient((floats)(1.0f), magnitude);
    return d < (floats)(0.0f) ? -inverse : inverse;
}

// Whether all signs are the same.
EX_INLINE bool alike(floats x) {
    ints is_negative = x < (floats)(0.0f);
    return !any_lane(is_negative ^ (ints)(is_negative.s0));
}

// What holds all rays of one octant: where their origins and inverse directions lie, along each
// axis. What no ray in there can enter, none of theirs does, so a look at eight boxes at once
// spares most of those of sixteen rays at one box.
typedef struct {
    float near[3], far[3]; // the origins' ends that are farthest on, for near planes, and least
    float low[3], high[3]; // of the inverse directions
    float slack[3];
} Beam;

// Rays side by side.
typedef struct {
    floats ox, oy, oz;
    floats dx, dy, dz;
    floats ix, iy, iz; // 1 / direction
    floats sx, sy, sz; // -origin * inverse
    floats distance; // of the nearest hit so far; below zero where there is no ray
    uints primitive;
#ifdef RIGOR_INSTANCES
    uints instance;
#endif
    bool is_alike; // all directions lie in one octant, and the near bounds are the same words
    uint near_x, near_y, near_z;
    Beam beam;
} RayGroup;

#ifdef RIGOR_NARROW
// Boxes come eight at a time, which would be two vectors for each of four groups.
EX_INLINE void bound_group(RayGroup *p) {}
EX_INLINE uint children_in_reach(__global const uint *node, const RayGroup *p) { return 255u; }
EX_INLINE uint triangles_in_reach(__global const uint *block, float pad, const RayGroup *p) {
    return 255u;
}
#else
EX_INLINE float greatest_lane(floats x) { return -least_lane(-x); }

// A ray's bounds are fma(plane, inverse, -(origin * inverse)): (plane - origin) * inverse but for
// 2⁻²⁴ of itself and of origin * inverse. The beam's are rounded as often, and lie outside by more
// than sixteen times as much.
EX_INLINE void bound_along(uint axis, floats origins, floats inverses, Beam *beam) {
    float low = least_lane(inverses), high = greatest_lane(inverses);
    float first = least_lane(origins), last = greatest_lane(origins);
    float steep = fabs(low) > fabs(high) ? fabs(low) : fabs(high);
    float reach = fabs(first) > fabs(last) ? fabs(first) : fabs(last);
    beam->near[axis] = low < 0.0f ? first : last;
    beam->far[axis] = low < 0.0f ? last : first;
    beam->low[axis] = fma(steep, -0x1p-19f, low);
    beam->high[axis] = fma(steep, 0x1p-19f, high);
    beam->slack[axis] = fma(reach * 0x1p-19f, steep, 0x1p-100f);
}

EX_INLINE void bound_group(RayGroup *p) {
    bound_along(0u, p->ox, p->ix, &p->beam);
    bound_along(1u, p->oy, p->iy, &p->beam);
    bound_along(2u, p->oz, p->iz, &p->beam);
}

// Where the beam is, at the earliest and at the latest, between eight pairs of planes.
EX_INLINE void beam_between(
    const Beam *beam, uint axis, float8 near, float8 far, float8 *entry, float8 *leave) {
    float8 d = near - beam->near[axis], e = far - beam->far[axis];
    float8 a = d * beam->low[axis], b = d * beam->high[axis];
    a = (a < b ? a : b) - beam->slack[axis];
    *entry = *entry > a ? *entry : a;
    a = e * beam->low[axis];
    b = e * beam->high[axis];
    a = (a > b ? a : b) + beam->slack[axis];
    *leave = *leave < a ? *leave : a;
}

// The children of a node that a ray of the group may enter.
EX_INLINE uint children_in_reach(__global const uint *node, const RayGroup *p) {
    __global const float *b = (__global const float *)node;
    uint x = p->near_x, y = p->near_y, z = p->near_z;
    float8 entry = (float8)(0.0f), leave = (float8)(greatest_lane(p->distance));
    beam_between(&p->beam, 0u, vload8(0, b + x), vload8(0, b + (x ^ 8u)), &entry, &leave);
    beam_between(&p->beam, 1u, vload8(0, b + y), vload8(0, b + (y ^ 8u)), &entry, &leave);
    beam_between(&p->beam, 2u, vload8(0, b + z), vload8(0, b + (z ^ 8u)), &entry, &leave);
    return ~lane_bits(entry > leave);
}

EX_INLINE void beam_between_corners(
    __global const float *b, const Beam *beam, uint axis, bool is_backward, float pad,
    float8 *entry, float8 *leave) {
    float8 o = vload8(axis, b);
    float8 q = o + vload8(axis, b + 24), r = o + vload8(axis, b + 48);
    float8 low = o < q ? o : q, high = o > q ? o : q;
    low = (low < r ? low : r) - pad;
    high = (high > r ? high : r) + pad;
    beam_between(
        beam, axis, is_backward ? high : low, is_backward ? low : high, entry, leave);
}

// The triangles of a block whose own padded boxes a ray of the group may enter.
EX_INLINE uint triangles_in_reach(__global const uint *block, float pad, const RayGroup *p) {
    __global const float *b = (__global const float *)block;
    float8 entry = (float8)(0.0f), leave = (float8)(greatest_lane(p->distance));
    beam_between_corners(b, &p->beam, 0u, p->near_x & 8u, pad, &entry, &leave);
    beam_between_corners(b, &p->beam, 1u, p->near_y & 8u, pad, &entry, &leave);
    beam_between_corners(b, &p->beam, 2u, p->near_z & 8u, pad, &entry, &leave);
    return ~lane_bits(entry > leave);
}
#endif

// What boxes are tested with, of origins and directions.
EX_INLINE void prepare_slabs(RayGroup *p) {
    p->ix = rays_safe_inverse(p->dx);
    p->iy = rays_safe_inverse(p->dy);
    p->iz = rays_safe_inverse(p->dz);
    p->sx = -(p->ox * p->ix);
    p->sy = -(p->oy * p->iy);
    p->sz = -(p->oz * p->iz);
    p->is_alike = alike(p->ix) && alike(p->iy) && alike(p->iz);
    p->near_x = p->ix.s0 < 0.0f ? 8u : 0u;
    p->near_y = p->iy.s0 < 0.0f ? 24u : 16u;
    p->near_z = p->iz.s0 < 0.0f ? 40u : 32u;
    if (p->is_alike) bound_group(p);
}
