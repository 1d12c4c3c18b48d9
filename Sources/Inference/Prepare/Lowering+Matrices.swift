internal import Core

extension Lowering {
    /// A general matrix product; alpha and beta other than 1 are steps of their own.
    mutating func gemm(_ op: Operator) throws(Failure) -> (Value, String) {
        let a = try op.floats(0)
        let b = try op.floats(1)
        guard a.shape.count == 2, b.shape.count == 2 else {
            throw Failure(.malformed, "\(a.shape.text) times \(b.shape.text): matrices expected")
        }
        let flipsA = try op.int("transA") ?? 0 != 0
        let flipsB = try op.int("transB") ?? 0 != 0
        let alpha = try op.float("alpha") ?? 1
        let beta = try op.float("beta") ?? 1
        var shape = MatrixShape()
        shape.rows = a.shape[flipsA ? 1 : 0]
        shape.depth = a.shape[flipsA ? 0 : 1]
        shape.columns = b.shape[flipsB ? 0 : 1]
        guard shape.depth == b.shape[flipsB ? 1 : 0] else {
            throw Failure(.malformed, "\(a.shape.text) times \(b.shape.text)")
        }
        (shape.aLine, shape.aDepth) = flipsA ? (1, shape.rows) : (shape.depth, 1)
        (shape.bLine, shape.bDepth) = flipsB ? (shape.depth, 1) : (1, shape.columns)
        let out = [shape.rows, shape.columns]
        let bias = try op.optional(2)
        let isRow =
            bias.map { $0.shape == [shape.columns] || $0.shape == [1, shape.columns] } ?? true
        if alpha == 1, beta == 1, isRow, bias?.type ?? a.type == a.type {
            let epilogue = try epilogue(after: op, normalizes: false)
            let value = try emitProduct(shape, a, b, bias, epilogue, out)
            return (value, epilogue.output)
        }
        var value = try emitProduct(
            shape, a, b, nil, Epilogue(output: op.node.outputs[0]), out)
        if alpha != 1 { value = try binary(.mul, value, try scalar(alpha, a.type)) }
        if var bias {
            if beta != 1 { bias = try binary(.mul, bias, try scalar(beta, a.type)) }
            value = try binary(.add, value, bias)
        }
        guard value.shape == out else { throw Failure(.malformed, "a bias of \(value.shape.text)") }
        return (value, op.node.outputs[0])
    }

    /// One number of a float type.
    mutating func scalar(_ value: Float, _ type: ElementType) throws(Failure) -> Value {
        try cast(Value(Tensor([value], shape: [])), to: type)
    }

    /// Matrices over their last two axes, the others broadcast, as NumPy's matmul has it.
    mutating func multiply(
        _ a: Value, _ b: Value, _ epilogue: Epilogue = Epilogue(output: "")
    ) throws(Failure) -> Value {
        var a = a
        var b = b
        guard !a.shape.isEmpty, !b.shape.isEmpty else {
            throw Failure(.malformed, "scalars; matrices expected")
        }
        let isVectorA = a.shape.count == 1
        let isVectorB = b.shape.count == 1
        if isVectorA { a = try reshaped(a, [1] + a.shape) }
        if isVectorB { b = try reshaped(b, b.shape + [1]) }
        var shape = MatrixShape()
        let (rankA, rankB) = (a.shape.count, b.shape.count)
        shape.rows = a.shape[rankA - 2]
        shape.depth = a.shape[rankA - 1]
        shape.columns = b.shape[rankB - 1]
        guard shape.depth == b.shape[rankB - 2] else {
            throw Failure(.malformed, "\(a.shape.text) times \(b.shape.text)")
        }
        let batch = try Broadcast([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))]).shape
        let out =
            batch + (isVectorA ? [] : [shape.rows]) + (isVectorB ? [] : [shape.columns])
        if b.shape.dropLast(2).allSatisfy({ $0 == 1 }) {
            // One matrix B for all: the batches of A are more rows of one matrix.
            shape.rows *= a.shape.dropLast(2).reduce(1, *)
            guard shape.rows <= Shape.elementCountMax else {
                throw Failure(.limit, "too many rows")
            }
        } else {
            a = try repeatedBatch(a, batch)
            b = try repeatedBatch(b, batch)
            shape.matrices = batch.reduce(1, *)
            shape.aMatrix = shape.rows * shape.depth
            shape.bMatrix = shape.depth * shape.columns
        }
        (shape.aLine, shape.aDepth) = (shape.depth, 1)
        (shape.bLine, shape.bDepth) = (1, shape.columns)
        return try emitProduct(shape, a, b, epilogue.bias, epilogue, out)
    }

    /// `x` with its leading axes repeated to `batch`.
    mutating func repeatedBatch(_ x: Value, _ batch: [Int]) throws(Failure) -> Value {
        let wanted = batch + x.shape.suffix(2)
        return x.shape == wanted ? x : try repeated(x, wanted)
    }

    /// Sums of no products, with what follows them.
    private mutating func emptySums(
        _ type: ElementType, _ bias: Value?, _ epilogue: Epilogue, _ out: [Int]
    ) throws(Failure) -> Value {
        var value = try filled(try scalar(0, type), out)
        if let bias { value = try binary(.add, value, bias) }
        switch epilogue.activation {
        case .none: return value
        case .relu: return try unary(.relu, value)
        case .clip(let low, let high): return try unary(.clip, value, low, high)
        }
    }

    mutating func emitProduct(
        _ shape: MatrixShape, _ a: Value, _ b: Value, _ bias: Value?, _ epilogue: Epilogue,
        _ out: [Int]
    ) throws(Failure) -> Value {
        var shape = shape
        guard a.type == b.type else {
            throw Failure(.malformed, "\(a.type.name) times \(b.type.name)")
        }
        if shape.depth == 0 { return try emptySums(a.type, bias, epilogue, out) }
        try checkFinite(a, "a constant factor")
        try checkFinite(b, "a constant factor")
        if let bias { try checkFinite(bias, "bias") }
        shape.bias = bias == nil ? 0 : 2
        shape.activation = epilogue.code.0
        return try emit(
            .gemm, [a, b] + (bias.map { [$0] } ?? []), ints: shape.ints, floats: epilogue.code.1,
            type: a.type, shape: out)
    }
}
