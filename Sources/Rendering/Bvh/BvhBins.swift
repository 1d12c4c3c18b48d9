/// How a range of boxes is cut in two: by the plane of least cost among 16 bins along each axis.
///
/// The surface-area heuristic counts blocks of triangles rather than triangles, since a leaf's
/// block costs the same however full it is (MacDonald and Booth 1990; Wald 2007 for the bins).
struct BvhPlane {
    let axis: Int
    /// The first bin beyond the plane.
    let bin: UInt32
    let grid: BvhGrid
    /// What lies on each side.
    let left: Box
    let right: Box
}

/// Bins along each axis between the least and the greatest centre.
struct BvhGrid {
    static let binCount = 16

    let low: SIMD4<Float>
    /// Zero along an axis without extent.
    let scale: SIMD4<Float>

    init(centres: Box) {
        let extent = centres.high - centres.low
        // The greatest centre still falls into the last bin.
        let bins = Float(Self.binCount) * 0x1.fffffcp-1
        var scale = SIMD4<Float>(repeating: 0)
        for axis in 0..<3 where extent[axis] > 0x1p-100 { scale[axis] = bins / extent[axis] }
        low = centres.low
        self.scale = scale
    }

    /// The bins of a centre. Adding 1.5 · 2²³ leaves a float's whole part in its lowest bits, here
    /// rounded to the nearest: hence the half.
    @inline(__always)
    func bins(_ centre: SIMD4<Float>) -> SIMD4<UInt32> {
        let place = (centre - low) * scale - 0x1.fffffep-2
        let bits = unsafeBitCast(place + 0x1.8p23, to: SIMD4<UInt32>.self)
        return bits & UInt32(Self.binCount - 1)
    }
}

/// Boxes and numbers of what falls into each bin.
struct BvhBins {
    private typealias Boxes = UnsafeMutablePointer<Box>
    private static let count = 3 * BvhGrid.binCount
    private let boxes: UnsafeMutablePointer<Box>
    private let counts: UnsafeMutablePointer<Int32>

    static func make() -> BvhBins { BvhBins() }

    private init() {
        boxes = .allocate(capacity: Self.count)
        counts = .allocate(capacity: Self.count)
        clear()
    }

    func free() {
        boxes.deallocate()
        counts.deallocate()
    }

    func clear() {
        boxes.initialize(repeating: .empty, count: Self.count)
        counts.initialize(repeating: 0, count: Self.count)
    }

    @inline(__always)
    func fill(_ items: UnsafeMutableBufferPointer<BvhItem>, _ grid: BvhGrid) {
        for item in items {
            let bins = grid.bins(item.centre)
            let x = Int(truncatingIfNeeded: bins.x)
            let y = Int(truncatingIfNeeded: bins.y) &+ BvhGrid.binCount
            let z = Int(truncatingIfNeeded: bins.z) &+ 2 &* BvhGrid.binCount
            boxes[x].unite(item.box)
            boxes[y].unite(item.box)
            boxes[z].unite(item.box)
            counts[x] &+= 1
            counts[y] &+= 1
            counts[z] &+= 1
        }
    }

    func add(_ other: BvhBins) {
        for bin in 0..<Self.count {
            boxes[bin].unite(other.boxes[bin])
            counts[bin] &+= other.counts[bin]
        }
    }

    /// The plane with the least cost; ties go to the lower axis and bin. Nil where no plane has
    /// something on both of its sides.
    func cheapest(_ grid: BvhGrid, blockSize: Int32) -> BvhPlane? {
        var best: (axis: Int, bin: Int)?
        var bestCost = Float.infinity
        for axis in 0..<3 where grid.scale[axis] > 0 {
            let (cost, bin) = sweep(axis, blockSize)
            if cost < bestCost {
                bestCost = cost
                best = (axis, bin)
            }
        }
        guard let best else { return nil }
        let first = best.axis * BvhGrid.binCount
        var (left, right) = (Box.empty, Box.empty)
        for bin in 0..<best.bin { left.unite(boxes[first + bin]) }
        for bin in best.bin..<BvhGrid.binCount { right.unite(boxes[first + bin]) }
        return BvhPlane(
            axis: best.axis, bin: UInt32(best.bin), grid: grid, left: left, right: right)
    }

    private func sweep(_ axis: Int, _ blockSize: Int32) -> (cost: Float, bin: Int) {
        let boxes = boxes + axis * BvhGrid.binCount
        let counts = counts + axis * BvhGrid.binCount
        func cost(_ box: Box, _ count: Int32) -> Float {
            count > 0
                ? box.halfArea * Float((count &+ blockSize &- 1) / blockSize) : .infinity
        }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: BvhGrid.binCount) { above in
            var box = Box.empty
            var count: Int32 = 0
            for bin in stride(from: BvhGrid.binCount - 1, to: 0, by: -1) {
                box.unite(boxes[bin])
                count &+= counts[bin]
                above[bin] = cost(box, count)
            }
            box = .empty
            count = 0
            var best = (Float.infinity, 0)
            for bin in 1..<BvhGrid.binCount {
                box.unite(boxes[bin - 1])
                count &+= counts[bin - 1]
                let both = cost(box, count) + above[bin]
                if both < best.0 { best = (both, bin) }
            }
            return best
        }
    }
}

extension BvhPlane {
    @inline(__always)
    func isLeft(_ item: BvhItem) -> Bool { grid.bins(item.centre)[axis] < bin }
}
