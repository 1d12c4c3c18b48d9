import Core
import Imaging
import Testing

@Suite struct EXRTests {
    static func picture(_ width: Int, _ height: Int) -> ImageFloat {
        let pixels = (0..<width * height).map { index in
            SIMD3<Float>(
                Float(index) * 0.37 - 4,
                Float(bitPattern: (UInt32(index) &* 2_654_435_761) & 0xbf7f_ffff),
                1 / Float(index + 1))
        }
        return ImageFloat(width: width, height: height, pixels: pixels)
    }

    @Test(arguments: [(1, 1), (7, 3), (33, 40), (128, 17)])
    func everyBitComesBack(width: Int, height: Int) throws {
        let image = Self.picture(width, height)
        let bytes = try EXR.encode(image)
        #expect(ImageKind(sniffing: bytes) == .exr)
        #expect(try EXR.decode(bytes) == image)
    }

    @Test func everyTruncationFails() throws {
        let image = Self.picture(9, 20)
        let whole = try EXR.encode(image)
        for count in whole.indices {
            #expect(throws: Failure.self) { _ = try EXR.decode(Bytes(whole[..<count])) }
        }
    }

    @Test func attributesAreFoundAgain() throws {
        let image = ImageFloat(width: 1, height: 1, pixels: [[1, 2, 3]])
        let bytes = try EXR.encode(
            width: 1, height: 1, channels: EXR.channels(image),
            attributes: ["rigor": "of job 7", "other": ""])
        #expect(EXR.text("rigor", in: bytes) == "of job 7")
        #expect(EXR.text("rigo", in: bytes) == nil && EXR.text("channels", in: bytes) == nil)
        #expect(EXR.text("rigor", in: try EXR.encode(image)) == nil)
        for count in 0..<bytes.count { _ = EXR.text("rigor", in: Bytes(bytes.prefix(count))) }
    }
}
