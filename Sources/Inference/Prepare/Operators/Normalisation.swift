internal import Core

extension Operators {
    /// Operators that give rows, channels or groups a mean and a variance.
    static let normalisations: Table = [
        "BatchNormalization": steps(5...5, outputs: 1...5) { (lowering, op) throws(Failure) in
            try lowering.normalizeBatch(op)
        },
        "GroupNormalization": value(3...3, from: 18) { (lowering, op) throws(Failure) in
            try lowering.normalizeGroups(op)
        },
        "InstanceNormalization": value(3...3) { (lowering, op) throws(Failure) in
            let x = try op.floats(0)
            guard x.shape.count >= 2 else {
                throw Failure(.malformed, "\(x.shape.text): items and channels expected")
            }
            return try lowering.normalizeGroups(op, x, groups: x.shape[1])
        },
        "LayerNormalization": steps(2...3, outputs: 1...3) { (lowering, op) throws(Failure) in
            try lowering.normalizeLayer(op, centers: true)
        },
        "LpNormalization": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.normalizeLength(op)
        },
        "MeanVarianceNormalization": value(1...1) { (lowering, op) throws(Failure) in
            try lowering.normalizeMeanVariance(op)
        },
        "RMSNormalization": value(2...2, from: 23) { (lowering, op) throws(Failure) in
            try lowering.normalizeLayer(op, try op.floats(0), centers: false)
        },
        // ONNX Runtime's, which it counts as ONNX's own.
        "SimplifiedLayerNormalization": steps(2...2, outputs: 1...2) {
            (lowering, op) throws(Failure) in try lowering.normalizeLayer(op, centers: false)
        },
        "com.microsoft.EmbedLayerNormalization": steps(1...9, outputs: 1...3) {
            (lowering, op) throws(Failure) in try lowering.normalizeEmbedding(op)
        },
        "com.microsoft.SkipLayerNormalization": steps(3...5, outputs: 1...4) {
            (lowering, op) throws(Failure) in try lowering.normalizeSum(op, centers: true)
        },
        "com.microsoft.SkipSimplifiedLayerNormalization": steps(3...4, outputs: 1...4) {
            (lowering, op) throws(Failure) in try lowering.normalizeSum(op, centers: false)
        },
    ]
}

extension Lowering {
    // MARK: Rows

    /// (x − mean) ÷ √(variance + epsilon) of rows of `count` elements, times scale, plus bias.
    mutating func normalized(
        _ x: Value, count: Int, epsilon: Float, centers: Bool, scale: Value? = nil,
        bias: Value? = nil
    ) throws(Failure) -> Value {
        guard x.type == .float32 || x.type == .double, scale?.type ?? x.type == x.type,
            bias?.type ?? x.type == x.type
        else { throw Failure(.unsupported, "floats of one type expected") }
        guard count > 0 else { return x }
        var flags: NormalizeFlags = centers ? .centers : []
        if scale != nil { flags.insert(.scales) }
        if bias != nil { flags.insert(.biases) }
        return try emit(
            .normalize, [x] + [scale, bias].compactMap { $0 },
            ints: [x.shape.elementCount / count, count, flags.rawValue], floats: [epsilon],
            type: x.type, shape: x.shape)
    }

    /// Over all axes from attribute "axis" on.
    mutating func normalizeLayer(
        _ op: Operator, _ x: Value, centers: Bool, scaleIndex: Int = 1
    ) throws(Failure) -> Value {
        let stash = try op.int("stash_type") ?? 1
        guard stash == 1 || (stash == 11 && x.type == .double) else {
            throw Failure(.unsupported, "stash_type \(stash); 1 (float32) expected")
        }
        let axis = try op.axis(try op.int("axis") ?? -1, rank: x.shape.count)
        let inner = Array(x.shape[axis...])
        let scale = try op.input(scaleIndex)
        let bias = centers ? try op.optional(scaleIndex + 1) : nil
        let epsilon = try op.float("epsilon") ?? 1e-5
        // A scale that differs from row to row is a step of its own.
        let isByRow = [scale, bias].contains { operand in
            operand.map { $0.shape.drop { $0 == 1 }.count > inner.count } ?? false
        }
        if isByRow {
            var y = try normalized(
                x, count: inner.elementCount, epsilon: epsilon, centers: centers)
            y = try multiplied(y, scale)
            if let bias { y = try add(y, bias) }
            guard y.shape == x.shape else {
                throw Failure(.malformed, "a scale of \(scale.shape.text) for \(x.shape.text)")
            }
            return y
        }
        return try normalized(
            x, count: inner.elementCount, epsilon: epsilon, centers: centers,
            scale: try row(scale, inner),
            bias: try bias.map { (bias) throws(Failure) in
                try row(bias, inner)
            })
    }

    /// A scale or bias as long as a row.
    private mutating func row(_ value: Value, _ inner: [Int]) throws(Failure) -> Value {
        let own = Array(value.shape.drop { $0 == 1 })
        let broadcast = try Broadcast([own, inner])
        guard broadcast.shape == inner else {
            throw Failure(.malformed, "a scale of \(value.shape.text) for rows of \(inner.text)")
        }
        return own == inner ? value : try repeated(try reshaped(value, own), inner)
    }

    mutating func normalizeLayer(_ op: Operator, centers: Bool) throws(Failure) {
        let x = try op.floats(0)
        try define(op, try normalizeLayer(op, x, centers: centers))
        let axis = try op.axis(try op.int("axis") ?? -1, rank: x.shape.count)
        try defineMoments(
            op, x, axes: Array(axis..<max(axis, x.shape.count)), mean: centers ? 1 : nil,
            deviation: centers ? 2 : 1)
    }

    /// The outputs that hold the mean and 1 ÷ √(variance + epsilon), where they are asked for.
    private mutating func defineMoments(
        _ op: Operator, _ x: Value, axes: [Int], mean meanIndex: Int?, deviation: Int
    ) throws(Failure) {
        let names = op.node.outputs
        func isWanted(_ index: Int?) -> Bool {
            index.map { $0 < names.count && !names[$0].isEmpty } ?? false
        }
        guard isWanted(meanIndex) || isWanted(deviation) else { return }
        var d = x
        if let meanIndex {
            let mean = try reduced(.mean, x, axes: axes, keeps: true)
            // Of float32 whatever the type of x.
            if isWanted(meanIndex) { define(names[meanIndex], .tensor(mean)) }
            d = try binary(.sub, x, mean)
        }
        guard isWanted(deviation) else { return }
        let variance = try reduced(.mean, try multiplied(d, d), axes: axes, keeps: true)
        let epsilon = try scalar(try op.float("epsilon") ?? 1e-5, x.type)
        let root = try unary(.sqrt, try add(variance, epsilon))
        define(names[deviation], .tensor(try unary(.reciprocal, root)))
    }

    /// Of the sum of input, skip and bias.
    mutating func normalizeSum(_ op: Operator, centers: Bool) throws(Failure) {
        let x = try op.floats(0)
        var sum = try add(x, try op.floats(1))
        if let bias = try op.optional(centers ? 4 : 3) { sum = try add(sum, bias) }
        guard sum.shape == x.shape else {
            throw Failure(.malformed, "a skip of \(try op.input(1).shape.text) for \(x.shape.text)")
        }
        try define(
            op, try normalizeLayer(op, sum, centers: centers, scaleIndex: 2))
        let last = x.shape.count - 1
        try defineMoments(op, sum, axes: [last], mean: centers ? 1 : nil, deviation: 2)
        try define(op, sum, at: 3)
    }

    mutating func normalizeEmbedding(_ op: Operator) throws(Failure) {
        let ids = try op.input(0)
        guard ids.shape.count == 2 else {
            throw Failure(.malformed, "ids of \(ids.shape.text): [batch, sequence] expected")
        }
        var sum = try gather(try op.input(2), ids, axis: 0)
        let positions = try op.input(3)
        if let given = try op.optional(8) {
            sum = try add(sum, try gather(positions, given, axis: 0))
        } else {
            guard positions.shape.count == 2, positions.shape[0] >= ids.shape[1] else {
                throw Failure(.malformed, "positions of \(positions.shape.text)")
            }
            sum = try add(sum, try part(positions, axis: 0, from: 0, count: ids.shape[1]))
        }
        if let segments = try op.optional(1), let table = try op.optional(4) {
            sum = try add(sum, try gather(table, segments, axis: 0))
        }
        try define(op, try normalizeLayer(op, sum, centers: true, scaleIndex: 5))
        if let mask = try op.optional(7) {
            try define(op, try reduced(.sum, mask, axes: [1], keeps: false), at: 1)
        } else {
            let none = Value(Tensor([0], type: .int32, shape: [1]))
            try define(op, try repeated(none, [ids.shape[0]]), at: 1)
        }
        try define(op, sum, at: 2)
    }

    // MARK: Channels

    mutating func normalizeGroups(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        guard let groups = try op.int("num_groups"), x.shape.count >= 2, groups > 0,
            x.shape[1] % groups == 0
        else {
            throw Failure(
                .malformed,
                "attribute \"num_groups\": a divisor of the channels of "
                    + "\(x.shape.text) expected")
        }
        return try normalizeGroups(op, x, groups: groups)
    }

    mutating func normalizeGroups(
        _ op: Operator, _ x: Value, groups: Int
    ) throws(Failure) -> Value {
        let channels = x.shape[1]
        let pixels = x.shape[2...].reduce(1, *)
        guard !x.shape.contains(0) else { return x }
        let y = try normalized(
            x, count: channels / groups * pixels, epsilon: try op.float("epsilon") ?? 1e-5,
            centers: true)
        var affine: [Value] = []
        for index in 1...2 {
            var value = try op.floats(index)
            if value.shape == [groups], groups != channels {
                // Up to opset 20, one a group.
                value = try repeated(
                    try reshaped(value, [groups, 1]), [groups, channels / groups])
                value = try reshaped(value, [channels])
            }
            guard value.shape == [channels], value.type == x.type else {
                throw Failure(
                    .malformed, "\(value.shape.text) for \(channels) channels of \(x.type.name)")
            }
            affine.append(value)
        }
        return try emit(
            .affine, [y] + affine, ints: [x.shape[0], channels, pixels], type: x.type,
            shape: x.shape)
    }

    // MARK: Batches

    /// With parameters that are computed, or of this batch.
    mutating func normalizeBatch(_ op: Operator) throws(Failure) {
        let isTraining = try op.int("training_mode") ?? 0 != 0
        let isSpatial = try op.int("spatial") ?? 1 == 1
        guard op.opset >= 14 || op.node.outputs.dropFirst().allSatisfy({ !isUsed($0) }) else {
            throw Failure(.unsupported, "training outputs before opset 14; inference expected")
        }
        var x = try op.floats(0)
        if !isTraining, isSpatial, x.type == .float32, (1...4).allSatisfy({ op.isKnown($0) }) {
            return try define(op, try normalize(op))
        }
        let shape = x.shape
        guard shape.count >= 2, !isTraining || !shape.contains(0) else {
            throw Failure(.malformed, "\(shape.text): items and channels expected")
        }
        if !isSpatial { x = try reshaped(x, [shape[0], shape[1...].reduce(1, *)]) }
        let channels = [x.shape[1]]
        var parameters: [Value] = []
        for index in 1...4 {
            let value = try op.floats(index)
            guard value.shape.elementCount == channels[0], value.type == x.type else {
                throw Failure(.malformed, "\(value.shape.text) for \(channels[0]) channels")
            }
            parameters.append(try reshaped(value, channels))
        }
        var (mean, variance) = (parameters[2], parameters[3])
        if isTraining {
            let axes = x.shape.indices.filter { $0 != 1 }
            mean = try reduced(.mean, x, axes: axes, keeps: true)
            let d = try binary(.sub, x, mean)
            variance = try reduced(.mean, try multiplied(d, d), axes: axes, keeps: false)
            mean = try reshaped(mean, channels)
            let momentum = try op.float("momentum") ?? 0.9
            for (index, now) in [mean, variance].enumerated() {
                let old = try multiplied(parameters[2 + index], momentum)
                let running = try add(old, try multiplied(now, 1 - momentum))
                try define(op, running, at: 1 + index)
            }
        }
        let epsilon = try scalar(try op.float("epsilon") ?? 1e-5, x.type)
        let root = try unary(.sqrt, try add(variance, epsilon))
        let scale = try binary(.div, parameters[0], root)
        let shift = try emit(
            .affine, [try unary(.neg, mean), scale, parameters[1]], ints: [1, channels[0], 1],
            type: x.type, shape: channels)
        let y = try emit(
            .affine, [x, scale, shift],
            ints: [x.shape[0], channels[0], x.shape[2...].reduce(1, *)], type: x.type,
            shape: x.shape)
        try define(op, try reshaped(y, shape))
    }

    // MARK: Axes

    mutating func normalizeMeanVariance(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let axes = try op.axes(try op.ints("axes") ?? [0, 2, 3], rank: x.shape.count)
        let d = try binary(.sub, x, try reduced(.mean, x, axes: axes, keeps: true))
        let variance = try reduced(.mean, try multiplied(d, d), axes: axes, keeps: true)
        let root = try add(try unary(.sqrt, variance), try scalar(1e-9, x.type))
        return try binary(.div, d, root)
    }

    /// A line of nothing but zeros stays so.
    mutating func normalizeLength(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let axis = try op.axis(try op.int("axis") ?? -1, rank: x.shape.count)
        let p = try op.int("p") ?? 2
        guard p == 1 || p == 2 else {
            throw Failure(.malformed, "attribute \"p\": 1 or 2 expected")
        }
        let parts = try p == 1 ? unary(.abs, x) : multiplied(x, x)
        var length = try reduced(.sum, parts, axes: [axis], keeps: true)
        if p == 2 { length = try unary(.sqrt, length) }
        let one = try scalar(1, x.type)
        let isZero = try binary(.equal, length, try scalar(0, x.type))
        return try binary(.div, x, try choose(isZero, one, length))
    }
}
