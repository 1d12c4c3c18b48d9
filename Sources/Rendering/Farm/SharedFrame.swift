public import Core

/// A piece of a frame while several devices are at it: what is done of each tile without a gap, and
/// beside it what was done ahead of that.
///
/// Samples are counted from the piece's first one. So what is done can be kept at any moment, and
/// gone on with by whatever devices there are then.
struct SharedFrame {
    let whole: RenderPiece
    private let parameters: RenderParameters
    private(set) var frame: PartialFrame
    /// Samples beyond a gap, by tile, ascending.
    private var ahead: [Int: [(samples: Range<Int>, sums: TileSums)]] = [:]

    /// - Parameter start: the piece as far as an earlier sitting brought it.
    /// - Throws: ``Failure`` where the piece reaches out of the frame, or `start` is another's.
    init(
        _ parameters: RenderParameters, whole: RenderPiece, from start: PartialFrame?
    ) throws(Failure) {
        try parameters.check()
        let all = RenderPiece(wholeOf: parameters)
        guard all.contains(whole), whole.units > 0 else {
            throw Failure(.malformed, "\(whole): within \(all) expected")
        }
        guard parameters.noise == nil || whole.samples == all.samples else {
            throw Failure(.malformed, "\(whole): with a noise target all samples expected")
        }
        let nothing = try PartialFrame(parameters, of: whole)
        let frame = start ?? nothing
        guard frame.range == whole.tiles, frame.noise == parameters.noise,
            frame.width == parameters.width, frame.height == parameters.height
        else { throw Failure(.malformed, "\(whole): what is done of them expected") }
        self.whole = whole
        self.parameters = parameters
        self.frame = frame
    }

    /// What is left to do. With a noise target a tile that is open is all of it left.
    var rest: [RenderPiece] {
        var rest: [RenderPiece] = []
        for tile in frame.tiles where frame.isOpen(tile, samples: whole.samples.count) {
            let done = parameters.noise == nil ? tile.sampleCount : 0
            let samples = whole.samples.lowerBound + done..<whole.samples.upperBound
            if let last = rest.last, last.samples == samples, last.tiles.upperBound == tile.tile {
                rest[rest.count - 1].tiles = last.tiles.lowerBound..<tile.tile + 1
            } else {
                rest.append(RenderPiece(tiles: tile.tile..<tile.tile + 1, samples: samples))
            }
        }
        return rest
    }

    /// From what somebody who does `piece` goes on; nil where that is of no use.
    func start(of piece: RenderPiece) -> PartialFrame? {
        parameters.noise == nil ? nil : frame.part(piece.tiles)
    }

    /// Takes a piece that was computed.
    ///
    /// - Parameter isWhole: whether all of it is; else tiles and samples may be missing at its end.
    /// - Throws: ``Failure`` `malformed` where `done` is not that.
    mutating func add(
        _ done: PartialFrame, of piece: RenderPiece, isWhole: Bool
    ) throws(Failure) {
        let areTilesRight =
            isWhole ? done.range == piece.tiles : piece.tiles.contains(done.range.lowerBound)
        guard areTilesRight, done.range.upperBound <= piece.tiles.upperBound,
            whole.contains(piece)
        else { throw Failure(.malformed, "the sums of \(piece) expected") }
        guard parameters.noise == nil else {
            let isOpen = done.tiles.contains { done.isOpen($0, samples: whole.samples.count) }
            guard !isWhole || !isOpen else {
                throw Failure(.malformed, "\(piece): a tile was left before it was done")
            }
            return frame.replace(with: done)
        }
        for tile in done.tiles {
            let size = parameters.size(ofTile: tile.tile)
            let counts =
                isWhole ? piece.samples.count...piece.samples.count : 1...piece.samples.count
            guard (tile.width, tile.height) == size, counts.contains(tile.sampleCount),
                tile.sums.count == 3 * size.width * size.height
            else { throw Failure(.malformed, "the sums of \(piece) expected") }
        }
        let first = piece.samples.lowerBound
        for tile in done.tiles { try add(tile, first..<first + tile.sampleCount) }
    }

    private mutating func add(_ sums: TileSums, _ samples: Range<Int>) throws(Failure) {
        var waiting = ahead.removeValue(forKey: sums.tile) ?? []
        let place = waiting.firstIndex { $0.samples.lowerBound > samples.lowerBound }
        waiting.insert((samples, sums), at: place ?? waiting.count)
        while let next = waiting.first,
            next.samples.lowerBound == whole.samples.lowerBound + frame[sums.tile].sampleCount
        {
            try frame.add(next.sums)
            waiting.removeFirst()
        }
        if !waiting.isEmpty { ahead[sums.tile] = waiting }
    }
}

extension PartialFrame {
    /// A piece of a frame of which nothing has been done.
    public init(_ parameters: RenderParameters, of piece: RenderPiece) throws(Failure) {
        try self.init(
            width: parameters.width, height: parameters.height, noise: parameters.noise,
            tiles: piece.tiles)
    }
}
