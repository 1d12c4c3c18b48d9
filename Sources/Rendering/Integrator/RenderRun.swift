public import Compute
public import Core

/// Renders tiles of a blob on one device.
public final class RenderRun {
    /// How a run cuts its work. None of it shows in a result.
    public struct Tuning: Hashable, Sendable {
        /// Paths traced at once at most; less where the device's memory or caches hold less.
        public var pathsMax: Int?
        /// Kernels with vectors no wider than float4; nil asks the device.
        public var isNarrow: Bool?
        /// Camera rays go in packets of sixteen, where the scene has no instances; nil where
        /// vectors are wide.
        public var hasPackets: Bool?
        /// About how long a slice of work shall take.
        public var sliceSeconds = 0.05

        public init(pathsMax: Int? = nil, isNarrow: Bool? = nil, sliceSeconds: Double = 0.05) {
            self.pathsMax = pathsMax
            self.isNarrow = isNarrow
            self.sliceSeconds = sliceSeconds
        }

        /// What suits a device.
        public init(_ device: Compute.Tuning, sliceSeconds: Double = 0.05) {
            self.init(pathsMax: device[.renderPathsMax], sliceSeconds: sliceSeconds)
            hasPackets = device[.renderPackets] == 1
        }
    }

    /// Seconds that building the programs took, or loading them from the cache.
    public let compileSeconds: Double
    let blob: RenderBlob
    let device: any ComputeDevice
    private let clock: any Clock
    private let tuning: Tuning
    let wavefront: Wavefront
    let grid: RenderParameters
    /// Paths for the next slice, by what the last ones took.
    private var slicePaths: Int

    /// Builds the programs and brings the blob to the device.
    ///
    /// - Throws: ``Failure`` when the device fails or its memory does not suffice.
    public init(
        _ blob: RenderBlob, on device: any ComputeDevice, clock: any Clock,
        tuning: Tuning = Tuning()
    ) throws(Failure) {
        let description = device.description
        let memory = RenderMemory(blob, on: description, pathsMax: tuning.pathsMax)
        try memory.check(description)
        self.blob = blob
        self.device = device
        self.clock = clock
        self.tuning = tuning
        grid = RenderParameters(width: blob.width, height: blob.height)
        let start = clock.monotonicSeconds
        let isNarrow = tuning.isNarrow ?? !description.prefersWideVectors
        let programs = try RenderPrograms(
            device, isNarrow: isNarrow, hasPackets: tuning.hasPackets ?? !isNarrow,
            features: blob.features)
        let built = clock.monotonicSeconds
        slicePaths = min(memory.pathCount, 1 << 16)
        wavefront = try Wavefront(
            blob, on: device, programs: programs, capacity: memory.pathCount)
        let ready = clock.monotonicSeconds
        try wavefront.warmUp()
        compileSeconds = built - start + clock.monotonicSeconds - ready
    }

    /// Renders samples `samples` of tiles `tiles`.
    ///
    /// - Parameters:
    ///   - advance: called between slices with the part done, 0…1; what it throws ends the run.
    ///   - finish: takes each tile as it becomes whole, in order.
    public func render(
        tiles: Range<Int>, samples: Range<Int>,
        advance: (Double) throws(Failure) -> Void,
        finish: (TileSums) throws(Failure) -> Void
    ) throws(Failure) {
        try render(
            tiles: tiles, samples: samples,
            goesOn: { part throws(Failure) in
                try advance(part)
                return true
            }, finish: finish)
    }

    /// The same, until `goesOn` says no: then some tiles have the first of their samples alone, or
    /// none.
    func render(
        tiles: Range<Int>, samples: Range<Int>, goesOn: (Double) throws(Failure) -> Bool,
        finish: (TileSums) throws(Failure) -> Void
    ) throws(Failure) {
        try check(tiles)
        guard 0 <= samples.lowerBound, samples.upperBound <= RenderParameters.samplesMax,
            !samples.isEmpty
        else {
            throw Failure(
                .limit, "samples \(samples): within 0..<\(RenderParameters.samplesMax) expected")
        }
        var first = tiles.lowerBound
        var isGoing = true
        while isGoing, first < tiles.upperBound {
            let last = min(first + groupMax(samples: samples.count), tiles.upperBound)
            let group = Array(first..<last)
            let done = { (part: Double) in
                (Double(first - tiles.lowerBound) + part * Double(group.count))
                    / Double(tiles.count)
            }
            let sums = try renderGroup(group, samples) { count throws(Failure) in
                isGoing = try goesOn(done(Double(count) / Double(samples.count)))
                return isGoing
            }
            for tile in sums { try finish(tile) }
            first += group.count
        }
        if isGoing { _ = try goesOn(1) }
    }

    func check(_ tiles: Range<Int>) throws(Failure) {
        guard 0 <= tiles.lowerBound, tiles.upperBound <= grid.tileCount, !tiles.isEmpty else {
            throw Failure(.malformed, "tiles \(tiles): within 0..<\(grid.tileCount) expected")
        }
    }

    /// Tiles whose samples up to `samples` fill about a slice.
    func groupMax(samples: Int) -> Int { max(slicePaths / (1024 * samples), 1) }

    /// Samples of a few tiles.
    ///
    /// - Parameter advance: called after each slice with the samples done; says whether to go on.
    /// - Returns: what was done of each tile.
    func renderGroup(
        _ group: [Int], _ samples: Range<Int>, advance: (Int) throws(Failure) -> Bool
    ) throws(Failure) -> [TileSums] {
        let tiles = try tileWords(group)
        let sums = try device.makeBuffer(byteCount: group.count * 1024 * 32)
        let pixels = pixelCount(of: group)
        var first = samples.lowerBound
        var goesOn = true
        while goesOn, first < samples.upperBound {
            let fitting = max(slicePaths / (1024 * group.count), 1)
            let step = blob.step(ofSample: first)
            let end = min(samples.upperBound, blob.samplesEnd(ofStep: step))
            let count = min(fitting, end - first)
            let start = clock.monotonicSeconds
            try wavefront.trace(
                tiles: tiles, tileCount: group.count, firstSample: first, samples: count,
                pathCount: pixels * count, step: step, into: sums,
                isFirst: first == samples.lowerBound)
            try device.finish()
            adapt(paths: group.count * 1024 * count, seconds: clock.monotonicSeconds - start)
            first += count
            goesOn = try advance(first - samples.lowerBound)
        }
        let words = try device.read(Int64.self, count: group.count * 4096, from: sums)
        return group.enumerated().map { place, tile in
            tileSums(tile, first - samples.lowerBound, words[4096 * place..<4096 * (place + 1)])
        }
    }

    /// Tiles as kernels take them: the column, and above 16 bits the row.
    func tileWords(_ group: [Int]) throws(Failure) -> any ComputeBuffer {
        try device.makeBuffer(
            group.map { UInt32($0 % grid.tilesWide | ($0 / grid.tilesWide) << 16) })
    }

    /// Pixels inside the frame.
    func pixelCount(of group: [Int]) -> Int {
        group.reduce(0) { $0 + size(of: $1).width * size(of: $1).height }
    }

    /// Follows one sample of a tile's paths, bounce by bounce: slow, for disputes alone.
    public func trace(tile: Int, sample: Int) throws(Failure) -> PathTrace {
        guard (0..<grid.tileCount).contains(tile) else {
            throw Failure(.malformed, "tile \(tile): within 0..<\(grid.tileCount) expected")
        }
        let tiles = try tileWords([tile])
        let sums = try device.makeBuffer(byteCount: 1024 * 32)
        var moments: [PathTrace.Moment] = []
        try wavefront.clear(slots: 1024)
        try wavefront.trace(
            tiles: tiles, tileCount: 1, firstSample: sample, samples: 1,
            pathCount: pixelCount(of: [tile]), step: blob.step(ofSample: sample), into: sums,
            isFirst: true,
            inspect: { (count: Int) throws(Failure) in
                moments.append(
                    .init(pathCount: count, fields: try self.wavefront.state(slots: 1024)))
            })
        try device.finish()
        return PathTrace(moments: moments, tile: tile, sample: sample, grid: grid)
    }

    /// Sizes the next slice by what this one took.
    private func adapt(paths: Int, seconds: Double) {
        // The rest of a pass is small because there was no more to do.
        guard seconds > 0, 2 * paths > slicePaths else { return }
        let factor = min(max(tuning.sliceSeconds / seconds, 0.5), 2)
        let wanted = Int(Double(paths) * factor)
        slicePaths = min(max(wanted, 1024), wavefront.capacity)
    }

    private func size(of tile: Int) -> (width: Int, height: Int) { grid.size(ofTile: tile) }

    private func tileSums(_ tile: Int, _ samples: Int, _ words: ArraySlice<Int64>) -> TileSums {
        let (width, height) = size(of: tile)
        var sums: [Int64] = []
        sums.reserveCapacity(3 * width * height)
        var nanCount = 0
        for y in 0..<height {
            for x in 0..<width {
                let place = words.startIndex + 4 * (y * TileSums.side + x)
                sums.append(words[place])
                sums.append(words[place + 1])
                sums.append(words[place + 2])
                nanCount += Int(words[place + 3])
            }
        }
        return TileSums(
            tile: tile, width: width, height: height, sampleCount: samples, nanCount: nanCount,
            sums: sums)
    }
}
