internal import Core
internal import Exact
internal import Imaging

/// What makes two uses of an image one texture.
struct TextureKey: Hashable {
    let image: Int
    let isSRGB: Bool
    let wrapU: Texture.Wrap
    let wrapV: Texture.Wrap
    let filter: Texture.Filter
    let minFilter: Texture.Filter
    let mipmap: Texture.Mipmap
}

extension SceneImporter {
    /// A material's use of a texture.
    ///
    /// - Parameters:
    ///   - isColor: whether the image's RGB is sRGB-encoded, which glTF fixes by use.
    ///   - sets: the file's coordinate sets that the scene's two stand for; takes one more for it.
    func texture(
        _ info: GLTFDocument.TextureInfo?, _ name: String, isColor: Bool, _ sets: inout [Int]
    ) throws(Failure) -> TextureRef? {
        guard let info else { return nil }
        do throws(Failure) {
            let set = info.extensions?.transform?.texCoord ?? info.texCoord ?? 0
            guard (0..<16).contains(set) else {
                throw Failure(.malformed, "texCoord: 0 to 15 expected, \(set) there")
            }
            let texture = try texture(info.index, isColor: isColor)
            var place = sets.firstIndex(of: set)
            if place == nil, sets.count < 2 {
                sets.append(set)
                place = sets.count - 1
            }
            if place == nil, name != "occlusionTexture" {
                warn("a material uses more than two coordinate sets: \(name) takes the first")
            }
            return TextureRef(
                texture: texture, uvSet: place ?? 0,
                transform: try transform(info.extensions?.transform))
        } catch {
            throw error.at(name)
        }
    }

    /// KHR_texture_transform as a matrix: offset · rotation · scale.
    private func transform(
        _ source: GLTFDocument.TextureInfo.Transform?
    ) throws(Failure) -> UVTransform {
        guard let source else { return UVTransform() }
        let range = -0x1p20...0x1p20
        let offset = try kept(
            source.offset ?? [0, 0], 2, range, "KHR_texture_transform.offset")
        let scale = try kept(source.scale ?? [1, 1], 2, range, "KHR_texture_transform.scale")
        let rotation = Float(source.rotation ?? 0)
        guard rotation.magnitude <= 1_000 else {
            throw Failure(.malformed, "KHR_texture_transform.rotation: radians expected")
        }
        let cosine = Exact.cos(rotation)
        let sine = Exact.sin(rotation)
        return UVTransform(
            u: [cosine * scale[0], sine * scale[1], offset[0]],
            v: [-sine * scale[0], cosine * scale[1], offset[1]])
    }

    private func texture(_ index: Int, isColor: Bool) throws(Failure) -> Int {
        let source = try (document.textures ?? []).element(index, "texture")
        guard let image = source.extensions?.webp?.source ?? source.source else {
            throw Failure(
                .unsupported,
                "textures[\(index)]: a PNG, JPEG or WebP source expected (KHR_texture_basisu is "
                    + "not supported)")
        }
        var sampler = GLTFDocument.Sampler()
        if let number = source.sampler {
            sampler = try (document.samplers ?? []).element(number, "textures[\(index)].sampler")
        }
        let key = TextureKey(
            image: image, isSRGB: isColor, wrapU: try Self.wrap(sampler.wrapS, "wrapS"),
            wrapV: try Self.wrap(sampler.wrapT, "wrapT"),
            filter: sampler.magFilter == 9728 ? .nearest : .linear,
            minFilter: [9728, 9984, 9986].contains(sampler.minFilter) ? .nearest : .linear,
            mipmap: try Self.mipmap(sampler.minFilter))
        if let known = textures[key] { return known }
        let pixels: ImageRGBA8
        do throws(Failure) { pixels = try decoded(image) } catch {
            throw error.at("images[\(image)]")
        }
        var texture = Texture(
            width: pixels.width, height: pixels.height, rgba8: pixels.pixels, isSRGB: isColor)
        texture.wrapU = key.wrapU
        texture.wrapV = key.wrapV
        texture.filter = key.filter
        texture.minFilter = key.minFilter
        texture.mipmap = key.mipmap
        scene.textures.append(texture)
        textures[key] = scene.textures.count - 1
        return scene.textures.count - 1
    }

    /// Where a sampler does not say, halved pictures are used as well as can be.
    private static func mipmap(_ value: Int?) throws(Failure) -> Texture.Mipmap {
        switch value {
        case nil, 9986, 9987: return .linear
        case 9984, 9985: return .nearest
        case 9728, 9729: return .none
        case let value?:
            throw Failure(
                .malformed,
                "sampler.minFilter: 9728, 9729 or 9984 to 9987 expected, \(value) there")
        }
    }

    private static func wrap(_ value: Int?, _ name: String) throws(Failure) -> Texture.Wrap {
        switch value {
        case nil, 10497: return .repeat
        case 33071: return .clampToEdge
        case 33648: return .mirroredRepeat
        case let value?:
            throw Failure(
                .malformed, "sampler.\(name): 33071, 33648 or 10497 expected, \(value) there")
        }
    }

    /// An image's pixels, decoded once. The bytes say which format it is, not the name or MIME
    /// type.
    func decoded(_ index: Int) throws(Failure) -> ImageRGBA8 {
        if let known = images[index] { return known }
        let source = try (document.images ?? []).element(index, "image")
        let bytes: Bytes
        if let view = source.bufferView {
            let view = try accessors.view(view)
            bytes = Bytes(view.bytes[view.range])
        } else if let uri = source.uri {
            bytes = try Self.load(uri, base, files)
        } else {
            throw Failure(.malformed, "uri or bufferView expected")
        }
        var limits = limits.image
        limits.pixelsMax = min(limits.pixelsMax, self.limits.texelsMax - texelCount)
        let image: ImageRGBA8
        do throws(Failure) { image = try ImageRGBA8(decoding: bytes, limits: limits) } catch {
            let isPath = source.uri.map { !$0.utf8.starts(with: "data:".utf8) } ?? false
            throw isPath ? error.at(Self.printable(source.uri ?? "")) : error
        }
        if let kind = ImageKind(sniffing: bytes) {
            doubt(kind.rawValue, ImagingKnownAnswers.wrong[kind])
        }
        texelCount += image.width * image.height
        images[index] = image
        return image
    }
}
