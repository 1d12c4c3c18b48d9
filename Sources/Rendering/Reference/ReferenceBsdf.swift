internal import Exact

/// glTF 2.0's metallic-roughness surface with transmission: `Kernels/render/bsdf.cl`. Directions
/// are local, the normal is z, and the viewer's side is up.
package struct ReferenceBsdf: Sendable {
    let base: SIMD3<Float>
    var metallic: Float
    /// Roughness squared.
    let alpha: Float
    var transmission: Float
    /// Reflectance of the dielectric head-on.
    var f0: Float
    /// Index beyond the surface over index before it.
    let eta: Float
    let isThin: Bool
    /// What KHR extensions add to the interface and its base; nil for glTF's core.
    var extra: Extra?
    /// Chance of sampling the interface rather than the base.
    private var specularChance: Float = 0

    /// KHR_materials_specular, anisotropy, iridescence and diffuse_transmission.
    struct Extra: Sendable {
        /// The dielectric's reflectance head-on, with its tint, and at the rim.
        var specular: SIMD3<Float>
        var rim: Float
        /// Roughness squared along the tangent.
        var alphaAlong: Float
        var film: Float
        var filmIndex: Float
        /// Nanometres.
        var filmThickness: Float
        var diffuseThrough: Float
        var throughColor: SIMD3<Float>
        /// What the base's lobe is sampled for besides.
        var sheenWeight: Float
    }

    /// f · |cosine|, and the density of sampling the direction; both per solid angle.
    package struct Value: Sendable {
        package var color = SIMD3<Float>.zero
        package var density: Float = 0
    }

    package init(
        base: SIMD3<Float>, metallic: Float, alpha: Float, transmission: Float, f0: Float,
        eta: Float, isThin: Bool
    ) {
        self.base = base
        self.metallic = metallic
        self.alpha = alpha
        self.transmission = transmission
        self.f0 = f0
        self.eta = eta
        self.isThin = isThin
    }

    /// As it is sampled for a viewer at that cosine.
    package func seen(at cosine: Float) -> ReferenceBsdf {
        var bsdf = self
        bsdf.specularChance = chanceOfInterface(cosine)
        return bsdf
    }

    private var facets: ReferenceFacets {
        ReferenceFacets(
            along: extra?.alphaAlong ?? alpha, across: alpha, isTurned: extra != nil)
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

    static func schlickWeight(_ c: Float) -> Float {
        let m = c < 1 ? 1 - c : 0
        let m2 = m * m
        return m2 * m2 * m
    }

    private func fresnel(_ c: Float) -> Fresnel {
        let w = Self.schlickWeight(c)
        let isClear = transmission > 0
        // An index of one reflects nothing, not even at the rim.
        let rim: Float = f0 > 0 ? 1 : 0
        var metal = fma(SIMD3<Float>.one - base, w, base)
        var d = SIMD3<Float>(
            repeating: isClear ? Self.fresnelDielectric(c, eta) : fma(rim - f0, w, f0))
        if let extra {
            d = tintedDielectric(extra, c, w, rim)
            if extra.film > 0 {
                func filmed(_ headOn: SIMD3<Float>, _ bare: SIMD3<Float>) -> SIMD3<Float> {
                    let film = ReferenceFilm.reflectance(
                        index: extra.filmIndex, thickness: extra.filmThickness, c, headOn: headOn)
                    return fma(film - bare, extra.film, bare)
                }
                d = filmed(extra.specular, d)
                metal = filmed(base, metal)
            }
        }
        let dielectric = largest(d)
        let through = (1 - dielectric) * (1 - metallic) * transmission
        // A solid's tint is met twice on the way through.
        let isTwice = isClear && !isThin
        let tint =
            isTwice ? SIMD3(Exact.sqrt(base.x), Exact.sqrt(base.y), Exact.sqrt(base.z)) : base
        return Fresnel(
            dielectric: dielectric, reflected: fma(metal - d, metallic, d),
            transmitted: tint * through)
    }

    /// KHR_materials_specular: along Schlick's curve, or where light goes through along Fresnel's.
    private func tintedDielectric(
        _ extra: Extra, _ c: Float, _ w: Float, _ rim: Float
    ) -> SIMD3<Float> {
        guard transmission > 0 else {
            return fma(SIMD3(repeating: rim * extra.rim) - extra.specular, w, extra.specular)
        }
        let exact = Self.fresnelDielectric(c, eta)
        if exact >= 1 { return .one }
        let root = Exact.div(eta - 1, eta + 1)
        let headOn = root * root
        var least = extra.specular * (f0 > 0 ? Exact.div(headOn, f0) : 1)
        for channel in 0..<3 where !(least[channel] < 1) { least[channel] = 1 }
        let above = Exact.div(exact - headOn, 1 - headOn)
        return fma(SIMD3(repeating: extra.rim) - least, above > 0 ? above : 0, least)
    }

    /// Light that the base takes in for the lobes that are sampled by the cosine.
    private var baseLuminance: Float {
        guard let extra else { return luminance(base) }
        return fma(
            luminance(extra.throughColor), extra.diffuseThrough,
            luminance(base) * (1 - extra.diffuseThrough))
    }

    private func chanceOfInterface(_ cosine: Float) -> Float {
        let f = fresnel(cosine)
        let interface = luminance(f.reflected) + luminance(f.transmitted)
        var under = (1 - f.dielectric) * (1 - metallic) * (1 - transmission) * baseLuminance
        if let extra { under += extra.sheenWeight }
        let sum = interface + under
        guard sum > 0x1p-30 else { return 1 }
        let chance = Exact.div(interface, sum)
        if under <= 0 { return 1 }
        if interface <= 0 { return 0 }
        return chance < 0x1p-3 ? 0x1p-3 : (chance > 0x1.cp-1 ? 0x1.cp-1 : chance)
    }

    // MARK: - Value

    package func evaluate(_ wo: SIMD3<Float>, _ wi: SIMD3<Float>) -> Value {
        var value = evaluateFront(wo, wi)
        guard let extra, wi.z < 0, extra.diffuseThrough > 0 else { return value }
        // There is no facet between the two directions: light goes in as the viewer's comes out.
        let lambert = -wi.z * 0x1.45f306p-2 * extra.diffuseThrough
        let under =
            (1 - fresnel(wo.z).dielectric) * (1 - metallic) * (1 - transmission)
        value.color += extra.throughColor * (under * lambert)
        value.density += (1 - specularChance) * lambert
        return value
    }

    /// But for what the base lets through.
    private func evaluateFront(_ wo: SIMD3<Float>, _ wi: SIMD3<Float>) -> Value {
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
        let (visible, lit) = facets.facets(h, wo, wi, oh)
        let weightR = luminance(f.reflected)
        let weightT = luminance(f.transmitted)
        let reflectChance = weightT > 0 ? Exact.div(weightR, weightR + weightT) : 1
        let chance = isReflection ? reflectChance : 1 - reflectChance
        let density = visible * jacobian(isRefraction: isRefraction, oh, ih)
        let color = (isReflection ? f.reflected : f.transmitted) * (lit * density)
        var value = Value(color: color, density: specularChance * chance * density)
        if isReflection {
            let lambert = wi.z * 0x1.45f306p-2
            let stays = extra.map { 1 - $0.diffuseThrough } ?? 1
            let under = (1 - f.dielectric) * (1 - metallic) * (1 - transmission) * stays
            value.color += base * (under * lambert)
            value.density += (1 - specularChance) * lambert * stays
        }
        return value
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
            let z = Exact.sqrt(1 - u.y)
            var isThrough = false
            if let extra {
                let rest = Exact.div(choice - specularChance, 1 - specularChance)
                isThrough = rest < extra.diffuseThrough
            }
            return z == 0 ? nil : [r * circle.x, r * circle.y, isThrough ? -z : z]
        }
        let h = facets.sampleNormal(wo, u)
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
}
