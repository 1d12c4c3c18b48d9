internal import CWebP
public import Core

/// WebP pictures through libwebp, with one fixed set of choices.
///
/// Lossless files decode to what was encoded. Lossy ones are VP8, whose pixels its specification
/// fixes (RFC 6386); the way from YUV to RGB is the library's own, in integers, with fancy
/// upsampling and without dithering, and is held to known answers.
public enum WebP {
    /// Decodes still pictures, lossy and lossless, with or without alpha.
    ///
    /// - Throws: ``Failure`` when the file is damaged, moves, or is beyond `limits`.
    public static func decode(
        _ bytes: Bytes, limits: ImageLimits = .standard
    ) throws(Failure) -> ImageRGBA8 {
        var config = WebPDecoderConfig()
        guard WebPInitDecoderConfig(&config) != 0 else {
            throw Failure(.unsupported, "WebP: this machine's libwebp has another interface")
        }
        let found = WebPGetFeatures(bytes, bytes.count, &config.input)
        guard found == VP8_STATUS_OK else { throw failure(found) }
        let width = Int(config.input.width)
        let height = Int(config.input.height)
        try limits.check(width: width, height: height, kind: "WebP")
        guard config.input.has_animation == 0 else {
            throw Failure(.unsupported, "WebP: moving pictures: a still one expected")
        }
        // A lossless file of one colour needs no bits for its pixels: `limits` alone bound them.
        var pixels = Bytes(repeating: 0, count: width * height * 4)
        config.options.no_fancy_upsampling = 0
        config.options.dithering_strength = 0
        config.options.alpha_dithering_strength = 0
        config.options.use_threads = 0
        config.output.colorspace = MODE_RGBA
        config.output.is_external_memory = 1
        let status = pixels.withUnsafeMutableBufferPointer { buffer in
            config.output.u.RGBA.rgba = buffer.baseAddress
            config.output.u.RGBA.stride = Int32(width * 4)
            config.output.u.RGBA.size = buffer.count
            return WebPDecode(bytes, bytes.count, &config)
        }
        guard status == VP8_STATUS_OK else { throw failure(status) }
        return ImageRGBA8(width: width, height: height, pixels: pixels)
    }

    private static func failure(_ status: VP8StatusCode) -> Failure {
        switch status {
        case VP8_STATUS_OUT_OF_MEMORY: Failure(.limit, "WebP: out of memory")
        case VP8_STATUS_NOT_ENOUGH_DATA: Failure(.malformed, "WebP: the file ends too early")
        case VP8_STATUS_UNSUPPORTED_FEATURE:
            Failure(.unsupported, "WebP: a feature that the library does not read")
        default: Failure(.malformed, "WebP: damaged")
        }
    }
}
