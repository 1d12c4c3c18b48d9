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
        let result: Result<Bytes, Failure> = pixels.withUnsafeBytes { source in
            Result { () throws(Failure) in
                try encode(source, width: width, height: height, channels: channels, bits: 8)
            }
        }
        return try result.get()
    }

    /// Encodes 16-bit RGB.
    public static func encode(
        width: Int, height: Int, pixels16: [UInt16]
    ) throws(Failure) -> Bytes {
        precondition(pixels16.count == width * height * 3, "RGB pixels")
        let result: Result<Bytes, Failure> = pixels16.withUnsafeBytes { source in
            Result { () throws(Failure) in
                try encode(source, width: width, height: height, channels: 3, bits: 16)
            }
        }
        return try result.get()
    }

    /// - Parameter source: channels in the machine's byte order.
    private static func encode(
        _ source: UnsafeRawBufferPointer, width: Int, height: Int, channels: Int, bits: Int
    ) throws(Failure) -> Bytes {
        guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
            throw Failure(.limit, "PNG: out of memory")
        }
        defer { spng_ctx_free(context) }
        let type = channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA
        var header = spng_ihdr(
            width: UInt32(width), height: UInt32(height), bit_depth: UInt8(bits),
            color_type: UInt8(type.rawValue), compression_method: 0, filter_method: 0,
            interlace_method: 0)
        try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
        try check(spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, 6))
        try check(spng_set_ihdr(context, &header))
        try check(
            spng_encode_image(
                context, source.baseAddress, source.count, Int32(SPNG_FMT_PNG.rawValue),
                Int32(SPNG_ENCODE_FINALIZE.rawValue)))
        var count = 0
        var bufferStatus: Int32 = 0
        guard let buffer = spng_get_png_buffer(context, &count, &bufferStatus) else {
            throw Failure(.limit, "PNG: out of memory")
        }
        defer { free(buffer) }
        try check(bufferStatus)
        return Bytes(UnsafeRawBufferPointer(start: buffer, count: count))
    }
}
