internal import Exact

/// glTF 2.0's metallic-roughness surface with transmission: `Kernels/render/bsdf.cl`. Directions
/// are local, the normal is z, and the viewer's side is up.
package struct ReferenceBsdf: Sendable {
    let base: SIMD3<Float>
    let metallic: Float
    /// Roughness squared.
    let alpha: Float
    let transmission: Float
    /// Reflectance of the dielectric head-on.
    let f0: Float
    /// Index beyond the surface over index before it.
    let eta: Float
    let isThin: Bool
    /// Chance of sampling the interface rather than the base.
    private(set) var specularChance: Float = 0

    /// f · |cosine|, and the density of sampling the direction; both per solid angle.
    package struct Value: Sendable {
        package var color = SIMD3<Float>.zero
        package var density: Float = 0
    }

    package init(
        base: SIMD3<Float>, metallic: Float, alpha: Float, transmission: Float, f0: Float,
        eta: Float, isThin: Bool, viewedAt cosine: Float
    ) {
        self.base = base
        self.metallic = metallic
        self.alpha = alpha
        self.transmission = transmission
        self.f0 = f0
        self.eta = eta
        self.isThin = isThin
        specularChance = chanceOfInterface(cosine)
    }

    // MARK: - Fresnel

    private struct Fresnel {
        var dielectric: Float
        /// Metal and dielectric together.
        var reflected: SIMD3<Float>
        var transmitted: SIMD3<Float>
    }

    private static func fresnelDielectric(_ c: Float, _ eta: Float) -> Float {
        let sineSquared = Exact.div(fma(-c, c, 1), eta * eta)
        if sineSquared >= 1 { return 1 }
        let t = Exact.sqrt(1 - sineSquared)
        let s = Exact.div(fma(-eta, t, c), fma(eta, t, c))
        let p = Exact.div(fma(eta, c, -t), fma(eta, c, t))
        return fma(s, s, p * p) * 0.5
    }

    private static func schlickWeight(_ c: Float) -> Float {
        let m = c < 1 ? 1 - c : 0
        let m2 = m * m
        return m2 * m2 * m
    }

    private func fresnel(_ c: Float) -> Fresnel {
        let w = Self.schlickWeight(c)
        let isClear = transmission > 0
        // An index of one reflects nothing, not even at the rim.
        let rim: Float = f0 > 0 ? 1 : 0
        let dielectric = isClear ? Self.fresnelDielectric(c, eta) : fma(rim - f0, w, f0)
        let metal = fma(SIMD3<Float>.one - base, w, base)
        let d = SIMD3<Float>(repeating: dielectric)
        let through = (1 - dielectric) * (1 - metallic) * transmission
        // A solid's tint is met twice on the way through.
        let tint =
            isClear && !isThin
            ? SIMD3(Exact.sqrt(base.x), Exact.sqrt(base.y), Exact.sqrt(base.z)) : base
        return Fresnel(
            dielectric: dielectric, reflected: fma(metal - d, metallic, d),
            transmitted: tint * through)
    }

    private func chanceOfInterface(_ cosine: Float) -> Float {
        let f = fresnel(cosine)
        let interface = luminance(f.reflected) + luminance(f.transmitted)
        let under =
            (1 - f.dielectric) * (1 - metallic) * (1 - transmission) * luminance(base)
        let sum = interface + under
        guard sum > 0x1p-30 else { return 1 }
        let chance = Exact.div(interface, sum)
        if under <= 0 { return 1 }
        if interface <= 0 { return 0 }
        return chance < 0x1p-3 ? 0x1p-3 : (chance > 0x1.cp-1 ? 0x1.cp-1 : chance)
    }

    // MARK: - Value

    private func shadowingRoot(_ cosine: Float) -> Float {
        let a2 = alpha * alpha
        return Exact.sqrt(fma(fma(-a2, cosine, cosine), cosine, a2))
    }

    package func evaluate(_ wo: SIMD3<Float>, _ wi: SIMD3<Float>) -> Value {
        let isReflection = wi.z > 0
        if wi.z == 0 || (!isReflection && transmission <= 0) { return Value() }
        let isRefraction = !isReflection && !isThin
        let wr = SIMD3(wi.x, wi.y, isReflection || isRefraction ? wi.z : -wi.z)
        let sum = isRefraction ? fma(wi, eta, wo) : wo + wr
        let square = dot(sum, sum)
        if square < 0x1p-60 { return Value() }
        var h = sum * Exact.rsqrt(square)
        if h.z < 0 { h = negate(h) }
        let oh = dot(wo, h)
        let ih = dot(wr, h)
        if oh <= 0x1p-20 || (isRefraction && ih >= 0) { return Value() }

        let f = fresnel(oh)
        let (visible, shadowing) = facets(h, wo, cosineIn: wi.z.magnitude, oh)
        let weightR = luminance(f.reflected)
        let weightT = luminance(f.transmitted)
        let reflectChance = weightT > 0 ? Exact.div(weightR, weightR + weightT) : 1
        let chance = isReflection ? reflectChance : 1 - reflectChance
        let density = visible * jacobian(isRefraction: isRefraction, oh, ih)
        let color = (isReflection ? f.reflected : f.transmitted) * (shadowing * density)
        var value = Value(color: color, density: specularChance * chance * density)
        if isReflection {
            let lambert = wi.z * 0x1.45f306p-2
            let under = (1 - f.dielectric) * (1 - metallic) * (1 - transmission)
            value.color += base * (under * lambert)
            value.density += (1 - specularChance) * lambert
        }
        return value
    }

    /// How densely facets with the normal `h` are seen, and how many of them the light reaches.
    private func facets(
        _ h: SIMD3<Float>, _ wo: SIMD3<Float>, cosineIn: Float, _ oh: Float
    ) -> (visible: Float, shadowing: Float) {
        let overAlpha = Exact.rcp(alpha)
        let hx = h.x * overAlpha
        let hy = h.y * overAlpha
        let d = fma(hx, hx, fma(hy, hy, h.z * h.z))
        let distribution = Exact.rcp(0x1.921fb6p1 * alpha * alpha * d * d)
        let rootO = shadowingRoot(wo.z)
        let rootI = shadowingRoot(cosineIn)
        let visible = distribution * Exact.div(2 * oh, wo.z + rootO)
        let shadowing = Exact.div(
            cosineIn * (wo.z + rootO), fma(cosineIn, rootO, wo.z * rootI))
        return (visible, shadowing)
    }

    /// Solid angle of facet normals over that of directions.
    private func jacobian(isRefraction: Bool, _ oh: Float, _ ih: Float) -> Float {
        guard isRefraction else { return Exact.rcp(4 * oh) }
        let denominator = fma(eta, ih, oh)
        let squared = denominator * denominator
        return Exact.div(eta * eta * -ih, squared > 0x1p-40 ? squared : 0x1p-40)
    }

    // MARK: - Sampling

    /// A direction to go on in, or nil where light ends. `u` chooses the direction, `choice` the
    /// lobe.
    package func sample(_ wo: SIMD3<Float>, _ u: SIMD2<Float>, choice: Float) -> SIMD3<Float>? {
        if choice >= specularChance {
            let circle = unitCircle(u.x)
            let r = Exact.sqrt(u.y)
            return nonZero([r * circle.x, r * circle.y, Exact.sqrt(1 - u.y)])
        }
        let h = sampleNormal(wo, u)
        let c = dot(wo, h)
        let mirrored = fma(h, 2 * c, negate(wo))
        let f = fresnel(c)
        let weightR = luminance(f.reflected)
        let weightT = luminance(f.transmitted)
        let within = Exact.div(choice, specularChance)
        if weightT <= 0 || within * (weightR + weightT) < weightR {
            return mirrored.z > 0 ? mirrored : nil
        }
        if isThin { return mirrored.z > 0 ? [mirrored.x, mirrored.y, -mirrored.z] : nil }
        let overEta = Exact.rcp(eta)
        let squared = fma(-overEta * overEta, fma(-c, c, 1), 1)
        if squared <= 0 { return nil }
        let refracted = fma(h, fma(overEta, c, -Exact.sqrt(squared)), negate(wo) * overEta)
        return refracted.z < 0 ? refracted : nil
    }

    private func nonZero(_ direction: SIMD3<Float>) -> SIMD3<Float>? {
        direction.z == 0 ? nil : direction
    }

    /// A facet's normal as the viewer sees them: Dupuy and Benyoub, "Sampling Visible GGX Normals
    /// with Spherical Caps" (2023).
    private func sampleNormal(_ wo: SIMD3<Float>, _ u: SIMD2<Float>) -> SIMD3<Float> {
        let w = normalize([wo.x * alpha, wo.y * alpha, wo.z])
        let circle = unitCircle(u.x)
        let z = fma(1 - u.y, 1 + w.z, -w.z)
        let squared = fma(-z, z, 1)
        let r = squared > 0 ? Exact.sqrt(squared) : 0
        let c = SIMD3(fma(r, circle.x, w.x), fma(r, circle.y, w.y), z + w.z)
        return normalize([c.x * alpha, c.y * alpha, c.z > 0x1p-20 ? c.z : 0x1p-20])
    }
}
