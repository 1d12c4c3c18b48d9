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
        if let clearcoat = extensions.clearcoat, (clearcoat.clearcoatFactor ?? 0) > 0 {
            try read(clearcoat, &material.layers, &sets)
        }
        if let sheen = extensions.sheen { try read(sheen, &material.layers, &sets) }
        if let anisotropy = extensions.anisotropy, (anisotropy.anisotropyStrength ?? 0) > 0 {
            try read(anisotropy, &material.layers, &sets)
        }
        if let iridescence = extensions.iridescence, (iridescence.iridescenceFactor ?? 0) > 0 {
            try read(iridescence, &material.layers, &sets)
        }
        if let dispersion = extensions.dispersion?.dispersion, material.isSolid {
            material.layers.dispersion = min(Self.radiance(dispersion), 10)
        }
        if let through = extensions.diffuseTransmission,
            (through.diffuseTransmissionFactor ?? 0) > 0
        {
            try read(through, &material.layers, &sets)
        }
    }

    private func color(
        _ factors: [Double]?, _ standard: [Double], _ name: String
    ) throws(Failure) -> SIMD3<Float> {
        let numbers = try Affine.numbers(factors ?? standard, 3, name)
        return SIMD3(
            Self.radiance(numbers[0]), Self.radiance(numbers[1]), Self.radiance(numbers[2]))
    }

    private func read(
        _ source: Source.Specular, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.specular = Self.unit(source.specularFactor ?? 1)
        layers.specularColor = try color(
            source.specularColorFactor, [1, 1, 1], "specularColorFactor")
        layers.specularTexture = try texture(
            source.specularTexture, "specularTexture", isColor: false, &sets)
        layers.specularColorTexture = try texture(
            source.specularColorTexture, "specularColorTexture", isColor: true, &sets)
    }

    private func read(
        _ source: Source.Clearcoat, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.clearcoat = Self.unit(source.clearcoatFactor ?? 0)
        layers.clearcoatRoughness = Self.unit(source.clearcoatRoughnessFactor ?? 0)
        layers.clearcoatNormalScale = Self.bounded(source.clearcoatNormalTexture?.scale ?? 1)
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
        let tint = try color(source.sheenColorFactor, [0, 0, 0], "sheenColorFactor")
        guard tint.max() > 0 else { return }
        layers.sheenColor = tint
        layers.sheenRoughness = Self.unit(source.sheenRoughnessFactor ?? 0)
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
        layers.anisotropy = Self.unit(source.anisotropyStrength ?? 0)
        layers.anisotropyAxis = [Exact.cos(rotation), Exact.sin(rotation)]
        layers.anisotropyTexture = try texture(
            source.anisotropyTexture, "anisotropyTexture", isColor: false, &sets)
    }

    private func read(
        _ source: Source.Iridescence, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.iridescence = Self.unit(source.iridescenceFactor ?? 0)
        layers.iridescenceIOR = Float(min(max(source.iridescenceIor ?? 1.3, 1), 5))
        layers.iridescenceThicknessMin = Self.radiance(source.iridescenceThicknessMinimum ?? 100)
        layers.iridescenceThicknessMax = Self.radiance(source.iridescenceThicknessMaximum ?? 400)
        layers.iridescenceTexture = try texture(
            source.iridescenceTexture, "iridescenceTexture", isColor: false, &sets)
        layers.iridescenceThicknessTexture = try texture(
            source.iridescenceThicknessTexture, "iridescenceThicknessTexture", isColor: false,
            &sets)
    }

    private func read(
        _ source: Source.DiffuseTransmission, _ layers: inout MaterialLayers, _ sets: inout [Int]
    ) throws(Failure) {
        layers.diffuseTransmission = Self.unit(source.diffuseTransmissionFactor ?? 0)
        layers.diffuseTransmissionColor = try color(
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
        let base = try Affine.numbers(source.diffuseFactor ?? [1, 1, 1, 1], 4, "diffuseFactor")
        material.baseColor = SIMD4(
            Self.unit(base[0]), Self.unit(base[1]), Self.unit(base[2]), Self.unit(base[3]))
        material.metallic = 0
        material.metallicRoughnessTexture = nil
        material.roughness = 1 - Self.unit(source.glossinessFactor ?? 1)
        material.ior = 0
        material.layers.specularColor = try color(
            source.specularFactor, [1, 1, 1], "specularFactor")
        material.baseColorTexture = try texture(
            source.diffuseTexture, "diffuseTexture", isColor: true, &sets)
        material.layers.specularColorTexture = try texture(
            source.specularGlossinessTexture, "specularGlossinessTexture", isColor: true, &sets)
        material.layers.isGlossiness = true
    }
}
