/// KHR_materials_specular, clearcoat, sheen, anisotropy, iridescence, dispersion and
/// diffuse_transmission, and the archived pbrSpecularGlossiness. As made, it changes nothing.
public struct MaterialLayers: Sendable, Hashable {
    public var specular: Float = 1
    public var specularTexture: TextureRef?
    public var specularColor: SIMD3<Float> = .one
    public var specularColorTexture: TextureRef?
    /// Whether the specular colour texture's alpha is glossiness, 1 − roughness.
    public var isGlossiness = false

    public var clearcoat: Float = 0
    public var clearcoatTexture: TextureRef?
    public var clearcoatRoughness: Float = 0
    public var clearcoatRoughnessTexture: TextureRef?
    public var clearcoatNormalScale: Float = 1
    public var clearcoatNormalTexture: TextureRef?

    public var sheenColor: SIMD3<Float> = .zero
    public var sheenColorTexture: TextureRef?
    public var sheenRoughness: Float = 0
    public var sheenRoughnessTexture: TextureRef?

    public var anisotropy: Float = 0
    public var anisotropyTexture: TextureRef?
    /// Cosine and sine of the angle from the tangent to the direction of greater roughness.
    public var anisotropyAxis: SIMD2<Float> = [1, 0]

    public var iridescence: Float = 0
    public var iridescenceTexture: TextureRef?
    public var iridescenceIOR: Float = 1.3
    /// Nanometres, where the texture's green is 0 and where it is 1.
    public var iridescenceThicknessMin: Float = 100
    public var iridescenceThicknessMax: Float = 400
    public var iridescenceThicknessTexture: TextureRef?

    /// 20 over the Abbe number.
    public var dispersion: Float = 0

    public var diffuseTransmission: Float = 0
    public var diffuseTransmissionTexture: TextureRef?
    public var diffuseTransmissionColor: SIMD3<Float> = .one
    public var diffuseTransmissionColorTexture: TextureRef?

    public init() {}

    var references: [TextureRef] {
        [
            specularTexture, specularColorTexture, clearcoatTexture, clearcoatRoughnessTexture,
            clearcoatNormalTexture, sheenColorTexture, sheenRoughnessTexture, anisotropyTexture,
            iridescenceTexture, iridescenceThicknessTexture, diffuseTransmissionTexture,
            diffuseTransmissionColorTexture,
        ].compactMap { $0 }
    }
}
