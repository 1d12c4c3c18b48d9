// needs: exact/divide.cl exact/root.cl exact/inverse.cl
// Vectors of two, three and four numbers, by + - * and fma alone: the built-in dot, cross and
// normalize may round as they like.
//
// They are structs of scalars, and not OpenCL's vectors, because a compiler that turns a loop over
// paths into vector code does not do that twice. They are larger than 16 bytes because
// x86-64's calls hand over smaller structs in vector registers, which leaves vectors behind where
// such calls were inlined.

typedef struct {
    float x, y;
    float unused[3];
} vec2;

typedef struct {
    float x, y, z;
    float unused[2];
} vec3;

typedef struct {
    float x, y, z, w;
    float unused[1];
} vec4;

EX_INLINE vec2 make2(float x, float y) {
    vec2 r;
    r.x = x;
    r.y = y;
    return r;
}

EX_INLINE vec3 make3(float x, float y, float z) {
    vec3 r;
    r.x = x;
    r.y = y;
    r.z = z;
    return r;
}

EX_INLINE vec4 make4(float x, float y, float z, float w) {
    vec4 r;
    r.x = x;
    r.y = y;
    r.z = z;
    r.w = w;
    return r;
}

EX_INLINE vec4 none4(void) { return make4(0.0f, 0.0f, 0.0f, 0.0f); }

EX_INLINE vec3 same3(float s) { return make3(s, s, s); }

EX_INLINE vec3 add3(vec3 a, vec3 b) { return make3(a.x + b.x, a.y + b.y, a.z + b.z); }

EX_INLINE vec3 subtract3(vec3 a, vec3 b) { return make3(a.x - b.x, a.y - b.y, a.z - b.z); }

EX_INLINE vec3 multiply3(vec3 a, vec3 b) { return make3(a.x * b.x, a.y * b.y, a.z * b.z); }

EX_INLINE vec3 scale3(vec3 a, float s) { return make3(a.x * s, a.y * s, a.z * s); }

EX_INLINE vec3 negate3(vec3 a) { return make3(-a.x, -a.y, -a.z); }

// a * s + b, fused.
EX_INLINE vec3 fma3(vec3 a, float s, vec3 b) {
    return make3(fma(a.x, s, b.x), fma(a.y, s, b.y), fma(a.z, s, b.z));
}

EX_INLINE vec4 fma4(vec4 a, float s, vec4 b) {
    return make4(fma(a.x, s, b.x), fma(a.y, s, b.y), fma(a.z, s, b.z), fma(a.w, s, b.w));
}

EX_INLINE vec4 subtract4(vec4 a, vec4 b) {
    return make4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w);
}

EX_INLINE vec4 multiply4(vec4 a, vec4 b) {
    return make4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}

EX_INLINE float dot3(vec3 a, vec3 b) {
    return fma(a.x, b.x, fma(a.y, b.y, a.z * b.z));
}

EX_INLINE vec3 cross3(vec3 a, vec3 b) {
    return make3(
        fma(a.y, b.z, -(a.z * b.y)), fma(a.z, b.x, -(a.x * b.z)), fma(a.x, b.y, -(a.y * b.x)));
}

EX_INLINE vec3 normalize3(vec3 a) {
    return scale3(a, ex_rsqrt(dot3(a, a)));
}

EX_INLINE float largest3(vec3 a) {
    float m = a.x > a.y ? a.x : a.y;
    return m > a.z ? m : a.z;
}

// Rec. 709 luminance.
EX_INLINE float luminance(vec3 c) {
    return fma(c.x, 0x1.b367ap-3f, fma(c.y, 0x1.6e2eb2p-1f, c.z * 0x1.27bb3p-4f));
}

EX_INLINE float flush(float x) { return fabs(x) < 0x1p-60f ? 0.0f : x; }

// Components below 2^-60 become zero, so that products stay clear of the subnormals.
EX_INLINE vec3 flush3(vec3 a) {
    return make3(flush(a.x), flush(a.y), flush(a.z));
}

// The point (u, v) of a triangle's corners.
EX_INLINE float blend(float a, float b, float c, float u, float v) {
    return fma(c - a, v, fma(b - a, u, a));
}

EX_INLINE vec3 blend3(vec3 a, vec3 b, vec3 c, float u, float v) {
    return make3(
        blend(a.x, b.x, c.x, u, v), blend(a.y, b.y, c.y, u, v), blend(a.z, b.z, c.z, u, v));
}

EX_INLINE vec4 blend4(vec4 a, vec4 b, vec4 c, float u, float v) {
    return make4(
        blend(a.x, b.x, c.x, u, v), blend(a.y, b.y, c.y, u, v), blend(a.z, b.z, c.z, u, v),
        blend(a.w, b.w, c.w, u, v));
}

EX_INLINE vec2 load2(__global const uint *at) {
    return make2(as_float(at[0]), as_float(at[1]));
}

EX_INLINE vec3 load3(__global const uint *at) {
    return make3(as_float(at[0]), as_float(at[1]), as_float(at[2]));
}

EX_INLINE vec4 load4(__global const uint *at) {
    return make4(as_float(at[0]), as_float(at[1]), as_float(at[2]), as_float(at[3]));
}

// (cos 2πu, sin 2πu) for u in 0…1: octant by integer, Taylor polynomials on 0…π/4.
EX_INLINE vec2 unit_circle(float u) {
    float x = u * 8.0f;
    int octant = (int)x;
    float f = x - (float)octant;
    if (octant & 1) f = 1.0f - f;
    float a = f * 0x1.921fb6p-1f;
    float q = a * a;
    float s = fma(q, 0x1.71de3ap-19f, -0x1.a01a02p-13f);
    s = fma(q, s, 0x1.111112p-7f);
    s = fma(q, s, -0x1.555556p-3f);
    s = fma(q * a, s, a);
    float c = fma(q, 0x1.a01a02p-16f, -0x1.6c16c2p-10f);
    c = fma(q, c, 0x1.555556p-5f);
    c = fma(q, c, -0x1p-1f);
    c = fma(q, c, 1.0f);
    float cosine = (octant + 1) & 2 ? s : c;
    float sine = (octant + 1) & 2 ? c : s;
    return make2((octant + 2) & 4 ? -cosine : cosine, octant & 4 ? -sine : sine);
}

// An orthonormal frame around a unit normal: Duff et al., "Building an Orthonormal Basis,
// Revisited" (JCGT 2017).
typedef struct {
    vec3 tangent;
    vec3 bitangent;
    vec3 normal;
} Frame;

EX_INLINE void frame_around(vec3 n, Frame *frame) {
    float sign = n.z < 0.0f ? -1.0f : 1.0f;
    float a = -ex_rcp(sign + n.z);
    float b = n.x * n.y * a;
    frame->tangent = make3(fma(sign * n.x * n.x, a, 1.0f), sign * b, -sign * n.x);
    frame->bitangent = make3(b, fma(n.y * n.y, a, sign), -n.y);
    frame->normal = n;
}

EX_INLINE vec3 to_local(const Frame *frame, vec3 v) {
    return make3(dot3(frame->tangent, v), dot3(frame->bitangent, v), dot3(frame->normal, v));
}

EX_INLINE vec3 to_world(const Frame *frame, vec3 v) {
    return fma3(frame->tangent, v.x, fma3(frame->bitangent, v.y, scale3(frame->normal, v.z)));
}
