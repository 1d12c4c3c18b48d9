internal import Core
internal import Imaging

/// What makes two uses of an image one texture.
struct TextureKey: Hashable {
    let image: Int
    let isSRGB: Bool
    let wrapU: Texture.Wrap
    let wrapV: Texture.Wrap
    let filter: Texture.Filter
}

extension SceneImporter {
    /// A material's use of a texture, taking a coordinate slot for it.
    ///
    /// - Parameter isColor: whether the image's RGB is sRGB-encoded, which glTF fixes by use.
    func texture(
        _ info: GLTFDocument.TextureInfo?, _ name: String, isColor: Bool, _ slots: inout [UVSlot]
    ) throws(Failure) -> TextureRef? {
        guard let info else { return nil }
        do throws(Failure) {
            let slot = try UVSlot(info)
            let texture = try texture(info.index, isColor: isColor)
            if let known = slots.firstIndex(of: slot) {
                return TextureRef(texture: texture, uvSet: known)
            }
            if slots.count < 2 {
                slots.append(slot)
                return TextureRef(texture: texture, uvSet: slots.count - 1)
            }
            if name != "occlusionTexture" {
                warn(
                    "a material uses more than two coordinate sets or transforms: \(name) takes "
                        + "the first")
            }
            return TextureRef(texture: texture, uvSet: 0)
        } catch {
            throw error.at(name)
        }
    }

    private func texture(_ index: Int, isColor: Bool) throws(Failure) -> Int {
        let source = try (document.textures ?? []).element(index, "texture")
        guard let image = source.source else {
            throw Failure(
                .unsupported,
                "textures[\(index)]: a PNG or JPEG source expected (KHR_texture_basisu "
                    + "and EXT_texture_webp are not supported)")
        }
        var sampler = GLTFDocument.Sampler()
        if let number = source.sampler {
            sampler = try (document.samplers ?? []).element(number, "textures[\(index)].sampler")
        }
        let key = TextureKey(
            image: image, isSRGB: isColor, wrapU: try Self.wrap(sampler.wrapS, "wrapS"),
            wrapV: try Self.wrap(sampler.wrapT, "wrapT"),
            filter: sampler.magFilter == 9728 ? .nearest : .linear)
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
        scene.textures.append(texture)
        textures[key] = scene.textures.count - 1
        return scene.textures.count - 1
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
    private func decoded(_ index: Int) throws(Failure) -> ImageRGBA8 {
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
        texelCount += image.width * image.height
        images[index] = image
        return image
    }
}
