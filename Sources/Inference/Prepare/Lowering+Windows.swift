internal import Core

/// A window's numbers as a node's attributes give them, over one or two axes.
struct Window {
    var shape = WindowShape()
    var bottom = 0, right = 0
    /// The result's axes behind items and channels.
    var outAxes: [Int] = []

    /// - Parameters:
    ///   - axes: the planes' axes.
    ///   - kernel: the window's, as many.
    init(_ op: Operator, axes: [Int], kernel: [Int]) throws(Failure) {
        let volume = try Volume(op, axes: axes, kernel: kernel)
        let rank = axes.count
        guard rank == 1 || rank == 2 else {
            throw Failure(
                .unsupported, "\(rank) axes under a window of \(kernel.text); 1 or 2 expected")
        }
        let (strides, dilations) = (volume.strides, volume.dilations)
        let pads = volume.begins + volume.ends
        outAxes = volume.outAxes
        let two = rank == 2
        (shape.height, shape.width) = (two ? axes[0] : 1, axes[rank - 1])
        (shape.outHeight, shape.outWidth) = (two ? outAxes[0] : 1, outAxes[rank - 1])
        (shape.kernelHeight, shape.kernelWidth) = (two ? kernel[0] : 1, kernel[rank - 1])
        (shape.strideY, shape.strideX) = (two ? strides[0] : 1, strides[rank - 1])
        (shape.dilationY, shape.dilationX) = (two ? dilations[0] : 1, dilations[rank - 1])
        (shape.top, shape.left) = (two ? pads[0] : 0, pads[rank - 1])
        (bottom, right) = (two ? pads[rank] : 0, pads[2 * rank - 1])
    }
}

/// A window over any number of axes.
struct Volume {
    var axes: [Int]
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var begins: [Int]
    var ends: [Int]
    /// The result's axes behind items and channels.
    var outAxes: [Int] = []

    var taps: Int { kernel.reduce(1, *) }
    var positions: Int { outAxes.reduce(1, *) }

    init(_ op: Operator, axes: [Int], kernel: [Int]) throws(Failure) {
        let rank = axes.count
        guard rank >= 1, kernel.count == rank,
            kernel.allSatisfy({ (1...(1 << 20)).contains($0) })
        else {
            throw Failure(
                .malformed, "\(rank) axes under a window of \(kernel.text)")
        }
        let strides = try op.sizes("strides", rank: rank)
        let dilations = try op.sizes("dilations", rank: rank)
        let reach = (0..<rank).map { (kernel[$0] - 1) * dilations[$0] + 1 }
        let pads = try Self.pads(op, axes: axes, strides: strides, reach: reach)
        let roundsUp = try op.int("ceil_mode") ?? 0 == 1
        for axis in 0..<rank {
            let padded = axes[axis] + pads[axis] + pads[rank + axis]
            guard padded >= reach[axis] else {
                throw Failure(
                    .malformed, "a window of \(reach[axis]) over \(padded) elements with padding")
            }
            let span = padded - reach[axis]
            let stride = strides[axis]
            var out = (roundsUp ? (span + stride - 1) / stride : span / stride) + 1
            // The last window begins inside the plane or the padding before it.
            if roundsUp, (out - 1) * stride >= axes[axis] + pads[axis] { out -= 1 }
            outAxes.append(out)
        }
        (self.axes, self.kernel, self.strides, self.dilations) = (axes, kernel, strides, dilations)
        (begins, ends) = (Array(pads[..<rank]), Array(pads[rank...]))
        guard outAxes.allSatisfy({ $0 > 0 }) else {
            throw Failure(.malformed, "a window that fits nowhere in \(axes.text)")
        }
    }

    /// For each position of the window, row by row, and each tap, where it lies in a plane; nil in
    /// the padding. Positions are the slower axis.
    func places() throws(Failure) -> [Int?] {
        guard positions * taps <= Lowering.foldedElementsMax else {
            throw Failure(.limit, "\(positions) windows of \(taps) elements")
        }
        let planeStrides = axes.strides
        var places: [Int?] = []
        places.reserveCapacity(positions * taps)
        for position in 0..<positions {
            let at = zip(outAxes.strides, outAxes).map { position / $0 % $1 }
            for tap in 0..<taps {
                let k = zip(kernel.strides, kernel).map { tap / $0 % $1 }
                var place: Int? = 0
                for axis in axes.indices {
                    let index = at[axis] * strides[axis] - begins[axis] + k[axis] * dilations[axis]
                    place =
                        (0..<axes[axis]).contains(index)
                        ? place.map { $0 + index * planeStrides[axis] } : nil
                }
                places.append(place)
            }
        }
        return places
    }

    private static func pads(
        _ op: Operator, axes: [Int], strides: [Int], reach: [Int]
    ) throws(Failure) -> [Int] {
        let rank = axes.count
        let mode = try op.string("auto_pad") ?? "NOTSET"
        switch mode {
        case "NOTSET", "":
            guard let pads = try op.ints("pads") else {
                return Array(repeating: 0, count: 2 * rank)
            }
            guard pads.count == 2 * rank, pads.allSatisfy({ (0...(1 << 20)).contains($0) }) else {
                throw Failure(
                    .malformed,
                    "attribute \"pads\": \(2 * rank) integers from 0 to \(1 << 20) expected")
            }
            return pads
        case "VALID": return Array(repeating: 0, count: 2 * rank)
        case "SAME_UPPER", "SAME_LOWER":
            let total = (0..<rank).map { axis in
                let out = (axes[axis] + strides[axis] - 1) / strides[axis]
                return max(0, (out - 1) * strides[axis] + reach[axis] - axes[axis])
            }
            let less = total.map { $0 / 2 }
            let more = total.map { $0 - $0 / 2 }
            return mode == "SAME_UPPER" ? less + more : more + less
        default: throw Failure(.malformed, "auto_pad \(mode.printable)")
        }
    }
}

extension Operators {
    /// Operators over sliding windows.
    static let windows: Table = [
        "AveragePool": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.pool(op, .average)
        },
        "Col2Im": value(3...3) { (lowering, op) throws(Failure) in
            try lowering.columnsToImage(op)
        },
        "ConvTranspose": value(2...3) { (lowering, op) throws(Failure) in
            try lowering.convolveTransposed(op)
        },
        "GlobalLpPool": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.globalPowerPool(op)
        },
        "LpPool": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.pool(op, .power)
        },
        "GlobalAveragePool": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.globalPool(op)
        },
        "GlobalMaxPool": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.globalPool(op)
        },
        "MaxPool": steps(1...1, outputs: 1...2) { (lowering, op) throws(Failure) in
            let isIndexed = op.node.outputs.count > 1 && !op.node.outputs[1].isEmpty
            let x = try op.input(0)
            if isIndexed || x.type.isInteger { return try lowering.maximaOnHost(op, isIndexed) }
            try lowering.define(op, try lowering.pool(op, .max))
        },
        "MaxUnpool": host(2...3) { (op, inputs) throws(Failure) in
            [try Pooling.unpool(op, inputs)]
        },
    ]

    /// Operators over axes.
    static let reductions: Table = {
        var table: Table = [
            "ArgMax": value(1...1) { (lowering, op) throws(Failure) in
                try lowering.argument(op, try op.input(0))
            },
            "ArgMin": value(1...1) { (lowering, op) throws(Failure) in
                try lowering.argument(op, try op.input(0))
            },
            "LogSoftmax": value(1...1) { (lowering, op) throws(Failure) in
                try lowering.softmax(op)
            },
            "Softmax": value(1...1) { (lowering, op) throws(Failure) in try lowering.softmax(op) },
        ]
        let operations: [String: ReduceOperation] = [
            "ReduceMax": .max, "ReduceMean": .mean, "ReduceMin": .min, "ReduceProd": .prod,
            "ReduceSum": .sum,
        ]
        for (name, operation) in operations {
            table[name] = value(1...2) { (lowering, op) throws(Failure) in
                let x = try op.input(0)
                guard x.type == .bool else { return try lowering.reduce(op, x, operation) }
                let bytes = try lowering.cast(x, to: .uint8)
                return try lowering.cast(try lowering.reduce(op, bytes, operation), to: .bool)
            }
        }
        table["ReduceL1"] = value(1...2) { (lowering, op) throws(Failure) in
            try lowering.reduce(op, try lowering.unary(.abs, try op.input(0)), .sum)
        }
        table["ReduceL2"] = value(1...2) { (lowering, op) throws(Failure) in
            let x = try op.input(0)
            let sum = try lowering.reduce(op, try lowering.binary(.mul, x, x), .sum)
            if sum.type.isFloating { return try lowering.unary(.sqrt, sum) }
            let root = try lowering.unary(.sqrt, try lowering.cast(sum, to: .float32))
            return try lowering.cast(root, to: sum.type)
        }
        table["ReduceLogSum"] = value(1...2) { (lowering, op) throws(Failure) in
            try lowering.unary(.log, try lowering.reduce(op, try op.floats(0), .sum))
        }
        table["ReduceLogSumExp"] = value(1...2) { (lowering, op) throws(Failure) in
            try lowering.reduceLogSumExp(op)
        }
        table["ReduceSumSquare"] = value(1...2) { (lowering, op) throws(Failure) in
            let x = try op.input(0)
            return try lowering.reduce(op, try lowering.binary(.mul, x, x), .sum)
        }
        return table
    }()
}

extension Lowering {
    mutating func pool(_ op: Operator, _ kind: PoolKind) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard x.shape.count >= 3, let kernel = try op.ints("kernel_shape") else {
            throw Failure(.malformed, "items, channels, planes and a kernel_shape expected")
        }
        guard kernel.count <= 2, kind != .power else { return try poolVolume(op, x, kernel, kind) }
        let (shape, outAxes) = try poolShape(op, x, kernel, averages: kind == .average)
        return try emit(
            .pool, [x], ints: shape.ints, type: x.type, shape: Array(x.shape[..<2]) + outAxes)
    }

    private func poolShape(
        _ op: Operator, _ x: Value, _ kernel: [Int], averages: Bool
    ) throws(Failure) -> (PoolShape, outAxes: [Int]) {
        let window = try Window(op, axes: Array(x.shape[2...]), kernel: kernel)
        var shape = PoolShape()
        shape.planes = x.shape[0] * x.shape[1]
        shape.averages = averages ? 1 : 0
        let countsPadding = try op.flag("count_include_pad")
        shape.countsPadding = averages && countsPadding ? 1 : 0
        (shape.bottom, shape.right) = (window.bottom, window.right)
        shape.window = window.shape
        return (shape, window.outAxes)
    }

    /// The gradient of a pool over one or two axes.
    mutating func unpool(_ op: Operator, averages: Bool) throws(Failure) -> Value {
        let x = try op.floats(0)
        let gradient = try op.floats(averages ? 1 : 2)
        guard x.shape.count >= 3, let kernel = try op.ints("kernel_shape") else {
            throw Failure(.malformed, "items, channels, planes and a kernel_shape expected")
        }
        let (shape, outAxes) = try poolShape(op, x, kernel, averages: averages)
        let outShape = Array(x.shape[..<2]) + outAxes
        guard gradient.shape == outShape, averages ? true : try op.floats(1).shape == outShape
        else { throw Failure(.malformed, "a gradient of \(gradient.shape.text)") }
        return try emit(
            .unpool, averages ? [gradient] : [x, try op.floats(1), gradient], ints: shape.ints,
            type: x.type, shape: x.shape)
    }

    mutating func globalPool(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard x.shape.count >= 3 else {
            throw Failure(.malformed, "\(x.shape.text): items, channels and planes expected")
        }
        let operation: ReduceOperation = op.node.type == "GlobalMaxPool" ? .max : .mean
        let outer = x.shape[0] * x.shape[1]
        return try emit(
            .reduce, [x],
            ints: [
                operation.rawValue, outer, x.shape[2...].reduce(1, *), 1, Int(x.type.rawValue),
            ], type: x.type,
            shape: Array(x.shape[..<2]) + x.shape[2...].map { _ in 1 })
    }

    /// log(sum of exp(x − max)) + max.
    mutating func reduceLogSumExp(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard !x.shape.contains(0) else {
            return try unary(.log, try reduce(op, x, .sum))
        }
        // The maximum keeps its axes to stand beside x, and has the result's own to be added.
        let top = try reduce(op, x, .max, keeps: true)
        let none = Value(Tensor([0], shape: [1]))
        let infinite = try binary(
            .equal, try unary(.abs, top), Value(Tensor([Float.infinity], shape: [1])))
        let safe = try choose(infinite, none, top)
        let sum = try reduce(op, try unary(.exp, try binary(.sub, x, safe)), .sum, keeps: true)
        let result = try binary(.add, try unary(.log, sum), safe)
        let shape = try reduce(op, x, .max).shape
        return try reshaped(result, shape)
    }

    /// - Parameter keeps: whether reduced axes stay as 1; nil as the attribute says.
    mutating func reduce(
        _ op: Operator, _ x: Value, _ operation: ReduceOperation, keeps: Bool? = nil
    ) throws(Failure) -> Value {
        let rank = x.shape.count
        let isInput = op.opset >= (op.node.type == "ReduceSum" ? 13 : 18)
        let given = try isInput ? op.constantIntegers(1) : op.ints("axes")
        if (given ?? []).isEmpty, try op.int("noop_with_empty_axes") == 1 { return x }
        let axes = try op.axes(
            given.flatMap { $0.isEmpty ? nil : $0 } ?? Array(0..<rank), rank: rank)
        let isKept = try op.flag("keepdims", default: true)
        return axes.isEmpty ? x : try reduced(operation, x, axes: axes, keeps: keeps ?? isKept)
    }

    /// Reductions of nothing: the value that changes no other.
    mutating func reduced(
        _ operation: ReduceOperation, _ type: ElementType, _ shape: [Int]
    ) throws(Failure) -> Value {
        let value: Float =
            switch operation {
            case .sum: 0
            case .prod: 1
            case .mean: Float(bitPattern: 0x7fc0_0000)
            case .max: -.infinity
            case .min: .infinity
            }
        guard value.isFinite || type.isFloating else {
            let (low, high) = type.limits
            let limit = Tensor([operation == .max ? low : high], type: type, shape: [1])
            return try filled(Value(limit), shape)
        }
        return try filled(try cast(Value(Tensor([value], shape: [])), to: type), shape)
    }

    mutating func argument(
        _ op: Operator, _ x: Value, isReversed: Bool = false
    ) throws(Failure) -> Value {
        let axis = try op.axis(try op.int("axis") ?? 0, rank: x.shape.count)
        guard x.shape[axis] > 0 else {
            throw Failure(.malformed, "an axis of \(x.shape.text) with elements")
        }
        if try op.flag("select_last_index"), !isReversed {
            var strides = x.shape.strides
            let last = (x.shape[axis] - 1) * strides[axis]
            strides[axis] = -strides[axis]
            let reversed = try view(x, offset: last, axes: x.shape, strides: strides)
            let index = try argument(op, reversed, isReversed: true)
            let size = Value(Tensor([Int64(x.shape[axis] - 1)], type: .int64, shape: [1]))
            return try reshaped(try binary(.sub, size, index), index.shape)
        }
        let keeps = try op.int("keepdims") ?? 1 == 1
        let before = Array(x.shape[..<axis])
        let after = Array(x.shape[(axis + 1)...])
        return try emit(
            .argument, [x],
            ints: [
                op.node.type == "ArgMin" ? 1 : 0, before.elementCount, x.shape[axis],
                after.elementCount, Int(x.type.rawValue),
            ], type: .int64, shape: before + (keeps ? [1] : []) + after)
    }

    /// Up to opset 12 all axes from `axis` on count as one.
    mutating func softmax(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let isOld = op.opset < 13
        let axis = try op.axis(try op.int("axis") ?? (isOld ? 1 : -1), rank: x.shape.count)
        guard x.type == .float32 else { throw Failure(.unsupported, "softmax of doubles") }
        if x.shape.contains(0) { return x }
        let outer = x.shape[..<axis].reduce(1, *)
        let count = isOld ? x.shape[axis...].reduce(1, *) : x.shape[axis]
        let inner = isOld ? 1 : x.shape[(axis + 1)...].reduce(1, *)
        return try emit(
            .softmax, [x],
            ints: [op.node.type == "LogSoftmax" ? 1 : 0, outer, count, inner], type: x.type,
            shape: x.shape)
    }
}
