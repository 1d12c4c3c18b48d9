internal import Core
internal import Exact

/// Operators of sequence models that keep a state from call to call.
extension Lowering {
    // MARK: Linear attention

    mutating func linearAttention(_ op: Operator) throws(Failure) {
        let rule = try op.string("update_rule") ?? "gated_delta"
        guard let queries = try op.int("q_num_heads"), let heads = try op.int("kv_num_heads"),
            heads > 0, queries > 0, queries % heads == 0,
            ["linear", "gated", "delta", "gated_delta"].contains(rule)
        else {
            throw Failure(
                .malformed,
                "update_rule \(rule.printable), q_num_heads a multiple of "
                    + "kv_num_heads expected")
        }
        // By (batch, heads, time, size).
        let q = try split(try op.floats(0), heads: queries)
        let k = try split(try op.floats(1), heads: heads)
        let v = try split(try op.floats(2), heads: heads)
        guard q.type == .float32 else { throw Failure(.unsupported, "exp of doubles") }
        let gates = rule.hasPrefix("gated")
        let corrects = rule.hasSuffix("delta")
        guard try (op.optional(4) != nil) == gates, try (op.optional(5) != nil) == corrects,
            q.shape[3] == k.shape[3], q.shape[2] == k.shape[2], v.shape[2] == k.shape[2]
        else { throw Failure(.malformed, "inputs of \(rule) expected") }
        let (batch, time, keySize, valueSize) = (
            k.shape[0], k.shape[2], k.shape[3], v.shape[3]
        )
        let stateShape = try Shape.checked([batch * heads, keySize, valueSize])
        guard time <= Self.turnsMax else {
            throw Failure(.limit, "\(time) time steps; at most \(Self.turnsMax) expected")
        }
        var state = try repeated(try scalar(0, .float32), stateShape)
        if let past = try op.optional(3) { state = try reshaped(past, stateShape) }
        let decay = try op.optional(4).map { (value) throws(Failure) in
            try unary(.exp, try split(value, heads: heads))
        }
        let rate = try op.optional(5).map { (value) throws(Failure) in
            let isShared = value.shape.last == 1
            let all = try split(value, heads: isShared ? 1 : heads)
            return isShared ? try repeated(all, [batch, heads, time, 1]) : all
        }
        let given = try op.float("scale") ?? 0
        let scale = given == 0 ? Exact.rcp(Exact.sqrt(Float(keySize))) : given
        func at(_ x: Value, _ t: Int, _ lowering: inout Lowering) throws(Failure) -> Value {
            let slice = try lowering.part(x, axis: 2, from: t, count: 1)
            return try lowering.reshaped(slice, [batch * heads, slice.shape[3]])
        }
        var results: [Value] = []
        for t in 0..<time {
            let key = try at(k, t, &self)
            let row = try reshaped(key, [batch * heads, 1, keySize])
            let column = try reshaped(key, [batch * heads, keySize, 1])
            var value = try reshaped(try at(v, t, &self), [batch * heads, 1, valueSize])
            if let decay {
                let factor = try at(decay, t, &self)
                state = try multiplied(state, try reshaped(factor, factor.shape + [1]))
            }
            if let rate {
                let factor = try reshaped(try at(rate, t, &self), [batch * heads, 1, 1])
                value = try binary(.sub, value, try product(row, state))
                value = try multiplied(factor, value)
            }
            state = try add(state, try multiplied(column, value))
            let query = try part(q, axis: 2, from: t, count: 1)
            let rows = try reshaped(query, [batch * heads, queries / heads, keySize])
            let read = try multiplied(try product(rows, state), scale)
            results.append(try reshaped(read, [batch, queries * valueSize]))
        }
        let none = empty([batch, 0, queries * valueSize], .float32)
        try define(op, results.isEmpty ? none : try stacked(results, axis: 1))
        try define(op, try reshaped(state, [batch, heads, keySize, valueSize]), at: 1)
    }

    // MARK: Causal convolution

    mutating func causalConvolution(_ op: Operator) throws(Failure) {
        let x = try op.floats(0)
        let weights = try op.floats(1)
        let name = try op.string("activation") ?? "none"
        guard x.type == .float32, x.shape.count == 3, weights.shape.count == 3,
            weights.shape[0] == x.shape[1], weights.shape[1] == 1, weights.shape[2] > 0,
            ["none", "silu", "swish"].contains(name)
        else {
            throw Failure(
                .malformed,
                "\(x.type.name) \(x.shape.text), weights \(weights.shape.text), "
                    + "activation \(name.printable)")
        }
        let (batch, channels, length) = (x.shape[0], x.shape[1], x.shape[2])
        let before = weights.shape[2] - 1
        let pastShape = try Shape.checked([batch, channels, before])
        var past = try repeated(try scalar(0, x.type), pastShape)
        if let given = try op.optional(3) { past = given }
        guard past.shape == pastShape else {
            throw Failure(.malformed, "a past of \(past.shape.text); \(pastShape.text) expected")
        }
        let all = try concatenated([past, x], axis: 2)
        var shape = ConvolutionShape()
        (shape.items, shape.groups) = (batch, channels)
        (shape.window.width, shape.window.outWidth) = (before + length, length)
        shape.window.kernelWidth = before + 1
        var operands = [all, weights]
        if let bias = try op.optional(2) {
            guard bias.shape == [channels] else {
                throw Failure(.malformed, "a bias of \(bias.shape.text); [\(channels)] expected")
            }
            shape.bias = 1
            operands.append(bias)
        }
        try checkFinite(weights, "weights")
        var y = try emit(
            .convolve, operands, ints: shape.ints, floats: [0, 0], type: x.type, shape: x.shape)
        if name != "none" { y = try unary(.swish, y, 1) }
        try define(op, y)
        try define(op, try part(all, axis: 2, from: length, count: before), at: 1)
    }

    // MARK: Caches

    /// Rows of the cache or of the update, chosen by where each update begins.
    mutating func scatterTensor(_ op: Operator) throws(Failure) -> Value {
        let cache = try op.input(0)
        let update = try op.input(1)
        let rank = cache.shape.count
        let axis = try op.axis(try op.int("axis") ?? -2, rank: rank)
        let mode = try op.string("mode") ?? "linear"
        guard mode == "linear" || mode == "circular", axis > 0, update.type == cache.type,
            update.shape.count == rank, update.shape[axis] <= cache.shape[axis],
            cache.shape.indices.allSatisfy({
                $0 == axis || cache.shape[$0] == update.shape[$0]
            })
        else {
            throw Failure(
                .malformed,
                "mode \(mode.printable), an update of \(update.shape.text) for "
                    + "\(cache.shape.text)")
        }
        let batch = cache.shape[0]
        let (length, count) = (cache.shape[axis], update.shape[axis])
        let lines = cache.shape[..<axis].reduce(1, *)
        let inner = cache.shape[(axis + 1)...].reduce(1, *)
        var starts = try range([batch, 1, 1], step: 0)
        if let given = try op.optional(2) {
            starts = try reshaped(try cast(given, to: .int64), [batch, 1, 1])
        }
        let places = try range([1, 1, length])
        let zero = integers([0], shape: [])
        // How far behind the update's first element each place lies.
        var ahead = try binary(.sub, places, starts)
        if mode == "circular" {
            let isBefore = try binary(.less, ahead, zero)
            ahead = try choose(isBefore, try add(ahead, integers([length], shape: [])), ahead)
        }
        let isNew = try both(
            try binary(.greaterOrEqual, ahead, zero),
            try binary(.less, ahead, integers([count], shape: [])))
        let lineShape = [batch, lines / max(1, batch), 1]
        let ofUpdate = try range(lineShape, step: count)
        let ofCache = try range(lineShape, from: lines * count, step: length)
        let indices = try choose(isNew, try add(ofUpdate, ahead), try add(ofCache, places))
        let table = try concatenated(
            [
                try reshaped(update, [lines * count, inner]),
                try reshaped(cache, [lines * length, inner]),
            ], axis: 0)
        return try reshaped(try gather(table, indices, axis: 0), cache.shape)
    }
}
