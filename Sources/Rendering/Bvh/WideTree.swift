/// A binary tree with up to eight descendants of a node taken together.
struct WideTree {
    struct Node {
        /// Nodes of the binary tree, the first `count` lanes.
        var children = SIMD8<Int32>(repeating: 0)
        var words = SIMD8<UInt32>(repeating: 0)
        var count = 0
    }

    /// Children lie behind their parents.
    private(set) var nodes: [Node] = []
    /// Leaves of the binary tree, in the order of their blocks.
    private(set) var leaves: [Int32] = []
    private(set) var stackNeed = 0

    init(_ builder: BvhBuilder) {
        guard !builder.nodes.isEmpty else { return }
        nodes.reserveCapacity(builder.nodes.count / 10)
        leaves.reserveCapacity(builder.nodes.count / 2 + 1)
        builder.nodes.withUnsafeBufferPointer { binary in
            var pending: [(root: Int32, parent: Int, lane: Int)] = [(0, -1, 0)]
            while let (root, parent, lane) = pending.popLast() {
                let place = nodes.count
                if parent >= 0 { nodes[parent].words[lane] = UInt32(place) }
                nodes.append(Self.open(root, binary))
                for lane in 0..<nodes[place].count where isLeaf(place, lane, binary) {
                    nodes[place].words[lane] = UInt32(leaves.count) | BlobLayout.childLeaf
                    leaves.append(nodes[place].children[lane])
                }
                for lane in (0..<nodes[place].count).reversed()
                where !isLeaf(place, lane, binary) {
                    pending.append((nodes[place].children[lane], place, lane))
                }
            }
        }
        stackNeed = measureStack()
    }

    private func isLeaf(
        _ place: Int, _ lane: Int, _ binary: UnsafeBufferPointer<BvhBuilder.Node>
    ) -> Bool {
        binary[Int(nodes[place].children[lane])].isLeaf
    }

    /// Up to eight descendants of `root`: the widest is opened first. A leaf stands alone.
    private static func open(
        _ root: Int32, _ binary: UnsafeBufferPointer<BvhBuilder.Node>
    ) -> Node {
        var node = Node()
        node.children[0] = root
        node.count = 1
        var areas = SIMD8<Float>(repeating: -1)
        areas[0] = binary[Int(root)].isLeaf ? -1 : .infinity
        while node.count < WideBvh.width {
            var widest = 0
            for lane in 1..<node.count where areas[lane] > areas[widest] { widest = lane }
            guard areas[widest] >= 0 else { break }
            let opened = binary[Int(node.children[widest])]
            for lane in stride(from: node.count, to: widest + 1, by: -1) {
                node.children[lane] = node.children[lane - 1]
                areas[lane] = areas[lane - 1]
            }
            for (lane, child) in [(widest, opened.left), (widest + 1, opened.right)] {
                let one = binary[Int(child)]
                node.children[lane] = child
                areas[lane] = one.isLeaf ? -1 : one.box.halfArea
            }
            node.count += 1
        }
        return node
    }

    /// All children of a node may wait while one is gone into.
    private func measureStack() -> Int {
        var needs = [Int32](repeating: 0, count: nodes.count)
        for index in nodes.indices.reversed() {
            let node = nodes[index]
            var need = Int32(node.count)
            for lane in 0..<node.count where node.words[lane] & BlobLayout.childLeaf == 0 {
                need = max(need, Int32(node.count) - 1 + needs[Int(node.words[lane])])
            }
            needs[index] = need
        }
        return Int(needs[0])
    }
}
