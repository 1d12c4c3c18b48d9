internal import Core

/// How the arrays of a tensor's `data` lie in each other: one of all elements, or as its shape
/// says. Anything between may be another tensor than was meant.
struct DataNesting {
    private let shape: [Int]
    /// Arrays in the one that is open, by its depth; the outermost has depth 1.
    private var counts: [Int]
    /// Elements in front of the array that was opened last.
    private var elementsBefore = 0
    /// How many arrays an element is in.
    private var depth = 1

    init(_ shape: [Int]) {
        self.shape = shape
        counts = [Int](repeating: 0, count: shape.count + 1)
    }

    /// - Parameters:
    ///   - depth: of the array that opens.
    ///   - elementCount: elements in front of it.
    mutating func open(_ depth: Int, _ elementCount: Int) throws(Failure) {
        if depth == 2, elementCount == 0, counts[1...].first == 0 { self.depth = shape.count }
        guard depth <= max(self.depth, 1) else {
            throw Failure(
                .malformed,
                "data\(place(depth - 1))[\(elementCount - elementsBefore)]: an array; an element "
                    + "expected by the shape")
        }
        if depth > 1 { counts[depth - 1] += 1 }
        if depth < counts.count { counts[depth] = 0 }
        elementsBefore = elementCount
    }

    /// - Parameter elementCount: elements in front of the array's end.
    func close(_ depth: Int, _ elementCount: Int) throws(Failure) {
        guard self.depth > 1 else { return }
        let count = depth == self.depth ? elementCount - elementsBefore : counts[depth]
        guard count == shape[depth - 1] else {
            throw Failure(
                .malformed,
                "data\(place(depth)): \(count) entries; \(shape[depth - 1]) expected by the shape")
        }
    }

    /// An element in so many arrays.
    func take(_ depth: Int) throws(Failure) {
        guard depth == self.depth else {
            throw Failure(
                .malformed,
                "data\(place(depth))[\(counts[depth])]: an element; an array of "
                    + "\(shape[depth]) expected by the shape")
        }
    }

    /// Where the array that is open at a depth lies.
    private func place(_ depth: Int) -> String {
        counts.prefix(depth).dropFirst().map { "[\($0 - 1)]" }.joined()
    }
}
