internal import Compute
public import Core
public import Imaging

/// What may lie beside a picture: what its camera rays met first.
public enum Auxiliary: String, CaseIterable, Sendable {
    /// Base colour, and shading normal in the scene's axes: means over all samples, nothing counts
    /// as zero.
    case albedo, normal
    /// Metres along the camera's axis: the mean over the samples that met something.
    case depth
    /// The number of the object and material that most samples met, from 1; 0 for nothing.
    case object, material
    /// Mattes of objects and materials by name.
    case cryptomatte
}

/// First hits of a frame: beside the settled picture, never part of it.
public struct FirstHits: Sendable {
    public let width: Int
    public let height: Int
    private let names: SceneNames
    private var albedo: [SIMD3<Float>]
    private var normal: [SIMD3<Float>]
    private var depth: [Float]
    private var objects: Ranking
    private var materials: Ranking

    /// Samples a pixel that first hits are taken of: the picture's first ones.
    public static let samplesMax = 64
    /// The depth of a pixel whose samples met nothing, as Blender has it.
    public static let depthOfNothing: Float = 1e10
    /// Words of a pixel's sum; `Kernels/render/aov.cl`.
    static let wordsPerPixel = 8

    /// What covers each pixel, foremost first.
    private struct Ranking: Sendable {
        /// Numbers from 1; 0 is nothing.
        var numbers: [[UInt32]]
        var coverages: [[Float]]
        /// What most samples met, nothing included.
        var foremost: [Float]

        init(_ pixels: Int) {
            let ranks = 0..<Cryptomatte.ranks
            numbers = ranks.map { _ in [UInt32](repeating: 0, count: pixels) }
            coverages = ranks.map { _ in [Float](repeating: 0, count: pixels) }
            foremost = [Float](repeating: 0, count: pixels)
        }

        /// - Parameter met: the numbers that a pixel's samples met.
        mutating func set(_ pixel: Int, _ met: inout [UInt32]) {
            if let first = met.first, met.allSatisfy({ $0 == first }) {
                foremost[pixel] = Float(first)
                if first > 0 {
                    numbers[0][pixel] = first
                    coverages[0][pixel] = 1
                }
                return
            }
            met.sort()
            var counts: [(number: UInt32, count: Int)] = []
            for number in met {
                if counts.last?.number == number {
                    counts[counts.count - 1].count += 1
                } else {
                    counts.append((number, 1))
                }
            }
            // The lower number first where two cover alike.
            counts.sort { ($1.count, $0.number) < ($0.count, $1.number) }
            foremost[pixel] = Float(counts[0].number)
            for (rank, entry) in counts.filter({ $0.number > 0 }).prefix(numbers.count).enumerated()
            {
                numbers[rank][pixel] = entry.number
                coverages[rank][pixel] = Float(entry.count) / Float(met.count)
            }
        }

        func identifiers(_ names: [String]) -> [[Float]] {
            let known = [0] + names.map(Cryptomatte.identifier)
            return numbers.map { $0.map { known[Int($0)] } }
        }
    }

    init(width: Int, height: Int, _ names: SceneNames) {
        self.width = width
        self.height = height
        self.names = names
        let pixels = width * height
        albedo = [SIMD3<Float>](repeating: .zero, count: pixels)
        normal = albedo
        depth = [Float](repeating: Self.depthOfNothing, count: pixels)
        objects = Ranking(pixels)
        materials = Ranking(pixels)
    }

    /// Takes the samples of one pixel.
    ///
    /// - Parameters:
    ///   - sums: the kernel's words.
    ///   - primitives: what each sample met.
    mutating func set(_ pixel: Int, _ sums: ArraySlice<Int64>, _ primitives: [UInt32]) {
        let word = { (index: Int) in Double(sums[sums.startIndex + index]) }
        let whole = Double(primitives.count) * Double(TileSums.unitsPerOne)
        albedo[pixel] = [Float(word(0) / whole), Float(word(1) / whole), Float(word(2) / whole)]
        normal[pixel] = [Float(word(3) / whole), Float(word(4) / whole), Float(word(5) / whole)]
        let hits = word(7)
        if hits > 0 { depth[pixel] = Float(word(6) / (hits * Double(TileSums.unitsPerOne))) }
        var met = primitives.map { number($0, names.object) }
        objects.set(pixel, &met)
        met = primitives.map { number($0, names.material) }
        materials.set(pixel, &met)
    }

    private func number(_ primitive: UInt32, _ find: (Int) -> Int?) -> UInt32 {
        guard primitive != BlobLayout.primitiveNone, let found = find(Int(primitive)) else {
            return 0
        }
        return UInt32(found + 1)
    }

    /// Channels for an EXR file. Depth, numbers and mattes are always binary32.
    public func channels(_ wanted: Set<Auxiliary>, isHalf: Bool) -> [EXR.Channel] {
        var channels: [EXR.Channel] = []
        func add(_ layer: String, _ lanes: [String], _ values: [SIMD3<Float>]) {
            for (lane, name) in lanes.enumerated() {
                channels.append(
                    EXR.Channel("\(layer).\(name)", values.map { $0[lane] }, isHalf: isHalf))
            }
        }
        if wanted.contains(.albedo) { add("albedo", ["R", "G", "B"], albedo) }
        if wanted.contains(.normal) { add("normal", ["X", "Y", "Z"], normal) }
        if wanted.contains(.depth) { channels.append(EXR.Channel("depth.Z", depth)) }
        if wanted.contains(.object) { channels.append(EXR.Channel("object.X", objects.foremost)) }
        if wanted.contains(.material) {
            channels.append(EXR.Channel("material.X", materials.foremost))
        }
        if wanted.contains(.cryptomatte) {
            for (set, ranking, names) in mattes {
                channels += Cryptomatte.channels(
                    set, identifiers: ranking.identifiers(names), coverages: ranking.coverages)
            }
        }
        return channels
    }

    private var mattes: [(String, Ranking, [String])] {
        [
            ("CryptoObject", objects, names.objects),
            ("CryptoMaterial", materials, names.materials),
        ]
    }

    /// What the header says of them.
    public func attributes(_ wanted: Set<Auxiliary>) -> [String: String] {
        guard wanted.contains(.cryptomatte) else { return [:] }
        return mattes.reduce(into: [:]) { all, matte in
            all.merge(Cryptomatte.attributes(matte.0, names: matte.2)) { $1 }
        }
    }
}

extension RenderRun {
    /// First hits of the picture's first samples, at most ``FirstHits/samplesMax``, in the middle
    /// of the time that a shutter is open.
    ///
    /// - Parameter advance: called between slices with the part done; what it throws ends the run.
    public func firstHits(
        _ names: SceneNames, samples: Int, advance: (Double) throws(Failure) -> Void
    ) throws(Failure) -> FirstHits {
        let program = try device.program(RenderPrograms.firstHits(isNarrow: wavefront.isNarrow))
        let samples = min(samples, FirstHits.samplesMax)
        var hits = FirstHits(width: grid.width, height: grid.height, names)
        var first = 0
        while first < grid.tileCount {
            let last = min(first + groupMax(samples: samples), grid.tileCount)
            try addHits(of: Array(first..<last), samples: samples, program, to: &hits)
            first = last
            try advance(Double(first) / Double(grid.tileCount))
        }
        return hits
    }

    private func addHits(
        of group: [Int], samples: Int, _ program: any ComputeProgram, to hits: inout FirstHits
    ) throws(Failure) {
        let tiles = try tileWords(group)
        let sums = try device.makeBuffer(
            byteCount: group.count * 1024 * FirstHits.wordsPerPixel * 8)
        var primitives: [UInt32] = []
        var first = 0
        while first < samples {
            let count = min(max(wavefront.capacity / (1024 * group.count), 1), samples - first)
            primitives += try wavefront.meetFirst(
                tiles: tiles, tileCount: group.count, firstSample: first, samples: count,
                pathCount: pixelCount(of: group) * count, step: blob.stepCount / 2, program,
                into: sums)
            first += count
        }
        let words = try device.read(
            Int64.self, count: group.count * 1024 * FirstHits.wordsPerPixel, from: sums)
        let pixels = group.count * 1024
        for place in 0..<pixels {
            let tile = group[place / 1024]
            let size = grid.size(ofTile: tile)
            let (column, row) = (Self.spread(place % 1024), Self.spread(place % 1024 / 2))
            guard column < size.width, row < size.height else { continue }
            let x = tile % grid.tilesWide * TileSums.side + column
            let y = tile / grid.tilesWide * TileSums.side + row
            let start =
                FirstHits.wordsPerPixel * (place / 1024 * 1024 + row * TileSums.side + column)
            hits.set(
                y * grid.width + x, words[start..<start + FirstHits.wordsPerPixel],
                (0..<samples).map { primitives[$0 * pixels + place] })
        }
    }

    /// Every second bit: a pixel's column from its place along the Morton curve of its tile.
    private static func spread(_ place: Int) -> Int {
        (0..<5).reduce(0) { $0 | (place >> (2 * $1) & 1) << $1 }
    }
}
