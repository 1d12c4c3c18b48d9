public import Core

/// A scene as the renderer takes it: in world space but for meshes that instances share, every
/// index checked.
///
/// Import (glTF → `Scene`) and packing (`Scene` → blob) meet here and nowhere else.
/// Units: metres, radians, watts as glTF 2.0 says; axes right-handed, y up.
public struct Scene: Sendable {
    /// Vertices, three floats each. One triangle soup for the whole scene, in world space; behind
    /// it that of `meshes`, each in its own space.
    public var positions: [SIMD3<Float>] = []
    /// Unit shading normals, parallel to `positions`; geometric normals where the file has none.
    public var normals: [SIMD3<Float>] = []
    /// Unit tangents with handedness in w (±1), parallel to `positions`; zero where not needed.
    public var tangents: [SIMD4<Float>] = []
    /// Texture coordinates of set 0 and set 1, parallel to `positions`.
    public var uv0: [SIMD2<Float>] = []
    public var uv1: [SIMD2<Float>] = []
    /// Linear vertex colours, parallel to `positions`; ones where the file has none.
    public var colors: [SIMD4<Float>] = []
    /// Three vertex indices a triangle, in the file's winding (front is counter-clockwise).
    public var triangles: [SIMD3<UInt32>] = []
    /// Index into `materials`, parallel to `triangles`.
    public var triangleMaterials: [UInt32] = []
    /// Meshes that are stored once however often they are used, in the order of their triangles.
    public var meshes: [SharedMesh] = []
    /// Their uses.
    public var instances: [SceneInstance] = []
    /// What the triangles in world space belong to: ranges of them, in order.
    public var objects: [SceneObject] = []
    public var materials: [Material] = []
    public var textures: [Texture] = []
    public var lights: [Light] = []
    public var cameras: [Camera] = []
    /// What stands in for the automatic camera: that of another moment, so that an animation's
    /// frames are all seen from one place. See ``SceneMoment/steadyOptions(frame:)``.
    public var steadyCamera: Camera?
    /// The environment; nil means the default sky.
    public var environment: Environment?
    /// What the import repaired or left out, one line each, for the user.
    public var warnings: [String] = []
    /// Codecs that the scene's files needed and this machine's libraries have other answers for
    /// than the known ones: such a scene must not settle anything.
    public var codecsInDoubt: [String] = []

    public init() {}
}

/// A thing in the scene: a node of the file with its mesh.
public struct SceneObject: Sendable, Hashable {
    public var name: String
    public var triangles: Range<Int>

    public init(name: String, triangles: Range<Int>) {
        self.name = name
        self.triangles = triangles
    }
}

/// glTF 2.0's metallic-roughness material with KHR_materials_transmission, volume, ior,
/// emissive_strength, and more in `layers`.
public struct Material: Sendable, Hashable {
    public enum AlphaMode: UInt32, Sendable, Hashable { case opaque, mask, blend }

    public var name = ""
    /// Linear RGBA factor.
    public var baseColor: SIMD4<Float> = .one
    public var metallic: Float = 1
    public var roughness: Float = 1
    /// Linear radiance, emissive strength already multiplied in.
    public var emissive: SIMD3<Float> = .zero
    public var alphaMode = AlphaMode.opaque
    public var alphaCutoff: Float = 0.5
    public var isDoubleSided = false
    /// 0 opaque … 1 fully transmitting (thin or solid as glTF says).
    public var transmission: Float = 0
    public var ior: Float = 1.5
    /// Whether transmission passes a thin wall straight through, as glTF says where
    /// KHR_materials_volume gives no thickness; otherwise the surface bounds a solid and refracts.
    public var isThinWalled = true
    public var normalScale: Float = 1
    public var occlusionStrength: Float = 1
    public var baseColorTexture: TextureRef?
    public var metallicRoughnessTexture: TextureRef?
    public var normalTexture: TextureRef?
    public var emissiveTexture: TextureRef?
    /// Kept for completeness: a path tracer computes occlusion and does not read it.
    public var occlusionTexture: TextureRef?
    public var transmissionTexture: TextureRef?
    /// White light that went this far in the solid has this colour; infinite where it is clear.
    public var attenuationDistance = Float.infinity
    public var attenuationColor: SIMD3<Float> = .one
    /// Whether what it emits has the vertices' colour, as KHR_materials_unlit says.
    public var isUnlit = false
    /// What the material has beside glTF's core.
    public var layers = MaterialLayers()

    /// Whether light goes into it and on inside.
    public var isSolid: Bool { transmission > 0 && !isThinWalled }

    public init() {}
}

/// A use of a texture by a material.
public struct TextureRef: Sendable, Hashable {
    /// Index into `Scene.textures`.
    public var texture: Int
    /// 0 or 1: which texture coordinate set.
    public var uvSet: Int
    /// What the set's coordinates go through first.
    public var transform: UVTransform
    public init(texture: Int, uvSet: Int = 0, transform: UVTransform = UVTransform()) {
        self.texture = texture
        self.uvSet = uvSet
        self.transform = transform
    }
}

/// KHR_texture_transform: two rows of an affine matrix, each a coordinate's factors of u, v and 1.
public struct UVTransform: Sendable, Hashable {
    public var u: SIMD3<Float>
    public var v: SIMD3<Float>
    public init(u: SIMD3<Float> = [1, 0, 0], v: SIMD3<Float> = [0, 1, 0]) {
        self.u = u
        self.v = v
    }

    /// How much it enlarges areas.
    package var areaScale: Float { (u.x * v.y - u.y * v.x).magnitude }

    /// The transformed coordinates, with kernels' rounding.
    package func apply(_ uv: SIMD2<Float>) -> SIMD2<Float> {
        [
            u.z.addingProduct(u.y, uv.y).addingProduct(u.x, uv.x),
            v.z.addingProduct(v.y, uv.y).addingProduct(v.x, uv.x),
        ]
    }
}

/// Texels and how to address them. One image used as colour and as data gives two textures.
public struct Texture: Sendable, Hashable {
    public enum Wrap: UInt32, Sendable, Hashable { case `repeat`, mirroredRepeat, clampToEdge }
    public enum Filter: UInt32, Sendable, Hashable { case nearest, linear }
    /// How far-away texels are chosen: from the picture alone, or from halved ones too.
    public enum Mipmap: UInt32, Sendable, Hashable { case none, nearest, linear }

    public var width: Int
    public var height: Int
    /// RGBA, 8 bits each, row by row from the top.
    public var rgba8: Bytes
    /// Whether RGB is sRGB-encoded (colour) or linear (data). Alpha is always linear.
    public var isSRGB: Bool
    public var wrapU = Wrap.repeat
    public var wrapV = Wrap.repeat
    /// Between texels that look larger than a pixel.
    public var filter = Filter.linear
    /// Between texels that look smaller than a pixel.
    public var minFilter = Filter.linear
    public var mipmap = Mipmap.linear

    public init(width: Int, height: Int, rgba8: Bytes, isSRGB: Bool) {
        self.width = width
        self.height = height
        self.rgba8 = rgba8
        self.isSRGB = isSRGB
    }
}

/// KHR_lights_punctual, in world space.
public struct Light: Sendable, Hashable {
    public enum Kind: UInt32, Sendable, Hashable { case directional, point, spot }

    public var kind: Kind
    public var position: SIMD3<Float> = .zero
    /// Unit vector the light shines along.
    public var direction: SIMD3<Float> = [0, 0, -1]
    /// Linear colour times intensity: lux for directional, candela for point and spot.
    public var intensity: SIMD3<Float> = .one
    /// Metres; 0 means without end.
    public var range: Float = 0
    /// Cosines of the spot's inner and outer cone angles.
    public var cosInner: Float = 1
    public var cosOuter: Float = 0

    public init(kind: Kind) { self.kind = kind }
}

/// A camera in world space, looking along `forward`.
public struct Camera: Sendable, Hashable {
    public var name = ""
    public var position: SIMD3<Float> = .zero
    /// Orthonormal axes.
    public var right: SIMD3<Float> = [1, 0, 0]
    public var up: SIMD3<Float> = [0, 1, 0]
    public var forward: SIMD3<Float> = [0, 0, -1]
    /// Half the width and height of the image plane at distance 1 (perspective) or in metres
    /// (orthographic), for the aspect ratio of the picture.
    public var halfWidth: Float = 0.5
    public var halfHeight: Float = 0.5
    public var isOrthographic = false
    /// Why no picture can be taken with it, and where in the file; nil where one can.
    public var fault: String?

    public init() {}
}

/// Equirectangular radiance around the scene: u runs along longitude, v from +y down.
public struct Environment: Sendable, Hashable {
    public var width: Int
    public var height: Int
    /// Linear RGB radiance, row by row from the top (+y).
    public var texels: [SIMD3<Float>]
    public init(width: Int, height: Int, texels: [SIMD3<Float>]) {
        self.width = width
        self.height = height
        self.texels = texels
    }
}
