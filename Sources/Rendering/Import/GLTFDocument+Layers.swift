// Extensions of materials beyond glTF's core.
extension GLTFDocument.MaterialSource {
    struct Specular: Decodable {
        var specularFactor: Double?
        var specularTexture: GLTFDocument.TextureInfo?
        var specularColorFactor: [Double]?
        var specularColorTexture: GLTFDocument.TextureInfo?
    }

    struct Clearcoat: Decodable {
        var clearcoatFactor: Double?
        var clearcoatTexture: GLTFDocument.TextureInfo?
        var clearcoatRoughnessFactor: Double?
        var clearcoatRoughnessTexture: GLTFDocument.TextureInfo?
        var clearcoatNormalTexture: GLTFDocument.TextureInfo?
    }

    struct Sheen: Decodable {
        var sheenColorFactor: [Double]?
        var sheenColorTexture: GLTFDocument.TextureInfo?
        var sheenRoughnessFactor: Double?
        var sheenRoughnessTexture: GLTFDocument.TextureInfo?
    }

    struct Anisotropy: Decodable {
        var anisotropyStrength: Double?
        var anisotropyRotation: Double?
        var anisotropyTexture: GLTFDocument.TextureInfo?
    }

    struct Iridescence: Decodable {
        var iridescenceFactor: Double?
        var iridescenceTexture: GLTFDocument.TextureInfo?
        var iridescenceIor: Double?
        var iridescenceThicknessMinimum: Double?
        var iridescenceThicknessMaximum: Double?
        var iridescenceThicknessTexture: GLTFDocument.TextureInfo?
    }

    struct Dispersion: Decodable {
        var dispersion: Double?
    }

    struct DiffuseTransmission: Decodable {
        var diffuseTransmissionFactor: Double?
        var diffuseTransmissionTexture: GLTFDocument.TextureInfo?
        var diffuseTransmissionColorFactor: [Double]?
        var diffuseTransmissionColorTexture: GLTFDocument.TextureInfo?
    }

    /// Archived; read instead of metallic-roughness where it is there.
    struct SpecularGlossiness: Decodable {
        var diffuseFactor: [Double]?
        var diffuseTexture: GLTFDocument.TextureInfo?
        var specularFactor: [Double]?
        var glossinessFactor: Double?
        var specularGlossinessTexture: GLTFDocument.TextureInfo?
    }
}
