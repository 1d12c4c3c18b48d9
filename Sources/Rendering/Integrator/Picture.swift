public import Core
internal import Exact
public import Imaging

/// A frame put together from its tiles.
public struct Picture: Sendable {
    /// Linear radiance, Rec. 709 primaries: sums over samples, rounded to binary32 here and nowhere
    /// before.
    public let image: ImageFloat
    /// Samples of which a channel was not a number.
    public let nanCount: Int

    /// - Throws: ``Failure`` unless `tiles` are a frame's tiles, each once and with samples.
    public init(_ tiles: [TileSums], width: Int, height: Int) throws(Failure) {
        let parameters = RenderParameters(width: width, height: height)
        try parameters.check()
        guard tiles.count == parameters.tileCount,
            Set(tiles.map(\.tile)) == Set(0..<parameters.tileCount)
        else { throw Failure(.malformed, "picture: \(parameters.tileCount) tiles expected") }
        var pixels = [SIMD3<Float>](repeating: .zero, count: width * height)
        for tile in tiles {
            let left = tile.tile % parameters.tilesWide * TileSums.side
            let top = tile.tile / parameters.tilesWide * TileSums.side
            guard tile.width == min(TileSums.side, width - left),
                tile.height == min(TileSums.side, height - top), tile.sampleCount > 0
            else { throw Failure(.malformed, "\(tile.leafName): another size expected") }
            let whole = Double(tile.sampleCount) * Double(TileSums.unitsPerOne)
            for y in 0..<tile.height {
                for x in 0..<tile.width {
                    let place = 3 * (y * tile.width + x)
                    pixels[(top + y) * width + left + x] = [
                        Float(Double(tile.sums[place]) / whole),
                        Float(Double(tile.sums[place + 1]) / whole),
                        Float(Double(tile.sums[place + 2]) / whole),
                    ]
                }
            }
        }
        image = ImageFloat(width: width, height: height, pixels: pixels)
        nanCount = tiles.reduce(0) { $0 + $1.nanCount }
    }

    /// The picture exposed by 2^`stops`. As PNG (clipped at one, sRGB-encoded) this is the view
    /// transform that Blender calls Standard.
    ///
    /// - Parameter stops: −32…32.
    public func exposed(stops: Double) -> ImageFloat {
        if stops == 0 { return image }
        let scale = Exact.exp2(Float(min(max(stops, -32), 32)))
        return ImageFloat(
            width: image.width, height: image.height, pixels: image.pixels.map { $0 * scale })
    }
}
