internal import Exact

/// GGX facets: roughness squared along the tangent and across it.
struct ReferenceFacets: Sendable {
    var along: Float
    var across: Float
    /// Whether the surface may be rougher one way; the formula for one that may not is shorter, and
    /// rounds otherwise.
    var isTurned = true

    /// How many of the facets turned toward `h` the viewer sees, and which part of them the light
    /// reaches.
    func facets(
        _ h: SIMD3<Float>, _ wo: SIMD3<Float>, _ wi: SIMD3<Float>, _ oh: Float
    ) -> (visible: Float, lit: Float) {
        let hx = h.x * Exact.rcp(along)
        let hy = h.y * Exact.rcp(across)
        let d = fma(hx, hx, fma(hy, hy, h.z * h.z))
        let distribution = Exact.rcp(0x1.921fb6p1 * along * across * d * d)
        let cosineIn = wi.z.magnitude
        let rootO = shadowingRoot(wo)
        let rootI = shadowingRoot(wi)
        let visible = distribution * Exact.div(2 * oh, wo.z + rootO)
        let lit = Exact.div(cosineIn * (wo.z + rootO), fma(cosineIn, rootO, wo.z * rootI))
        return (visible, lit)
    }

    private func shadowingRoot(_ v: SIMD3<Float>) -> Float {
        if isTurned {
            let x = v.x * along
            let y = v.y * across
            return Exact.sqrt(fma(x, x, fma(y, y, v.z * v.z)))
        }
        let a2 = across * across
        let cosine = v.z.magnitude
        return Exact.sqrt(fma(fma(-a2, cosine, cosine), cosine, a2))
    }

    /// A facet's normal as the viewer sees them: Dupuy and Benyoub, "Sampling Visible GGX Normals
    /// with Spherical Caps" (2023).
    func sampleNormal(_ wo: SIMD3<Float>, _ u: SIMD2<Float>) -> SIMD3<Float> {
        let w = normalize([wo.x * along, wo.y * across, wo.z])
        let circle = unitCircle(u.x)
        let z = fma(1 - u.y, 1 + w.z, -w.z)
        let squared = fma(-z, z, 1)
        let r = squared > 0 ? Exact.sqrt(squared) : 0
        let c = SIMD3(fma(r, circle.x, w.x), fma(r, circle.y, w.y), z + w.z)
        return normalize([c.x * along, c.y * across, c.z > 0x1p-20 ? c.z : 0x1p-20])
    }
}
