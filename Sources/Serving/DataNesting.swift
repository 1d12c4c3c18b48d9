internal import Core

/// How the arrays of a tensor's `data` lie in each other, where it is not one of all elements: as
/// its shape says. Anything between may be another tensor than was meant.
struct DataNesting {
    private let shape: [Int]
    /// The entry that each open array is at, by its depth; the outermost has depth 1.
    private var entries: [Int]
    private var depth = 0
    /// Whether the innermost array has any.
    private var hasEntry = false

    private init(_ shape: [Int]) {
        self.shape = shape
        entries = [Int](repeating: 0, count: max(shape.count, 1) + 1)
    }

    /// - Parameter span: an array of numbers and words, flat or nested, whose syntax was checked.
    /// - Throws: ``Failure`` naming the place where it is not as the shape says.
    static func check(
        _ text: UnsafeBufferPointer<UInt8>, _ span: Range<Int>, _ shape: [Int]
    ) throws(Failure) {
        var nesting = DataNesting(shape)
        for at in span {
            switch text[at] {
            case UInt8(ascii: "["): try nesting.open()
            case UInt8(ascii: ","): nesting.entries[nesting.depth] += 1
            case UInt8(ascii: "]"): try nesting.close()
            case 0x20, 0x0a, 0x0d, 0x09: continue
            default:
                guard nesting.depth == shape.count else { throw nesting.misplaced }
                nesting.hasEntry = true
            }
        }
    }

    private mutating func open() throws(Failure) {
        guard depth + 1 < entries.count else {
            throw Failure(
                .malformed, "data\(place(depth)): an array; an element expected by the shape")
        }
        depth += 1
        (entries[depth], hasEntry) = (0, false)
    }

    private mutating func close() throws(Failure) {
        let count = hasEntry ? entries[depth] + 1 : 0
        let expected = shape.indices.contains(depth - 1) ? shape[depth - 1] : 1
        guard depth > 0, count == expected else {
            throw Failure(
                .malformed,
                "data\(place(depth - 1)): \(count) entries; \(expected) expected by the shape")
        }
        depth -= 1
        hasEntry = true
    }

    /// What is wrong with an element in too few arrays.
    private var misplaced: Failure {
        Failure(
            .malformed,
            "data\(place(depth)): an element; an array of \(shape[depth]) expected by the shape")
    }

    /// Where the entry lies that the arrays down to a depth are at.
    private func place(_ depth: Int) -> String {
        entries.prefix(depth + 1).dropFirst().map { "[\($0)]" }.joined()
    }
}
