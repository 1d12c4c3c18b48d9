/// A run of items that becomes a subtree.
struct BvhRange {
    /// Where they are now.
    var items: UnsafeMutableBufferPointer<BvhItem>
    /// As much room, for moving them there and back.
    var others: UnsafeMutableBufferPointer<BvhItem>
    /// Where their numbers belong at the end.
    var numbers: UnsafeMutableBufferPointer<UInt32>
    /// Place of the first among all.
    var first = 0
    var depth = 0
    var box: Box
    /// Around twice the centres.
    var centres: Box

    /// All items.
    init(
        _ items: UnsafeMutableBufferPointer<BvhItem>,
        others: UnsafeMutableBufferPointer<BvhItem>,
        numbers: UnsafeMutableBufferPointer<UInt32>
    ) {
        self.items = items
        self.others = others
        self.numbers = numbers
        let parts = BvhChunks.map(items.count) { range, _ in Self.measure(items, range) }
        (box, centres) = parts.dropFirst().reduce(into: parts[0]) { all, part in
            all.box.unite(part.box)
            all.centres.unite(part.centres)
        }
    }

    /// A part of a range.
    init(_ whole: BvhRange, _ part: Range<Int>, isMoved: Bool, box: Box, centres: Box) {
        let (items, others) =
            isMoved ? (whole.others, whole.items) : (whole.items, whole.others)
        self.items = UnsafeMutableBufferPointer(rebasing: items[part])
        self.others =
            others.isEmpty ? others : UnsafeMutableBufferPointer(rebasing: others[part])
        numbers = UnsafeMutableBufferPointer(rebasing: whole.numbers[part])
        first = whole.first + part.lowerBound
        depth = whole.depth + 1
        self.box = box
        self.centres = centres
    }

    var hasExtent: Bool {
        let extent = centres.high - centres.low
        return extent.x > 0x1p-100 || extent.y > 0x1p-100 || extent.z > 0x1p-100
    }

    /// In two by position, where nothing tells the boxes apart.
    func halved() -> (BvhRange, BvhRange) {
        func part(_ range: Range<Int>) -> BvhRange {
            let measured = Self.measure(items, range)
            return BvhRange(
                self, range, isMoved: false, box: measured.box, centres: measured.centres)
        }
        let middle = items.count / 2
        return (part(0..<middle), part(middle..<items.count))
    }

    private static func measure(
        _ items: UnsafeMutableBufferPointer<BvhItem>, _ range: Range<Int>
    ) -> (box: Box, centres: Box) {
        var (box, centres) = (Box.empty, Box.empty)
        for item in items[range] {
            box.unite(item.box)
            centres.unite(item.centre)
        }
        return (box, centres)
    }
}
