internal import Core

extension Operators {
    /// Operators whose places depend on data, computed on the host.
    static let hostIndexing: Table = [
        "Compress": host(2...2, widens: false) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).compress()
        },
        "CumProd": host(2...2) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).accumulate(.mul)
        },
        "CumSum": host(2...2) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).accumulate(.add)
        },
        "GatherElements": host(2...2, widens: false) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).gatherElements()
        },
        "GatherND": host(2...2, widens: false) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).gatherND()
        },
        "NonZero": host(1...1, widens: false) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).nonZero()
        },
        "Range": host(3...3) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).range()
        },
        "Scatter": host(3...3, widens: false) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).scatterElements()
        },
        "ScatterElements": host(3...3) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).scatterElements()
        },
        "ScatterND": host(3...3) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).scatterND()
        },
        "TopK": host(1...2, outputs: 1...2) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).topK()
        },
        "Unique": host(1...1, outputs: 1...4) { (op, inputs) throws(Failure) in
            try HostIndexing(op, inputs).unique()
        },
    ]
}

extension Tensor {
    /// The elements at some places, in row-major order.
    func taking(_ places: [Int], shape: [Int]) -> Tensor {
        switch elements {
        case .floats(let values): Tensor(places.map { values[$0] }, shape: shape, as: type)
        case .doubles(let values): Tensor(doubles: places.map { values[$0] }, shape: shape)
        case .integers(let values):
            Tensor(places.map { values[$0] }, type: type, shape: shape)
        }
    }

    /// Keys that order elements as numbers; NaN is the greatest, zeros of both signs are one.
    var keys: [Int64] {
        switch elements {
        case .floats(let values): values.map { Float.key($0 == 0 ? 0 : $0) }
        case .doubles(let values): values.map { Double.key($0 == 0 ? 0 : $0) }
        case .integers(let values):
            type == .uint64 ? values.map { $0 ^ Int64.min } : values
        }
    }

    /// One operation on two elements of this type, as bits of each.
    func combining(_ operation: BinaryOperation, _ a: UInt64, _ b: UInt64) -> UInt64 {
        let step = Step(
            .binary, operands: [], result: 0, ints: [operation.rawValue, Int(type.rawValue)])
        let pair = [
            Tensor(bits: [a], type: type, shape: []), Tensor(bits: [b], type: type, shape: []),
        ]
        return HostSteps.run(step, pair, type: type, shape: []).bits[0]
    }
}

private struct HostIndexing {
    let op: Operator
    let inputs: [Tensor?]
    let x: Tensor

    init(_ op: Operator, _ inputs: [Tensor?]) throws(Failure) {
        guard let x = inputs[0] else { throw Failure(.malformed, "input 0 is missing") }
        self.op = op
        self.inputs = inputs
        self.x = x
    }

    private func tensor(_ index: Int) throws(Failure) -> Tensor {
        guard index < inputs.count, let tensor = inputs[index] else {
            throw Failure(.malformed, "input \(index) is missing")
        }
        return tensor
    }

    private func integers(_ index: Int) throws(Failure) -> [Int64] {
        let tensor = try tensor(index)
        guard let integers = tensor.integers else {
            throw Failure(.malformed, "input \(index) is \(tensor.type.name); integers expected")
        }
        return integers
    }

    private func axis(_ fallback: Int, of tensor: Tensor) throws(Failure) -> Int {
        let axis = try op.axis(try op.int("axis") ?? fallback, rank: tensor.shape.count)
        guard axis < tensor.shape.count else { throw Failure(.malformed, "scalars have no axis") }
        return axis
    }

    /// An index counted from the end when negative.
    private func place(_ index: Int64, _ size: Int) throws(Failure) -> Int {
        guard (-Int64(size)..<Int64(size)).contains(index) else {
            throw Failure(.malformed, "index \(index) of an axis of \(size)")
        }
        return Int(index < 0 ? index + Int64(size) : index)
    }

    // MARK: Choosing

    func compress() throws(Failure) -> [Tensor] {
        let kept = try integers(1)
        guard op.node.attributes["axis"] != nil else {
            let places = (0..<min(kept.count, x.count)).filter { kept[$0] != 0 }
            return [x.taking(places, shape: [places.count])]
        }
        let axis = try axis(0, of: x)
        let lines = (0..<min(kept.count, x.shape[axis])).filter { kept[$0] != 0 }
        return [lines.isEmpty ? x.selecting([], axis) : x.selecting(lines, axis)]
    }

    func nonZero() throws(Failure) -> [Tensor] {
        let zero = Tensor(bits: [0], type: x.type, shape: []).keys[0]
        let keys = x.keys
        let places = keys.indices.filter { keys[$0] != zero }
        let strides = x.shape.strides
        let rank = max(x.shape.count, 0)
        var rows: [Int64] = []
        for axis in 0..<rank {
            rows += places.map { Int64($0 / strides[axis] % x.shape[axis]) }
        }
        return [Tensor(rows, type: .int64, shape: [rank, places.count])]
    }

    func topK() throws(Failure) -> [Tensor] {
        let axis = try axis(-1, of: x)
        let size = x.shape[axis]
        let count = try op.opset < 10 ? op.int("k").map(Int64.init) : integers(1).first
        guard let count, (0...Int64(size)).contains(count) else {
            throw Failure(.malformed, "k from 0 to \(size) expected")
        }
        let isLargest = try op.flag("largest", default: true)
        let keys = x.keys
        let stride = x.shape.strides[axis]
        var shape = x.shape
        shape[axis] = Int(count)
        let outer = x.shape[..<axis].reduce(1, *)
        var places = [Int](repeating: 0, count: shape.elementCount)
        var indices = [Int64](repeating: 0, count: shape.elementCount)
        for o in 0..<outer {
            for i in 0..<stride {
                let base = o * size * stride + i
                // Ties to the lower index.
                let order = (0..<size).sorted { a, b in
                    let (p, q) = (keys[base + a * stride], keys[base + b * stride])
                    return p == q ? a < b : isLargest ? p > q : p < q
                }
                for (rank, index) in order.prefix(Int(count)).enumerated() {
                    let to = o * Int(count) * stride + rank * stride + i
                    places[to] = base + index * stride
                    indices[to] = Int64(index)
                }
            }
        }
        return [
            x.taking(places, shape: shape), Tensor(indices, type: .int64, shape: shape),
        ]
    }

    func unique() throws(Failure) -> [Tensor] {
        let isSorted = try op.flag("sorted", default: true)
        let hasAxis = op.node.attributes["axis"] != nil
        let axis = hasAxis ? try axis(0, of: x) : 0
        let flat = hasAxis ? x : x.reshaped([x.count])
        let keys = flat.keys
        let stride = flat.shape.strides[axis]
        let size = flat.shape[axis]
        let outer = flat.shape[..<axis].reduce(1, *)
        let lines = (0..<size).map { line in
            (0..<outer).flatMap { o in
                (0..<stride).map { keys[(o * size + line) * stride + $0] }
            }
        }
        var first: [[Int64]: Int] = [:]
        var order: [Int] = []
        for (index, line) in lines.enumerated() where first[line] == nil {
            first[line] = order.count
            order.append(index)
        }
        if isSorted { order.sort { lines[$0].lexicographicallyPrecedes(lines[$1]) } }
        for (rank, index) in order.enumerated() { first[lines[index]] = rank }
        let inverse = lines.map { Int64(first[$0] ?? 0) }
        var counts = [Int64](repeating: 0, count: order.count)
        for rank in inverse { counts[Int(rank)] += 1 }
        return [
            flat.selecting(order, axis),
            Tensor(order.map(Int64.init), type: .int64, shape: [order.count]),
            Tensor(inverse, type: .int64, shape: [size]),
            Tensor(counts, type: .int64, shape: [order.count]),
        ]
    }

    // MARK: Gathering and scattering

    /// For each element of the indices, the place in `x` that it means along `axis`.
    private func places(
        _ indices: Tensor, in x: Tensor, along axis: Int
    ) throws(Failure) -> [Int] {
        guard let values = indices.integers, indices.shape.count == x.shape.count,
            indices.shape.indices.allSatisfy({
                $0 == axis || indices.shape[$0] <= x.shape[$0]
            })
        else { throw Failure(.malformed, "indices of \(indices.shape.text) for \(x.shape.text)") }
        let from = indices.shape.strides
        let to = x.shape.strides
        var places: [Int] = []
        places.reserveCapacity(values.count)
        for (at, index) in values.enumerated() {
            var place = try place(index, x.shape[axis]) * to[axis]
            for other in x.shape.indices where other != axis {
                place += at / from[other] % indices.shape[other] * to[other]
            }
            places.append(place)
        }
        return places
    }

    func gatherElements() throws(Failure) -> [Tensor] {
        let indices = try tensor(1)
        let axis = try axis(0, of: x)
        return [
            x.taking(try places(indices, in: x, along: axis), shape: indices.shape)
        ]
    }

    /// Offsets of the slices that rows of indices name.
    private func slices(
        _ indices: Tensor, batchAxes: Int
    ) throws(Failure) -> (offsets: [Int], count: Int, shape: [Int]) {
        guard let values = indices.integers, let depth = indices.shape.last,
            (0..<indices.shape.count).contains(batchAxes), batchAxes + depth <= x.shape.count,
            x.shape[..<batchAxes] == indices.shape[..<batchAxes]
        else { throw Failure(.malformed, "indices of \(indices.shape.text) for \(x.shape.text)") }
        let strides = x.shape.strides
        let rows = indices.shape.dropLast().reduce(1, *)
        let batches = x.shape[..<batchAxes].reduce(1, *)
        let batchSize = x.shape[batchAxes...].reduce(1, *)
        var offsets: [Int] = []
        for row in 0..<rows {
            var offset = batches == 0 ? 0 : row / max(rows / batches, 1) * batchSize
            for k in 0..<depth {
                offset +=
                    try place(values[row * depth + k], x.shape[batchAxes + k])
                    * strides[batchAxes + k]
            }
            offsets.append(offset)
        }
        let rest = Array(x.shape[(batchAxes + depth)...])
        return (offsets, rest.reduce(1, *), indices.shape.dropLast() + rest)
    }

    func gatherND() throws(Failure) -> [Tensor] {
        let (offsets, count, shape) = try slices(
            try tensor(1), batchAxes: try op.int("batch_dims") ?? 0)
        let places = offsets.flatMap { offset in (0..<count).map { offset + $0 } }
        return [x.taking(places, shape: shape)]
    }

    /// How an update meets what is there; nil replaces it.
    private func reduction() throws(Failure) -> BinaryOperation? {
        switch try op.string("reduction") ?? "none" {
        case "none": return nil
        case "add": return .add
        case "mul": return .mul
        case "max": return .max
        case "min": return .min
        case let name: throw Failure(.malformed, "reduction \(name.printable)")
        }
    }

    /// Updates in their order.
    private func scattered(
        _ places: [Int], _ updates: Tensor
    ) throws(Failure) -> [Tensor] {
        guard updates.type == x.type, updates.count == places.count else {
            throw Failure(
                .malformed,
                "updates of \(updates.type.name) \(updates.shape.text) for \(places.count) places")
        }
        let reduction = try reduction()
        var bits = x.bits
        for (place, update) in zip(places, updates.bits) {
            bits[place] = reduction.map { x.combining($0, bits[place], update) } ?? update
        }
        return [Tensor(bits: bits, type: x.type, shape: x.shape)]
    }

    func scatterElements() throws(Failure) -> [Tensor] {
        let indices = try tensor(1)
        let updates = try tensor(2)
        guard indices.shape == updates.shape else {
            throw Failure(.malformed, "indices and updates of one shape expected")
        }
        return try scattered(
            try places(indices, in: x, along: try axis(0, of: x)), updates)
    }

    func scatterND() throws(Failure) -> [Tensor] {
        let updates = try tensor(2)
        let (offsets, count, shape) = try slices(try tensor(1), batchAxes: 0)
        guard updates.shape == shape else {
            throw Failure(.malformed, "updates of \(updates.shape.text); \(shape.text) expected")
        }
        return try scattered(
            offsets.flatMap { offset in (0..<count).map { offset + $0 } }, updates)
    }

    // MARK: Sequences of numbers

    func range() throws(Failure) -> [Tensor] {
        let limit = try tensor(1)
        let delta = try tensor(2)
        guard [x, limit, delta].allSatisfy({ $0.count == 1 && $0.type == x.type }) else {
            throw Failure(.malformed, "three numbers of one type expected")
        }
        switch (x.elements, limit.elements, delta.elements) {
        case (.floats(let a), .floats(let b), .floats(let d)):
            let values = try steps(a[0], b[0], d[0])
            return [Tensor(values, rounding: x.type, shape: [values.count])]
        case (.doubles(let a), .doubles(let b), .doubles(let d)):
            let values = try steps(a[0], b[0], d[0])
            return [Tensor(doubles: values, shape: [values.count])]
        case (.integers(let a), .integers(let b), .integers(let d)):
            guard d[0] != 0 else { throw Failure(.malformed, "a delta of 0") }
            let count = try checkedCount((Double(b[0]) - Double(a[0])) / Double(d[0]))
            let values = (0..<count).map { a[0] &+ Int64($0) &* d[0] }
            return [Tensor(values, type: x.type, shape: [count])]
        default: throw Failure(.malformed, "three numbers of one type expected")
        }
    }

    private func checkedCount(_ count: Double) throws(Failure) -> Int {
        guard count.isFinite, count.rounded(.up) <= Double(Lowering.foldedElementsMax) else {
            throw Failure(.limit, "\(count) numbers in a range")
        }
        return max(0, Int(count.rounded(.up)))
    }

    private func steps<T: HostReal>(_ start: T, _ limit: T, _ delta: T) throws(Failure) -> [T] {
        guard delta != 0 else { throw Failure(.malformed, "a delta of 0") }
        let count = try checkedCount(Double(T.quotient(limit - start, delta)))
        return (0..<count).map { start + T($0) * delta }
    }

    func accumulate(_ operation: BinaryOperation) throws(Failure) -> [Tensor] {
        guard let given = try integers(1).first else {
            throw Failure(.malformed, "an axis expected")
        }
        let axis = try op.axis(Int(given), rank: x.shape.count)
        guard axis < x.shape.count else { throw Failure(.malformed, "scalars have no axis") }
        let isExclusive = try op.flag("exclusive")
        let isReversed = try op.flag("reverse")
        let size = x.shape[axis]
        let stride = x.shape.strides[axis]
        let one = HostSteps.cast(
            Tensor([operation == .add ? 0 : 1], type: .int64, shape: []), to: x.type, shape: []
        ).bits[0]
        var bits = x.bits
        let source = bits
        for line in 0..<(size == 0 ? 0 : x.count / size) {
            let base = line / stride * size * stride + line % stride
            var total = one
            for step in 0..<size {
                let place = base + (isReversed ? size - 1 - step : step) * stride
                if isExclusive { bits[place] = total }
                total = step == 0 ? source[place] : x.combining(operation, total, source[place])
                if !isExclusive { bits[place] = total }
            }
        }
        return [Tensor(bits: bits, type: x.type, shape: x.shape)]
    }
}

extension Tensor {
    /// Some indices of an axis.
    func selecting(_ lines: [Int], _ axis: Int) -> Tensor {
        let stride = shape.strides[axis]
        let size = shape[axis]
        let outer = shape[..<axis].reduce(1, *)
        var places: [Int] = []
        for o in 0..<outer {
            for line in lines {
                let base = (o * size + line) * stride
                places += base..<(base + stride)
            }
        }
        var shape = shape
        shape[axis] = lines.count
        return taking(places, shape: shape)
    }
}
