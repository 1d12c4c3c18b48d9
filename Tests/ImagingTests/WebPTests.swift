import Core
import Imaging
import Testing

@Suite struct WebPTests {
    private static let names = [
        "webp lossy", "webp lossy with alpha", "webp lossless with alpha",
    ]

    private static func known(_ name: String) throws -> Bytes {
        try #require(ImagingKnownAnswers.files.first { $0.name == name }).bytes
    }

    @Test(arguments: names)
    func everyTruncationFails(name: String) throws {
        let whole = try Self.known(name)
        for count in whole.indices {
            #expect(throws: Failure.self, "\(count) bytes") {
                _ = try ImageRGBA8(decoding: Bytes(whole[..<count]))
            }
        }
    }

    /// Damage either is seen or gives some picture; nothing worse.
    @Test(arguments: names)
    func bitFlipsAreContained(name: String) throws {
        var refused = 0
        let whole = try Self.known(name)
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 1 << (index % 8)
            do throws(Failure) {
                _ = try WebP.decode(damaged, limits: ImageLimits(sideMax: 512, pixelsMax: 1 << 16))
            } catch {
                refused += 1
                #expect(!error.message.contains("\n") && error.message.count < 200)
            }
        }
        #expect(refused > 10)
    }

    @Test func sizesAreCheckedBeforeDecoding() throws {
        let bytes = try Self.known("webp lossy")
        #expect(throws: Failure(.limit, "WebP: 21×19 pixels: at most 20 a side expected")) {
            _ = try WebP.decode(bytes, limits: ImageLimits(sideMax: 20, pixelsMax: 1 << 16))
        }
    }

    /// An extended header that says the picture moves.
    @Test func movingPicturesAreRefusedByName() throws {
        var bytes = try Self.known("webp lossy with alpha")
        #expect(bytes[12..<16] == Bytes("VP8X".utf8)[...])
        bytes[20] |= 2
        #expect(throws: Failure(.unsupported, "WebP: moving pictures: a still one expected")) {
            _ = try WebP.decode(bytes)
        }
    }
}
