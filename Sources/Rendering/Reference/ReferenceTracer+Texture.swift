internal import Exact

/// Triangles' corners, colours and texels.
extension ReferenceTracer {
    struct Triangle {
        var a: UInt32
        var b: UInt32
        var c: UInt32
        var material: UInt32
    }

    /// Words of a material: `M_…` in `Kernels/render/layout.cl`.
    enum MaterialWord: Int {
        case base = 0
        case metallic = 4
        case roughness = 5
        case transmission = 6
        case f0 = 7
        case ior = 8
        case emissive = 9
        case flags = 12
        case cutoff = 13
        case normalScale = 14
        case baseTexture = 15
        case roughnessTexture = 16
        case normalTexture = 17
        case emissiveTexture = 18
        case transmissionTexture = 19
    }

    func triangle(_ primitive: UInt32) -> Triangle {
        Triangle(
            a: word(.triangles, primitive), b: word(.triangles, primitive, 1),
            c: word(.triangles, primitive, 2), material: word(.triangles, primitive, 3))
    }

    func flags(_ triangle: Triangle) -> UInt32 {
        word(.materials, triangle.material, MaterialWord.flags.rawValue)
    }

    func position(_ vertex: UInt32) -> SIMD3<Float> { vector(.vertices, vertex) }

    func materialFloat(_ triangle: Triangle, _ word: MaterialWord) -> Float {
        float(.materials, triangle.material, word.rawValue)
    }

    /// Base colour with the vertices' colour; alpha in w.
    func vertexColor(_ triangle: Triangle, _ u: Float, _ v: Float) -> SIMD4<Float> {
        let color = vector4(.materials, triangle.material)
        guard blob.count(.colors) > 0 else { return color }
        return color
            * blend(
                vector4(.colors, triangle.a), vector4(.colors, triangle.b),
                vector4(.colors, triangle.c), u, v)
    }

    /// The texel that a material has at a point of a triangle; nil without a texture.
    func materialTexel(
        _ triangle: Triangle, _ place: MaterialWord, _ u: Float, _ v: Float
    ) -> SIMD4<Float>? {
        let reference = word(.materials, triangle.material, place.rawValue)
        guard reference != BlobLayout.textureNone else { return nil }
        let uv = textureCoordinates(triangle, set: reference & 1, u, v)
        return sampleTexture(reference >> 1, uv)
    }

    private func textureCoordinates(
        _ triangle: Triangle, set: UInt32, _ u: Float, _ v: Float
    ) -> SIMD2<Float> {
        if set == 1, blob.count(.uv1) == 0 { return .zero }
        func corner(_ vertex: UInt32, _ axis: Int) -> Float {
            set == 1 ? float(.uv1, vertex, axis) : float(.vertices, vertex, 6 + axis)
        }
        func blended(_ axis: Int) -> Float {
            blend(
                corner(triangle.a, axis), corner(triangle.b, axis), corner(triangle.c, axis), u, v)
        }
        return [blended(0), blended(1)]
    }

    // MARK: - Filtering

    private struct Image {
        var first: Int
        var width: Int
        var height: Int
        var flags: UInt32
    }

    private func sampleTexture(_ texture: UInt32, _ uv: SIMD2<Float>) -> SIMD4<Float> {
        let image = Image(
            first: blob.offset(.texels) + Int(word(.textures, texture)),
            width: Int(word(.textures, texture, 1)), height: Int(word(.textures, texture, 2)),
            flags: word(.textures, texture, 3))
        // Far away the fraction has no bits left anyway.
        let u = uv.x.magnitude < 0x1p15 ? uv.x : 0
        let v = uv.y.magnitude < 0x1p15 ? uv.y : 0
        if image.flags & BlobLayout.TextureFlag.linear == 0 {
            return texel(
                image, Int((u * Float(image.width)).rounded(.down)),
                Int((v * Float(image.height)).rounded(.down)))
        }
        let x = fma(u, Float(image.width), -0.5)
        let y = fma(v, Float(image.height), -0.5)
        let left = x.rounded(.down)
        let up = y.rounded(.down)
        let a = texel(image, Int(left), Int(up))
        let b = texel(image, Int(left) + 1, Int(up))
        let c = texel(image, Int(left), Int(up) + 1)
        let d = texel(image, Int(left) + 1, Int(up) + 1)
        let top = fma(b - a, x - left, a)
        let bottom = fma(d - c, x - left, c)
        return fma(bottom - top, y - up, top)
    }

    private func texel(_ image: Image, _ x: Int, _ y: Int) -> SIMD4<Float> {
        let column = Self.wrapped(x, image.width, mode: image.flags & 3)
        let row = Self.wrapped(y, image.height, mode: image.flags >> 2 & 3)
        let code = blob.words[image.first + row * image.width + column]
        var color = SIMD4<Float>.zero
        for channel in 0..<4 {
            let byte = code >> UInt32(8 * channel) & 255
            color[channel] = Float(byte) * 0x1.010102p-8
            if channel < 3, image.flags & BlobLayout.TextureFlag.srgb != 0 {
                color[channel] = float(.srgb, byte)
            }
        }
        return color
    }

    private static func wrapped(_ i: Int, _ size: Int, mode: UInt32) -> Int {
        if mode == Texture.Wrap.clampToEdge.code { return min(max(i, 0), size - 1) }
        let isMirrored = mode == Texture.Wrap.mirroredRepeat.code
        let period = isMirrored ? 2 * size : size
        let place = (i % period + period) % period
        return place < size ? place : period - 1 - place
    }
}
