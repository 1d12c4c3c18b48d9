internal import Core
internal import Exact

/// The attention of ONNX Runtime's own domain.
extension Lowering {
    /// Softmax of scaled scores under a mask, times values.
    private mutating func attend(
        _ op: Operator, _ heads: Heads, _ mask: AttentionMask, cap: Float = 0
    ) throws(Failure) -> Value {
        var h = heads
        try h.check()
        var scale = try op.float("scale") ?? 0
        if scale == 0 { scale = Exact.rcp(Exact.sqrt(Float(h.q.shape[3]))) }
        h.q = try multiplied(h.q, scale)
        var scores = try scores(h)
        if cap != 0 { scores = try capped(scores, cap) }
        let bias = try bias(mask, like: scores)
        if let bias { scores = try add(scores, bias) }
        guard scores.shape == h.scoreShape else {
            throw Failure(.malformed, "a mask that does not fit scores of \(h.scoreShape.text)")
        }
        // A finite filter leaves no row empty.
        return try weighted(try weights(scores, bias: mask.allowed == nil ? nil : bias), h)
    }

    // MARK: Masks

    /// What a mask of 0 and 1, or of lengths, adds to scores.
    private mutating func filter(
        _ mask: Value, _ op: Operator, _ h: Heads
    ) throws(Failure) -> Value {
        let keys = try range([h.keys])
        let isSeen: Value
        let zero = integers([0], shape: [])
        let mask = try cast(mask, to: .int64)
        switch mask.shape.count {
        case 1 where mask.shape[0] == h.batch || mask.shape[0] == 2 * h.batch:
            let ends = try part(mask, axis: 0, from: 0, count: h.batch)
            var seen = try binary(.less, keys, try reshaped(ends, [h.batch, 1, 1, 1]))
            if mask.shape[0] > h.batch {
                let starts = try part(mask, axis: 0, from: h.batch, count: h.batch)
                seen = try both(
                    seen,
                    try binary(.greaterOrEqual, keys, try reshaped(starts, [h.batch, 1, 1, 1])))
            }
            isSeen = seen
        case 2 where mask.shape == [h.batch, h.keys]:
            isSeen = try binary(.greater, try reshaped(mask, [h.batch, 1, 1, h.keys]), zero)
        case 3 where mask.shape == [h.batch, h.queries, h.keys]:
            isSeen = try binary(
                .greater, try reshaped(mask, [h.batch, 1, h.queries, h.keys]), zero)
        default:
            throw Failure(
                .unsupported,
                "a mask of \(mask.shape.text) for \(h.batch) items, \(h.queries) "
                    + "queries and \(h.keys) keys")
        }
        let hidden = try op.float("mask_filter_value") ?? -10000
        return try choose(isSeen, try scalar(0, .float32), try scalar(hidden, .float32))
    }

    private mutating func mask(
        _ op: Operator, _ h: Heads, keyMask: Int, bias: Int, past: Int
    ) throws(Failure) -> AttentionMask {
        var mask = AttentionMask()
        if let given = try op.optional(keyMask) { mask.bias = try filter(given, op, h) }
        if let given = try op.optional(bias) {
            mask.bias = try mask.bias.map { (a) throws(Failure) in try add(a, given) } ?? given
        }
        if try op.flag("unidirectional") {
            let keys = try range([h.keys])
            let places = try range([h.queries, 1], from: past)
            mask.allowed = try binary(.lessOrEqual, keys, places)
        }
        return mask
    }

    private func headCount(_ op: Operator, _ name: String) throws(Failure) -> Int {
        guard let count = try op.int(name), (1...(1 << 16)).contains(count) else {
            throw Failure(.malformed, "attribute \"\(name)\": 1 to \(1 << 16) expected")
        }
        return count
    }

    // MARK: Multi-head attention

    mutating func multiHeadAttention(_ op: Operator) throws(Failure) {
        let count = try headCount(op, "num_heads")
        var h = try multiHeads(op, count)
        var past = 0
        if let key = try op.optional(6), let value = try op.optional(7) {
            guard key.shape.count == 4 else { throw Failure(.malformed, "a past of four axes") }
            past = key.shape[2]
            h.k = try concatenated([key, h.k], axis: 2)
            h.v = try concatenated([value, h.v], axis: 2)
        }
        try h.check()
        try define(op, h.k, at: 1)
        try define(op, h.v, at: 2)
        let mask = try mask(op, h, keyMask: 4, bias: 5, past: past)
        try define(op, try joined(try attend(op, h, mask)))
    }

    /// Queries, keys and values as they come: apart, or packed in the last axis but one.
    private mutating func multiHeads(_ op: Operator, _ count: Int) throws(Failure) -> Heads {
        let query = try op.floats(0)
        let bias = try op.optional(3)
        func packed(_ x: Value, _ index: Int, _ lowering: inout Lowering) throws(Failure) -> Value {
            // (batch, sequence, heads, 2 or 3, size).
            let one = try lowering.part(x, axis: 3, from: index, count: 1)
            return try lowering.reshaped(one, [x.shape[0], x.shape[1], count * x.shape[4]])
        }
        var flat: [Value]
        if query.shape.count == 5, query.shape[3] == 3 {
            flat = []
            for index in 0..<3 { flat.append(try packed(query, index, &self)) }
        } else if let key = try op.optional(1), key.shape.count == 5, key.shape[3] == 2 {
            flat = [query, try packed(key, 0, &self), try packed(key, 1, &self)]
        } else {
            flat = [query, try op.floats(1), try op.floats(2)]
        }
        var begin = 0
        for index in 0..<3 {
            guard let bias, flat[index].shape.count == 3 else { continue }
            let size = flat[index].shape[2]
            guard bias.shape.count == 1, begin + size <= bias.shape[0] else {
                throw Failure(.malformed, "a bias of \(bias.shape.text)")
            }
            let own = try part(bias, axis: 0, from: begin, count: size)
            flat[index] = try add(flat[index], own)
            begin += size
        }
        // Keys and values of another sequence may come by heads.
        var heads: [Value] = []
        for x in flat { heads.append(x.shape.count == 4 ? x : try split(x, heads: count)) }
        return Heads(q: heads[0], k: heads[1], v: heads[2])
    }

    // MARK: Attention of one input

    mutating func packedAttention(_ op: Operator) throws(Failure) {
        let x = try op.floats(0)
        let weights = try op.floats(1)
        let count = try headCount(op, "num_heads")
        guard x.shape.count == 3, weights.shape.count == 2, try op.int("do_rotary") ?? 0 == 0
        else {
            throw Failure(
                .unsupported,
                "\(x.shape.text) times \(weights.shape.text); three and two axes, and no "
                    + "do_rotary, expected")
        }
        var all = try product(x, weights)
        if let bias = try op.optional(2) { all = try add(all, bias) }
        let third = weights.shape[1] / 3
        let sizes = try op.ints("qkv_hidden_sizes") ?? [third, third, third]
        guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 && $0 <= weights.shape[1] }),
            sizes.reduce(0, +) == weights.shape[1]
        else { throw Failure(.malformed, "sizes \(sizes.text) of \(weights.shape.text)") }
        var parts: [Value] = []
        var begin = 0
        for size in sizes {
            let own = try part(all, axis: 2, from: begin, count: size)
            parts.append(try split(own, heads: count))
            begin += size
        }
        var h = Heads(q: parts[0], k: parts[1], v: parts[2])
        var past = 0
        if let given = try op.optional(4) {
            guard given.shape.count == 5, given.shape[0] == 2 else {
                throw Failure(.malformed, "a past of \(given.shape.text)")
            }
            past = given.shape[3]
            let shape = Array(given.shape[1...])
            let key = try part(given, axis: 0, from: 0, count: 1)
            let value = try part(given, axis: 0, from: 1, count: 1)
            h.k = try concatenated([try reshaped(key, shape), h.k], axis: 2)
            h.v = try concatenated([try reshaped(value, shape), h.v], axis: 2)
        }
        if op.node.outputs.count > 1 { try define(op, try stacked([h.k, h.v], axis: 0), at: 1) }
        let mask = try mask(op, h, keyMask: 3, bias: 5, past: past)
        try define(op, try joined(try attend(op, h, mask)))
    }

    // MARK: Grouped queries with a cache

    mutating func groupAttention(_ op: Operator) throws(Failure) {
        let count = try headCount(op, "num_heads")
        let groups = try headCount(op, "kv_num_heads")
        let query = try op.floats(0)
        guard query.shape.count == 3, try op.int("smooth_softmax") ?? 0 <= 0 else {
            throw Failure(
                .unsupported,
                "queries of \(query.shape.text); three axes, and no smooth_softmax, expected")
        }
        var flat = [query]
        if try op.optional(1) == nil {
            let size = query.shape[2] / (count + 2 * groups)
            var begin = 0
            flat = []
            for heads in [count, groups, groups] {
                flat.append(try part(query, axis: 2, from: begin, count: heads * size))
                begin += heads * size
            }
        } else {
            flat += [try op.floats(1), try op.floats(2)]
        }
        var h = Heads(
            q: try split(flat[0], heads: count), k: try split(flat[1], heads: groups),
            v: try split(flat[2], heads: groups))
        try h.check()
        let (batch, new) = (h.batch, h.queries)
        guard let total = try op.constantIntegers(6)?.first, h.keys == new,
            total >= new, total <= Self.placesMax
        else {
            throw Failure(
                .malformed, "total_sequence_length of \(new) to \(Self.placesMax) expected")
        }
        // Keys before the new ones.
        var before = try range([batch], step: 0)
        if total > new {
            let last = try reshaped(try cast(try op.input(5), to: .int64), [batch])
            before = try binary(.sub, last, integers([new - 1], shape: []))
        }
        before = try reshaped(before, [batch, 1, 1, 1])
        if try op.flag("do_rotary") {
            h.q = try turned(op, h.q, before)
            h.k = try turned(op, h.k, before)
        }
        h.k = try appended(h.k, to: try op.optional(3), before, total)
        h.v = try appended(h.v, to: try op.optional(4), before, total)
        try define(op, h.k, at: 1)
        try define(op, h.v, at: 2)
        let keys = try range([h.keys])
        let places = try add(before, try range([new, 1]))
        var mask = AttentionMask()
        mask.allowed = try binary(.lessOrEqual, keys, places)
        if let window = try op.int("local_window_size"), window > 0 {
            let first = try binary(.sub, places, integers([window], shape: []))
            mask.allowed = try both(mask.allowed, try binary(.greater, keys, first))
        }
        let y = try attend(op, h, mask, cap: try op.float("softcap") ?? 0)
        try define(op, try joined(y))
    }

    /// `x` by heads, turned by the angles of places that follow `before`.
    private mutating func turned(
        _ op: Operator, _ x: Value, _ before: Value
    ) throws(Failure) -> Value {
        let steps = try range([1, x.shape[2]])
        let places = try add(try reshaped(before, [x.shape[0], 1]), steps)
        var caches: [Value] = []
        for index in 7...8 { caches.append(try gather(try op.floats(index), places, axis: 0)) }
        guard let half = caches[0].shape.last else { throw Failure(.malformed, "a cache") }
        let y = try rotated(
            try transposed(x, [0, 2, 1, 3]), caches, turned: 2 * half,
            isInterleaved: try op.flag("rotary_interleaved"))
        return try transposed(y, [0, 2, 1, 3])
    }

    /// New keys or values in their places of a cache.
    private mutating func appended(
        _ new: Value, to past: Value?, _ before: Value, _ total: Int
    ) throws(Failure) -> Value {
        let shape = new.shape
        let length = past?.shape.dropFirst(2).first ?? 0
        let count = max(total, length)
        guard past.map({ $0.shape == [shape[0], shape[1], length, shape[3]] }) ?? true else {
            throw Failure(.malformed, "a past of \(past?.shape.text ?? "") for \(shape.text)")
        }
        let places = try range([count])
        let ahead = try binary(.sub, places, before)
        let isNew = try both(
            try binary(.greaterOrEqual, ahead, integers([0], shape: [])),
            try binary(.less, ahead, integers([shape[2]], shape: [])))
        let lines = shape[0] * shape[1]
        let lineShape = [shape[0], shape[1], 1, 1]
        let ofNew = try range(lineShape, step: shape[2])
        // Places that neither has lie behind the table, and are 0.
        let end = lines * (shape[2] + length)
        let isOld = try binary(.less, places, before)
        let ofOld = try choose(
            isOld, try add(try range(lineShape, from: lines * shape[2], step: length), places),
            integers([end], shape: []))
        let indices = try choose(isNew, try add(ofNew, ahead), ofOld)
        var table = [try reshaped(new, [lines * shape[2], shape[3]])]
        if let past, length > 0 { table.append(try reshaped(past, [lines * length, shape[3]])) }
        return try reshaped(
            try gathered(try concatenated(table, axis: 0), indices, axis: 0),
            [shape[0], shape[1], count, shape[3]])
    }

    // MARK: Rotation

    mutating func rotaryOfRuntime(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        let cosines = try op.floats(2)
        guard cosines.shape.count == 2, cosines.shape[1] > 0,
            try op.int("is_packed_batching") ?? 0 == 0
        else {
            throw Failure(.unsupported, "caches of two axes, and no is_packed_batching, expected")
        }
        var heads = try op.int("num_heads") ?? 0
        let isByHeads = x.shape.count == 4
        guard isByHeads || x.shape.count == 3 else {
            throw Failure(.malformed, "\(x.shape.text): three or four axes expected")
        }
        if heads == 0, !isByHeads { heads = x.shape[2] / (2 * cosines.shape[1]) }
        let y = isByHeads ? x : try split(x, heads: heads)
        var places = try cast(try op.input(1), to: .int64)
        if places.shape.elementCount == 1 {
            let steps = try range([1, y.shape[2]])
            places = try add(try reshaped(places, [1, 1]), steps)
        }
        let caches = [
            try gather(cosines, places, axis: 0), try gather(try op.floats(3), places, axis: 0),
        ]
        let given = try op.int("rotary_embedding_dim") ?? 0
        let result = try rotated(
            try transposed(y, [0, 2, 1, 3]), caches, turned: given == 0 ? y.shape[3] : given,
            isInterleaved: try op.flag("interleaved"))
        let back = try transposed(result, [0, 2, 1, 3])
        return isByHeads ? back : try joined(back)
    }
}
