import Compute
import Core
import Imaging
import Rendering
import RigorTestKit
import Testing

/// Textures far away: halved pictures, and which of them a path sees.
@Suite struct TextureTests {
    private func texture(
        _ width: Int, _ height: Int, isSRGB: Bool = false, _ texel: (Int, Int) -> UInt32
    ) -> Texture {
        var bytes = Bytes()
        for y in 0..<height {
            for x in 0..<width { bytes += texel(x, y).littleEndianBytes }
        }
        return Texture(width: width, height: height, rgba8: bytes, isSRGB: isSRGB)
    }

    @Test func meansAreOfLight() {
        let checker = texture(4, 4, isSRGB: true) { ($0 + $1) % 2 == 0 ? 0xffff_ffff : 0xff00_0000 }
        let words = MipPyramid.texels(checker)
        #expect(words.count == 16 + 4 + 1)
        // Half the light is code 188, not 128; alpha is plain.
        #expect(words.suffix(5).allSatisfy { $0 == 0xffbc_bcbc })
        let data = texture(2, 2) { x, y in UInt32(10 * (2 * y + x)) << 8 }
        #expect(MipPyramid.texels(data).last == 15 << 8)
    }

    /// Of three texels, two halves of the middle one go to no side alone.
    @Test func oddSidesAreCoveredEvenly() {
        let strip = texture(3, 1) { x, _ in [30, 60, 120][x] }
        #expect(MipPyramid.texels(strip) == [30, 60, 120, 70])
        let five = texture(5, 1) { x, _ in [50, 0, 0, 0, 0][x] }
        // The first of two covers 1 and 1 and a half of five: 50 · 2/5.
        #expect(MipPyramid.texels(five).dropFirst(5).first == 20)
        let long = texture(100_000, 1) { x, _ in UInt32(x % 2) * 255 }
        #expect(MipPyramid.levels(long) == 17)
        #expect(MipPyramid.texels(long).last == 128)
    }

    @Test func onePictureWhereNoOthersAreWanted() {
        var plain = texture(8, 8) { _, _ in 0 }
        plain.mipmap = .none
        #expect(MipPyramid.texels(plain).count == 64)
    }

    /// A board of black and white light, seen by one sample a pixel.
    private func board(
        repeats: Float, _ change: (inout Texture) -> Void = { _ in }
    ) throws -> [Float]? {
        guard let device = try TestDevices.any?.open() else { return nil }
        var maker = SceneMaker()
        var squares = texture(64, 64) {
            ($0 / 32 + $1 / 32) % 2 == 0 ? 0xffff_ffff : 0xff00_0000
        }
        change(&squares)
        maker.scene.textures = [squares]
        let lamp = maker.material([0, 0, 0], emissive: [1, 1, 1]) {
            $0.emissiveTexture = TextureRef(
                texture: 0, transform: UVTransform(u: [repeats, 0, 0.3], v: [0, repeats, 0.1]))
        }
        maker.quad([-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], lamp)
        maker.camera(at: [0, 0, 2], halfHeight: 0.5)
        let parameters = RenderParameters(width: 32, height: 32, samples: 1, bounces: 0)
        let tiles = try renderTiles(maker.scene, parameters, on: device)
        return try Picture(tiles, width: 32, height: 32).image.pixels.map(\.x)
    }

    private func spread(_ values: [Float]) -> Float {
        let mean = values.reduce(0, +) / Float(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
    }

    @Test func farTexturesAreGrayAndNearOnesSharp() throws {
        guard let far = try board(repeats: 256), let near = try board(repeats: 2) else { return }
        #expect(spread(far) < 0.001, "\(spread(far))")
        #expect((far.reduce(0, +) / 1024 - 0.5).magnitude < 0.01)
        #expect(spread(near) > 0.2, "\(spread(near))")
        // A sampler that wants no pyramid keeps its noise.
        let noisy = try #require(try board(repeats: 256) { $0.mipmap = .none })
        #expect(spread(noisy) > 0.2)
        let nearest = try #require(try board(repeats: 0.25) { $0.filter = .nearest })
        #expect(nearest.allSatisfy { $0 == 0 || $0 == 1 })
    }

    @Test func wrapsAsTheSamplerSays() throws {
        func edge(_ wrap: Texture.Wrap) throws -> Float? {
            guard let device = try TestDevices.any?.open() else { return nil }
            var maker = SceneMaker()
            var ramp = texture(4, 1) { x, _ in [0, 255, 51, 102][x] * 0x010101 }
            ramp.wrapU = wrap
            maker.scene.textures = [ramp]
            let lamp = maker.material([0, 0, 0], emissive: [1, 1, 1]) {
                // All of the quad sees u = 1.375, in the middle of a texel.
                $0.emissiveTexture = TextureRef(
                    texture: 0, transform: UVTransform(u: [0, 0, 1.375], v: [0, 1, 0]))
            }
            maker.quad([-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], lamp)
            maker.camera(at: [0, 0, 2], halfHeight: 0.1)
            let parameters = RenderParameters(width: 2, height: 2, samples: 1, bounces: 0)
            return Float(
                try mean(try renderTiles(maker.scene, parameters, on: device), parameters).x)
        }
        for (wrap, wanted) in [
            (.repeat, 1), (.mirroredRepeat, 0.2), (.clampToEdge, 0.4),
        ] as [(Texture.Wrap, Float)] {
            guard let found = try edge(wrap) else { return }
            #expect((found - wanted).magnitude < 1e-4, "\(wrap): \(found)")
        }
    }
}
