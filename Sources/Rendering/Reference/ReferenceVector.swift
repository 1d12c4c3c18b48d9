internal import Exact

// Vectors as `Kernels/render/vector.cl` has them. Which products are fused is part of the format.

func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

/// a · s + b, each lane fused.
func fma(_ a: SIMD3<Float>, _ s: Float, _ b: SIMD3<Float>) -> SIMD3<Float> {
    [fma(a.x, s, b.x), fma(a.y, s, b.y), fma(a.z, s, b.z)]
}

func fma(_ a: SIMD4<Float>, _ s: Float, _ b: SIMD4<Float>) -> SIMD4<Float> {
    [fma(a.x, s, b.x), fma(a.y, s, b.y), fma(a.z, s, b.z), fma(a.w, s, b.w)]
}

func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float {
    fma(a.x, b.x, fma(a.y, b.y, a.z * b.z))
}

func cross(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
    [
        fma(a.y, b.z, -(a.z * b.y)), fma(a.z, b.x, -(a.x * b.z)), fma(a.x, b.y, -(a.y * b.x)),
    ]
}

/// −a: zeros change their sign, which 0 − a would not do.
func negate(_ a: SIMD3<Float>) -> SIMD3<Float> { [-a.x, -a.y, -a.z] }

func normalize(_ a: SIMD3<Float>) -> SIMD3<Float> { a * Exact.rsqrt(dot(a, a)) }

func largest(_ a: SIMD3<Float>) -> Float {
    let m = a.x > a.y ? a.x : a.y
    return m > a.z ? m : a.z
}

/// Rec. 709 luminance.
func luminance(_ c: SIMD3<Float>) -> Float {
    fma(c.x, 0x1.b367ap-3, fma(c.y, 0x1.6e2eb2p-1, c.z * 0x1.27bb3p-4))
}

/// Components below 2⁻⁶⁰ become zero.
func flush(_ a: SIMD3<Float>) -> SIMD3<Float> {
    var a = a
    for lane in 0..<3 where a[lane].magnitude < 0x1p-60 { a[lane] = 0 }
    return a
}

/// The point (u, v) of a triangle whose corners have the values a, b, c.
func blend(_ a: Float, _ b: Float, _ c: Float, _ u: Float, _ v: Float) -> Float {
    fma(c - a, v, fma(b - a, u, a))
}

func blend(
    _ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>, _ u: Float, _ v: Float
) -> SIMD3<Float> {
    [
        blend(a.x, b.x, c.x, u, v), blend(a.y, b.y, c.y, u, v), blend(a.z, b.z, c.z, u, v),
    ]
}

func blend(
    _ a: SIMD4<Float>, _ b: SIMD4<Float>, _ c: SIMD4<Float>, _ u: Float, _ v: Float
) -> SIMD4<Float> {
    [
        blend(a.x, b.x, c.x, u, v), blend(a.y, b.y, c.y, u, v), blend(a.z, b.z, c.z, u, v),
        blend(a.w, b.w, c.w, u, v),
    ]
}

/// (cos 2πu, sin 2πu) for u in 0…1: Taylor polynomials on 0…π/4, then the octant.
func unitCircle(_ u: Float) -> SIMD2<Float> {
    let octant = Int(u * 8)
    var f = u * 8 - Float(octant)
    if octant & 1 == 1 { f = 1 - f }
    let a = f * 0x1.921fb6p-1
    let q = a * a
    var s = fma(q, 0x1.71de3ap-19, -0x1.a01a02p-13)
    s = fma(q, s, 0x1.111112p-7)
    s = fma(q, s, -0x1.555556p-3)
    s = fma(q * a, s, a)
    var c = fma(q, 0x1.a01a02p-16, -0x1.6c16c2p-10)
    c = fma(q, c, 0x1.555556p-5)
    c = fma(q, c, -0x1p-1)
    c = fma(q, c, 1)
    let isSteep = (octant + 1) & 2 != 0
    let cosine = isSteep ? s : c
    let sine = isSteep ? c : s
    return [(octant + 2) & 4 != 0 ? -cosine : cosine, octant & 4 != 0 ? -sine : sine]
}

/// An orthonormal frame around a unit normal: Duff et al., "Building an Orthonormal Basis,
/// Revisited" (JCGT 2017).
struct ReferenceFrame {
    private(set) var tangent: SIMD3<Float>
    private(set) var bitangent: SIMD3<Float>
    let normal: SIMD3<Float>

    init(around n: SIMD3<Float>) {
        let sign: Float = n.z < 0 ? -1 : 1
        let a = -Exact.rcp(sign + n.z)
        let b = n.x * n.y * a
        tangent = [fma(sign * n.x * n.x, a, 1), sign * b, -sign * n.x]
        bitangent = [b, fma(n.y * n.y, a, sign), -n.y]
        normal = n
    }

    /// Around `normal`, with a tangent as near to the given one as it can be.
    init(around normal: SIMD3<Float>, along given: SIMD3<Float>) {
        self.init(around: normal)
        let flat = fma(normal, -dot(normal, given), given)
        guard dot(flat, flat) > 0x1p-20 else { return }
        tangent = normalize(flat)
        bitangent = cross(normal, tangent)
    }

    func toLocal(_ v: SIMD3<Float>) -> SIMD3<Float> {
        [dot(tangent, v), dot(bitangent, v), dot(normal, v)]
    }

    func toWorld(_ v: SIMD3<Float>) -> SIMD3<Float> {
        fma(tangent, v.x, fma(bitangent, v.y, normal * v.z))
    }
}
