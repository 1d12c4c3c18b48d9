internal import Core
internal import Exact

/// What operators made of others are written with.
extension Lowering {
    mutating func add(_ x: Value, _ y: Value) throws(Failure) -> Value {
        try binary(.add, x, y)
    }

    mutating func multiplied(_ x: Value, _ y: Value) throws(Failure) -> Value {
        try binary(.mul, x, y)
    }

    mutating func multiplied(_ x: Value, _ factor: Float) throws(Failure) -> Value {
        factor == 1 ? x : try binary(.mul, x, try scalar(factor, x.type))
    }

    /// Integers that are known.
    func integers(_ values: [Int], shape: [Int]) -> Value {
        Value(Tensor(values.map(Int64.init), type: .int64, shape: shape))
    }

    /// Places that operators may list one by one; what a model asks for has no such bound.
    static let placesMax = 1 << 24

    /// `first`, `first` + `step`, …: as many as the shape has elements.
    func range(
        _ shape: [Int], from first: Int = 0, step: Int = 1
    ) throws(Failure) -> Value {
        let count = try Shape.checked(shape).elementCount
        guard count <= Self.placesMax else {
            throw Failure(.limit, "\(count) places; at most \(Self.placesMax) expected")
        }
        return integers((0..<count).map { first + $0 * step }, shape: shape)
    }

    /// `x` without some of its elements along an axis.
    mutating func part(
        _ x: Value, axis: Int, from: Int, count: Int, step: Int = 1
    ) throws(Failure) -> Value {
        var shape = x.shape
        shape[axis] = count
        var strides = x.shape.strides
        let offset = count == 0 ? 0 : from * strides[axis]
        strides[axis] *= step
        return try view(x, offset: offset, axes: shape, strides: strides)
    }

    /// A reduction over axes, which stay as axes of 1 where `keeps`.
    ///
    /// - Parameter axes: ascending; at least one.
    mutating func reduced(
        _ operation: ReduceOperation, _ x: Value, axes: [Int], keeps: Bool
    ) throws(Failure) -> Value {
        let rank = x.shape.count
        let shape = (0..<rank).compactMap { axis in
            axes.contains(axis) ? (keeps ? 1 : nil) : x.shape[axis]
        }
        guard let first = axes.first, let last = axes.last else { return x }
        guard last < rank else { throw Failure(.malformed, "axis \(last) of a scalar") }
        var moved = x
        var outer = x.shape[..<first].reduce(1, *)
        var inner = x.shape[(last + 1)...].reduce(1, *)
        if axes != Array(first...last) {
            let kept = (0..<rank).filter { !axes.contains($0) }
            moved = try transposed(x, kept + axes)
            outer = kept.reduce(1) { $0 * x.shape[$1] }
            inner = 1
        }
        let count = axes.reduce(1) { $0 * x.shape[$1] }
        guard count > 0 else { return try reduced(operation, x.type, shape) }
        guard x.type.isFloating || (operation != .mean && x.type != .bool) else {
            throw Failure(.unsupported, "\(operation) of \(x.type.name)")
        }
        return try emit(
            .reduce, [moved],
            ints: [operation.rawValue, outer, count, inner, Int(x.type.rawValue)], type: x.type,
            shape: shape)
    }

    mutating func softmax(_ x: Value, axis: Int, isLogarithm: Bool = false) throws(Failure) -> Value
    {
        guard x.type == .float32 else {
            throw Failure(.unsupported, "softmax of \(x.type.name); float32 expected")
        }
        return try emit(
            .softmax, [x],
            ints: [
                isLogarithm ? 1 : 0, x.shape[..<axis].reduce(1, *), x.shape[axis],
                x.shape[(axis + 1)...].reduce(1, *),
            ], type: x.type, shape: x.shape)
    }

    /// A·B, or A·Bᵀ, of the last two axes. The axes before them are equal, or one factor has
    /// none and is shared by all matrices of the other.
    mutating func product(
        _ a: Value, _ b: Value, flipsB: Bool = false
    ) throws(Failure) -> Value {
        let (rankA, rankB) = (a.shape.count, b.shape.count)
        let (outerA, outerB) = (Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
        guard rankA >= 2, rankB >= 2,
            a.shape[rankA - 1] == b.shape[rankB - (flipsB ? 1 : 2)],
            outerA == outerB || outerA.isEmpty || outerB.isEmpty
        else { throw Failure(.malformed, "\(a.shape.text) times \(b.shape.text)") }
        var shape = MatrixShape()
        (shape.rows, shape.depth) = (a.shape[rankA - 2], a.shape[rankA - 1])
        shape.columns = b.shape[rankB - (flipsB ? 2 : 1)]
        let out = (outerA.isEmpty ? outerB : outerA) + [shape.rows, shape.columns]
        if outerB.isEmpty {
            shape.rows *= outerA.elementCount
        } else {
            shape.matrices = outerB.elementCount
            shape.aMatrix = outerA.isEmpty ? 0 : shape.rows * shape.depth
            shape.bMatrix = shape.depth * shape.columns
        }
        (shape.aLine, shape.aDepth) = (shape.depth, 1)
        (shape.bLine, shape.bDepth) = flipsB ? (shape.depth, 1) : (1, shape.columns)
        return try emitProduct(shape, a, b, nil, Epilogue(output: ""), out)
    }

    /// A known value that many steps read: it goes to the device once.
    mutating func pinned(_ value: Value) throws(Failure) -> Value {
        var value = value
        value.buffer = try buffer(value)
        return value
    }

    /// 1 where the index along `axis` is the one in `indices`, which has an axis of 1 there.
    mutating func isChosen(
        _ indices: Value, among count: Int, axis: Int, rank: Int
    ) throws(Failure) -> Value {
        var shape = Array(repeating: 1, count: rank)
        shape[axis] = count
        return try binary(.equal, try cast(indices, to: .int64), try range(shape))
    }
}
