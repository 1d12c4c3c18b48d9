/// A tree over the lights that have a place, for a choice by how much of each comes to a surface:
/// `Kernels/render/light_tree.cl`.
///
/// It is split where what its halves send out is least spread, over places and directions, by bins
/// of places: Conty Estevez and Kulla, "Importance Sampling of Many Lights with Adaptive Tree
/// Splitting" (2018).
package struct LightTree {
    /// ``BlobLayout/Section/lightNodes``.
    package private(set) var nodes: [UInt32] = []
    /// For each light the way to its leaf: bit n says whether it lies below the second child of the
    /// node at depth n.
    package private(set) var trails: [UInt32] = []
    /// Levels below the root.
    package private(set) var levels = 0

    /// With fewer lights choosing by power costs less and hardly errs.
    package static let lightsMin = 65
    /// The root has 2²⁶ chances at the least, and every light wants one.
    package static let lightsMax = 1 << 24
    /// So that a trail is one word.
    static let levelsMax = 32

    /// By the place that they have in the tree so far.
    private var lights: [PlacedLight]
    private let firstEmitter: Int
    /// Of a light's intensity: makes powers such that `power` over a squared distance is near one.
    private let scale: Double

    /// - Parameter radius: the scene's; distances within it are what numbers are made for.
    /// - Precondition: there is a light, and emitters are numbered as lights are, from the first
    ///   light's on.
    package init(_ lights: [PlacedLight], radius: Double) {
        self.lights = lights
        firstEmitter = lights[0].emitter
        let all = LightCluster(lights[...])
        let far = max(radius, all.radius)
        scale = all.intensity > 0 ? far * far / all.intensity : 0
        trails = [UInt32](repeating: 0, count: lights.count)
        nodes.reserveCapacity(2 * lights.count * Self.nodeWords)
        appendNodes(1)
        build(lights.indices, node: 0, depth: 0, trail: 0)
    }

    private static let nodeWords = BlobLayout.Section.lightNodes.stride

    private mutating func appendNodes(_ count: Int) {
        nodes.append(contentsOf: repeatElement(0, count: count * Self.nodeWords))
    }

    private mutating func build(_ range: Range<Int>, node: Int, depth: Int, trail: UInt32) {
        levels = max(levels, depth)
        let cluster = LightCluster(lights[range])
        guard range.count > 1 else {
            let emitter = lights[range.lowerBound].emitter
            trails[emitter - firstEmitter] = trail
            write(cluster, node, child: BlobLayout.lightNodeLeaf | UInt32(emitter))
            return
        }
        let first = nodes.count / Self.nodeWords
        write(cluster, node, child: UInt32(first))
        appendNodes(2)
        let middle = part(range, cluster, levelsLeft: Self.levelsMax - depth)
        build(range.lowerBound..<middle, node: first, depth: depth + 1, trail: trail)
        build(
            middle..<range.upperBound, node: first + 1, depth: depth + 1,
            trail: trail | 1 << UInt32(depth))
    }

    private mutating func write(_ cluster: LightCluster, _ node: Int, child: UInt32) {
        typealias Word = BlobLayout.LightNodeWord
        let at = node * Self.nodeWords
        func set(_ word: Int, _ value: Double) {
            nodes[at + word] = RenderBlob.tame(Float(value)).bitPattern
        }
        for axis in 0..<3 {
            set(Word.center + axis, cluster.center[axis])
            set(Word.axis + axis, cluster.axis[axis])
        }
        set(Word.radius, cluster.radius)
        set(Word.spread, cluster.spread)
        set(Word.power, max(cluster.intensity * scale, 0x1p-59))
        set(Word.nearness, 1 / max(cluster.radius * cluster.radius, 0x1p-60))
        nodes[at + Word.count] = UInt32(cluster.count)
        nodes[at + Word.child] =
            child | (cluster.kind == .spot ? BlobLayout.lightNodeSpots : 0)
    }

    /// Orders the lights of `range` so that those of the first child come first; where the second's
    /// begin.
    private mutating func part(
        _ range: Range<Int>, _ cluster: LightCluster, levelsLeft: Int
    ) -> Int {
        let middle = range.lowerBound + range.count / 2
        // Halves always fit.
        let levelsWanted = Int.bitWidth - (range.count - 1).leadingZeroBitCount
        guard levelsWanted < levelsLeft,
            let split = LightBins.bestSplit(lights[range], cluster)
        else { return middle }
        return lights.withUnsafeMutableBufferPointer { lights in
            lights[range].partition { !split.isFirst($0) }
        }
    }
}

/// Where to part a node's lights, along one axis.
private struct LightSplit {
    var bins: LightBins.Axis
    /// The first bin that belongs to the second child.
    var bin: Int

    func isFirst(_ light: PlacedLight) -> Bool { bins.bin(light) < bin }
}

/// What the lights of a node have in common, by bins along an axis.
private struct LightBins {
    private static let count = 12

    struct Axis {
        let axis: Int
        let low: Double
        /// Bins a unit of length.
        let over: Double

        func bin(_ light: PlacedLight) -> Int {
            min(max(Int((light.middle[axis] - low) * over), 0), LightBins.count - 1)
        }
    }

    /// The lights of a bin, or of several: whether they are together, and shine the same way.
    private struct Bin {
        var low = SIMD3<Double>(repeating: .infinity)
        var high = SIMD3<Double>(repeating: -.infinity)
        var intensity = 0.0
        /// Directions by intensity: as long as that where all are the same.
        var along = SIMD3<Double>.zero

        mutating func add(_ light: PlacedLight, toward axis: SIMD3<Double>) {
            low = low.replacing(with: light.low, where: light.low .< low)
            high = high.replacing(with: light.high, where: light.high .> high)
            intensity += light.intensity
            let isTurned = light.kind == .surface && (light.axis * axis).sum() < 0
            along += light.axis * (isTurned ? -light.intensity : light.intensity)
        }

        mutating func add(_ other: Bin) {
            low = low.replacing(with: other.low, where: other.low .< low)
            high = high.replacing(with: other.high, where: other.high .> high)
            intensity += other.intensity
            along += other.along
        }

        var cost: Double {
            guard intensity > 0 else { return 0 }
            let d = high - low
            // Lights in a row have neither an area nor a volume, but an extent.
            let extent = d.x * d.y + d.y * d.z + d.z * d.x + (d * d).sum()
            let sameness = (along * along).sum().squareRoot() / intensity
            return intensity * extent * (4 - 3 * sameness)
        }
    }

    /// The cheapest split of all axes; nil where all lights have one place.
    static func bestSplit(
        _ lights: ArraySlice<PlacedLight>, _ cluster: LightCluster
    ) -> LightSplit? {
        var best: (cost: Double, split: LightSplit)?
        for axis in 0..<3 {
            let low = cluster.middleLow[axis]
            let over = Double(count) / (cluster.middleHigh[axis] - low)
            guard over.isFinite else { continue }
            let bins = Axis(axis: axis, low: low, over: over)
            let costs = costs(lights, bins, toward: cluster.axis)
            for (place, cost) in costs.enumerated() where cost < best?.cost ?? .infinity {
                best = (cost, LightSplit(bins: bins, bin: place + 1))
            }
        }
        return best?.split
    }

    /// What a split before each bin but the first costs; infinite where one side has no lights.
    private static func costs(
        _ lights: ArraySlice<PlacedLight>, _ axis: Axis, toward direction: SIMD3<Double>
    ) -> [Double] {
        var bins = [Bin](repeating: Bin(), count: count)
        var counts = [Int](repeating: 0, count: count)
        for light in lights {
            let bin = axis.bin(light)
            bins[bin].add(light, toward: direction)
            counts[bin] += 1
        }
        var costs = [Double](repeating: 0, count: count - 1)
        var sum = Bin()
        var lightCount = 0
        for bin in 0..<count - 1 {
            sum.add(bins[bin])
            lightCount += counts[bin]
            let isParted = lightCount > 0 && lightCount < lights.count
            costs[bin] = isParted ? sum.cost : .infinity
        }
        sum = Bin()
        for bin in (1..<count).reversed() {
            sum.add(bins[bin])
            costs[bin - 1] += sum.cost
        }
        return costs
    }
}
