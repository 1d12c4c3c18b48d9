// needs: exact/divide.cl exact/root.cl exact/inverse.cl render/layout.cl
// Vectors of three, by fma alone. The built-in dot, cross and normalize may round as they like.

EX_INLINE float dot3(float3 a, float3 b) {
    return fma(a.x, b.x, fma(a.y, b.y, a.z * b.z));
}

EX_INLINE float3 cross3(float3 a, float3 b) {
    return (float3)(
        fma(a.y, b.z, -(a.z * b.y)), fma(a.z, b.x, -(a.x * b.z)), fma(a.x, b.y, -(a.y * b.x)));
}

EX_INLINE float3 normalize3(float3 a) {
    return a * ex_rsqrt(dot3(a, a));
}

EX_INLINE float largest3(float3 a) {
    float m = a.x > a.y ? a.x : a.y;
    return m > a.z ? m : a.z;
}

// Rec. 709 luminance.
EX_INLINE float luminance(float3 c) {
    return fma(c.x, 0x1.b367ap-3f, fma(c.y, 0x1.6e2eb2p-1f, c.z * 0x1.27bb3p-4f));
}

// Components below 2^-60 become zero, so that products stay clear of the subnormals.
EX_INLINE float3 flush3(float3 a) {
    return (float3)(
        fabs(a.x) < 0x1p-60f ? 0.0f : a.x, fabs(a.y) < 0x1p-60f ? 0.0f : a.y,
        fabs(a.z) < 0x1p-60f ? 0.0f : a.z);
}

// (cos 2πu, sin 2πu) for u in 0…1: octant by integer, Taylor polynomials on 0…π/4.
EX_INLINE float2 unit_circle(float u) {
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
    return (float2)((octant + 2) & 4 ? -cosine : cosine, octant & 4 ? -sine : sine);
}

// An orthonormal frame around a unit normal: Duff et al., "Building an Orthonormal Basis,
// Revisited" (JCGT 2017). Structs are filled through pointers in all these files: Oclgrind does not
// know what compilers make of those that functions return.
typedef struct {
    float3 tangent;
    float3 bitangent;
    float3 normal;
} Frame;

EX_INLINE void frame_around(float3 n, Frame *frame) {
    float sign = n.z < 0.0f ? -1.0f : 1.0f;
    float a = -ex_rcp(sign + n.z);
    float b = n.x * n.y * a;
    frame->tangent = (float3)(fma(sign * n.x * n.x, a, 1.0f), sign * b, -sign * n.x);
    frame->bitangent = (float3)(b, fma(n.y * n.y, a, sign), -n.y);
    frame->normal = n;
}

EX_INLINE float3 to_local(const Frame *frame, float3 v) {
    return (float3)(
        dot3(frame->tangent, v), dot3(frame->bitangent, v), dot3(frame->normal, v));
}

EX_INLINE float3 to_world(const Frame *frame, float3 v) {
    return fma(frame->tangent, v.x, fma(frame->bitangent, v.y, frame->normal * v.z));
}
