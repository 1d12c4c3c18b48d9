internal import Exact

/// A material's words in a blob.
struct MaterialRecord {
    private(set) var words = [UInt32](
        repeating: 0, count: BlobLayout.Section.materials.stride)
    private let numbers: [TextureRef: UInt32]

    /// - Parameter numbers: each use's place among the blob's textures.
    init(_ material: Material, _ numbers: [TextureRef: UInt32]) {
        self.numbers = numbers
        for place in BlobLayout.textureWords { words[place] = BlobLayout.textureNone }
        packCore(material)
        setTexture(15, material.baseColorTexture)
        setTexture(16, material.metallicRoughnessTexture)
        setTexture(17, material.normalTexture)
        setTexture(18, material.emissiveTexture)
        setTexture(19, material.transmissionTexture)
        packLayers(material.layers, ior: material.ior)
    }

    private mutating func setTexture(_ place: Int, _ reference: TextureRef?) {
        words[place] = reference.flatMap { numbers[$0] } ?? BlobLayout.textureNone
    }

    private mutating func set(_ place: Int, _ value: Float) {
        words[place] = RenderBlob.tame(value).bitPattern
    }

    /// A factor of 0…1, and the texture beside it.
    private mutating func setUnit(_ place: Int, _ value: Float, _ texture: TextureRef?) {
        setUnit(place, value)
        setTexture(place + 1, texture)
    }

    private mutating func setUnit(_ place: Int, _ value: Float) {
        set(place, min(max(value, 0), 1))
    }

    private mutating func setColor(_ place: Int, _ color: SIMD3<Float>, _ texture: TextureRef?) {
        for axis in 0..<3 { set(place + axis, max(color[axis], 0)) }
        setTexture(place + 3, texture)
    }

    private mutating func packCore(_ material: Material) {
        for lane in 0..<4 { setUnit(lane, material.baseColor[lane]) }
        setUnit(4, material.metallic)
        setUnit(5, material.roughness)
        setUnit(6, material.transmission)
        // An index of 0 means a reflectance of one (KHR_materials_ior); 1000 comes near enough.
        let ior = material.ior == 0 ? 1000 : min(max(material.ior, 1), 1000)
        let root = (ior - 1) / (ior + 1)
        set(7, material.ior == 0 ? 1 : root * root)
        set(8, ior)
        for axis in 0..<3 { set(9 + axis, max(material.emissive[axis], 0)) }
        words[12] = Self.flags(material)
        words[13] = material.alphaCutoff.bitPattern
        set(14, material.normalScale)
        guard material.isSolid, material.attenuationDistance < .infinity else { return }
        for axis in 0..<3 {
            let color = min(max(material.attenuationColor[axis], 0x1p-30), 1)
            set(20 + axis, -Exact.log(color) / max(material.attenuationDistance, 0x1p-40))
        }
    }

    private mutating func packLayers(_ layers: MaterialLayers, ior: Float) {
        setUnit(24, layers.specular, layers.specularTexture)
        setColor(26, layers.specularColor, layers.specularColorTexture)
        setUnit(30, layers.clearcoat, layers.clearcoatTexture)
        setUnit(32, layers.clearcoatRoughness, layers.clearcoatRoughnessTexture)
        set(34, layers.clearcoatNormalScale)
        setTexture(35, layers.clearcoatNormalTexture)
        setColor(36, layers.sheenColor.clamped(to: 1), layers.sheenColorTexture)
        setUnit(40, layers.sheenRoughness, layers.sheenRoughnessTexture)
        setUnit(42, layers.anisotropy, layers.anisotropyTexture)
        set(44, layers.anisotropyAxis.x)
        set(45, layers.anisotropyAxis.y)
        setUnit(46, layers.iridescence, layers.iridescenceTexture)
        set(48, min(max(layers.iridescenceIOR, 1), 5))
        set(49, min(max(layers.iridescenceThicknessMin, 0), 1e5))
        set(50, min(max(layers.iridescenceThicknessMax, 0), 1e5))
        setTexture(51, layers.iridescenceThicknessTexture)
        // KHR_materials_dispersion: the outer bands are half a spread of (ior - 1) / V off, and
        // the extension's number is 20 / V.
        let spread = max(ior - 1, 0) * 0.025 * min(max(layers.dispersion, 0), 10)
        set(52, min(spread / max(ior, 1), 0.2))
        setUnit(53, layers.diffuseTransmission, layers.diffuseTransmissionTexture)
        setColor(
            55, layers.diffuseTransmissionColor.clamped(to: 1),
            layers.diffuseTransmissionColorTexture)
    }

    private static func flags(_ material: Material) -> UInt32 {
        typealias Flag = BlobLayout.MaterialFlag
        var flags: UInt32 = 0
        if material.alphaMode == .mask { flags |= Flag.mask }
        if material.alphaMode == .blend { flags |= Flag.blend }
        if material.isDoubleSided { flags |= Flag.doubleSided }
        if material.isThinWalled { flags |= Flag.thin }
        if material.emissive.max() > 0x1p-40 { flags |= Flag.emissive }
        if material.isSolid { flags |= Flag.solid }
        if material.layers != MaterialLayers() { flags |= Flag.layered }
        if material.layers.isGlossiness { flags |= Flag.glossy }
        if material.isUnlit { flags |= Flag.unlit }
        return flags
    }
}

extension SIMD3 where Scalar == Float {
    fileprivate func clamped(to most: Float) -> Self {
        clamped(lowerBound: .zero, upperBound: Self(repeating: most))
    }
}

extension Material {
    /// Whether a map or a direction of brushing needs them.
    var wantsTangents: Bool {
        normalTexture != nil || layers.clearcoatNormalTexture != nil || layers.anisotropy > 0
    }
}
