import Core
import Imaging
import Testing

@Suite struct PNGTests {
    /// CRC-32 of PNG's chunks, bit by bit.
    static func crc(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    static func chunk(_ type: String, _ data: Bytes) -> Bytes {
        let body = Bytes(type.utf8) + data
        return UInt32(data.count).bigEndianBytes + body + crc(body).bigEndianBytes
    }

    static let signature: Bytes = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    static func header(
        _ width: UInt32, _ height: UInt32, depth: UInt8 = 8, type: UInt8 = 2
    ) -> Bytes {
        signature
            + chunk("IHDR", width.bigEndianBytes + height.bigEndianBytes + [depth, type, 0, 0, 0])
    }

    static func known(_ name: String) throws -> Bytes {
        try #require(ImagingKnownAnswers.files.first { $0.name == name }).bytes
    }

    @Test func pixelsComeBack() throws {
        for (width, height, channels) in [(1, 1, 3), (5, 3, 4), (64, 33, 3)] {
            let pixels = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let bytes = try PNG.encode(width: width, height: height, pixels: pixels)
            #expect(try PNG.encode(width: width, height: height, pixels: pixels) == bytes)
            let image = try PNG.decode(bytes)
            #expect(image.width == width && image.height == height)
            let back =
                channels == 4
                ? image.pixels
                : image.pixels.indices.filter { $0 % 4 != 3 }
                    .map { image.pixels[$0] }
            #expect(back == pixels)
        }
    }

    @Test func everyTruncationFails() throws {
        let whole = try Self.known("png palette 4 with transparency")
        _ = try PNG.decode(whole)
        for count in whole.indices {
            #expect(throws: Failure.self, "\(count) bytes") {
                _ = try PNG.decode(Bytes(whole[..<count]))
            }
        }
    }

    /// Every chunk has a checksum, so every damaged byte of the file shows.
    @Test func everyBitFlipFails() throws {
        let whole = try Self.known("png rgb 8")
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 1 << (index % 8)
            #expect(throws: Failure.self, "byte \(index)") { _ = try PNG.decode(damaged) }
        }
    }

    @Test(arguments: [
        (1 << 31, 1 << 31, "at most 16384 a side expected"),
        (0x7fff_ffff, 0x7fff_ffff, "2147483647×2147483647 pixels: at most 16384 a side expected"),
        (100_000, 1, "at most 16384 a side expected"),
        (1, 100_000, "at most 16384 a side expected"), (0, 1, ""),
        (16_000, 16_000, "at most 67108864 in all expected"), (8_000, 8_000, "cannot be in"),
    ])
    func hostileHeaders(width: Int, height: Int, message: String) {
        let bytes =
            Self.header(UInt32(width), UInt32(height)) + Self.chunk("IDAT", [])
            + Self.chunk("IEND", [])
        let error = #expect(throws: Failure.self) { _ = try PNG.decode(bytes) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    /// A profile that unpacks to 64 MiB of zeros is stopped by the chunk limit.
    @Test func unpackingBombsAreRefused() throws {
        // zlib stream: stored blocks cannot amplify, so a run of fixed-Huffman matches is built.
        var bits: [Bool] = [true, true, false] // last block, fixed codes
        func code(_ value: Int, _ count: Int) {
            for bit in (0..<count).reversed() { bits.append(value >> bit & 1 == 1) }
        }
        code(0x30, 8) // literal 0
        for _ in 0..<(64 << 20) / 258 {
            code(0b1100_0101, 8) // length 258
            code(0, 5) // distance 1
        }
        code(0, 7)
        var deflate = Bytes(repeating: 0, count: (bits.count + 7) / 8)
        for (index, bit) in bits.enumerated() where bit { deflate[index / 8] |= 1 << (index % 8) }
        let profile = Bytes("x".utf8) + [0, 0, 0x78, 0x9c] + deflate + [0, 0, 0, 1]
        let small = try PNG.encode(width: 1, height: 1, pixels: [1, 2, 3])
        let bytes = Bytes(small[..<33]) + Self.chunk("iCCP", profile) + Bytes(small[33...])
        _ = try? PNG.decode(bytes)
        let error = #expect(throws: Failure.self) { _ = try PNG.decode(bytes) }
        #expect(error?.message.isEmpty == false)
    }

    @Test func largeImageDataIsNoAncillaryChunk() throws {
        // 17 MiB of noise does not pack: the image data is larger than any ancillary chunk may be.
        var state: UInt64 = 1
        let pixels = (0..<3 * 2_450 * 2_450).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let bytes = try PNG.encode(width: 2_450, height: 2_450, pixels: pixels)
        #expect(bytes.count > 16 << 20)
        #expect(try PNG.decode(bytes).pixels[0] == pixels[0])
    }

    @Test func textIsFoundAgain() throws {
        let plain = try PNG.encode(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        let png = PNG.adding("of job 7", as: "rigor", to: plain)
        // The library checks the chunk's checksum.
        #expect(try PNG.decode(png).pixels == PNG.decode(plain).pixels)
        #expect(PNG.text("rigor", in: png) == "of job 7")
        #expect(PNG.text("rigo", in: png) == nil && PNG.text("rigor", in: plain) == nil)
        for count in 0..<png.count { _ = PNG.text("rigor", in: Bytes(png.prefix(count))) }
        var damaged = png
        damaged[png.count - 18] ^= 1
        #expect(throws: Failure.self) { _ = try PNG.decode(damaged) }
    }
}
