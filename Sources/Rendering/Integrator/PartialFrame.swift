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
    /// Where tiles may end before they have all samples.
    let noise: NoiseTarget?
    /// With a noise target: what is decided of each tile, and from what.
    private(set) var decisions: [Decision]
    /// The frame's first tile that is in here.
    private var first: Int

    struct Decision: Hashable, Sendable {
        /// Whether the tile has little enough noise.
        var isDone = false
        /// Its sums at the last power of two of samples; empty before the first.
        var sums: [Int64] = []
    }

    /// A frame of which nothing has been done.
    ///
    /// - Parameter range: the tiles that it shall hold; all by default.
    /// - Throws: ``Failure`` when it is larger than a render may be.
    public init(
        width: Int, height: Int, noise: NoiseTarget? = nil, tiles range: Range<Int>? = nil
    ) throws(Failure) {
        let grid = RenderParameters(width: width, height: height)
        try grid.check()
        self.width = width
        self.height = height
        self.noise = noise
        let range = range ?? 0..<grid.tileCount
        first = range.lowerBound
        decisions = noise == nil ? [] : range.map { _ in Decision() }
        tiles = range.map { tile in
            let size = grid.size(ofTile: tile)
            return TileSums(
                tile: tile, width: size.width, height: size.height, sampleCount: 0, nanCount: 0,
                sums: [])
        }
    }

    /// Tiles as somebody computed them, without what was decided of them on the way.
    ///
    /// - Precondition: they are in order, and there is at least one.
    public init(_ tiles: [TileSums], of grid: RenderParameters) {
        width = grid.width
        height = grid.height
        noise = nil
        decisions = []
        first = tiles[0].tile
        self.tiles = tiles
    }

    /// Some of this frame's tiles, as far as they have come.
    func part(_ range: Range<Int>) -> PartialFrame {
        var part = self
        let places = range.lowerBound - first..<range.upperBound - first
        part.tiles = Array(tiles[places])
        part.decisions = noise == nil ? [] : Array(decisions[places])
        part.first = range.lowerBound
        return part
    }

    /// The tiles that are in here, by their numbers in the frame.
    var range: Range<Int> { first..<first + tiles.count }

    /// Pixels of these tiles.
    public var pixelCount: Int { tiles.reduce(0) { $0 + $1.width * $1.height } }

    /// Samples of all pixels together.
    public var sampleCount: Int {
        tiles.reduce(0) { $0 + $1.sampleCount * $1.width * $1.height }
    }

    /// Takes over tiles that somebody has taken on.
    mutating func replace(with part: PartialFrame) {
        for (place, sums) in part.tiles.enumerated() {
            restore(sums, part.decisions.isEmpty ? nil : part.decisions[place])
        }
    }

    /// Adds samples of a tile.
    mutating func add(_ sums: TileSums) throws(Failure) {
        let index = sums.tile - first
        if tiles[index].sampleCount == 0 {
            tiles[index] = sums
        } else {
            try tiles[index].add(sums)
        }
        decide(index)
    }

    /// Whether the tile is done, asked at powers of two; passes end there.
    private mutating func decide(_ index: Int) {
        let count = tiles[index].sampleCount
        guard let noise, count.nonzeroBitCount == 1 else { return }
        if count > 1, count >= noise.samplesMin {
            decisions[index].isDone = noise.isReached(tiles[index], half: decisions[index].sums)
        }
        decisions[index].sums = tiles[index].sums
    }

    /// Puts a tile back as it was kept.
    mutating func restore(_ sums: TileSums, _ decision: Decision?) {
        tiles[sums.tile - first] = sums
        if let decision { decisions[sums.tile - first] = decision }
    }

    /// A tile of the frame, by its number there.
    subscript(tile: Int) -> TileSums { tiles[tile - first] }

    func isOpen(_ tile: TileSums, samples: Int) -> Bool {
        tile.sampleCount < samples && (noise == nil || !decisions[tile.tile - first].isDone)
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

    /// Whether every tile has `samples` samples, or is done before.
    public func isWhole(samples: Int) -> Bool {
        !tiles.contains { isOpen($0, samples: samples) }
    }

    /// Tiles that the next pass takes on, and where it ends; nil when the frame is whole.
    func nextPass(samples: Int) -> (tiles: [Int], end: Int)? {
        let open = tiles.filter { isOpen($0, samples: samples) }
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
                let count = frame[first].sampleCount
                let group = Array(
                    tiles.prefix(groupMax(samples: pass.end - count)).prefix {
                        frame[$0].sampleCount == count
                    })
                tiles = tiles.dropFirst(group.count)
                let pixels = pixelCount(of: group)
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

    /// Tiles rendered together until they are done: enough to fill a device.
    private static let tilesTogether = 64

    /// Renders tiles until each has little enough noise, or `samplesMax` samples.
    ///
    /// - Parameters:
    ///   - start: the frame as far as it has come, or the tiles of it that are wanted.
    ///   - goesOn: asked between slices, with about the part done, 0…1. Where it says no, the last
    ///     tiles are not done.
    ///   - finish: takes tiles as they are done, in order.
    private func render(
        tiles: Range<Int>, until noise: NoiseTarget, samplesMax: Int, from start: PartialFrame?,
        goesOn: (Double) throws(Failure) -> Bool, finish: (PartialFrame) throws(Failure) -> Void
    ) throws(Failure) {
        try check(tiles)
        var isGoing = true
        for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: Self.tilesTogether)
        where isGoing {
            let chunk = first..<min(first + Self.tilesTogether, tiles.upperBound)
            let nothing = try PartialFrame(
                width: grid.width, height: grid.height, noise: noise, tiles: chunk)
            var frame = start?.part(chunk) ?? nothing
            let most = Double(pixelCount(of: Array(chunk)) * samplesMax)
            try render(&frame, samples: samplesMax) { _, done throws(Failure) in
                let part = Double(done) / most * Double(chunk.count)
                let fraction = (Double(first - tiles.lowerBound) + part) / Double(tiles.count)
                isGoing = try goesOn(fraction)
                return isGoing
            }
            try finish(frame)
        }
        if isGoing { _ = try goesOn(1) }
    }

    /// Renders a piece of a frame: of a frame with a noise target tiles, until each is done.
    ///
    /// - Parameters:
    ///   - parameters: the frame's samples and noise target; all else is in the blob.
    ///   - advance: called between slices with about the part done, 0…1; what it throws ends the
    ///     run.
    ///   - finish: takes each tile as it becomes whole, in order.
    public func render(
        _ piece: RenderPiece, of parameters: RenderParameters,
        advance: (Double) throws(Failure) -> Void = { (_: Double) throws(Failure) in },
        finish: (TileSums) throws(Failure) -> Void
    ) throws(Failure) {
        guard let noise = parameters.noise else {
            return try render(
                tiles: piece.tiles, samples: piece.samples, advance: advance, finish: finish)
        }
        try render(
            tiles: piece.tiles, until: noise, samplesMax: parameters.samples, from: nil,
            goesOn: { part throws(Failure) in
                try advance(part)
                return true
            },
            finish: { done throws(Failure) in
                for tile in done.tiles { try finish(tile) }
            })
    }

    /// The same at once, on from what there is.
    ///
    /// - Parameters:
    ///   - start: with a noise target, these tiles as far as they have come.
    ///   - goesOn: asked between slices. Where it says no, there are tiles with less than was
    ///     asked for, or without a noise target fewer tiles.
    func rendered(
        _ piece: RenderPiece, of parameters: RenderParameters, from start: PartialFrame?,
        goesOn: (Double) throws(Failure) -> Bool
    ) throws(Failure) -> PartialFrame {
        guard let noise = parameters.noise else {
            var tiles: [TileSums] = []
            try render(
                tiles: piece.tiles, samples: piece.samples, goesOn: goesOn,
                finish: { (tile: TileSums) in tiles.append(tile) })
            return PartialFrame(tiles, of: grid)
        }
        let nothing = try PartialFrame(parameters, of: piece)
        var frame = start ?? nothing
        try render(
            tiles: piece.tiles, until: noise, samplesMax: parameters.samples, from: frame,
            goesOn: goesOn, finish: { done in frame.replace(with: done) })
        return frame
    }
}
