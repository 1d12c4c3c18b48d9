/// Some samples of some tiles of one frame: what a device computes at a time, and what a part of a
/// picture holds.
public struct RenderPiece: Hashable, Sendable, CustomStringConvertible {
    public var tiles: Range<Int>
    public var samples: Range<Int>

    public init(tiles: Range<Int>, samples: Range<Int>) {
        self.tiles = tiles
        self.samples = samples
    }

    /// The whole frame.
    public init(wholeOf parameters: RenderParameters) {
        self.init(tiles: 0..<parameters.tileCount, samples: 0..<parameters.samples)
    }

    /// One sample of each pixel of one tile is a unit.
    public var units: Int { tiles.count * samples.count }

    public var description: String {
        "\(Self.text("tile", tiles)), \(Self.text("sample", samples))"
    }

    /// In a frame of `parameters`: with a noise target a tile has as many samples as it needs.
    public func text(in parameters: RenderParameters) -> String {
        parameters.noise == nil ? description : Self.text("tile", tiles)
    }

    /// `tile 7`, `samples 0-63`: as options take them, both ends included.
    static func text(_ word: String, _ range: Range<Int>) -> String {
        range.count == 1
            ? "\(word) \(range.lowerBound)"
            : "\(word)s \(range.lowerBound)-\(range.upperBound - 1)"
    }

    func contains(_ other: RenderPiece) -> Bool {
        tiles.lowerBound <= other.tiles.lowerBound && other.tiles.upperBound <= tiles.upperBound
            && samples.lowerBound <= other.samples.lowerBound
            && other.samples.upperBound <= samples.upperBound
    }
}
