internal import Dispatch

/// Builds a binary tree over boxes by the surface-area heuristic, with all threads.
///
/// The tree never shows in a picture (a hit is the least (distance, primitive)), but it is a
/// function of the boxes alone, and not of how many threads there are: ties go to the lower axis
/// and bin, and boxes that cannot be told apart are halved by position. Ranges too large for one
/// thread are cut by all of them together; what is left over are subtrees that need no one else.
struct BvhBuilder {
    /// A node: two children, or `count` items from `first` in `order`.
    struct Node {
        var box: Box
        var left: Int32 = -1
        var right: Int32 = -1
        var first: Int32 = 0
        var count: Int32 = 0
        var isLeaf: Bool { left < 0 }
    }

    /// Node 0 is the root; children lie behind their parents. Without boxes there are no nodes.
    private(set) var nodes: [Node] = []
    /// Numbers of the items, leaf by leaf.
    private(set) var order: [UInt32]

    /// Items that one thread takes alone.
    private static let aloneMax = 1 << 16

    /// - Parameters:
    ///   - leafMax: items of a leaf at most.
    ///   - depthMax: beyond it, ranges are halved by position, which bounds the tree.
    init(_ items: consuming [BvhItem], leafMax: Int = 8, depthMax: Int = 48) {
        var numbers = [UInt32](repeating: 0, count: items.count)
        defer { order = numbers }
        order = []
        guard !items.isEmpty else { return }
        let count = items.count
        let other = UnsafeMutableBufferPointer<BvhItem>.allocate(
            capacity: count > Self.aloneMax ? count : 0)
        defer { other.deallocate() }
        let rules = BvhRules(leafMax: leafMax, depthMax: depthMax)
        var subtrees: [BvhSubtree] = []
        items.withUnsafeMutableBufferPointer { items in
            numbers.withUnsafeMutableBufferPointer { numbers in
                let whole = BvhRange(items, others: other, numbers: numbers)
                nodes.append(Node(box: whole.box, first: 0, count: Int32(count)))
                cutLarge(whole, rules, &subtrees)
                Self.grow(&subtrees, rules)
            }
        }
        nodes.reserveCapacity(subtrees.reduce(nodes.count) { $0 + $1.nodes.count })
        for subtree in subtrees { join(subtree) }
    }

    /// Cuts what is too large for one thread; what is left are subtrees.
    private mutating func cutLarge(
        _ whole: BvhRange, _ rules: BvhRules, _ subtrees: inout [BvhSubtree]
    ) {
        var large = [(whole, Int32(0))]
        while let (range, index) = large.popLast() {
            guard range.items.count > Self.aloneMax else {
                subtrees.append(BvhSubtree(range, root: index))
                continue
            }
            let (left, right) = range.cutTogether(rules)
            nodes[Int(index)].left = Int32(nodes.count)
            nodes[Int(index)].right = Int32(nodes.count + 1)
            for part in [left, right] {
                large.append((part, Int32(nodes.count)))
                nodes.append(BvhSubtree.node(part))
            }
        }
    }

    /// Builds the subtrees, the largest first, as threads have time.
    private static func grow(_ subtrees: inout [BvhSubtree], _ rules: BvhRules) {
        subtrees.sort { ($1.range.items.count, $0.root) < ($0.range.items.count, $1.root) }
        subtrees.withUnsafeMutableBufferPointer { subtrees in
            nonisolated(unsafe) let all = subtrees
            DispatchQueue.concurrentPerform(iterations: all.count) { all[$0].grow(rules) }
        }
    }

    /// Puts a subtree's nodes behind the others; its root is there already.
    private mutating func join(_ subtree: BvhSubtree) {
        let offset = Int32(nodes.count) - 1
        nodes[Int(subtree.root)] = subtree.nodes[0].moved(by: offset)
        for node in subtree.nodes.dropFirst() { nodes.append(node.moved(by: offset)) }
    }
}

extension BvhBuilder.Node {
    fileprivate func moved(by offset: Int32) -> Self {
        guard !isLeaf else { return self }
        var node = self
        node.left += offset
        node.right += offset
        return node
    }
}

struct BvhRules {
    let leafMax: Int
    let depthMax: Int
}

/// Work on many things by all threads, in pieces whose number depends on nothing but how many.
enum BvhChunks {
    private static let pieceCount = 1 << 14

    /// What `body` makes of each piece and its number, in order.
    static func map<T>(_ count: Int, _ body: (Range<Int>, Int) -> T) -> [T] {
        let pieces = max((count + pieceCount - 1) / pieceCount, 1)
        return [T](unsafeUninitializedCapacity: pieces) { results, filled in
            nonisolated(unsafe) let (results, body) = (results, body)
            DispatchQueue.concurrentPerform(iterations: pieces) { piece in
                let range = piece * pieceCount..<min((piece + 1) * pieceCount, count)
                (results.baseAddress.unsafelyUnwrapped + piece).initialize(to: body(range, piece))
            }
            filled = pieces
        }
    }
}
