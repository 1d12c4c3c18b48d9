/// A subtree that one thread builds alone.
struct BvhSubtree {
    let range: BvhRange
    /// Its root's place among the nodes of the whole tree.
    let root: Int32
    /// From the root on, as if there were nothing else.
    private(set) var nodes: [BvhBuilder.Node] = []

    init(_ range: BvhRange, root: Int32) {
        self.range = range
        self.root = root
    }

    mutating func grow(_ rules: BvhRules) {
        let bins = BvhBins.make()
        defer { bins.free() }
        nodes.reserveCapacity(range.items.count / 2 + 1)
        nodes.append(Self.node(range))
        var pending = [(range, 0)]
        while let (range, index) = pending.popLast() {
            guard let (left, right) = range.cut(rules, bins) else {
                for (place, item) in range.items.enumerated() { range.numbers[place] = item.number }
                continue
            }
            nodes[index].left = Int32(nodes.count)
            nodes[index].right = Int32(nodes.count + 1)
            nodes.append(Self.node(left))
            nodes.append(Self.node(right))
            pending.append((right, nodes.count - 1))
            pending.append((left, nodes.count - 2))
        }
    }

    static func node(_ range: BvhRange) -> BvhBuilder.Node {
        BvhBuilder.Node(
            box: range.box, first: Int32(range.first), count: Int32(range.items.count))
    }
}

extension BvhRange {
    /// In two; nil where the range is a leaf.
    func cut(_ rules: BvhRules, _ bins: BvhBins) -> (BvhRange, BvhRange)? {
        if items.count <= rules.leafMax { return nil }
        guard depth < rules.depthMax, hasExtent else { return halved() }
        bins.clear()
        let grid = BvhGrid(centres: centres)
        bins.fill(items, grid)
        guard let plane = bins.cheapest(grid, blockSize: Int32(rules.leafMax)) else {
            return halved()
        }
        return partition(plane)
    }

    /// Moves what belongs left to the front.
    private func partition(_ plane: BvhPlane) -> (BvhRange, BvhRange) {
        var (leftCentres, rightCentres) = (Box.empty, Box.empty)
        var left = 0
        var right = items.count
        while left < right {
            let item = items[left]
            if plane.isLeft(item) {
                leftCentres.unite(item.centre)
                left += 1
            } else {
                rightCentres.unite(item.centre)
                right -= 1
                items[left] = items[right]
                items[right] = item
            }
        }
        return (
            BvhRange(self, 0..<left, isMoved: false, box: plane.left, centres: leftCentres),
            BvhRange(
                self, left..<items.count, isMoved: false, box: plane.right, centres: rightCentres)
        )
    }

    /// In two, by all threads; for ranges that are no leaves.
    func cutTogether(_ rules: BvhRules) -> (BvhRange, BvhRange) {
        guard depth < rules.depthMax, hasExtent else { return halved() }
        let grid = BvhGrid(centres: centres)
        let parts = BvhChunks.map(items.count) { range, _ in
            let bins = BvhBins.make()
            bins.fill(UnsafeMutableBufferPointer(rebasing: items[range]), grid)
            return bins
        }
        defer { for bins in parts { bins.free() } }
        for bins in parts.dropFirst() { parts[0].add(bins) }
        guard let plane = parts[0].cheapest(grid, blockSize: Int32(rules.leafMax)) else {
            return halved()
        }
        return moveTogether(plane)
    }

    /// What one piece of a range puts on each side.
    private struct Share {
        var left = 0
        var leftCentres = Box.empty
        var rightCentres = Box.empty
    }

    /// Moves the items to the other place, those that belong left first; in their order, so that
    /// the pieces do not show.
    private func moveTogether(_ plane: BvhPlane) -> (BvhRange, BvhRange) {
        let shares = BvhChunks.map(items.count) { range, _ in
            var share = Share()
            for item in items[range] {
                if plane.isLeft(item) {
                    share.leftCentres.unite(item.centre)
                    share.left += 1
                } else {
                    share.rightCentres.unite(item.centre)
                }
            }
            return share
        }
        var whole = Share()
        var leftStarts: [Int] = []
        for share in shares {
            leftStarts.append(whole.left)
            whole.left += share.left
            whole.leftCentres.unite(share.leftCentres)
            whole.rightCentres.unite(share.rightCentres)
        }
        let (middle, others) = (whole.left, others)
        _ = BvhChunks.map(items.count) { range, piece in
            var left = leftStarts[piece]
            var right = middle + range.lowerBound - left
            for item in items[range] {
                let isLeft = plane.isLeft(item)
                others[isLeft ? left : right] = item
                left += isLeft ? 1 : 0
                right += isLeft ? 0 : 1
            }
        }
        return (
            BvhRange(self, 0..<middle, isMoved: true, box: plane.left, centres: whole.leftCentres),
            BvhRange(
                self, middle..<items.count, isMoved: true, box: plane.right,
                centres: whole.rightCentres)
        )
    }
}
