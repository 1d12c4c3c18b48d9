internal import Core

extension Operators {
    /// Operators that place elements by index.
    static let indexing: Table = [
        "CenterCropPad": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.centerCropPad(op)
        },
        "DepthToSpace": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.depthToSpace(op)
        },
        "EyeLike": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.eye(op)
        },
        "OneHot": value(3...3, widens: false) { (lowering, op) throws(Failure) in
            try lowering.oneHot(op)
        },
        "ReverseSequence": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.reverseSequence(op)
        },
        "Size": value(1...1, widens: false) { (_, op) throws(Failure) in
            let count = try op.input(0).shape.elementCount
            return .init(Tensor([Int64(count)], type: .int64, shape: []))
        },
        "SpaceToDepth": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.spaceToDepth(op)
        },
        "Tile": value(2...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.tile(op)
        },
        "Trilu": value(1...2, widens: false) { (lowering, op) throws(Failure) in
            try lowering.triangle(op)
        },
    ]
}

extension Lowering {
    /// Elements of `x` by their places in row-major order; where a place is nil stands a zero.
    ///
    /// - Parameter outer: how many equal parts `x` has, of each of which the places are taken.
    mutating func taken(
        _ x: Value, outer: Int = 1, _ places: [Int?], shape: [Int]
    ) throws(Failure) -> Value {
        if shape.contains(0) { return empty(shape, x.type) }
        let count = outer == 0 ? 0 : x.shape.elementCount / outer
        guard count > 0, places.count > 0 else {
            guard places.allSatisfy({ $0 == nil }) else {
                throw Failure(.malformed, "nothing of \(x.shape.text) can be taken")
            }
            return try filled(try zero(x.type), shape)
        }
        let table = Tensor(
            places.map { Int64($0 ?? count) }, type: .int32, shape: [places.count])
        let parts = try reshaped(x, [outer, count])
        return try reshaped(try gathered(parts, Value(table), axis: 1), shape)
    }

    func zero(_ type: ElementType) throws(Failure) -> Value {
        Value(Tensor(bits: [0], type: type, shape: [1]))
    }

    fileprivate mutating func tile(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard let repeats = try op.constantIntegers(1), repeats.count == x.shape.count,
            repeats.allSatisfy({ (0...(1 << 31)).contains($0) })
        else { throw Failure(.malformed, "a count from 0 for each axis expected") }
        let shape = try Shape.checked(zip(x.shape, repeats).map { $0 * $1 })
        let strides = x.shape.strides
        var axes: [Int] = []
        var steps: [Int] = []
        for axis in x.shape.indices {
            axes += [repeats[axis], x.shape[axis]]
            steps += [0, strides[axis]]
        }
        let merged = Broadcast(axes: axes, strides: steps)
        return try emit(
            .copy, [x], ints: [Int(x.type.rawValue), 0] + merged.axes + merged.strides[0],
            type: x.type, shape: shape)
    }

    private func block(_ op: Operator) throws(Failure) -> (Value, Int) {
        let x = try op.input(0)
        guard let size = try op.int("blocksize"), (1...(1 << 15)).contains(size),
            x.shape.count == 4
        else { throw Failure(.malformed, "four axes and a blocksize expected") }
        return (x, size)
    }

    fileprivate mutating func depthToSpace(_ op: Operator) throws(Failure) -> Value {
        let (x, size) = try block(op)
        let mode = try op.string("mode") ?? "DCR"
        let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        guard c % (size * size) == 0, ["DCR", "CRD"].contains(mode) else {
            throw Failure(
                .malformed, "\(x.shape.text) in blocks of \(size), mode \(mode.printable)")
        }
        let depth = c / (size * size)
        let isDepthFirst = mode == "DCR"
        let split = try reshaped(
            x, isDepthFirst ? [n, size, size, depth, h, w] : [n, depth, size, size, h, w])
        let moved = try transposed(
            split, isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
        return try reshaped(moved, [n, depth, h * size, w * size])
    }

    fileprivate mutating func spaceToDepth(_ op: Operator) throws(Failure) -> Value {
        let (x, size) = try block(op)
        let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        guard h % size == 0, w % size == 0 else {
            throw Failure(.malformed, "\(x.shape.text) in blocks of \(size)")
        }
        let isDepthFirst = try op.string("mode") ?? "DCR" == "DCR"
        let split = try reshaped(x, [n, c, h / size, size, w / size, size])
        let moved = try transposed(
            split, isDepthFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4])
        return try reshaped(moved, [n, c * size * size, h / size, w / size])
    }

    fileprivate mutating func triangle(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let offset = try op.constantIntegers(1)?.first ?? 0
        let isUpper = try op.flag("upper", default: true)
        guard x.shape.count >= 2 else { throw Failure(.malformed, "matrices expected") }
        if x.shape.contains(0) { return x }
        let (rows, columns) = (x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
        var kept: [Int64] = []
        kept.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                // Offsets may be the least integer.
                let place = column - row
                kept.append((isUpper ? place >= offset : place <= offset) ? 1 : 0)
            }
        }
        let mask = Value(Tensor(kept, type: .bool, shape: [rows, columns]))
        return try choose(mask, x, try zero(x.type))
    }

    fileprivate mutating func eye(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let code = try op.int("dtype") ?? Int(x.type.rawValue)
        guard x.shape.count == 2, let type = UInt8(exactly: code).flatMap(ElementType.init) else {
            throw Failure(.malformed, "a matrix and an element type of numbers expected")
        }
        let offset = try op.int("k") ?? 0
        let (rows, columns) = (x.shape[0], x.shape[1])
        guard rows * columns <= Self.foldedElementsMax else {
            throw Failure(.limit, "a matrix of \(rows) by \(columns)")
        }
        var values = [Int64](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            let (column, overflow) = row.addingReportingOverflow(offset)
            if !overflow, (0..<columns).contains(column) { values[row * columns + column] = 1 }
        }
        return try cast(Value(Tensor(values, type: .int64, shape: x.shape)), to: type)
    }

    fileprivate mutating func oneHot(_ op: Operator) throws(Failure) -> Value {
        let depthValue = try op.data(try op.input(1))
        let depthTensor = try cast(Value(depthValue), to: .int64)
        guard let depth = depthTensor.constant?.integers, depth.count == 1,
            (0...(1 << 31 - 1)).contains(depth[0])
        else { throw Failure(.malformed, "a depth of one number from 0 expected") }
        let indices = try cast(try op.input(0), to: .int64)
        let values = try op.input(2)
        guard values.shape == [2] else { throw Failure(.malformed, "two values expected") }
        let rank = indices.shape.count + 1
        let axis = try op.axis(try op.int("axis") ?? -1, rank: rank)
        var shape = indices.shape
        shape.insert(1, at: axis)
        let count = Value(Tensor([depth[0]], type: .int64, shape: [1]))
        let none = Value(Tensor([0], type: .int64, shape: [1]))
        let fromEnd = try binary(.add, indices, count)
        let wrapped = try choose(try binary(.less, indices, none), fromEnd, indices)
        let places = Value(
            Tensor(
                (0..<depth[0]).map { $0 }, type: .int64,
                shape: [Int(depth[0])] + Array(repeating: 1, count: rank - 1 - axis)))
        let isHot = try binary(.equal, try reshaped(wrapped, shape), places)
        let off = try view(values, offset: 0, axes: [1], strides: [1])
        let on = try view(values, offset: 1, axes: [1], strides: [1])
        return try choose(isHot, on, off)
    }

    fileprivate mutating func reverseSequence(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard let lengths = try op.constantIntegers(1), x.shape.count >= 2 else {
            throw Failure(.malformed, "lengths and at least two axes expected")
        }
        let batch = try op.axis(try op.int("batch_axis") ?? 1, rank: x.shape.count)
        let time = try op.axis(try op.int("time_axis") ?? 0, rank: x.shape.count)
        guard batch != time, lengths.count == x.shape[batch],
            lengths.allSatisfy({ (0...x.shape[time]).contains($0) })
        else { throw Failure(.malformed, "a length for each item of \(x.shape.text) expected") }
        let strides = x.shape.strides
        let places = (0..<x.shape.elementCount).map { place -> Int in
            let item = place / strides[batch] % x.shape[batch]
            let step = place / strides[time] % x.shape[time]
            guard step < lengths[item] else { return place }
            return place + (lengths[item] - 1 - 2 * step) * strides[time]
        }
        return try taken(x, places, shape: x.shape)
    }

    fileprivate mutating func centerCropPad(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        guard let sizes = try op.constantIntegers(1) else {
            throw Failure(.malformed, "a shape expected")
        }
        let given = try op.ints("axes") ?? Array(x.shape.indices)
        guard sizes.count == given.count, sizes.allSatisfy({ $0 >= 0 }) else {
            throw Failure(.malformed, "a size for each axis expected")
        }
        var value = x
        for (axis, size) in zip(given, sizes) {
            let axis = try op.axis(axis, rank: x.shape.count)
            let old = value.shape[axis]
            var begins = Array(repeating: 0, count: x.shape.count)
            var ends = begins
            begins[axis] = -((old - size) / 2)
            if size > old { begins[axis] = (size - old) / 2 }
            ends[axis] = size - old - begins[axis]
            value = try padded(
                value, begins, ends, .constant(try zero(x.type).constant?.bits[0] ?? 0))
        }
        return value
    }
}

// MARK: - Padding

/// What stands outside of a padded tensor.
enum Padding {
    /// One element's bits.
    case constant(UInt64)
    case edge, reflect, wrap

    /// Where an index outside of an axis of `size` elements lies inside.
    func place(_ index: Int, _ size: Int) -> Int? {
        switch self {
        case .constant: return (0..<size).contains(index) ? index : nil
        case .edge: return min(max(index, 0), size - 1)
        case .wrap: return ((index % size) + size) % size
        case .reflect:
            guard size > 1 else { return 0 }
            let period = 2 * (size - 1)
            let place = ((index % period) + period) % period
            return min(place, period - place)
        }
    }
}

extension Lowering {
    /// Adds elements before and after each axis, or with negative numbers drops them.
    mutating func padded(
        _ x: Value, _ begins: [Int], _ ends: [Int], _ padding: Padding
    ) throws(Failure) -> Value {
        var value = x
        if begins.contains(where: { $0 < 0 }) || ends.contains(where: { $0 < 0 }) {
            var shape = x.shape
            var offset = 0
            let strides = x.shape.strides
            for axis in shape.indices {
                let drop = max(0, -begins[axis])
                shape[axis] -= drop + max(0, -ends[axis])
                guard shape[axis] >= 0 else {
                    throw Failure(.malformed, "more is dropped than \(x.shape.text) has")
                }
                offset += drop * strides[axis]
            }
            value = try view(
                x, offset: shape.contains(0) ? 0 : offset, axes: shape, strides: strides)
        }
        let begins = begins.map { max(0, $0) }
        let shape = try Shape.checked(
            value.shape.indices.map { value.shape[$0] + begins[$0] + max(0, ends[$0]) })
        if shape == value.shape { return value }
        if case .constant(let bits) = padding {
            if value.shape.contains(0) {
                return try filled(Value(Tensor(bits: [bits], type: x.type, shape: [])), shape)
            }
            return try emit(
                .pad, [value],
                ints: [Int(x.type.rawValue), Int(truncatingIfNeeded: bits)] + shape + value.shape
                    + begins, type: x.type, shape: shape)
        }
        if shape.contains(0) { return empty(shape, x.type) }
        guard !value.shape.contains(0) else {
            throw Failure(.malformed, "nothing of \(value.shape.text) can be repeated")
        }
        // Inner axes first, so that outer ones take whole rows.
        for axis in shape.indices.reversed() {
            let places = (0..<shape[axis]).map {
                padding.place($0 - begins[axis], value.shape[axis]) ?? 0
            }
            value = try picked(value, axis, places)
        }
        return value
    }

    mutating func pad(_ op: Operator) throws(Failure) -> Value {
        let x = try op.input(0)
        let rank = x.shape.count
        guard var pads = try op.opset < 11 ? op.ints("pads") : op.constantIntegers(1),
            pads.allSatisfy({ $0.magnitude <= 1 << 24 })
        else { throw Failure(.malformed, "two pads for each axis, up to 2^24, expected") }
        if let given = try op.opset < 18 ? nil : op.constantIntegers(3) {
            guard pads.count == 2 * given.count else {
                throw Failure(.malformed, "two pads for each axis expected")
            }
            var all = Array(repeating: 0, count: 2 * rank)
            for (index, axis) in given.enumerated() {
                let axis = try op.axis(axis, rank: rank)
                all[axis] = pads[index]
                all[rank + axis] = pads[given.count + index]
            }
            pads = all
        }
        guard pads.count == 2 * rank else {
            throw Failure(.malformed, "\(pads.count) pads; two for each of \(rank) axes expected")
        }
        let padding: Padding
        switch try op.string("mode") ?? "constant" {
        case "constant":
            var value = Tensor([op.opset < 11 ? try op.float("value") ?? 0 : 0], shape: [1])
            if op.opset >= 11, let given = try op.optional(2) { value = try op.data(given) }
            guard value.count == 1,
                let bits = try cast(Value(value), to: x.type).constant?.bits
            else { throw Failure(.malformed, "one value expected") }
            padding = .constant(bits[0])
        case "edge": padding = .edge
        case "reflect": padding = .reflect
        case "wrap": padding = .wrap
        case let mode: throw Failure(.malformed, "mode \(mode.printable)")
        }
        return try padded(x, Array(pads[..<rank]), Array(pads[rank...]), padding)
    }
}
