/// The JSON of a glTF 2.0 file, field by field as the specification names them.
///
/// Decoding checks types only; what the numbers mean is checked where they are used. Fields that
/// rendering does not need are left out, unknown ones are ignored.
struct GLTFDocument: Decodable {
    var asset: Asset
    var scene: Int?
    var scenes: [SceneNodes]?
    var nodes: [Node]?
    var meshes: [Mesh]?
    var accessors: [Accessor]?
    var bufferViews: [BufferView]?
    var buffers: [Buffer]?
    var materials: [MaterialSource]?
    var textures: [TextureSource]?
    var images: [Image]?
    var samplers: [Sampler]?
    var cameras: [CameraSource]?
    var skins: [Skin]?
    var animations: [Animation]?
    var extensionsUsed: [String]?
    var extensionsRequired: [String]?
    var extensions: Extensions?

    struct Asset: Decodable {
        var version: String
        var minVersion: String?
    }

    struct SceneNodes: Decodable {
        var nodes: [Int]?
        var extensions: SceneExtensions?
    }

    struct Extensions: Decodable {
        var lights: Lights?
        var imageLights: ImageLights?
        var variants: Variants?
        enum CodingKeys: String, CodingKey {
            case lights = "KHR_lights_punctual"
            case imageLights = "EXT_lights_image_based"
            case variants = "KHR_materials_variants"
        }
    }

    struct Variants: Decodable {
        var variants: [Variant]
    }

    struct Variant: Decodable {
        var name: String
    }

    struct Lights: Decodable {
        var lights: [LightSource]
    }
}

// MARK: - Geometry

extension GLTFDocument {
    struct Node: Decodable {
        var name: String?
        var children: [Int]?
        var mesh: Int?
        var camera: Int?
        var skin: Int?
        var matrix: [Double]?
        var translation: [Double]?
        var rotation: [Double]?
        var scale: [Double]?
        var weights: [Double]?
        var extensions: Extensions?

        struct Extensions: Decodable {
            var light: Reference?
            var instancing: Instancing?
            enum CodingKeys: String, CodingKey {
                case light = "KHR_lights_punctual"
                case instancing = "EXT_mesh_gpu_instancing"
            }
        }

        struct Instancing: Decodable {
            var attributes: [String: Int]
        }

        struct Reference: Decodable {
            var light: Int
        }
    }

    struct Mesh: Decodable {
        var name: String?
        var primitives: [Primitive]
        var weights: [Double]?
    }

    struct Primitive: Decodable {
        var attributes: [String: Int]
        var indices: Int?
        var material: Int?
        var mode: Int?
        var targets: [[String: Int]]?
        var extensions: Extensions?

        struct Extensions: Decodable {
            var draco: Draco?
            var variants: VariantMaterials?
            enum CodingKeys: String, CodingKey {
                case draco = "KHR_draco_mesh_compression"
                case variants = "KHR_materials_variants"
            }
        }

        struct Draco: Decodable {
            var bufferView: Int
            /// The Draco attribute's id for each of the primitive's attributes.
            var attributes: [String: Int]
        }

        struct VariantMaterials: Decodable {
            var mappings: [VariantMapping]
        }

        struct VariantMapping: Decodable {
            var material: Int
            var variants: [Int]
        }
    }

    struct Accessor: Decodable {
        var bufferView: Int?
        var byteOffset: Int?
        var componentType: Int
        var normalized: Bool?
        var count: Int
        var type: String
        var sparse: Sparse?

        struct Sparse: Decodable {
            var count: Int
            var indices: Indices
            var values: Values
        }

        struct Indices: Decodable {
            var bufferView: Int
            var byteOffset: Int?
            var componentType: Int
        }

        struct Values: Decodable {
            var bufferView: Int
            var byteOffset: Int?
        }
    }

    struct BufferView: Decodable {
        var buffer: Int
        var byteOffset: Int?
        var byteLength: Int
        var byteStride: Int?
        var extensions: Extensions?

        struct Extensions: Decodable {
            var meshopt: Meshopt?
            enum CodingKeys: String, CodingKey { case meshopt = "EXT_meshopt_compression" }
        }

        struct Meshopt: Decodable {
            var buffer: Int
            var byteOffset: Int?
            var byteLength: Int
            var byteStride: Int
            var count: Int
            var mode: String
            var filter: String?
        }
    }

    struct Buffer: Decodable {
        var uri: String?
        var byteLength: Int
    }
}

// MARK: - Materials and textures

extension GLTFDocument {
    struct MaterialSource: Decodable {
        var name: String?
        var pbrMetallicRoughness: MetallicRoughness?
        var normalTexture: TextureInfo?
        var occlusionTexture: TextureInfo?
        var emissiveTexture: TextureInfo?
        var emissiveFactor: [Double]?
        var alphaMode: String?
        var alphaCutoff: Double?
        var doubleSided: Bool?
        var extensions: Extensions?

        struct MetallicRoughness: Decodable {
            var baseColorFactor: [Double]?
            var metallicFactor: Double?
            var roughnessFactor: Double?
            var baseColorTexture: TextureInfo?
            var metallicRoughnessTexture: TextureInfo?
        }

        struct Extensions: Decodable {
            var transmission: Transmission?
            var volume: Volume?
            var ior: IOR?
            var emissiveStrength: EmissiveStrength?
            var unlit: Unlit?
            var specular: Specular?
            var clearcoat: Clearcoat?
            var sheen: Sheen?
            var anisotropy: Anisotropy?
            var iridescence: Iridescence?
            var dispersion: Dispersion?
            var diffuseTransmission: DiffuseTransmission?
            var glossiness: SpecularGlossiness?

            enum CodingKeys: String, CodingKey {
                case transmission = "KHR_materials_transmission"
                case volume = "KHR_materials_volume"
                case ior = "KHR_materials_ior"
                case emissiveStrength = "KHR_materials_emissive_strength"
                case unlit = "KHR_materials_unlit"
                case specular = "KHR_materials_specular"
                case clearcoat = "KHR_materials_clearcoat"
                case sheen = "KHR_materials_sheen"
                case anisotropy = "KHR_materials_anisotropy"
                case iridescence = "KHR_materials_iridescence"
                case dispersion = "KHR_materials_dispersion"
                case diffuseTransmission = "KHR_materials_diffuse_transmission"
                case glossiness = "KHR_materials_pbrSpecularGlossiness"
            }
        }

        struct Transmission: Decodable {
            var transmissionFactor: Double?
            var transmissionTexture: TextureInfo?
        }

        /// Thickness says whether there is a volume; how thick it is, its surface says better than
        /// the texture.
        struct Volume: Decodable {
            var thicknessFactor: Double?
            var attenuationDistance: Double?
            var attenuationColor: [Double]?
        }

        struct IOR: Decodable {
            var ior: Double?
        }

        struct EmissiveStrength: Decodable {
            var emissiveStrength: Double?
        }

        struct Unlit: Decodable {}
    }

    /// `textureInfo`, with the fields that normal and occlusion textures add.
    struct TextureInfo: Decodable {
        var index: Int
        var texCoord: Int?
        var scale: Double?
        var strength: Double?
        var extensions: Extensions?

        struct Extensions: Decodable {
            var transform: Transform?
            enum CodingKeys: String, CodingKey { case transform = "KHR_texture_transform" }
        }

        struct Transform: Decodable {
            var offset: [Double]?
            var rotation: Double?
            var scale: [Double]?
            var texCoord: Int?
        }
    }

    struct TextureSource: Decodable {
        var sampler: Int?
        var source: Int?
        var extensions: Extensions?

        struct Extensions: Decodable {
            var webp: Source?
            enum CodingKeys: String, CodingKey { case webp = "EXT_texture_webp" }
        }

        struct Source: Decodable {
            var source: Int
        }
    }

    struct Image: Decodable {
        var name: String?
        var uri: String?
        var mimeType: String?
        var bufferView: Int?
    }

    struct Sampler: Decodable {
        var magFilter: Int?
        var minFilter: Int?
        var wrapS: Int?
        var wrapT: Int?
    }
}

// MARK: - Lights and cameras

extension GLTFDocument {
    struct LightSource: Decodable {
        var name: String?
        var type: String
        var color: [Double]?
        var intensity: Double?
        var range: Double?
        var spot: Spot?

        struct Spot: Decodable {
            var innerConeAngle: Double?
            var outerConeAngle: Double?
        }
    }

    struct CameraSource: Decodable {
        var name: String?
        var type: String
        var perspective: Perspective?
        var orthographic: Orthographic?

        struct Perspective: Decodable {
            var yfov: Double
            var aspectRatio: Double?
        }

        struct Orthographic: Decodable {
            var xmag: Double
            var ymag: Double
        }
    }
}
