public import Core

/// Narrows two results that differ to tile, pixel, sample and bounce.
public enum Dispute {
    /// A pixel in which two tiles differ.
    public struct Pixel: Hashable, Sendable {
        /// In the tile, from its top left.
        public var x: Int
        public var y: Int
        /// `red`, `green` or `blue`; `NaN samples` where their count differs.
        public var channel: String
        /// In units of 2⁻²⁰, or counts.
        public var own: Int64
        public var other: Int64
    }

    /// The first pixel, row by row, in which two tiles differ; nil where they do not, or where
    /// they are not sums of equally many samples.
    ///
    /// - Throws: ``Failure`` where they are tiles of different size.
    public static func pixel(_ own: TileSums, _ other: TileSums) throws(Failure) -> Pixel? {
        guard own.width == other.width, own.height == other.height else {
            throw Failure(
                .malformed,
                "\(own.leafName): \(own.width)x\(own.height) pixels here, "
                    + "\(other.width)x\(other.height) there")
        }
        guard own.sampleCount == other.sampleCount else { return nil }
        for place in own.sums.indices where own.sums[place] != other.sums[place] {
            return Pixel(
                x: place / 3 % own.width, y: place / 3 / own.width,
                channel: ["red", "green", "blue"][place % 3], own: own.sums[place],
                other: other.sums[place])
        }
        guard own.nanCount != other.nanCount else { return nil }
        return Pixel(
            x: 0, y: 0, channel: "NaN samples", own: Int64(own.nanCount),
            other: Int64(other.nanCount))
    }

    /// How many pixels of two tiles differ.
    public static func pixelCount(_ own: TileSums, _ other: TileSums) -> Int {
        guard own.sums.count == other.sums.count else { return own.sums.count / 3 }
        return stride(from: 0, to: own.sums.count, by: 3).count {
            own.sums[$0..<$0 + 3] != other.sums[$0..<$0 + 3]
        }
    }

    /// What two devices were found to differ in.
    public struct Finding: Hashable, Sendable {
        public var tile: Int
        /// In the frame.
        public var x = 0
        public var y = 0
        /// Nil where each sample is the same, and the tile ends elsewhere.
        public var pixel: Pixel?
        /// With a noise target: samples a pixel with which each device ends the tile.
        public var sampleCounts: [Int] = []
        /// The first sample that differs; nil where none did when it was computed alone.
        public var sample: Int?
        /// Nil where the paths do not differ: then it is their sums.
        public var difference: PathTrace.Difference?
        /// Whether each device gave the same sums a second time.
        public var repeats: [Bool]
    }

    /// Finds where two devices part in a tile that they disagree about.
    ///
    /// With a noise target, in the samples that both took of it.
    ///
    /// - Returns: nil where they agree now, and each with itself.
    public static func narrow(
        tile: Int, samples: Range<Int>, of grid: RenderParameters, _ own: RenderRun,
        _ other: RenderRun
    ) throws(Failure) -> Finding? {
        let runs = [own, other]
        var plain = grid
        plain.noise = nil
        func sums(_ run: RenderRun, _ samples: Range<Int>) throws(Failure) -> TileSums {
            try Self.sums(run, tile, samples, plain)
        }
        func differ(_ samples: Range<Int>) throws(Failure) -> Bool {
            try sums(own, samples) != sums(other, samples)
        }
        var range = samples
        var counts: [Int] = []
        if grid.noise != nil {
            for run in runs { counts.append(try Self.sums(run, tile, samples, grid).sampleCount) }
            range = 0..<(counts.min() ?? 1)
        }
        var first: [TileSums] = []
        var repeats: [Bool] = []
        for run in runs {
            first.append(try sums(run, range))
            repeats.append(try sums(run, range) == first[first.count - 1])
        }
        var finding = Finding(tile: tile, sampleCounts: counts, repeats: repeats)
        guard let pixel = try pixel(first[0], first[1]) else {
            return Set(counts).count > 1 ? finding : nil
        }
        func place(_ pixel: Pixel) {
            finding.pixel = pixel
            finding.x = tile % grid.tilesWide * TileSums.side + pixel.x
            finding.y = tile / grid.tilesWide * TileSums.side + pixel.y
        }
        place(pixel)
        // Halves: the first one that differs, down to one sample.
        while range.count > 1 {
            let middle = range.lowerBound + range.count / 2
            let isLow = try differ(range.lowerBound..<middle)
            range = isLow ? range.lowerBound..<middle : middle..<range.upperBound
        }
        guard try differ(range) else { return finding }
        finding.sample = range.lowerBound
        let ends = (
            try sums(own, range), try sums(other, range)
        )
        // The sum's first pixel need not be this sample's.
        if let now = try Self.pixel(ends.0, ends.1) { place(now) }
        finding.difference = try own.trace(tile: tile, sample: range.lowerBound).difference(
            from: try other.trace(tile: tile, sample: range.lowerBound),
            pixel: (finding.x, finding.y))
        return finding
    }

    private static func sums(
        _ run: RenderRun, _ tile: Int, _ samples: Range<Int>, _ parameters: RenderParameters
    ) throws(Failure) -> TileSums {
        var found: TileSums?
        let piece = RenderPiece(tiles: tile..<tile + 1, samples: samples)
        try run.render(piece, of: parameters) { (sums: TileSums) in found = sums }
        guard let found else { throw Failure(.device, "tile \(tile): no sums came") }
        return found
    }
}
