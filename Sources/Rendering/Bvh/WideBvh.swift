package import Core

/// The tree as kernels read it: nodes of eight children side by side, and blocks of eight
/// triangles.
///
/// A node has 64 words: the children's low and high bounds along x, y and z (8 words each), the
/// children's words, a mask of those in use, and 7 spare. A block has 104: the first corner, the
/// edges to the second and third, their cross product (x, y, z of each, 8 words), and 8 primitive
/// words.
package struct WideBvh: Sendable {
    package private(set) var nodes: [UInt32] = []
    package private(set) var blocks: [UInt32] = []
    /// Entries of the traversal stack that no ray can exceed.
    package private(set) var stackNeed = 0

    static let nodeWords = BlobLayout.Section.nodes.stride
    static let blockWords = BlobLayout.Section.blocks.stride
    static let width = 8

    package var nodeCount: Int { nodes.count / Self.nodeWords }
    package var blockCount: Int { blocks.count / Self.blockWords }

    /// One triangle as blocks hold it.
    package struct Corner: Sendable {
        package var origin: SIMD3<Float>
        package var edge1: SIMD3<Float>
        package var edge2: SIMD3<Float>
        package var normal: SIMD3<Float>
        /// Primitive index, with ``BlobLayout/primitiveAsk`` where a hit must ask the material.
        package var word: UInt32

        /// Nil for a triangle without area, which no ray can hit.
        package init?(_ a: SIMD3<Float>, _ b: SIMD3<Float>, _ c: SIMD3<Float>, word: UInt32) {
            origin = a
            edge1 = b - a
            edge2 = c - a
            let p = SIMD3<Double>(edge1)
            let q = SIMD3<Double>(edge2)
            normal = SIMD3<Float>(
                Float(p.y * q.z - p.z * q.y), Float(p.z * q.x - p.x * q.z),
                Float(p.x * q.y - p.y * q.x))
            self.word = word
            let size = max(normal.x.magnitude, normal.y.magnitude, normal.z.magnitude)
            guard size > 0x1p-100, size < 0x1p100 else { return nil }
        }

        /// The box of the corners as kernels compute them, widened by `pad`.
        func box(pad: Float) -> Box {
            var box = Box.empty
            box.unite(SIMD4(origin, 0))
            box.unite(SIMD4(origin + edge1, 0))
            box.unite(SIMD4(origin + edge2, 0))
            let padding = SIMD4<Float>(pad, pad, pad, 0)
            return Box(low: box.low - padding, high: box.high + padding)
        }
    }

    /// Memberwise.
    init(nodes: [UInt32], blocks: [UInt32], stackNeed: Int) {
        self.nodes = nodes
        self.blocks = blocks
        self.stackNeed = stackNeed
    }

    package init(_ corners: [Corner], pad: Float) throws(Failure) {
        try self.init(count: corners.count, pad: pad) { corners[$0] }
    }

    /// A tree of triangles 0..<`count`.
    ///
    /// - Parameter corner: gives a triangle, nil where it has no area; called by several threads,
    ///   more than once for each.
    /// - Throws: ``Failure`` when no tree within the stack's bound was found (not seen to happen).
    package init(
        count: Int, pad: Float, corner: (Int) -> Corner?
    ) throws(Failure) {
        let (wide, builder) = try Self.build(leafMax: Self.width) {
            Self.items(count, pad, corner)
        }
        stackNeed = wide.stackNeed
        nodes = Self.pack(wide, builder)
        blocks = Self.packBlocks(wide, builder, corner)
    }

    /// A tree whose stack is within the bound that kernels have.
    static func build(
        leafMax: Int, _ items: () -> [BvhItem]
    ) throws(Failure) -> (WideTree, BvhBuilder) {
        var need = 0
        // A lopsided scene may make a deep tree; a shallower limit halves by position instead.
        for depthMax in [48, 24, 0] {
            let builder = BvhBuilder(items(), leafMax: leafMax, depthMax: depthMax)
            let wide = WideTree(builder)
            need = wide.stackNeed
            // One less, for a root above it.
            if need < BlobLayout.stackSize { return (wide, builder) }
        }
        throw Failure(
            .limit, "scene: its tree needs a stack of \(need), \(BlobLayout.stackSize) expected")
    }

    /// The boxes of those triangles that have an area.
    private static func items(
        _ count: Int, _ pad: Float, _ corner: (Int) -> Corner?
    ) -> [BvhItem] {
        [BvhItem](unsafeUninitializedCapacity: count) { items, filled in
            filled = 0
            guard let start = items.baseAddress else { return }
            let kept = BvhChunks.map(count) { range, _ in
                var place = range.lowerBound
                for index in range {
                    guard let corner = corner(index) else { continue }
                    let item = BvhItem(corner.box(pad: pad), number: UInt32(index))
                    (start + place).initialize(to: item)
                    place += 1
                }
                return range.lowerBound..<place
            }
            for range in kept {
                if range.lowerBound > filled {
                    (start + filled).moveUpdate(from: start + range.lowerBound, count: range.count)
                }
                filled += range.count
            }
        }
    }

    /// - Parameter leaf: a leaf's child word, from its number; a block's where there is none.
    static func pack(
        _ wide: WideTree, _ builder: BvhBuilder, leaf: ((Int) -> UInt32)? = nil
    ) -> [UInt32] {
        words(wide.nodes.count, of: nodeWords) { index, at in
            let node = wide.nodes[index]
            for lane in 0..<width {
                let isUsed = lane < node.count
                let box = isUsed ? builder.nodes[Int(node.children[lane])].box : nil
                for axis in 0..<3 {
                    at[16 * axis + lane] = box?.low[axis].bitPattern ?? 0
                    at[16 * axis + 8 + lane] = box?.high[axis].bitPattern ?? 0
                }
                let word = isUsed ? node.words[lane] : 0
                let isLeaf = word & BlobLayout.childLeaf != 0
                at[48 + lane] =
                    isLeaf ? leaf?(Int(word & ~BlobLayout.childLeaf)) ?? word : word
            }
            at[56] = (1 << UInt32(node.count)) - 1
            for spare in 57..<nodeWords { at[spare] = 0 }
        }
    }

    private static func packBlocks(
        _ wide: WideTree, _ builder: BvhBuilder, _ corner: (Int) -> Corner?
    ) -> [UInt32] {
        words(wide.leaves.count, of: blockWords) { index, at in
            let node = builder.nodes[Int(wide.leaves[index])]
            let members = builder.order[Int(node.first)..<Int(node.first + node.count)].sorted()
            for lane in 0..<width {
                let triangle = lane < members.count ? corner(Int(members[lane])) : nil
                for axis in 0..<3 {
                    at[8 * axis + lane] = triangle?.origin[axis].bitPattern ?? 0
                    at[24 + 8 * axis + lane] = triangle?.edge1[axis].bitPattern ?? 0
                    at[48 + 8 * axis + lane] = triangle?.edge2[axis].bitPattern ?? 0
                    at[72 + 8 * axis + lane] = triangle?.normal[axis].bitPattern ?? 0
                }
                at[96 + lane] = triangle?.word ?? BlobLayout.primitiveNone
            }
        }
    }

    /// Records of `size` words each, filled by all threads.
    private static func words(
        _ count: Int, of size: Int, _ fill: (Int, UnsafeMutablePointer<UInt32>) -> Void
    ) -> [UInt32] {
        [UInt32](unsafeUninitializedCapacity: count * size) { words, filled in
            filled = count * size
            guard let start = words.baseAddress else { return }
            _ = BvhChunks.map(count) { range, _ in
                for index in range { fill(index, start + index * size) }
            }
        }
    }
}
