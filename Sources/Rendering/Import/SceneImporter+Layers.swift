internal import Core
internal import Exact

extension SceneImporter {
    private typealias Source = GLTFDocument.MaterialSource

    /// What a material has beside glTF's core. An extension whose factor is zero changes nothing
    /// and is not read, so that the material stays as fast as it looks.
    func readLayers(
        _ source: GLTFDocument.MaterialSource, _ material: inout Material, _ sets: inout [Int]
    ) throws(Failure) {
        guard let extensions = source.extensions else { return }
        if let glossiness = extensions.glossiness {
            try read(glossiness, &material, &sets)
        } else if let specular = extensions.specular {
            try read(specular, &material.layers, &sets)
        }
        if let clearcoat = extensions.clearcoat,
            isThere(clearcoat.clearcoatFactor, "clearcoatFactor")
        {
            try read(clearcoat, &material.layers, &sets)
        }
        if let sheen = extensions.sheen { try read(sheen, &material.layers, &sets) }
        if let anisotropy = extensions.anisotropy,
            isThere(anisotropy.anisotropyStrength, "anisotropyStrength")
        {
            try read(anisotropy, &material.layers, &sets)
        }
        if let iridescence = extensions.iridescence,
            isThere(iridescence.iridescenceFactor, "iridescenceFactor")
        {
            try read(iridescence, &material.layers, &sets)
        }
        if let dispersion = extensions.dispersion?.dispersion, material.isSolid {
            material.layers.dispersion = kept(dispersion, 0...10, "dispersion")
        }
        if let through = extensions.diffuseTransmission,
            isThere(through.diffuseTransmissionFactor, "diffuseTransmissionFactor")
        {
            try read(through, &material.layers, &sets)
        }
    }

    /// Whether an extension's factor lets it count.
    private func isThere(_ factor: Double?, _ name: String) -> Bool {
        _ = unit(factor ?? 0, name)
        return (factor ?? 0) > 0
    }

    private func read(
        _ source: Source.Specular, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.specular = unit(source.specularFactor ?? 1, "specularFactor")
        layers.specularColor = try radiances(
            source.specularColorFactor, [1, 1, 1], "specularColorFactor")
        layers.specularTexture = try texture(
            source.specularTexture, "specularTexture", isColor: false, &sets)
        layers.specularColorTexture = try texture(
            source.specularColorTexture, "specularColorTexture", isColor: true, &sets)
    }

    private func read(
        _ source: Source.Clearcoat, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.clearcoat = unit(source.clearcoatFactor ?? 0, "clearcoatFactor")
        layers.clearcoatRoughness = unit(
            source.clearcoatRoughnessFactor ?? 0, "clearcoatRoughnessFactor")
        layers.clearcoatNormalScale = normalScale(
            source.clearcoatNormalTexture, "clearcoatNormalTexture")
        layers.clearcoatTexture = try texture(
            source.clearcoatTexture, "clearcoatTexture", isColor: false, &sets)
        layers.clearcoatRoughnessTexture = try texture(
            source.clearcoatRoughnessTexture, "clearcoatRoughnessTexture", isColor: false, &sets)
        layers.clearcoatNormalTexture = try texture(
            source.clearcoatNormalTexture, "clearcoatNormalTexture", isColor: false, &sets)
    }

    private func read(
        _ source: Source.Sheen, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        let tint = try radiances(source.sheenColorFactor, [0, 0, 0], "sheenColorFactor")
        guard tint.max() > 0 else { return }
        layers.sheenColor = tint
        layers.sheenRoughness = unit(source.sheenRoughnessFactor ?? 0, "sheenRoughnessFactor")
        layers.sheenColorTexture = try texture(
            source.sheenColorTexture, "sheenColorTexture", isColor: true, &sets)
        layers.sheenRoughnessTexture = try texture(
            source.sheenRoughnessTexture, "sheenRoughnessTexture", isColor: false, &sets)
    }

    private func read(
        _ source: Source.Anisotropy, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        let rotation = Float(source.anisotropyRotation ?? 0)
        guard rotation.magnitude <= 1_000 else {
            throw Failure(
                .malformed,
                "KHR_materials_anisotropy.anisotropyRotation: radians from -1000 to 1000 expected, "
                    + "\(source.anisotropyRotation ?? 0) there")
        }
        layers.anisotropy = unit(source.anisotropyStrength ?? 0, "anisotropyStrength")
        layers.anisotropyAxis = [Exact.cos(rotation), Exact.sin(rotation)]
        layers.anisotropyTexture = try texture(
            source.anisotropyTexture, "anisotropyTexture", isColor: false, &sets)
    }

    private func read(
        _ source: Source.Iridescence, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.iridescence = unit(source.iridescenceFactor ?? 0, "iridescenceFactor")
        layers.iridescenceIOR = kept(source.iridescenceIor ?? 1.3, 1...5, "iridescenceIor")
        layers.iridescenceThicknessMin = radiance(
            source.iridescenceThicknessMinimum ?? 100, "iridescenceThicknessMinimum")
        layers.iridescenceThicknessMax = radiance(
            source.iridescenceThicknessMaximum ?? 400, "iridescenceThicknessMaximum")
        layers.iridescenceTexture = try texture(
            source.iridescenceTexture, "iridescenceTexture", isColor: false, &sets)
        layers.iridescenceThicknessTexture = try texture(
            source.iridescenceThicknessTexture, "iridescenceThicknessTexture", isColor: false,
            &sets)
    }

    private func read(
        _ source: Source.DiffuseTransmission, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.diffuseTransmission = unit(
            source.diffuseTransmissionFactor ?? 0, "diffuseTransmissionFactor")
        layers.diffuseTransmissionColor = try radiances(
            source.diffuseTransmissionColorFactor, [1, 1, 1], "diffuseTransmissionColorFactor")
        layers.diffuseTransmissionTexture = try texture(
            source.diffuseTransmissionTexture, "diffuseTransmissionTexture", isColor: false, &sets)
        layers.diffuseTransmissionColorTexture = try texture(
            source.diffuseTransmissionColorTexture, "diffuseTransmissionColorTexture",
            isColor: true, &sets)
    }

    /// Diffuse and specular colour as they are, over a dielectric of reflectance one: what
    /// KHR_materials_specular makes of an index of 0.
    private func read(
        _ source: Source.SpecularGlossiness, _ material: inout Material, _ sets: inout [Int]
    ) throws(Failure) {
        material.baseColor = SIMD4(
            try units(source.diffuseFactor, [1, 1, 1, 1], "diffuseFactor"))
        material.metallic = 0
        material.metallicRoughnessTexture = nil
        material.roughness = 1 - unit(source.glossinessFactor ?? 1, "glossinessFactor")
        material.ior = 0
        material.layers.specularColor = try radiances(
            source.specularFactor, [1, 1, 1], "specularFactor")
        material.baseColorTexture = try texture(
            source.diffuseTexture, "diffuseTexture", isColor: true, &sets)
        material.layers.specularColorTexture = try texture(
            source.specularGlossinessTexture, "specularGlossinessTexture", isColor: true, &sets)
        material.layers.isGlossiness = true
    }
}
