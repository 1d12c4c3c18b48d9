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

    package var nodeCount: Int { nodes.count / 64 }
    package var blockCount: Int { blocks.count / 104 }

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
            normal = SIMD3<Float>([
                p.y * q.z - p.z * q.y, p.z * q.x - p.x * q.z, p.x * q.y - p.y * q.x,
            ])
            self.word = word
            let size = max(normal.x.magnitude, normal.y.magnitude, normal.z.magnitude)
            guard size > 0x1p-100, size < 0x1p100 else { return nil }
        }

        /// The box of the corners as kernels compute them, widened by `pad`.
        func box(pad: Float) -> Box {
            var box = Box.empty
            for corner in [origin, origin + edge1, origin + edge2] {
                box.unite(SIMD4(corner, 0))
            }
            let padding = SIMD4<Float>(pad, pad, pad, 0)
            return Box(low: box.low - padding, high: box.high + padding)
        }
    }

    /// - Throws: ``Failure`` when no tree within the stack's bound was found (not seen to happen).
    package init(_ corners: [Corner], pad: Float) throws(Failure) {
        let boxes = corners.map { $0.box(pad: pad) }
        // A lopsided scene may make a deep tree; a shallower limit halves by position instead.
        for depthMax in [48, 24, 0] {
            var builder = BvhBuilder(boxes: boxes, depthMax: depthMax)
            builder.build()
            nodes = []
            blocks = []
            pack(builder, corners)
            if stackNeed <= BlobLayout.stackSize { return }
        }
        throw Failure(
            .limit,
            "scene: its tree needs a stack of \(stackNeed), \(BlobLayout.stackSize) expected")
    }

    private mutating func pack(_ builder: BvhBuilder, _ corners: [Corner]) {
        guard !corners.isEmpty else { return }
        nodes.reserveCapacity(corners.count * 6)
        blocks.reserveCapacity(corners.count * 24)
        stackNeed = packNode(0, builder, corners).need
    }

    /// Packs the wide node that binary node `index` roots, children after it.
    private mutating func packNode(
        _ index: Int, _ builder: BvhBuilder, _ corners: [Corner]
    ) -> (word: UInt32, need: Int) {
        var children: [Int] = [index]
        if !builder.nodes[index].isLeaf {
            children = Self.open(index, builder)
        }
        let place = nodes.count
        nodes.append(contentsOf: repeatElement(0, count: 64))
        for (lane, child) in children.enumerated() {
            let box = builder.nodes[child].box
            for axis in 0..<3 {
                nodes[place + 16 * axis + lane] = box.low[axis].bitPattern
                nodes[place + 16 * axis + 8 + lane] = box.high[axis].bitPattern
            }
            nodes[place + 56] |= 1 << UInt32(lane)
        }
        var need = children.count
        for (lane, child) in children.enumerated() {
            let node = builder.nodes[child]
            if node.isLeaf {
                nodes[place + 48 + lane] = packBlock(
                    builder.order[Int(node.first)..<Int(node.first + node.count)], corners)
            } else {
                let packed = packNode(child, builder, corners)
                nodes[place + 48 + lane] = packed.word
                need = max(need, children.count - 1 + packed.need)
            }
        }
        return (UInt32(place / 64), need)
    }

    /// Up to eight descendants of `index`: the widest is opened first.
    private static func open(_ index: Int, _ builder: BvhBuilder) -> [Int] {
        var children = [Int(builder.nodes[index].left), Int(builder.nodes[index].right)]
        while children.count < 8 {
            var widest: Int?
            var area: Float = -1
            for (lane, child) in children.enumerated() where !builder.nodes[child].isLeaf {
                let one = builder.nodes[child].box.halfArea
                if one > area {
                    area = one
                    widest = lane
                }
            }
            guard let widest else { break }
            let opened = builder.nodes[children[widest]]
            children[widest] = Int(opened.left)
            children.insert(Int(opened.right), at: widest + 1)
        }
        return children
    }

    private mutating func packBlock(_ members: ArraySlice<Int32>, _ corners: [Corner]) -> UInt32 {
        let place = blocks.count
        blocks.append(contentsOf: repeatElement(0, count: 104))
        for lane in 0..<8 { blocks[place + 96 + lane] = BlobLayout.primitiveNone }
        for (lane, member) in members.sorted().enumerated() {
            let corner = corners[Int(member)]
            let vectors = [corner.origin, corner.edge1, corner.edge2, corner.normal]
            for (vector, value) in vectors.enumerated() {
                for axis in 0..<3 {
                    blocks[place + 24 * vector + 8 * axis + lane] = value[axis].bitPattern
                }
            }
            blocks[place + 96 + lane] = corner.word
        }
        return UInt32(place / 104) | BlobLayout.childLeaf
    }
}
