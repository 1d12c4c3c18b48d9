public import Core

/// Radiance `.hdr` pictures (Greg Ward, "Real Pixels", Graphics Gems II; the RADIANCE file
/// formats).
///
/// RGBE with new and old run-length coding and without; `EXPOSURE` and `GAMMA` are ignored, as
/// other renderers ignore them. XYZE and column-major pictures are refused.
public enum RadianceHDR {
    /// Float pixels are 16 bytes each: 32 Mi of them are 512 MiB, an 8192×4096 panorama.
    public static let limits = ImageLimits(sideMax: 16_384, pixelsMax: 1 << 25)

    /// Header bytes before the pixels; real headers are a few hundred.
    private static let headerBytesMax = 16_384

    /// Old run-length coding repeats a pixel 255 times with 4 bytes. (It can say more by chaining
    /// runs; files that need to are refused.)
    private static let pixelsPerByteMax = 64

    /// Decodes to linear RGB: mantissa · 2^(exponent − 136), subnormal values to zero.
    ///
    /// - Throws: ``Failure`` when header or runs are malformed, data is cut short, or the picture
    /// is   beyond `limits`.
    public static func decode(
        _ bytes: Bytes, limits: ImageLimits = RadianceHDR.limits
    ) throws(Failure) -> ImageFloat {
        var reader = Reader(bytes: bytes)
        let header = try reader.header()
        try limits.check(width: header.width, height: header.height, kind: "HDR")
        guard header.width * header.height <= bytes.count * pixelsPerByteMax else {
            throw Failure(
                .malformed,
                "HDR: \(header.width)×\(header.height) pixels cannot be in \(bytes.count) bytes")
        }
        let scales = (0..<256).map { Self.scale(exponent: $0) }
        var pixels = [SIMD3<Float>](repeating: .zero, count: header.width * header.height)
        var row = [SIMD4<UInt8>](repeating: .zero, count: header.width)
        for line in 0..<header.height {
            do throws(Failure) { try reader.scanline(into: &row) } catch {
                throw Failure(error.code, "HDR: row \(line): \(error.message)")
            }
            let y = header.isBottomUp ? header.height - 1 - line : line
            for (column, rgbe) in row.enumerated() {
                let x = header.isRightToLeft ? header.width - 1 - column : column
                let scale = scales[Int(rgbe.w)]
                pixels[y * header.width + x] = SIMD3(
                    Float(rgbe.x) * scale, Float(rgbe.y) * scale, Float(rgbe.z) * scale)
            }
        }
        return ImageFloat(width: header.width, height: header.height, pixels: pixels)
    }

    /// 2^(exponent − 136); zero for exponent 0 and where it would be subnormal.
    private static func scale(exponent: Int) -> Float {
        let power = exponent - 136
        guard exponent > 0, power >= -126 else { return 0 }
        return Float(bitPattern: UInt32(power + 127) << 23)
    }

    private struct Header {
        var width: Int
        var height: Int
        var isBottomUp: Bool
        var isRightToLeft: Bool
    }

    private struct Reader {
        let bytes: Bytes
        var position = 0

        // MARK: Header

        mutating func line() throws(Failure) -> Substring.UTF8View {
            let end = min(bytes.count, RadianceHDR.headerBytesMax)
            guard position < end, let newline = bytes[position..<end].firstIndex(of: 0x0a) else {
                throw Failure(.malformed, "HDR: a header line expected at byte \(position)")
            }
            let text = String(decoding: bytes[position..<newline], as: UTF8.self)
            position = newline + 1
            return Substring(text.hasSuffix("\r") ? String(text.dropLast()) : text).utf8
        }

        mutating func header() throws(Failure) -> Header {
            guard String(try line())?.hasPrefix("#?") == true else {
                throw Failure(.malformed, "HDR: #?RADIANCE expected in the first line")
            }
            while true {
                let text = String(try line()) ?? ""
                if text.isEmpty { break }
                guard text.hasPrefix("FORMAT=") else { continue }
                guard text == "FORMAT=32-bit_rle_rgbe" else {
                    throw Failure(.unsupported, "HDR: FORMAT=32-bit_rle_rgbe expected")
                }
            }
            let words = (String(try line()) ?? "").split(separator: " ").map(String.init)
            guard words.count == 4, ["-Y", "+Y"].contains(words[0]),
                ["+X", "-X"].contains(words[2]), let height = Int(words[1]),
                let width = Int(words[3])
            else { throw Failure(.unsupported, "HDR: a size as -Y height +X width expected") }
            return Header(
                width: width, height: height, isBottomUp: words[0] == "+Y",
                isRightToLeft: words[2] == "-X")
        }

        // MARK: Pixels

        private mutating func byte() throws(Failure) -> UInt8 {
            guard position < bytes.count else { throw Failure(.malformed, "the file ends here") }
            position += 1
            return bytes[position - 1]
        }

        private mutating func pixel() throws(Failure) -> SIMD4<UInt8> {
            guard bytes.count - position >= 4 else {
                throw Failure(.malformed, "the file ends here")
            }
            position += 4
            return SIMD4(
                bytes[position - 4], bytes[position - 3], bytes[position - 2], bytes[position - 1])
        }

        mutating func scanline(into row: inout [SIMD4<UInt8>]) throws(Failure) {
            let first = try pixel()
            let isNew = first.x == 2 && first.y == 2 && first.z < 128
            guard (8...32_767).contains(row.count), isNew else {
                return try oldScanline(first, into: &row)
            }
            guard Int(first.z) << 8 | Int(first.w) == row.count else {
                throw Failure(
                    .malformed, "\(Int(first.z) << 8 | Int(first.w)) pixels, \(row.count) expected")
            }
            for channel in 0..<4 {
                var column = 0
                while column < row.count {
                    let code = Int(try byte())
                    let count = code > 128 ? code - 128 : code
                    guard count > 0, column + count <= row.count else {
                        throw Failure(.malformed, "a run of \(count) at column \(column)")
                    }
                    if code > 128 {
                        let value = try byte()
                        for offset in 0..<count { row[column + offset][channel] = value }
                    } else {
                        for offset in 0..<count { row[column + offset][channel] = try byte() }
                    }
                    column += count
                }
            }
        }

        /// Pixels one by one; (1, 1, 1, n) repeats the pixel before n times, and such runs chained
        /// count n · 256 times, and so on.
        private mutating func oldScanline(
            _ first: SIMD4<UInt8>, into row: inout [SIMD4<UInt8>]
        ) throws(Failure) {
            var next = first
            var column = 0
            var shift = 0
            while true {
                if next.x == 1, next.y == 1, next.z == 1 {
                    let count = Int(next.w) << shift
                    guard column > 0, column + count <= row.count, shift <= 16 else {
                        throw Failure(.malformed, "a run of \(count) at column \(column)")
                    }
                    let value = row[column - 1]
                    for offset in 0..<count { row[column + offset] = value }
                    column += count
                    shift += 8
                } else {
                    row[column] = next
                    column += 1
                    shift = 0
                }
                if column == row.count { return }
                next = try pixel()
            }
        }
    }
}
