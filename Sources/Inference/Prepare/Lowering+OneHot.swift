internal import Core

// Rows of a table that are picked by a product with ones and zeros.
extension Lowering {
    /// `a` times a constant table, where `a` is a comparison of numbers with 0, 1, 2, …: the rows
    /// with those numbers, and zeros for numbers beyond.
    ///
    /// These are the product's bits: fma(0, w, s) is s, fma(1, w, +0) is w but +0 for −0, and so is
    /// the sum of the blocks; weights are finite.
    ///
    /// - Returns: nil where it is another product.
    mutating func pickedRows(_ a: Value, _ b: Value) throws(Failure) -> Value? {
        guard let table = b.constant, table.type == .float32, table.shape.count == 2,
            let count = a.shape.last, count == table.shape[0], a.constant == nil,
            let values = table.floats, values.allSatisfy(\.isFinite),
            let numbers = oneHotNumbers(of: a, count: count)
        else { return nil }
        return try gathered(
            Value(Tensor(values.map { $0 + 0 }, shape: table.shape)),
            try reshaped(numbers, Array(a.shape.dropLast())), axis: 0, wraps: false)
    }

    /// What was compared with 0 to `count` - 1 to give `a`: one number for each of its rows.
    private func oneHotNumbers(of a: Value, count: Int) -> Value? {
        guard let cast = producer(of: a.buffer), cast.kind == .cast,
            cast.ints[0] == Int(ElementType.bool.rawValue),
            cast.ints[1] == Int(ElementType.float32.rawValue),
            let equal = producer(of: cast.operands[0]), equal.kind == .binary,
            equal.ints[0] == BinaryOperation.equal.rawValue,
            let lists = try? equal.lists(from: 2, parts: 3), lists[0].count == 2,
            lists[0].last == count, let rows = lists[0].first
        else { return nil }
        for (range, number) in [(1, 0), (0, 1)] {
            guard let places = constants[equal.operands[range]]?.integers, places.count == count,
                places.enumerated().allSatisfy({ $0.offset == $0.element }),
                Array(lists[1 + range]) == [0, 1]
            else { continue }
            let buffer = equal.operands[number]
            return numbers(buffer, strides: Array(lists[1 + number]), rows: rows, count: count)
        }
        return nil
    }

    /// A buffer's numbers, one a row: as they lie, or before each was repeated along the row.
    private func numbers(
        _ buffer: Int, strides: [Int], rows: Int, count: Int
    ) -> Value? {
        var source = buffer
        if strides == [count, 1] {
            guard let copy = producer(of: buffer), copy.kind == .copy,
                Array(copy.ints[1...]) == [0, rows, count, 1, 0]
            else { return nil }
            source = copy.operands[0]
        } else if strides != [1, 0] {
            return nil
        }
        let type = bufferTypes[source]
        guard type == .int32 || type == .int64, constants[source] == nil,
            buffers[source] == rows * type.byteCount
        else { return nil }
        return Value(type: type, shape: [rows], buffer: source)
    }

    private func producer(of buffer: Int?) -> Step? {
        guard let buffer else { return nil }
        return steps.last { $0.result == buffer }
    }
}
