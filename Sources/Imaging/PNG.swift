internal import CSpng
public import Core

/// PNG files (ISO/IEC 15948) through libspng.
public enum PNG {
    /// Most bytes of one ancillary chunk, and of all of them unpacked.
    private static let chunkBytesMax = 16 << 20

    /// DEFLATE packs at best 1,032 bytes into one (258-byte matches of 2 bits).
    private static let deflateRatioMax = 1_032

    /// Decodes any colour type and depth to 8-bit RGBA.
    ///
    /// Grey of 1, 2 and 4 bits is scaled to 8; of 16 bits the high byte is kept; `tRNS` becomes
    /// alpha. Gamma, colour space and profile chunks are ignored, as glTF 2.0 §3.8.3 asks.
    ///
    /// - Throws: ``Failure`` when the file is damaged, cut short, fails a checksum or is beyond
    ///   `limits`.
    public static func decode(
        _ bytes: Bytes, limits: ImageLimits = .standard
    ) throws(Failure) -> ImageRGBA8 {
        let (size, pixels) = try decode(bytes, format: SPNG_FMT_RGBA8, limits: limits)
        return ImageRGBA8(width: size.width, height: size.height, pixels: pixels)
    }

    private struct Size { let width, height: Int }

    private static func decode(
        _ bytes: Bytes, format: spng_format, limits: ImageLimits
    ) throws(Failure) -> (Size, Bytes) {
        try checkIsWhole(bytes)
        try checkSize(bytes, limits)
        guard let context = spng_ctx_new(0) else { throw Failure(.limit, "PNG: out of memory") }
        defer { spng_ctx_free(context) }
        let result: Result<(Size, Bytes), Failure> = bytes.withUnsafeBytes { source in
            Result { () throws(Failure) in
                try decode(source, context, format, limits)
            }
        }
        return try result.get()
    }

    private static func decode(
        _ source: UnsafeRawBufferPointer, _ context: OpaquePointer, _ format: spng_format,
        _ limits: ImageLimits
    ) throws(Failure) -> (Size, Bytes) {
        try check(
            spng_set_crc_action(
                context, Int32(SPNG_CRC_ERROR.rawValue), Int32(SPNG_CRC_ERROR.rawValue)))
        try check(spng_set_chunk_limits(context, chunkBytesMax, chunkBytesMax))
        try check(spng_set_png_buffer(context, source.baseAddress, source.count))
        var header = spng_ihdr()
        try check(spng_get_ihdr(context, &header))
        let size = Size(width: Int(header.width), height: Int(header.height))
        try limits.check(width: size.width, height: size.height, kind: "PNG")
        try checkFileHolds(header, fileBytes: source.count)

        var byteCount = 0
        try check(spng_decoded_image_size(context, Int32(format.rawValue), &byteCount))
        guard byteCount == size.width * size.height * 4 else {
            throw Failure(.malformed, "PNG: \(byteCount) bytes for \(size.width)×\(size.height)")
        }
        var pixels = Bytes(repeating: 0, count: byteCount)
        let status = pixels.withUnsafeMutableBytes {
            spng_decode_image(
                context, $0.baseAddress, $0.count, Int32(format.rawValue),
                Int32(SPNG_DECODE_TRNS.rawValue))
        }
        try check(status)
        try check(spng_decode_chunks(context))
        return (size, pixels)
    }

    /// Whether chunks reach up to and with IEND's checksum, which the library does not look at.
    private static func checkIsWhole(_ bytes: Bytes) throws(Failure) {
        var offset = 8
        while bytes.count - offset >= 12 {
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            let type = bytes[offset + 4..<offset + 8]
            guard length <= bytes.count - offset - 12 else { break }
            if type.elementsEqual("IEND".utf8) { return }
            offset += 12 + length
        }
        throw Failure(.malformed, "PNG: the file ends before its last chunk")
    }

    /// The library computes with a header's size before it can be asked for it.
    private static func checkSize(_ bytes: Bytes, _ limits: ImageLimits) throws(Failure) {
        guard bytes.count >= 24, bytes[12..<16].elementsEqual("IHDR".utf8) else { return }
        let sides = [16, 20].map { bytes[$0..<$0 + 4].reduce(0) { $0 << 8 | Int($1) } }
        try limits.check(width: sides[0], height: sides[1], kind: "PNG")
    }

    /// A header's word alone allocates nothing: the file must be able to hold that many pixels.
    private static func checkFileHolds(_ header: spng_ihdr, fileBytes: Int) throws(Failure) {
        let channels: Int
        switch UInt32(header.color_type) {
        case SPNG_COLOR_TYPE_TRUECOLOR.rawValue: channels = 3
        case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA.rawValue: channels = 4
        case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA.rawValue: channels = 2
        default: channels = 1
        }
        let rowBits = Int(header.width) * channels * Int(header.bit_depth)
        let packed = rowBits / 8 * Int(header.height)
        guard packed <= fileBytes * deflateRatioMax else {
            throw Failure(
                .malformed,
                "PNG: \(header.width)×\(header.height) pixels cannot be in \(fileBytes) bytes")
        }
    }

    static func check(_ status: Int32) throws(Failure) {
        guard status != 0 else { return }
        let text = spng_strerror(status).map { String(cString: $0) } ?? "error \(status)"
        let isLimit = status == Int32(SPNG_ECHUNK_LIMITS.rawValue)
        throw Failure(isLimit ? .limit : .malformed, "PNG: \(text)")
    }
}
