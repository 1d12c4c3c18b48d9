internal import Core

/// A material as imported, with how its textures address texels.
struct ImportedMaterial {
    /// Index into `Scene.materials`.
    let index: Int
    /// The file's coordinate sets that are the scene's 0 and 1.
    let sets: [Int]
    /// What tangents are made for, where the material wants any.
    let tangentTexture: TextureRef?
}

extension SceneImporter {
    /// The scene's material for the file's; nil means glTF's default material.
    ///
    /// Materials are read when first used, so that unused ones cost nothing.
    func material(_ index: Int?, _ place: String) throws(Failure) -> ImportedMaterial {
        if let known = materials[index] { return known }
        let imported: ImportedMaterial
        if let index {
            let source = try (document.materials ?? []).element(index, place)
            do throws(Failure) { imported = try read(source, index) } catch {
                throw error.at("materials[\(index)]")
            }
        } else {
            scene.materials.append(Material())
            imported = ImportedMaterial(
                index: scene.materials.count - 1, sets: [], tangentTexture: nil)
        }
        materials[index] = imported
        return imported
    }

    private func read(
        _ source: GLTFDocument.MaterialSource, _ index: Int
    ) throws(Failure) -> ImportedMaterial {
        var material = Material()
        material.name = Self.printable(source.name ?? "material \(index)")
        owner = RangeOwner("material", index, name: source.name)
        try readFactors(source, &material)

        var sets: [Int] = []
        let pbr = source.pbrMetallicRoughness
        material.baseColorTexture = try texture(
            pbr?.baseColorTexture, "baseColorTexture", isColor: true, &sets)
        material.metallicRoughnessTexture = try texture(
            pbr?.metallicRoughnessTexture, "metallicRoughnessTexture", isColor: false, &sets)
        material.normalTexture = try texture(
            source.normalTexture, "normalTexture", isColor: false, &sets)
        material.emissiveTexture = try texture(
            source.emissiveTexture, "emissiveTexture", isColor: true, &sets)
        material.transmissionTexture = try texture(
            source.extensions?.transmission?.transmissionTexture, "transmissionTexture",
            isColor: false, &sets)
        material.occlusionTexture = try texture(
            source.occlusionTexture, "occlusionTexture", isColor: false, &sets)
        try readLayers(source, &material, &sets)
        if source.extensions?.unlit != nil { Self.makeUnlit(&material) }

        scene.materials.append(material)
        let tangentTexture = Self.tangentTexture(material, &sets)
        return ImportedMaterial(
            index: scene.materials.count - 1, sets: sets, tangentTexture: tangentTexture)
    }

    /// The texture whose coordinates tangents are made from where the file has none: the first of
    /// those that want them, else set 0.
    private static func tangentTexture(_ material: Material, _ sets: inout [Int]) -> TextureRef? {
        guard material.wantsTangents else { return nil }
        let layers = material.layers
        let maps = [
            material.normalTexture, layers.clearcoatNormalTexture, layers.anisotropyTexture,
        ]
        if let first = maps.compactMap({ $0 }).first { return first }
        if sets.isEmpty { sets.append(0) }
        return TextureRef(texture: 0, uvSet: 0)
    }

    private func readFactors(
        _ source: GLTFDocument.MaterialSource, _ material: inout Material
    ) throws(Failure) {
        let pbr = source.pbrMetallicRoughness
        material.baseColor = SIMD4(
            try units(
                pbr?.baseColorFactor, [1, 1, 1, 1], "pbrMetallicRoughness.baseColorFactor"))
        material.metallic = unit(pbr?.metallicFactor ?? 1, "metallicFactor")
        material.roughness = unit(pbr?.roughnessFactor ?? 1, "roughnessFactor")
        material.emissive = try radiances(
            source.emissiveFactor ?? [0, 0, 0], "emissiveFactor",
            times: source.extensions?.emissiveStrength?.emissiveStrength ?? 1, "emissiveStrength")

        switch source.alphaMode ?? "OPAQUE" {
        case "OPAQUE": material.alphaMode = .opaque
        case "MASK": material.alphaMode = .mask
        case "BLEND": material.alphaMode = .blend
        case let other:
            throw Failure(
                .malformed,
                "alphaMode: OPAQUE, MASK or BLEND expected, \"\(Self.printable(other))\" there")
        }
        material.alphaCutoff = radiance(source.alphaCutoff ?? 0.5, "alphaCutoff")
        material.isDoubleSided = source.doubleSided ?? false
        material.transmission = unit(
            source.extensions?.transmission?.transmissionFactor ?? 0, "transmissionFactor")
        try readVolume(source.extensions?.volume, &material)
        material.ior = ior(source.extensions?.ior?.ior ?? 1.5)
        material.normalScale = normalScale(source.normalTexture, "normalTexture")
        material.occlusionStrength = unit(
            source.occlusionTexture?.strength ?? 1, "occlusionTexture.strength")
    }

    private func readVolume(
        _ source: GLTFDocument.MaterialSource.Volume?, _ material: inout Material
    ) throws(Failure) {
        guard let source else { return }
        _ = radiance(source.thicknessFactor ?? 0, "thicknessFactor")
        guard (source.thicknessFactor ?? 0) > 0 else { return }
        material.isThinWalled = false
        material.attenuationColor = SIMD3(
            try units(source.attenuationColor, [1, 1, 1], "attenuationColor"))
        if let distance = source.attenuationDistance {
            guard distance > 0 else {
                throw Failure(.malformed, "attenuationDistance: above 0 expected")
            }
            material.attenuationDistance = Float(distance)
        }
    }

    /// KHR_materials_unlit as light: the base colour is emitted and nothing is reflected. Alpha
    /// stays with the base colour; vertex colours then do not tint it.
    private static func makeUnlit(_ material: inout Material) {
        let base = material.baseColor
        material.emissive = SIMD3(base.x, base.y, base.z)
        material.emissiveTexture = material.baseColorTexture
        material.isUnlit = true
        material.baseColor = SIMD4(0, 0, 0, base.w)
        material.metallic = 0
        material.roughness = 1
        material.metallicRoughnessTexture = nil
        material.transmission = 0
        material.transmissionTexture = nil
        material.ior = 1
        material.layers = MaterialLayers()
    }

    private func ior(_ value: Double) -> Float {
        // 0 is KHR_materials_ior's word for a reflectance of one, tinted by the specular colour.
        if value == 0 || (value >= 1 && value <= 4) { return Float(value) }
        tell("ior", Self.text(value), "1.5", "0, or 1 to 4")
        return 1.5
    }

    /// How far a normal map may tilt.
    func normalScale(_ info: GLTFDocument.TextureInfo?, _ name: String) -> Float {
        kept(info?.scale ?? 1, -1_000...1_000, "\(name).scale")
    }
}
