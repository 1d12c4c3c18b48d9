/// An axis-aligned box; the fourth lane is unused.
struct Box {
    var low: SIMD4<Float>
    var high: SIMD4<Float>

    static let empty = Box(
        low: .init(repeating: .infinity), high: .init(repeating: -.infinity))

    @inline(__always)
    mutating func unite(_ other: Box) {
        low = low.replacing(with: other.low, where: other.low .< low)
        high = high.replacing(with: other.high, where: other.high .> high)
    }

    @inline(__always)
    mutating func unite(_ point: SIMD4<Float>) {
        low = low.replacing(with: point, where: point .< low)
        high = high.replacing(with: point, where: point .> high)
    }

    /// Half the surface; zero for the empty box.
    @inline(__always)
    var halfArea: Float {
        let d = high - low
        return d.x >= 0 ? d.x * d.y + d.y * d.z + d.z * d.x : 0
    }
}

/// Builds a binary tree over boxes by the surface-area heuristic, with 16 bins along each axis.
///
/// The tree never shows in a picture (a hit is the least (distance, primitive)), but it is a
/// function of the boxes alone: ties go to the lower axis and bin, and boxes that cannot be told
/// apart are halved by position.
struct BvhBuilder {
    /// A node: two children, or `count` primitives from `first` in `order`.
    struct Node {
        var box: Box
        var left: Int32 = -1
        var right: Int32 = -1
        var first: Int32 = 0
        var count: Int32 = 0
        var isLeaf: Bool { left < 0 }
    }

    static let leafMax = 8
    static let binCount = 16

    private(set) var nodes: [Node] = []
    private(set) var order: [Int32]
    private let boxes: [Box]
    private let depthMax: Int

    /// - Parameter depthMax: beyond it, ranges are halved by position, which bounds the tree.
    init(boxes: [Box], depthMax: Int = 48) {
        self.boxes = boxes
        self.depthMax = depthMax
        order = boxes.indices.map { Int32($0) }
    }

    /// Builds the tree; node 0 is its root. Without boxes there are no nodes.
    mutating func build() {
        guard !boxes.isEmpty else { return }
        nodes.reserveCapacity(boxes.count / 2)
        nodes.append(Node(box: .empty, first: 0, count: Int32(boxes.count)))
        var pending: [(node: Int, depth: Int)] = [(0, 0)]
        boxes.withUnsafeBufferPointer { boxes in
            while let (index, depth) = pending.popLast() {
                let first = Int(nodes[index].first)
                let count = Int(nodes[index].count)
                let middle = order.withUnsafeMutableBufferPointer { order in
                    let range = UnsafeMutableBufferPointer(rebasing: order[first..<first + count])
                    return Self.split(
                        range, boxes, box: &nodes[index].box, isDeep: depth >= depthMax)
                }
                guard let middle else { continue }
                nodes[index].left = Int32(nodes.count)
                nodes[index].right = Int32(nodes.count + 1)
                nodes.append(Node(box: .empty, first: Int32(first), count: Int32(middle)))
                nodes.append(
                    Node(box: .empty, first: Int32(first + middle), count: Int32(count - middle)))
                pending.append((nodes.count - 1, depth + 1))
                pending.append((nodes.count - 2, depth + 1))
            }
        }
    }

    /// Measures the range's box and reorders it in two parts; the size of the first, or nil where
    /// the range is a leaf.
    private static func split(
        _ order: UnsafeMutableBufferPointer<Int32>, _ boxes: UnsafeBufferPointer<Box>,
        box: inout Box, isDeep: Bool
    ) -> Int? {
        var all = Box.empty
        var centres = Box.empty
        for index in order {
            let one = boxes[Int(index)]
            all.unite(one)
            centres.unite(one.low + one.high)
        }
        box = all
        if order.count <= leafMax { return nil }
        let extent = centres.high - centres.low
        guard !isDeep, extent.x > 0 || extent.y > 0 || extent.z > 0 else { return order.count / 2 }
        let bins = Float(binCount) * 0x1.fffffcp-1
        var scale = SIMD4<Float>(repeating: 0)
        for axis in 0..<3 where extent[axis] > 0x1p-100 { scale[axis] = bins / extent[axis] }
        guard
            let best = bestPlane(order, boxes, low: centres.low, scale: scale)
        else { return order.count / 2 }
        return partition(order) { index in
            let one = boxes[Int(index)]
            let place = (one.low + one.high - centres.low) * scale
            return Int32(place[best.axis]) < best.bin
        }
    }

    /// The plane with the least cost, as an axis and the first bin beyond it.
    private static func bestPlane(
        _ order: UnsafeMutableBufferPointer<Int32>, _ boxes: UnsafeBufferPointer<Box>,
        low: SIMD4<Float>, scale: SIMD4<Float>
    ) -> (axis: Int, bin: Int32)? {
        withUnsafeTemporaryAllocation(of: Box.self, capacity: 3 * binCount) { bins in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: 3 * binCount) { counts in
                bins.initialize(repeating: .empty)
                counts.initialize(repeating: 0)
                for index in order {
                    let one = boxes[Int(index)]
                    let place = (one.low + one.high - low) * scale
                    let x = Int(Int32(place.x))
                    let y = Int(Int32(place.y)) + binCount
                    let z = Int(Int32(place.z)) + 2 * binCount
                    bins[x].unite(one)
                    bins[y].unite(one)
                    bins[z].unite(one)
                    counts[x] += 1
                    counts[y] += 1
                    counts[z] += 1
                }
                var best: (axis: Int, bin: Int32)?
                var bestCost = Float.infinity
                for axis in 0..<3 where scale[axis] > 0 {
                    let (cost, bin) = cheapest(
                        UnsafeMutableBufferPointer(
                            rebasing: bins[axis * binCount..<(axis + 1) * binCount]),
                        UnsafeMutableBufferPointer(
                            rebasing: counts[axis * binCount..<(axis + 1) * binCount]))
                    if cost < bestCost {
                        bestCost = cost
                        best = (axis, bin)
                    }
                }
                return best
            }
        }
    }

    /// Sweeps one axis: the cost of the best plane, and the first bin beyond it.
    private static func cheapest(
        _ bins: UnsafeMutableBufferPointer<Box>, _ counts: UnsafeMutableBufferPointer<Int32>
    ) -> (Float, Int32) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: binCount) { above in
            var box = Box.empty
            var count: Int32 = 0
            for bin in stride(from: binCount - 1, to: 0, by: -1) {
                box.unite(bins[bin])
                count += counts[bin]
                above[bin] = count > 0 ? box.halfArea * Float(count) : .infinity
            }
            box = .empty
            count = 0
            var best = (Float.infinity, Int32(0))
            for bin in 1..<binCount {
                box.unite(bins[bin - 1])
                count += counts[bin - 1]
                let cost = count > 0 ? box.halfArea * Float(count) + above[bin] : .infinity
                if cost < best.0 { best = (cost, Int32(bin)) }
            }
            return best
        }
    }

    /// Moves what belongs left to the front; how many there are.
    @inline(__always)
    private static func partition(
        _ order: UnsafeMutableBufferPointer<Int32>, _ isLeft: (Int32) -> Bool
    ) -> Int {
        var left = 0
        var right = order.count
        while left < right {
            if isLeft(order[left]) {
                left += 1
            } else {
                right -= 1
                order.swapAt(left, right)
            }
        }
        return left
    }
}
