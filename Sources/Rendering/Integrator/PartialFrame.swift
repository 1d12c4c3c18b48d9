public import Core

/// A frame as far as it has come: what each of its tiles has summed up.
///
/// Sums of ranges of samples add up exactly, so it does not matter in how many sittings, in which
/// order or on which device a frame was rendered.
public struct PartialFrame: Hashable, Sendable {
    public let width: Int
    public let height: Int
    /// Every tile in its order; a sample count of zero where nothing was done yet.
    public private(set) var tiles: [TileSums]

    /// A frame of which nothing has been done.
    ///
    /// - Throws: ``Failure`` when it is larger than a render may be.
    public init(width: Int, height: Int) throws(Failure) {
        let grid = RenderParameters(width: width, height: height)
        try grid.check()
        self.width = width
        self.height = height
        tiles = (0..<grid.tileCount).map { tile in
            let size = grid.size(ofTile: tile)
            return TileSums(
                tile: tile, width: size.width, height: size.height, sampleCount: 0, nanCount: 0,
                sums: [])
        }
    }

    /// Samples of all pixels together.
    public var sampleCount: Int {
        tiles.reduce(0) { $0 + $1.sampleCount * $1.width * $1.height }
    }

    /// Adds samples of a tile.
    mutating func add(_ sums: TileSums) throws(Failure) {
        if tiles[sums.tile].sampleCount == 0 {
            tiles[sums.tile] = sums
        } else {
            try tiles[sums.tile].add(sums)
        }
    }

    // MARK: Order of work

    /// Passes over the frame end at powers of two up to here, and then so far apart. Early passes
    /// show a picture soon; with long ones, tiles are read back seldom.
    private static let passSamplesMax = 256

    /// Where the pass ends that takes a tile of `count` samples on.
    static func passEnd(after count: Int, samples: Int) -> Int {
        var end = 1
        while end <= count, end < passSamplesMax { end *= 2 }
        if end <= count { end = (count / passSamplesMax + 1) * passSamplesMax }
        return min(end, samples)
    }

    /// Whether every tile has `samples` samples.
    public func isWhole(samples: Int) -> Bool { tiles.allSatisfy { $0.sampleCount >= samples } }

    /// Tiles that the next pass takes on, and where it ends; nil when every tile has `samples`.
    func nextPass(samples: Int) -> (tiles: [Int], end: Int)? {
        let open = tiles.filter { $0.sampleCount < samples }
        let ends = open.map { Self.passEnd(after: $0.sampleCount, samples: samples) }
        guard let end = ends.min() else { return nil }
        return (zip(open, ends).filter { $1 == end }.map(\.0.tile), end)
    }
}

extension RenderRun {
    /// Takes a frame on until each tile has `samples` samples: pass by pass over the whole of it,
    /// so that a picture is there soon and gets clearer everywhere.
    ///
    /// - Parameter advance: called after each slice with the frame as it was before the present
    ///   group of tiles, and the samples of all pixels that are done; says whether to go on. Where
    ///   it does not, `frame` keeps all that is done.
    public func render(
        _ frame: inout PartialFrame, samples: Int,
        advance: (PartialFrame, Int) throws(Failure) -> Bool
    ) throws(Failure) {
        var done = frame.sampleCount
        while let pass = frame.nextPass(samples: samples) {
            var tiles = pass.tiles[...]
            while let first = tiles.first {
                let count = frame.tiles[first].sampleCount
                let group = Array(
                    tiles.prefix(groupMax(samples: pass.end - count)).prefix {
                        frame.tiles[$0].sampleCount == count
                    })
                tiles = tiles.dropFirst(group.count)
                let pixels = group.reduce(0) { $0 + frame.tiles[$1].width * frame.tiles[$1].height }
                var goesOn = true
                let sums = try renderGroup(group, count..<pass.end) { samples throws(Failure) in
                    goesOn = try advance(frame, done + samples * pixels)
                    return goesOn
                }
                for tile in sums { try frame.add(tile) }
                done += sums[0].sampleCount * pixels
                guard goesOn else { return }
            }
        }
    }
}
