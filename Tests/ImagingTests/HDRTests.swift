import Core
import Foundation
import Imaging
import Testing

@Suite struct HDRTests {
    static func file(_ size: String, _ pixels: Bytes, format: String = "32-bit_rle_rgbe") -> Bytes {
        Bytes("#?RADIANCE\n# made here\nFORMAT=\(format)\n\n\(size)\n".utf8) + pixels
    }

    @Test func flatPixels() throws {
        let image = try RadianceHDR.decode(
            Self.file("-Y 1 +X 2", [128, 64, 0, 129, 255, 1, 2, 0]))
        #expect(image.pixels == [[1, 0.5, 0], .zero])
    }

    @Test func oldRunsRepeatAndChain() throws {
        // 1 pixel, 3 repeats, then 1 · 256 repeats by the chained run: 260 pixels.
        let image = try RadianceHDR.decode(
            Self.file("-Y 1 +X 260", [128, 0, 0, 129, 1, 1, 1, 3, 1, 1, 1, 1])
                + Bytes(repeating: 9, count: 64))
        #expect(image.pixels.count == 260)
        #expect(image.pixels.allSatisfy { $0 == [1, 0, 0] })
    }

    @Test func newRuns() throws {
        let row: Bytes =
            [2, 2, 0, 8] + [136, 128] + [8, 0, 1, 2, 3, 4, 5, 6, 7] + [130, 1, 134, 2] + [136, 136]
        let image = try RadianceHDR.decode(Self.file("-Y 1 +X 8", row))
        #expect(image.pixels[0] == [128, 0, 1])
        #expect(image.pixels[7] == [128, 7, 2])
    }

    @Test func orientations() throws {
        let pixels: Bytes = [128, 0, 0, 129, 0, 128, 0, 129]
        #expect(
            try RadianceHDR.decode(Self.file("-Y 1 -X 2", pixels)).pixels == [
                [0, 1, 0], [1, 0, 0],
            ])
        #expect(
            try RadianceHDR.decode(Self.file("+Y 2 +X 1", pixels)).pixels == [
                [0, 1, 0], [1, 0, 0],
            ])
    }

    @Test func tinyValuesBecomeZero() throws {
        let image = try RadianceHDR.decode(Self.file("-Y 1 +X 2", [255, 1, 0, 1, 1, 0, 0, 10]))
        #expect(image.pixels == [.zero, [0x1p-126, 0, 0]])
    }

    @Test(arguments: [
        ("+X 1 +Y 1", "HDR: a size as -Y height +X width expected"),
        ("-Y 2147483648 +X 2147483648", "at most 16384 a side expected"),
        ("-Y 16000 +X 16000", "at most 33554432 in all expected"),
        ("-Y 4000 +X 4000", "cannot be in"),
        ("-Y 0 +X 5", "none to decode"),
        ("-Y -3 +X 5", "none to decode"),
        ("-Y 99999999999999999999 +X 5", "a size as -Y height +X width expected"),
    ])
    func hostileSizes(size: String, message: String) {
        let error = #expect(throws: Failure.self) {
            _ = try RadianceHDR.decode(Self.file(size, Bytes(repeating: 0, count: 64)))
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func otherFormatsAreRefused() {
        #expect(throws: Failure(.unsupported, "HDR: FORMAT=32-bit_rle_rgbe expected")) {
            _ = try RadianceHDR.decode(
                Self.file("-Y 1 +X 1", [1, 2, 3, 4], format: "32-bit_rle_xyze"))
        }
    }

    @Test func everyTruncationFails() throws {
        let row: Bytes = [2, 2, 0, 9, 137, 128, 137, 7, 130, 1, 135, 2, 137, 136]
        let whole = Self.file("-Y 2 +X 9", row + row)
        _ = try RadianceHDR.decode(whole)
        for count in whole.indices {
            #expect(throws: Failure.self) { _ = try RadianceHDR.decode(Bytes(whole[..<count])) }
        }
    }
}
