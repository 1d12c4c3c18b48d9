internal import CJPEGShims
public import Core

/// JPEG files (ITU-T T.81) through libjpeg-turbo, with one fixed set of choices.
///
/// Slow integer DCT, fancy upsampling, no block smoothing: those are integer arithmetic, the same
/// on every processor. Whatever the library would only warn of is refused, for what it does then
/// is not fixed by any standard.
public enum JPEG {
    /// Scans of a progressive file. Each one costs a pass over the whole picture; encoders write
    /// 10.
    private static let scansMax = 64

    /// A block of 8×8 pixels takes at least one bit.
    private static let pixelsPerByteMax = 512

    /// Decodes greyscale and colour files of 8 bits a sample; alpha is 255 everywhere.
    ///
    /// - Throws: ``Failure`` when the file is damaged in any way, has four colour components
    ///   (CMYK, YCCK), 12-bit samples or arithmetic coding, or is beyond `limits`.
    public static func decode(
        _ bytes: Bytes, limits: ImageLimits = .standard
    ) throws(Failure) -> ImageRGBA8 {
        var message = [CChar](repeating: 0, count: Int(RIGOR_JPEG_MESSAGE_BYTES))
        var header = rigor_jpeg_header()
        guard rigor_jpeg_read_header(bytes, bytes.count, &header, &message) == 0 else {
            throw Failure(.malformed, "JPEG: \(text(message))")
        }
        let width = Int(header.width)
        let height = Int(header.height)
        try limits.check(width: width, height: height, kind: "JPEG")
        guard header.bits_per_sample == 8 else {
            throw Failure(.unsupported, "JPEG: \(header.bits_per_sample)-bit samples: 8 expected")
        }
        guard header.components == 1 || header.components == 3 else {
            throw Failure(
                .unsupported, "JPEG: \(header.components) components: greyscale or RGB expected")
        }
        guard header.is_arithmetic == 0 else {
            throw Failure(.unsupported, "JPEG: arithmetic coding: Huffman coding expected")
        }
        guard width * height <= bytes.count * pixelsPerByteMax else {
            throw Failure(
                .malformed, "JPEG: \(width)×\(height) pixels cannot be in \(bytes.count) bytes")
        }
        var pixels = Bytes(repeating: 0, count: width * height * 4)
        let memoryBytesMax = width * height * 8 + (16 << 20)
        let status = rigor_jpeg_decode(
            bytes, bytes.count, header.width, header.height, Int32(scansMax), memoryBytesMax,
            &pixels, &message)
        guard status == 0 else { throw Failure(.malformed, "JPEG: \(text(message))") }
        return ImageRGBA8(width: width, height: height, pixels: pixels)
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
