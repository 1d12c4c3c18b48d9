internal import CSpng
public import Core
internal import Foundation

extension PNG {
    /// Encodes 8-bit RGB or RGBA pixels, row by row from the top, without ancillary chunks.
    ///
    /// The file's bytes depend on the pixels and on zlib's version; nothing ever hashes them.
    ///
    /// - Parameter pixels: `width * height * 3` bytes, or `* 4` for RGBA.
    public static func encode(width: Int, height: Int, pixels: Bytes) throws(Failure) -> Bytes {
        let channels = pixels.count == width * height * 3 ? 3 : 4
        precondition(pixels.count == width * height * channels, "RGB or RGBA pixels")
        guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
            throw Failure(.limit, "PNG: out of memory")
        }
        defer { spng_ctx_free(context) }
        let type = channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA
        var header = spng_ihdr(
            width: UInt32(width), height: UInt32(height), bit_depth: 8,
            color_type: UInt8(type.rawValue), compression_method: 0, filter_method: 0,
            interlace_method: 0)
        try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
        try check(spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, 6))
        try check(spng_set_ihdr(context, &header))
        let status = pixels.withUnsafeBytes {
            spng_encode_image(
                context, $0.baseAddress, $0.count, Int32(SPNG_FMT_PNG.rawValue),
                Int32(SPNG_ENCODE_FINALIZE.rawValue))
        }
        try check(status)
        var count = 0
        var bufferStatus: Int32 = 0
        guard let buffer = spng_get_png_buffer(context, &count, &bufferStatus) else {
            throw Failure(.limit, "PNG: out of memory")
        }
        defer { free(buffer) }
        try check(bufferStatus)
        return Bytes(UnsafeRawBufferPointer(start: buffer, count: count))
    }

    /// Encodes linear RGB as 8-bit sRGB: each channel the nearest code, by ``SRGB/code(_:)``.
    public static func encode(_ image: ImageFloat) throws(Failure) -> Bytes {
        try encode(width: image.width, height: image.height, pixels: SRGB.codes(image.pixels))
    }
}
