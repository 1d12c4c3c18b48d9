internal import Core
internal import Exact

/// KHR_texture_transform: offset · rotation · scale, applied to coordinates at import.
struct UVTransform: Hashable {
    var offset: SIMD2<Float> = .zero
    var cosine: Float = 1
    var sine: Float = 0
    var scale: SIMD2<Float> = .one

    func apply(_ uv: SIMD2<Float>) -> SIMD2<Float> {
        guard self != UVTransform() else { return uv }
        let u = uv.x * scale.x
        let v = uv.y * scale.y
        return SIMD2(
            (cosine * u + sine * v) + offset.x,
            (cosine * v - sine * u) + offset.y)
    }
}

/// One way a material's textures address texels: a coordinate set of the file, transformed.
///
/// A scene's vertices carry two sets, so a material may use two ways; transforms cost the device
/// nothing that way.
struct UVSlot: Hashable {
    var set = 0
    var transform = UVTransform()

    init(_ info: GLTFDocument.TextureInfo) throws(Failure) {
        let source = info.extensions?.transform
        set = source?.texCoord ?? info.texCoord ?? 0
        guard (0..<16).contains(set) else {
            throw Failure(.malformed, "texCoord: 0 to 15 expected, \(set) there")
        }
        guard let source else { return }
        let offset = try Affine.numbers(source.offset ?? [0, 0], 2, "KHR_texture_transform.offset")
        let scale = try Affine.numbers(source.scale ?? [1, 1], 2, "KHR_texture_transform.scale")
        transform.offset = SIMD2(Float(offset[0]), Float(offset[1]))
        transform.scale = SIMD2(Float(scale[0]), Float(scale[1]))
        let rotation = Float(source.rotation ?? 0)
        guard rotation.magnitude <= 1_000 else {
            throw Failure(.malformed, "KHR_texture_transform.rotation: radians expected")
        }
        transform.cosine = Exact.cos(rotation)
        transform.sine = Exact.sin(rotation)
    }
}
