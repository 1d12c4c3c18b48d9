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
        case attenuation = 20
        case specular = 24
        case specularColor = 26
        case specularColorTexture = 29
        case coat = 30
        case coatRoughness = 32
        case coatNormalScale = 34
        case coatNormalTexture = 35
        case sheen = 36
        case sheenRoughness = 40
        case anisotropy = 42
        case anisotropyTexture = 43
        case anisotropyCosine = 44
        case anisotropySine = 45
        case film = 46
        case filmIndex = 48
        case filmThicknessMin = 49
        case filmThicknessMax = 50
        case filmThicknessTexture = 51
        case dispersion = 52
        case diffuseThrough = 53
        case throughColor = 55
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
        return ownColor(triangle, u, v).map { color * $0 } ?? color
    }

    /// The vertices' own colour, where the scene has any.
    func ownColor(_ triangle: Triangle, _ u: Float, _ v: Float) -> SIMD4<Float>? {
        guard blob.count(.colors) > 0 else { return nil }
        return blend(
            vector4(.colors, triangle.a), vector4(.colors, triangle.b),
            vector4(.colors, triangle.c), u, v)
    }

    /// A point of a triangle, and how large a path's cone is there.
    struct Place {
        var u: Float
        var v: Float
        /// The area that the cone covers, over twice the triangle's; zero asks for the finest
        /// texels.
        var cone: Float = 0
        /// Chooses between two pictures of a pyramid.
        var choice: Float = 0.5
    }

    /// The texel that a material has at a point of a triangle; nil without a texture.
    func materialTexel(
        _ triangle: Triangle, _ word: MaterialWord, _ place: Place
    ) -> SIMD4<Float>? { materialTexel(triangle, word.rawValue, place) }

    func materialTexel(
        _ triangle: Triangle, _ word: Int, _ place: Place
    ) -> SIMD4<Float>? {
        let use = self.word(.materials, triangle.material, word)
        guard use != BlobLayout.textureNone else { return nil }
        let set1 = BlobLayout.TextureFlag.set1
        let isSet1 = self.word(.textures, use, TextureWord.flags) & set1 != 0
        // Without a second set its coordinates are zero.
        if isSet1, blob.count(.uv1) == 0 {
            return sampleTexture(use, .zero, area: 0, choice: place.choice)
        }
        func corner(_ vertex: UInt32) -> SIMD2<Float> {
            isSet1
                ? [float(.uv1, vertex), float(.uv1, vertex, 1)]
                : [float(.vertices, vertex, 6), float(.vertices, vertex, 7)]
        }
        let (a, b, c) = (corner(triangle.a), corner(triangle.b), corner(triangle.c))
        let uv = SIMD2(
            blend(a.x, b.x, c.x, place.u, place.v), blend(a.y, b.y, c.y, place.u, place.v))
        let twiceArea = fma(b.x - a.x, c.y - a.y, -((b.y - a.y) * (c.x - a.x))).magnitude
        return sampleTexture(
            use, uv, area: place.cone == 0 ? 0 : place.cone * twiceArea, choice: place.choice)
    }

    // MARK: - Filtering

    private typealias TextureWord = BlobLayout.TextureWord
    private typealias TextureFlag = BlobLayout.TextureFlag

    /// One picture of a texture's pyramid.
    private struct Image {
        /// Word of the blob.
        var first: Int
        var width: Int
        var height: Int
        var flags: UInt32
    }

    /// A texture at coordinates of which a path's cone covers `area`: docs/formats.md 1.7b.
    private func sampleTexture(
        _ use: UInt32, _ uv: SIMD2<Float>, area: Float, choice: Float
    ) -> SIMD4<Float> {
        let flags = word(.textures, use, TextureWord.flags)
        func transformed(_ row: Int) -> Float {
            let at = TextureWord.transform + 3 * row
            return fma(
                float(.textures, use, at), uv.x,
                fma(float(.textures, use, at + 1), uv.y, float(.textures, use, at + 2)))
        }
        let x = Self.wrapped(transformed(0), mode: flags & 3)
        let y = Self.wrapped(transformed(1), mode: flags >> 2 & 3)
        let texels = area * float(.textures, use, TextureWord.area)
        let isSmall = texels > 1
        let image = picture(use, level: isSmall ? level(use, texels, choice) : 0)
        let linear = isSmall ? TextureFlag.minLinear : TextureFlag.linear
        return flags & linear != 0 ? filtered(image, x, y) : nearest(image, x, y)
    }

    /// The picture whose texels are as large as the cone, which covers `texels` of the finest one:
    /// half its binary logarithm, straight between powers of two.
    private func level(_ use: UInt32, _ texels: Float, _ choice: Float) -> Int {
        let level = Float(Int32(texels.bitPattern) - 0x3f80_0000) * 0x1p-24
        let isBetween =
            word(.textures, use, TextureWord.flags) & TextureFlag.levelLinear != 0
        let picture = (level + (isBetween ? choice : 0.5)).rounded(.down)
        return min(Int(picture), Int(word(.textures, use, TextureWord.levels)) - 1)
    }

    private func picture(_ use: UInt32, level: Int) -> Image {
        var image = Image(
            first: blob.offset(.texels) + Int(word(.textures, use, TextureWord.texels)),
            width: Int(word(.textures, use, TextureWord.width)),
            height: Int(word(.textures, use, TextureWord.height)),
            flags: word(.textures, use, TextureWord.flags))
        for _ in 0..<max(level, 0) {
            image.first += image.width * image.height
            image.width = max(image.width / 2, 1)
            image.height = max(image.height / 2, 1)
        }
        return image
    }

    private func nearest(_ image: Image, _ x: Float, _ y: Float) -> SIMD4<Float> {
        let column = Int((x * Float(image.width)).rounded(.down))
        let row = Int((y * Float(image.height)).rounded(.down))
        return texel(image, min(column, image.width - 1), min(row, image.height - 1))
    }

    private func filtered(_ image: Image, _ x: Float, _ y: Float) -> SIMD4<Float> {
        let px = fma(x, Float(image.width), -0.5)
        let py = fma(y, Float(image.height), -0.5)
        let left = px.rounded(.down)
        let up = py.rounded(.down)
        let a = texel(image, Int(left), Int(up))
        let b = texel(image, Int(left) + 1, Int(up))
        let c = texel(image, Int(left), Int(up) + 1)
        let d = texel(image, Int(left) + 1, Int(up) + 1)
        let top = fma(b - a, px - left, a)
        let bottom = fma(d - c, px - left, c)
        return fma(bottom - top, py - up, top)
    }

    /// A texel one step beyond an edge at most: around, or the edge's own.
    private func texel(_ image: Image, _ x: Int, _ y: Int) -> SIMD4<Float> {
        func inside(_ i: Int, _ size: Int, _ mode: UInt32) -> Int {
            mode == Texture.Wrap.repeat.code ? (i + size) % size : min(max(i, 0), size - 1)
        }
        let column = inside(x, image.width, image.flags & 3)
        let row = inside(y, image.height, image.flags >> 2 & 3)
        let code = blob.words[image.first + row * image.width + column]
        var color = SIMD4<Float>.zero
        for channel in 0..<4 {
            let byte = code >> UInt32(8 * channel) & 255
            color[channel] = Float(byte) * 0x1.010102p-8
            if channel < 3, image.flags & TextureFlag.srgb != 0 {
                color[channel] = float(.srgb, byte)
            }
        }
        return color
    }

    /// A coordinate brought into 0…1; 0 where it is not finite.
    private static func wrapped(_ x: Float, mode: UInt32) -> Float {
        guard x.isFinite || mode == Texture.Wrap.clampToEdge.code else { return 0 }
        switch mode {
        case Texture.Wrap.repeat.code: return x - x.rounded(.down)
        case Texture.Wrap.mirroredRepeat.code:
            let half = x * 0.5
            let period = 2 * (half - half.rounded(.down))
            return period > 1 ? 2 - period : period
        default: return x > 0 ? min(x, 1) : 0
        }
    }
}
