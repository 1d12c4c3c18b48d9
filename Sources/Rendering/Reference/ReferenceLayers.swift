internal import Exact

/// A clear coat and a sheen over a surface: `Kernels/render/layered.cl`.
///
/// The coat takes its Fresnel share of what comes or goes, whichever is more, and has a normal of
/// its own; sheen scales down what lies under it by what it sends back itself.
struct ReferenceLayers {
    private let coat: Float
    private let coatRoughness: ReferenceFacets
    private let coatFrame: ReferenceFrame
    private let coatWo: SIMD3<Float>
    /// Of sampling the coat.
    private let coatChance: Float
    private let sheen: SIMD3<Float>
    private let sheenRoughness: Float
    /// Of a white sheen, to the viewer.
    private let sheenToViewer: Float
    private let table: [Float]

    init(
        coat: Float, coatAlpha: Float, coatNormal: SIMD3<Float>, sheen: SIMD3<Float>,
        sheenRoughness: Float, table: [Float], toViewer: SIMD3<Float>, normal: SIMD3<Float>
    ) {
        self.coat = coat
        coatRoughness = ReferenceFacets(along: coatAlpha, across: coatAlpha)
        coatFrame = ReferenceFrame(around: coatNormal)
        coatWo = coatFrame.toLocal(toViewer)
        var share = coat * Self.fresnel(coatWo.z)
        share = share > 0x1p-3 ? share : 0x1p-3
        coatChance = coat > 0 ? (share < 0x1.cp-1 ? share : 0x1.cp-1) : 0
        self.sheen = sheen
        self.sheenRoughness = sheenRoughness
        self.table = table
        sheenToViewer = Self.sheenBack(table, dot(toViewer, normal), sheenRoughness)
    }

    /// `direction` is `wi` in the world.
    func evaluate(
        _ bsdf: ReferenceBsdf, _ wo: SIMD3<Float>, _ wi: SIMD3<Float>, _ direction: SIMD3<Float>
    ) -> ReferenceBsdf.Value {
        var value = bsdf.evaluate(wo, wi)
        addSheen(wo, wi, &value)
        addCoat(coatFrame.toLocal(direction), isReflection: wi.z > 0, &value)
        return value
    }

    func sample(
        _ bsdf: ReferenceBsdf, _ frame: ReferenceFrame, _ wo: SIMD3<Float>, _ u: SIMD2<Float>,
        choice: Float
    ) -> SIMD3<Float>? {
        if choice >= coatChance {
            return bsdf.sample(wo, u, choice: Exact.div(choice - coatChance, 1 - coatChance))
        }
        let h = coatRoughness.sampleNormal(coatWo, u)
        let wi = fma(h, 2 * dot(coatWo, h), negate(coatWo))
        guard wi.z > 0 else { return nil }
        let mirrored = frame.toLocal(coatFrame.toWorld(wi))
        return mirrored.z > 0 ? mirrored : nil
    }

    // MARK: - Coat

    private static func fresnel(_ c: Float) -> Float {
        fma(0x1.eb851ep-1, ReferenceBsdf.schlickWeight(c), 0x1.47ae14p-5)
    }

    private func addCoat(
        _ wi: SIMD3<Float>, isReflection: Bool, _ value: inout ReferenceBsdf.Value
    ) {
        guard coat > 0 else { return }
        let fresnelOut = Self.fresnel(coatWo.z)
        let fresnelIn = Self.fresnel(wi.z.magnitude)
        var density: Float = 0
        var added: Float = 0
        let sum = coatWo + wi
        let square = dot(sum, sum)
        if isReflection, wi.z > 0, square > 0x1p-60 {
            let h = sum * Exact.rsqrt(square)
            let oh = dot(coatWo, h)
            if oh > 0x1p-20 {
                let facets = coatRoughness.facets(h, coatWo, wi, oh)
                density = facets.visible * Exact.rcp(4 * oh)
                added = coat * Self.fresnel(oh) * facets.lit * density
            }
        }
        let kept = fma(-coat, fresnelOut > fresnelIn ? fresnelOut : fresnelIn, 1)
        for channel in 0..<3 { value.color[channel] = fma(value.color[channel], kept, added) }
        value.density = fma(coatChance, density - value.density, value.density)
    }

    // MARK: - Sheen

    private func addSheen(
        _ wo: SIMD3<Float>, _ wi: SIMD3<Float>, _ value: inout ReferenceBsdf.Value
    ) {
        let most = largest(sheen)
        guard most > 0 else { return }
        var back = Self.sheenBack(table, wi.z.magnitude, sheenRoughness)
        back = back > sheenToViewer ? back : sheenToViewer
        let kept = fma(-most, back < 1 ? back : 1, 1)
        value.color *= kept
        guard wi.z > 0 else { return }
        // The lobe sends back more than there is at grazing angles where it is smooth.
        let lobe = sheenLobe(wo, wi) * wi.z
        value.color = fma(sheen, back > 1 ? Exact.div(lobe, back) : lobe, value.color)
    }

    /// What a white sheen sends back of the light that comes at a cosine.
    private static func sheenBack(_ table: [Float], _ cosine: Float, _ roughness: Float) -> Float {
        let side = SheenTable.side
        func place(_ share: Float) -> Float {
            let x = share * Float(side - 1)
            return x > 0 ? (x < 15 ? x : 15) : 0
        }
        let (x, y) = (place(cosine), place(roughness))
        let column = x < 14 ? Int(x) : 14
        let row = y < 14 ? Int(y) : 14
        let (fx, fy) = (x - Float(column), y - Float(row))
        let (a, b) = (table[row * side + column], table[row * side + column + 1])
        let (c, d) = (table[(row + 1) * side + column], table[(row + 1) * side + column + 1])
        let top = fma(b - a, fx, a)
        let bottom = fma(d - c, fx, c)
        return fma(bottom - top, fy, top)
    }

    private static func sheenCurve(_ x: Float, _ s: Float) -> Float {
        let a = fma(0x1.e37b4ap1, s, 0x1.58c1bep4)
        let b = fma(-0x1.02d384p-1, s, 0x1.ea392ep1)
        let c = fma(-0x1.ef1fdep-6, s, 0x1.95f99cp-3)
        let d = fma(0x1.68477p-1, s, -0x1.fa43fep0)
        let e = fma(-0x1.1408d8p-1, s, -0x1.1483bap2)
        let power = Exact.pow(x > 0x1p-30 ? x : 0x1p-30, c)
        return fma(d, x, Exact.div(a, fma(b, power, 1)) + e)
    }

    private static func sheenShadow(_ cosine: Float, _ alpha: Float) -> Float {
        let rest = 1 - alpha
        let s = rest * rest
        if cosine < 0.5 { return Exact.exp(sheenCurve(cosine, s)) }
        return Exact.exp(fma(2, sheenCurve(0.5, s), -sheenCurve(1 - cosine, s)))
    }

    /// Estevez and Kulla, "Production Friendly Microfacet Sheen BRDF" (2017), white.
    private func sheenLobe(_ wo: SIMD3<Float>, _ wi: SIMD3<Float>) -> Float {
        var alpha = sheenRoughness * sheenRoughness
        alpha = alpha > 0x1.47ae14p-7 ? alpha : 0x1.47ae14p-7
        let h = normalize(wo + wi)
        let squared = fma(-h.z, h.z, 1)
        let sine = squared > 0x1p-30 ? Exact.sqrt(squared) : 0x1p-15
        let over = Exact.rcp(alpha)
        let distribution = (2 + over) * 0x1.45f306p-3 * Exact.pow(sine, over)
        let shadow =
            1 + Self.sheenShadow(wo.z, alpha) + Self.sheenShadow(wi.z, alpha)
        let below = shadow * 4 * wo.z * wi.z
        return Exact.div(distribution, below > 0x1p-30 ? below : 0x1p-30)
    }
}
