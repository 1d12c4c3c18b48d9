import Core
import Imaging
import Testing

@Suite struct CryptomatteTests {
    /// MurmurHash3_x86_32 of seed 0, as published.
    @Test(arguments: [
        ("test", 0xba6b_d213), ("Hello, world!", 0xc036_3e43),
        ("The quick brown fox jumps over the lazy dog", 0x2e4f_f723), ("hello", 0x248b_fa47),
    ])
    func hashes(name: String, hash: UInt32) {
        #expect(Cryptomatte.identifier(name).bitPattern == hash)
    }

    @Test func identifiersAreNormalNumbers() {
        // The empty name's hash is zero, which is none.
        #expect(Cryptomatte.identifier("").bitPattern == 1 << 23)
        #expect((0..<20_000).allSatisfy { Cryptomatte.identifier("thing \($0)").isNormal })
    }

    @Test func manifestsAreJSON() throws {
        let attributes = Cryptomatte.attributes("CryptoObject", names: ["a \"b\"\\", "Tür", "Tür"])
        let manifest = try #require(attributes.first { $0.key.hasSuffix("/manifest") }).value
        let hash = Cryptomatte.identifier("Tür").bitPattern.bigEndianBytes.hex
        #expect(manifest.hasPrefix("{\"Tür\":\"\(hash)\","))
        #expect(manifest.contains("\"a \\\"b\\\"\\\\\":\""))
        #expect(attributes.count == 4 && attributes.keys.allSatisfy { $0.count <= 31 })
    }
}

@Suite struct EXRLayerTests {
    private static func image(_ width: Int, _ height: Int) -> ImageFloat {
        EXRTests.picture(width, height)
    }

    /// A reader of plain pictures finds the picture among the layers.
    @Test(arguments: [(1, 1), (40, 33)])
    func layersLieBeside(width: Int, height: Int) throws {
        let image = Self.image(width, height)
        let more = (0..<width * height).map { Float($0) }
        let bytes = try EXR.encode(
            width: width, height: height,
            channels: [EXR.Channel("albedo.R", more), EXR.Channel("Depth.Z", more, isHalf: true)]
                + EXR.channels(image),
            attributes: ["cryptomatte/1234567/name": "CryptoObject"])
        #expect(try EXR.decode(bytes) == image)
    }

    /// binary16 to nearest, ties to even; what is too large becomes the largest.
    @Test func halves() throws {
        let values: [Float] = [
            0, 1, 1.00048828125, 1.0009765625, 1.00146484375, 65504, 65519, 65536, 1e9, -1e9,
            0x1p-24, 0x1p-25, 0x1.8p-25, 0.1, -2.5, 3.14159,
        ]
        let expected: [Float] = [
            0, 1, 1, 1.0009765625, 1.001953125, 65504, 65504, 65504, 65504, -65504, 0x1p-24, 0,
            0x1p-24, 0.0999755859375, -2.5, 3.140625,
        ]
        let image = ImageFloat(
            width: values.count, height: 1, pixels: values.map { SIMD3($0, $0, $0) })
        let decoded = try EXR.decode(EXR.encode(image, isHalf: true))
        #expect(decoded.pixels.map(\.y) == expected)
    }
}
