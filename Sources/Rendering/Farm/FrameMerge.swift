public import Core
public import Digest

/// Puts a frame together from pieces, whoever computed them and in whatever order they come: each
/// sample of each tile once.
///
/// Sums are integers, so order and cuts cannot show.
public struct FrameMerge: Sendable {
    /// What is to be put together.
    public let whole: RenderPiece
    private let grid: RenderParameters
    private var tiles: [Tile]
    private var sources: [String] = []

    private struct Tile: Sendable {
        var sums: TileSums?
        /// Ranges of samples that are there, ascending, with the source of each.
        var covered: [(samples: Range<Int>, source: Int)] = []
    }

    /// - Parameters:
    ///   - parameters: size and samples of the frame.
    ///   - whole: the piece of it that is wanted; by default all.
    /// - Throws: ``Failure`` when `whole` reaches out of the frame.
    public init(_ parameters: RenderParameters, whole: RenderPiece? = nil) throws(Failure) {
        try parameters.check()
        grid = parameters
        let frame = RenderPiece(wholeOf: parameters)
        self.whole = whole ?? frame
        guard frame.contains(self.whole), self.whole.units > 0 else {
            throw Failure(.malformed, "\(self.whole): within \(frame) expected")
        }
        guard grid.noise == nil || self.whole.samples == frame.samples else {
            throw Failure(.malformed, "\(self.whole): with a noise target all samples expected")
        }
        tiles = Array(repeating: Tile(), count: self.whole.tiles.count)
    }

    /// Adds a piece, all of it or, after a failure, nothing.
    ///
    /// - Parameters:
    ///   - sums: the piece's tiles, in order.
    ///   - source: what messages call it: a file's or a device's name.
    /// - Throws: ``Failure`` `malformed` where the sums are not the piece's, `refused` where
    ///   some of its samples are there already.
    public mutating func add(
        _ sums: [TileSums], of piece: RenderPiece, from source: String
    ) throws(Failure) {
        guard whole.contains(piece), piece.units > 0 else {
            throw Failure(.malformed, "\(source): \(piece): within \(whole) expected")
        }
        guard sums.map(\.tile) == Array(piece.tiles) else {
            throw Failure(.malformed, "\(source): the sums of \(piece) expected")
        }
        for tile in sums {
            try check(tile, of: piece, source)
            try checkFree(tile.tile, piece.samples, source)
        }
        sources.append(source)
        for tile in sums {
            let place = tile.tile - whole.tiles.lowerBound
            if tiles[place].sums == nil {
                tiles[place].sums = tile
            } else {
                try tiles[place].sums?.add(tile)
            }
            let index = tiles[place].covered.firstIndex {
                $0.samples.lowerBound > piece.samples.lowerBound
            }
            tiles[place].covered.insert(
                (piece.samples, sources.count - 1), at: index ?? tiles[place].covered.count)
        }
    }

    /// With a noise target a tile has as many samples as one may end with, and these are all.
    private func check(
        _ tile: TileSums, of piece: RenderPiece, _ source: String
    ) throws(Failure) {
        let size = grid.size(ofTile: tile.tile)
        let isCountRight: Bool
        if let noise = grid.noise {
            isCountRight =
                piece.samples == whole.samples
                && noise.mayEnd(at: tile.sampleCount, samplesMax: grid.samples)
        } else {
            isCountRight = tile.sampleCount == piece.samples.count
        }
        guard tile.width == size.width, tile.height == size.height, isCountRight,
            tile.sums.count == 3 * tile.width * tile.height
        else {
            let counts = grid.noise.map {
                "a power of two of samples from \($0.samplesMin) on, or \(grid.samples),"
            }
            throw Failure(
                .malformed,
                "\(source): \(tile.leafName): \(size.width)x\(size.height) pixels of "
                    + "\(counts ?? "\(piece.samples.count) samples") expected")
        }
    }

    private func checkFree(
        _ tile: Int, _ samples: Range<Int>, _ source: String
    ) throws(Failure) {
        let covered = tiles[tile - whole.tiles.lowerBound].covered
        guard let other = covered.first(where: { $0.samples.overlaps(samples) }) else { return }
        let both = other.samples.clamped(to: samples)
        let what =
            grid.noise == nil
            ? "\(RenderPiece.text("sample", both)) of tile \(tile) are" : "tile \(tile) is"
        throw Failure(.refused, "\(source): \(what) in \(sources[other.source]) too")
    }

    /// The tiles in order, each with all its samples.
    ///
    /// - Throws: ``Failure`` `missing` naming the first gap.
    public func finished() throws(Failure) -> [TileSums] {
        for (place, tile) in tiles.enumerated() {
            guard let gap = firstGap(tile) else { continue }
            let first = whole.tiles.lowerBound + place
            // Neighbours that lack the same are named together.
            let alike = tiles[place...].prefix { firstGap($0) == gap }.count
            let piece = RenderPiece(tiles: first..<first + alike, samples: gap)
            throw Failure(.missing, "\(piece.text(in: grid)): in no part")
        }
        return tiles.compactMap(\.sums)
    }

    private func firstGap(_ tile: Tile) -> Range<Int>? {
        var next = whole.samples.lowerBound
        for range in tile.covered {
            if range.samples.lowerBound > next { return next..<range.samples.lowerBound }
            next = range.samples.upperBound
        }
        return next < whole.samples.upperBound ? next..<whole.samples.upperBound : nil
    }
}

extension TileSums {
    /// The tree over a picture's tiles, whose root is the picture's digest.
    ///
    /// - Precondition: there is at least one tile.
    public static func tree(over tiles: [TileSums]) -> MerkleTree {
        MerkleTree(
            leaves: tiles.enumerated().map {
                Leaf(index: $0.offset, name: $0.element.leafName, bytes: $0.element.bytes)
            })
    }
}
