internal import Core

/// Trees of two levels: one over the world's triangles and the boxes of instances, and one for each
/// shared mesh, all in one row of nodes.
extension WideBvh {
    /// Joins a scene's trees.
    ///
    /// - Parameters:
    ///   - world: over the triangles in world space.
    ///   - boxes: each instance's, widened; nil for one that no ray can hit.
    ///   - meshes: over each shared mesh, in its own space.
    /// - Returns: the whole, and the root of each mesh in it.
    static func joined(
        world: WideBvh, boxes: [Box?], meshes: [WideBvh]
    ) throws(Failure) -> (tree: WideBvh, roots: [UInt32]) {
        let top = try WideBvh(boxes)
        let parts = [world, top].filter { $0.nodeCount > 0 }
        let hasRoot = parts.count > 1
        let all = parts + meshes
        var nodes: [UInt32] = []
        var blocks: [UInt32] = []
        nodes.reserveCapacity(nodeWords + all.reduce(0) { $0 + $1.nodes.count })
        blocks.reserveCapacity(all.reduce(0) { $0 + $1.blocks.count })
        if hasRoot { nodes += root(over: parts) }
        var roots: [UInt32] = []
        for part in all {
            let (firstNode, firstBlock) = (nodes.count / nodeWords, blocks.count / blockWords)
            roots.append(UInt32(firstNode))
            nodes += part.nodes
            blocks += part.blocks
            move(&nodes, from: firstNode, by: UInt32(firstNode), blocksBy: UInt32(firstBlock))
        }
        let need = (parts.map(\.stackNeed).max() ?? 0) + (hasRoot ? 1 : 0)
        let tree = WideBvh(nodes: nodes, blocks: blocks, stackNeed: need)
        return (tree, Array(roots.dropFirst(parts.count)))
    }

    /// A tree over instances, one a leaf.
    private init(_ boxes: [Box?]) throws(Failure) {
        let items = boxes.enumerated().compactMap { index, box in
            box.map { BvhItem($0, number: UInt32(index)) }
        }
        let (wide, builder) = try Self.build(leafMax: 1) { items }
        let nodes = Self.pack(wide, builder) { leaf in
            let node = builder.nodes[Int(wide.leaves[leaf])]
            // The world comes first among the records.
            let instance = builder.order[Int(node.first)] + 1
            return BlobLayout.childLeaf | BlobLayout.childInstance | instance
        }
        self.init(nodes: nodes, blocks: [], stackNeed: wide.stackNeed)
    }

    /// A node over two trees that follow it.
    private static func root(over parts: [WideBvh]) -> [UInt32] {
        var node = [UInt32](repeating: 0, count: nodeWords)
        var place: UInt32 = 1
        for (lane, part) in parts.enumerated() {
            let box = part.box
            for axis in 0..<3 {
                node[16 * axis + lane] = box.low[axis].bitPattern
                node[16 * axis + 8 + lane] = box.high[axis].bitPattern
            }
            node[48 + lane] = place
            place += UInt32(part.nodeCount)
        }
        node[56] = (1 << UInt32(parts.count)) - 1
        return node
    }

    /// Around the root's children.
    private var box: Box {
        var box = Box.empty
        for lane in 0..<nodes[56].nonzeroBitCount {
            func bound(_ word: Int) -> SIMD4<Float> {
                SIMD4(
                    Float(bitPattern: nodes[word + lane]),
                    Float(bitPattern: nodes[16 + word + lane]),
                    Float(bitPattern: nodes[32 + word + lane]), 0)
            }
            box.unite(Box(low: bound(0), high: bound(8)))
        }
        return box
    }

    /// Moves what the nodes from `first` on name.
    private static func move(
        _ nodes: inout [UInt32], from first: Int, by offset: UInt32, blocksBy blockOffset: UInt32
    ) {
        for node in first..<nodes.count / nodeWords {
            for lane in 0..<nodes[node * nodeWords + 56].nonzeroBitCount {
                let place = node * nodeWords + 48 + lane
                let word = nodes[place]
                guard word & BlobLayout.childLeaf != 0 else {
                    nodes[place] = word + offset
                    continue
                }
                if word & BlobLayout.childInstance == 0 { nodes[place] = word + blockOffset }
            }
        }
    }
}
