internal import Exact

/// What layered materials have beside glTF's core: `Kernels/render/layers.cl`.
extension ReferenceTracer {
    /// A factor times a channel of the texture beside it.
    private func factor(_ m: Meeting, _ word: MaterialWord, _ channel: Int) -> Float {
        let texel = materialTexel(m.triangle, word.rawValue + 1, m.place) ?? .one
        return materialFloat(m.triangle, word) * texel[channel]
    }

    private func color(_ m: Meeting, _ word: MaterialWord) -> SIMD3<Float> {
        let texel = materialTexel(m.triangle, word.rawValue + 3, m.place) ?? .one
        let own = vector(.materials, m.triangle.material, word.rawValue)
        return flush(own * SIMD3(texel.x, texel.y, texel.z))
    }

    /// The archived glossiness model: 1 − glossiness, squared.
    func glossyAlpha(_ m: Meeting) -> Float? {
        guard flags(m.triangle) & BlobLayout.MaterialFlag.glossy != 0 else { return nil }
        let gloss = materialTexel(m.triangle, .specularColorTexture, m.place)?.w ?? 1
        return Self.squared(fma(-(1 - materialFloat(m.triangle, .roughness)), gloss, 1))
    }

    static func squared(_ roughness: Float) -> Float {
        let alpha = roughness * roughness
        return alpha > 0x1p-10 ? alpha : 0x1p-10
    }

    /// What the interface and its base have besides; along which tangent it is rougher.
    func extra(
        _ m: Meeting, alpha: Float, normal: SIMD3<Float>
    ) -> (extra: ReferenceBsdf.Extra, tangent: SIMD3<Float>) {
        let t = m.triangle
        let specular = factor(m, .specular, 3)
        var headOn = color(m, .specularColor) * materialFloat(t, .f0)
        for channel in 0..<3 where !(headOn[channel] < 1) { headOn[channel] = 1 }
        let (tangent, along) = brushing(m, alpha: alpha, normal: normal)
        let least = materialFloat(t, .filmThicknessMin)
        let between = materialTexel(t, .filmThicknessTexture, m.place)?.y ?? 1
        let extra = ReferenceBsdf.Extra(
            specular: flush(headOn * specular), rim: specular, alphaAlong: along,
            film: factor(m, .film, 0), filmIndex: materialFloat(t, .filmIndex),
            filmThickness: fma(materialFloat(t, .filmThicknessMax) - least, between, least),
            diffuseThrough: factor(m, .diffuseThrough, 3), throughColor: color(m, .throughColor),
            sheenWeight: luminance(color(m, .sheen)))
        return (extra, tangent)
    }

    /// The tangent along which the highlight is wider, turned by rotation and texture, and the
    /// roughness along it; without a direction the tangent is zero.
    private func brushing(
        _ m: Meeting, alpha: Float, normal n: SIMD3<Float>
    ) -> (tangent: SIMD3<Float>, alpha: Float) {
        var strength = materialFloat(m.triangle, .anisotropy)
        guard strength > 0, let axes = tangentAxes(m, n) else { return (.zero, alpha) }
        var dx = materialFloat(m.triangle, .anisotropyCosine)
        var dy = materialFloat(m.triangle, .anisotropySine)
        if let texel = materialTexel(m.triangle, .anisotropyTexture, m.place) {
            let tx = fma(texel.x, 2, -1)
            let ty = fma(texel.y, 2, -1)
            (dx, dy) = (fma(dx, tx, -(dy * ty)), fma(dx, ty, dy * tx))
            strength *= texel.z
        }
        return (fma(axes.x, dx, axes.y * dy), fma(1 - alpha, strength * strength, alpha))
    }

    func layers(
        _ m: Meeting, _ toViewer: SIMD3<Float>, normal: SIMD3<Float>
    ) -> ReferenceLayers {
        let coatNormal = shadingNormal(
            m, toViewer: toViewer, map: .coatNormalTexture, scale: .coatNormalScale)
        let table = (0..<blob.count(.sheen)).map { float(.sheen, UInt32($0)) }
        return ReferenceLayers(
            coat: m.side > 0 ? factor(m, .coat, 0) : 0,
            coatAlpha: Self.squared(factor(m, .coatRoughness, 1)), coatNormal: coatNormal,
            sheen: color(m, .sheen), sheenRoughness: factor(m, .sheenRoughness, 3), table: table,
            toViewer: toViewer, normal: normal)
    }

    /// The band of a dispersive solid that a path stands for, 0…2, and the index for it.
    func band(
        _ m: Meeting, _ path: Path, eta: Float
    ) -> (band: Int, eta: Float)? {
        let spread = materialFloat(m.triangle, .dispersion)
        guard spread > 0, flags(m.triangle) & BlobLayout.MaterialFlag.solid != 0, eta != 1 else {
            return nil
        }
        let bits = ReferenceRandom.bits(
            key: path.key, sample: path.sample, ReferenceRandom.band)
        let band = Int(((bits >> 16) * 3) >> 16)
        let scale = fma(Float(band - 1), spread, 1)
        return (band, m.side > 0 ? eta * scale : eta * Exact.rcp(scale))
    }
}
