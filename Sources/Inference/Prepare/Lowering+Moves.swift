internal import Core

extension Operators {
    /// Operators that tell or change shapes.
    static let shapes: Table = [
        "Constant": value(0...0, widens: false) { (lowering, op) throws(Failure) in
            try lowering.constant(op)
        },
        "ConstantOfShape": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.constantOfShape(op)
        },
        "Expand": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.expand(op)
        },
        "Flatten": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.flatten(op)
        },
        "Reshape": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.reshape(op)
        },
        "Shape": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.shape(op)
        },
        "Squeeze": value(1...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.squeeze(op)
        },
        "Unsqueeze": value(1...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.unsqueeze(op)
        },
    ]

    /// Operators that move elements.
    static let moves: Table = [
        "Concat": value(1...1024, widens: false) { (lowering, op) throws(Failure) in
            try lowering.concat(op)
        },
        "Gather": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.gather(op)
        },
        "Pad": value(1...4, widens: false) { (lowering, op) throws(Failure) in
            try lowering.pad(op)
        },
        "Slice": value(1...5, widens: false) { (lowering, op) throws(Failure) in
            try lowering.slice(op)
        },
        "Split": steps(1...2, outputs: 1...1024, widens: false) { (lowering, op) throws(Failure) in
            try lowering.split(op)
        },
        "Transpose": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.transpose(op)
        },
    ]
}

// MARK: - Shapes

extension Lowering {
    mutating func reshape(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard var shape = try op.constantIntegers(1) else {
            throw Failure(.malformed, "a shape expected")
        }
        let allowsZero = try op.int("allowzero") == 1
        guard shape.count <= Shape.rankMax, shape.filter({ $0 == -1 }).count <= 1,
            shape.allSatisfy({ $0 >= -1 })
        else { throw Failure(.malformed, "shape \(shape.text)") }
        for axis in shape.indices where shape[axis] == 0 && !allowsZero {
            guard axis < x.shape.count else { throw Failure(.malformed, "shape \(shape.text)") }
            shape[axis] = x.shape[axis]
        }
        if let open = shape.firstIndex(of: -1) {
            shape[open] = 1
            let known = try Shape.checked(shape).elementCount
            guard known > 0, x.shape.elementCount % known == 0 else {
                throw Failure(.malformed, "\(x.shape.text) does not become \(shape.text)")
            }
            shape[open] = x.shape.elementCount / known
        }
        return try reshaped(x, shape)
    }

    func flatten(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        var axis = try op.int("axis") ?? 1
        if axis < 0 { axis += x.shape.count }
        guard (0...x.shape.count).contains(axis) else {
            throw Failure(.malformed, "axis \(axis) of \(x.shape.text)")
        }
        let outer = x.shape[..<axis].reduce(1, *)
        let inner = x.shape[axis...].reduce(1, *)
        return try reshaped(x, [outer, inner])
    }

    func squeeze(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let given = try op.opset < 13 ? op.ints("axes") : op.constantIntegers(1)
        let axes = try op.axes(
            given ?? x.shape.indices.filter { x.shape[$0] == 1 }, rank: x.shape.count)
        guard axes.allSatisfy({ x.shape[$0] == 1 }) else {
            throw Failure(.malformed, "axes \(axes.text) of \(x.shape.text): axes of 1 expected")
        }
        return try reshaped(x, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
    }

    func unsqueeze(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard let given = try op.opset < 13 ? op.ints("axes") : op.constantIntegers(1),
            given.count + x.shape.count <= Shape.rankMax
        else { throw Failure(.malformed, "axes expected") }
        let rank = x.shape.count + given.count
        let axes = try op.axes(given, rank: rank)
        var old = x.shape.makeIterator()
        return try reshaped(x, (0..<rank).map { axes.contains($0) ? 1 : old.next() ?? 1 })
    }

    func shape(_ op: Operator) throws(Failure) -> Value {
        let shape = try op.input(0).shape
        func bound(_ value: Int) -> Int {
            min(max(value < 0 ? value + shape.count : value, 0), shape.count)
        }
        let start = bound(try op.int("start") ?? 0)
        let end = max(start, bound(try op.int("end") ?? shape.count))
        let axes = shape[start..<end].map(Int64.init)
        return Value(Tensor(axes, type: .int64, shape: [axes.count]))
    }

    // MARK: Constants

    func constant(_ op: Operator) throws(Failure) -> Value {
        guard let (name, attribute) = op.node.attributes.first, op.node.attributes.count == 1 else {
            throw Failure(.malformed, "one value expected")
        }
        switch (name, attribute) {
        case ("value", .tensor(let tensor)): return Value(tensor)
        case ("value_float", .float(let value)): return Value(Tensor([value], shape: []))
        case ("value_floats", .floats(let values)):
            return Value(Tensor(values, shape: [values.count]))
        case ("value_int", .int(let value)):
            return Value(Tensor([Int64(value)], type: .int64, shape: []))
        case ("value_ints", .ints(let values)):
            return Value(Tensor(values.map(Int64.init), type: .int64, shape: [values.count]))
        default:
            throw Failure(.unsupported, "attribute \"\(name.printable)\"; numbers expected")
        }
    }

    mutating func constantOfShape(_ op: Operator) throws(Failure) -> Value {
        guard let shape = try op.constantIntegers(0) else {
            throw Failure(.malformed, "a shape expected")
        }
        var value = Value(Tensor([0], shape: [1]))
        if case .tensor(let tensor)? = op.node.attributes["value"] {
            guard tensor.count == 1 else { throw Failure(.malformed, "one value expected") }
            value = Value(tensor)
        }
        return try filled(value, try Shape.checked(shape))
    }

    /// One element or broadcast axes, repeated.
    mutating func repeated(_ x: Value, _ shape: [Int]) throws(Failure) -> Value {
        let broadcast = try Broadcast([x.shape, shape])
        return try emit(
            .copy, [x],
            ints: [Int(x.type.rawValue), 0] + broadcast.axes + broadcast.strides[0],
            type: x.type, shape: broadcast.shape)
    }

    /// A tensor of one number.
    ///
    /// - Parameter number: one element, of any rank.
    mutating func filled(_ number: Value, _ shape: [Int]) throws(Failure) -> Value {
        try repeated(try reshaped(number, []), shape)
    }

    mutating func expand(_ op: Operator) throws(Failure) -> Value {
        guard let shape = try op.constantIntegers(1) else {
            throw Failure(.malformed, "a shape expected")
        }
        return try repeated(try op.input(0), try Shape.checked(shape))
    }
}

// MARK: - Moving

extension Lowering {
    /// A strided view of `x`, copied out.
    mutating func view(
        _ x: Value, offset: Int = 0, axes: [Int], strides: [Int]
    ) throws(Failure) -> Value {
        let merged = Broadcast(axes: axes, strides: strides)
        if offset == 0, merged.axes == [x.shape.elementCount], merged.strides == [[1]] {
            return try reshaped(x, axes)
        }
        return try emit(
            .copy, [x],
            ints: [Int(x.type.rawValue), offset] + merged.axes + merged.strides[0],
            type: x.type, shape: axes)
    }

    mutating func transpose(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let order = try op.ints("perm") ?? x.shape.indices.reversed()
        return try transposed(x, order)
    }

    mutating func transposed(_ x: Value, _ order: [Int]) throws(Failure) -> Value {
        guard order.sorted() == Array(x.shape.indices) else {
            throw Failure(.malformed, "perm \(order.text) of \(x.shape.text)")
        }
        let strides = x.shape.strides
        return try view(x, axes: order.map { x.shape[$0] }, strides: order.map { strides[$0] })
    }

    mutating func concat(_ op: Operator) throws(Failure) -> Value {
        let values = try op.all()
        let axis = try op.axis(try op.int("axis") ?? 1, rank: values[0].shape.count)
        return try concatenated(values, axis: axis)
    }

    /// - Parameter axis: counted from 0.
    mutating func concatenated(_ values: [Value], axis: Int) throws(Failure) -> Value {
        let first = values[0]
        var shape = first.shape
        shape[axis] = 0
        for value in values {
            guard value.type == first.type, value.shape.count == shape.count,
                value.shape.indices.allSatisfy({ $0 == axis || value.shape[$0] == shape[$0] })
            else {
                throw Failure(
                    .malformed,
                    "\(value.type.name) \(value.shape.text) beside "
                        + "\(first.type.name) \(first.shape.text)")
            }
            shape[axis] += value.shape[axis]
        }
        let parts = values.filter { $0.shape[axis] > 0 }
        if parts.count == 1 { return parts[0] }
        let outer = shape[..<axis].reduce(1, *)
        let rest = shape[(axis + 1)...].reduce(1, *)
        return try emit(
            .concat, parts,
            ints: [Int(first.type.rawValue), outer] + parts.map { $0.shape[axis] * rest },
            type: first.type, shape: shape)
    }

    mutating func slice(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let isOld = op.opset < 10
        guard let starts = try isOld ? op.ints("starts") : op.constantIntegers(1),
            let ends = try isOld ? op.ints("ends") : op.constantIntegers(2)
        else { throw Failure(.malformed, "starts and ends expected") }
        let given = try isOld ? op.ints("axes") : op.constantIntegers(3)
        let axes = given ?? Array(starts.indices)
        let steps = try (isOld ? nil : op.constantIntegers(4)) ?? starts.map { _ in 1 }
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count
        else { throw Failure(.malformed, "starts, ends, axes and steps of one length expected") }
        _ = try op.axes(axes, rank: x.shape.count)
        var shape = x.shape
        var strides = x.shape.strides
        var offset = 0
        for (index, axis) in axes.enumerated() {
            let axis = try op.axis(axis, rank: x.shape.count)
            let size = x.shape[axis]
            let step = steps[index]
            guard step != 0, step != Int.min else { throw Failure(.malformed, "a step of 0") }
            func bound(_ value: Int) -> Int {
                let value = value < 0 ? value.addingReportingOverflow(size).partialValue : value
                return step > 0 ? min(max(value, 0), size) : min(max(value, -1), size - 1)
            }
            let start = bound(starts[index])
            // Counting down, an end before the first element is written as a far negative number.
            let end = step < 0 && ends[index] < -size ? -1 : bound(ends[index])
            let span = step > 0 ? end - start : start - end
            shape[axis] = span <= 0 ? 0 : (span - 1) / abs(step) + 1
            offset += max(start, 0) * strides[axis]
            strides[axis] *= shape[axis] > 1 ? step : 1
        }
        if shape.contains(0) {
            offset = 0
        }
        return try view(x, offset: offset, axes: shape, strides: strides)
    }

    mutating func split(_ op: Operator) throws(Failure) {
        let x = try op.input(0)
        let axis = try op.axis(try op.int("axis") ?? 0, rank: x.shape.count)
        let parts = op.node.outputs.count
        let given = try op.opset < 13 ? op.ints("split") : op.constantIntegers(1)
        if let count = try op.int("num_outputs"), count != parts {
            throw Failure(.malformed, "num_outputs \(count) of \(parts) outputs")
        }
        let even = (x.shape[axis] + parts - 1) / parts
        let sizes =
            given ?? (0..<parts).map { min(even, x.shape[axis] - min($0 * even, x.shape[axis])) }
        guard sizes.count == parts, sizes.allSatisfy({ $0 >= 0 }),
            sizes.reduce(0, { $0.addingReportingOverflow($1).partialValue }) == x.shape[axis]
        else {
            throw Failure(.malformed, "\(sizes.text) of \(x.shape.text) along axis \(axis)")
        }
        let strides = x.shape.strides
        var offset = 0
        for (index, size) in sizes.enumerated() {
            var shape = x.shape
            shape[axis] = size
            if !op.node.outputs[index].isEmpty {
                let part = try view(
                    x, offset: size == 0 ? 0 : offset, axes: shape, strides: strides)
                try define(op, part, at: index)
            }
            offset += size * strides[axis]
        }
    }

    mutating func gather(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let axis = try op.axis(try op.int("axis") ?? 0, rank: x.shape.count)
        return try gather(x, try op.input(1), axis: axis)
    }

    mutating func gather(
        _ x: Value, _ indices: Value, axis: Int
    ) throws(Failure) -> Value {
        guard indices.type == .int32 || indices.type == .int64 else {
            throw Failure(.malformed, "indices of type \(indices.type.name)")
        }
        guard axis < x.shape.count else { throw Failure(.malformed, "an axis to gather from") }
        let size = x.shape[axis]
        if let known = indices.constant?.integers {
            guard known.allSatisfy({ (-Int64(size)..<Int64(size)).contains($0) }) else {
                throw Failure(.malformed, "an index outside axis \(axis) of \(x.shape.text)")
            }
        }
        return try gathered(x, indices, axis: axis)
    }

    /// Where an index lies outside the axis, zeros.
    ///
    /// - Parameter wraps: whether negative ones count from the end; others lie outside.
    mutating func gathered(
        _ x: Value, _ indices: Value, axis: Int, wraps: Bool = true
    ) throws(Failure) -> Value {
        let size = x.shape[axis]
        let outer = x.shape[..<axis].reduce(1, *)
        let inner = x.shape[(axis + 1)...].reduce(1, *)
        return try emit(
            .gather, [x, indices],
            ints: [
                Int(x.type.rawValue), Int(indices.type.rawValue), outer, size, inner,
                indices.shape.elementCount, wraps ? -size : 0,
            ], type: x.type, shape: x.shape[..<axis] + indices.shape + x.shape[(axis + 1)...])
    }
}
