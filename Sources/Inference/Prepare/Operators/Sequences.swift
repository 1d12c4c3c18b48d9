internal import Core

extension Operators {
    /// Operators on sequences and optionals: no device has a part in them.
    static let sequences: Table = [
        "ConcatFromSequence": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            let values = try op.sequence(0)
            guard let first = values.first else {
                throw Failure(.malformed, "an empty sequence; tensors expected")
            }
            let isNew = try op.flag("new_axis")
            let axis = try op.axis(
                try op.int("axis") ?? 0, rank: first.shape.count + (isNew ? 1 : 0))
            return try isNew
                ? lowering.stacked(values, axis: axis)
                : lowering.concatenated(values, axis: axis)
        },
        "Optional": steps(0...1, widens: false) { (lowering, op) throws(Failure) in
            lowering.define(op.node.outputs[0], op.slot(0) ?? .absent)
        },
        "OptionalGetElement": steps(1...1, widens: false) { (lowering, op) throws(Failure) in
            guard let slot = op.slot(0) else { throw Failure(.malformed, "input 0 is missing") }
            if case .absent = slot { throw Failure(.malformed, "the optional holds nothing") }
            lowering.define(op.node.outputs[0], slot)
        },
        "OptionalHasElement": steps(0...1, widens: false) { (lowering, op) throws(Failure) in
            var holds = op.slot(0) != nil
            if case .absent? = op.slot(0) { holds = false }
            let answer = Tensor([holds ? 1 : 0], type: .bool, shape: [])
            lowering.define(op.node.outputs[0], .tensor(.init(answer)))
        },
        "SequenceAt": value(2...2, widens: false) { (_, op) throws(Failure) in
            let values = try op.sequence(0)
            return values[try op.place(1, values.count, isEndAllowed: false)]
        },
        "SequenceConstruct": steps(1...1024, widens: false) { (lowering, op) throws(Failure) in
            lowering.define(op.node.outputs[0], .sequence(try op.all()))
        },
        "SequenceEmpty": steps(0...0, widens: false) { (lowering, op) throws(Failure) in
            lowering.define(op.node.outputs[0], .sequence([]))
        },
        "SequenceErase": steps(1...2, widens: false) { (lowering, op) throws(Failure) in
            var values = try op.sequence(0)
            let place =
                op.slot(1) == nil
                ? values.count - 1 : try op.place(1, values.count, isEndAllowed: false)
            guard place >= 0 else { throw Failure(.malformed, "an empty sequence") }
            values.remove(at: place)
            lowering.define(op.node.outputs[0], .sequence(values))
        },
        "SequenceInsert": steps(2...3, widens: false) { (lowering, op) throws(Failure) in
            var values = try op.sequence(0)
            let place =
                op.slot(2) == nil
                ? values.count : try op.place(2, values.count, isEndAllowed: true)
            values.insert(try op.input(1), at: place)
            lowering.define(op.node.outputs[0], .sequence(values))
        },
        "SequenceLength": value(1...1, widens: false) { (_, op) throws(Failure) in
            let count = try op.sequence(0).count
            return .init(Tensor([Int64(count)], type: .int64, shape: []))
        },
        "SplitToSequence": steps(1...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.splitToSequence(op)
        },
    ]
}

extension Operator {
    func sequence(_ index: Int) throws(Failure) -> [Lowering.Value] {
        guard case .sequence(let values)? = slot(index) else {
            throw Failure(.malformed, "input \(index): a sequence expected")
        }
        return values
    }

    /// A position in a sequence, counted from the end when negative.
    fileprivate func place(
        _ index: Int, _ count: Int, isEndAllowed: Bool
    ) throws(Failure) -> Int {
        guard let given = try constantIntegers(index), given.count == 1,
            (-count...(isEndAllowed ? count : count - 1)).contains(given[0])
        else { throw Failure(.malformed, "a position in a sequence of \(count) expected") }
        return given[0] < 0 ? given[0] + count : given[0]
    }
}

extension Lowering {
    fileprivate mutating func splitToSequence(_ op: Operator) throws(Failure) {
        let x = try op.input(0)
        let axis = try op.axis(try op.int("axis") ?? 0, rank: x.shape.count)
        guard axis < x.shape.count else { throw Failure(.malformed, "a scalar; an axis expected") }
        let size = x.shape[axis]
        var sizes = Array(repeating: 1, count: size)
        var drops = try !op.flag("keepdims", default: true)
        if let given = try op.optional(1), let counts = try op.data(given).integers {
            drops = false
            if given.shape.isEmpty {
                guard let each = counts.first.map(Int.init), each > 0 else {
                    throw Failure(.malformed, "a split above 0 expected")
                }
                sizes = stride(from: 0, to: size, by: each).map { min(each, size - $0) }
            } else {
                sizes = counts.map(Int.init)
            }
        }
        guard sizes.allSatisfy({ (0...size).contains($0) }), sizes.reduce(0, +) == size else {
            throw Failure(.malformed, "\(sizes.text) of \(x.shape.text) along axis \(axis)")
        }
        let strides = x.shape.strides
        var parts: [Value] = []
        var offset = 0
        for part in sizes {
            var shape = x.shape
            shape[axis] = part
            var value = try view(
                x, offset: part == 0 ? 0 : offset, axes: shape, strides: strides)
            if drops {
                shape.remove(at: axis)
                value = try reshaped(value, shape)
            }
            parts.append(value)
            offset += part * strides[axis]
        }
        define(op.node.outputs[0], .sequence(parts))
    }
}
