internal import Core
internal import Exact

extension Operators {
    /// Attention, and what goes with it.
    static let attentions: Table = [
        "Attention": steps(3...7, outputs: 1...4, from: 23) { (lowering, op) throws(Failure) in
            try lowering.attention(op)
        },
        "CausalConvWithState": steps(2...4, outputs: 1...2, from: 27) {
            (lowering, op) throws(Failure) in try lowering.causalConvolution(op)
        },
        "LinearAttention": steps(3...6, outputs: 1...2, from: 27) {
            (lowering, op) throws(Failure) in try lowering.linearAttention(op)
        },
        "RotaryEmbedding": value(3...4, from: 23) { (lowering, op) throws(Failure) in
            try lowering.rotary(op)
        },
        "TensorScatter": value(2...3, from: 24, widens: false) { (lowering, op) throws(Failure) in
            try lowering.scatterTensor(op)
        },
        "ai.onnx.preview.FlexAttention": steps(3...3, hasGraphs: true) {
            (lowering, op) throws(Failure) in try lowering.flexAttention(op)
        },
        "com.microsoft.Attention": steps(2...7, outputs: 1...2) {
            (lowering, op) throws(Failure) in try lowering.packedAttention(op)
        },
        "com.microsoft.GroupQueryAttention": steps(1...9, outputs: 1...3) {
            (lowering, op) throws(Failure) in try lowering.groupAttention(op)
        },
        "com.microsoft.MultiHeadAttention": steps(1...8, outputs: 1...3) {
            (lowering, op) throws(Failure) in try lowering.multiHeadAttention(op)
        },
        "com.microsoft.RotaryEmbedding": value(4...4) { (lowering, op) throws(Failure) in
            try lowering.rotaryOfRuntime(op)
        },
    ]
}

/// Queries, keys and values by (batch, heads, sequence, size of a head); heads of keys and values
/// serve groups of heads of queries.
struct Heads {
    var q: Lowering.Value
    var k: Lowering.Value
    var v: Lowering.Value

    var batch: Int { q.shape[0] }
    var groups: Int { k.shape[1] }
    var queries: Int { q.shape[2] }
    var keys: Int { k.shape[2] }
    /// (batch, heads, queries, keys).
    var scoreShape: [Int] { [batch, q.shape[1], queries, keys] }

    func check() throws(Failure) {
        let (q, k, v) = (q.shape, k.shape, v.shape)
        guard q.count == 4, k.count == 4, v.count == 4, q[0] == k[0], k[0] == v[0],
            k[1] > 0, q[1] % k[1] == 0, k[1] == v[1], k[2] == v[2], q[3] == k[3]
        else {
            throw Failure(
                .malformed, "queries \(q.text), keys \(k.text) and values \(v.text)")
        }
    }
}

/// What keeps queries from keys: an amount added to scores, and where they count at all.
struct AttentionMask {
    var bias: Lowering.Value?
    var allowed: Lowering.Value?
}

extension Lowering {
    // MARK: Scores and values

    /// (batch, sequence, heads · size) by heads.
    mutating func split(_ x: Value, heads: Int?) throws(Failure) -> Value {
        guard let heads, heads > 0, x.shape.count == 3, x.shape[2] % heads == 0 else {
            throw Failure(
                .malformed, "\(x.shape.text): [batch, sequence, a multiple of the heads] expected")
        }
        let shape = [x.shape[0], x.shape[1], heads, x.shape[2] / heads]
        return try transposed(try reshaped(x, shape), [0, 2, 1, 3])
    }

    /// And back.
    mutating func joined(_ x: Value) throws(Failure) -> Value {
        let shape = [x.shape[0], x.shape[2], x.shape[1] * x.shape[3]]
        return try reshaped(try transposed(x, [0, 2, 1, 3]), shape)
    }

    /// Queries times keys; a group's heads are rows of one product.
    mutating func scores(_ h: Heads) throws(Failure) -> Value {
        let rows = h.q.shape[1] / h.groups * h.queries
        let q = try reshaped(h.q, [h.batch * h.groups, rows, h.q.shape[3]])
        let k = try reshaped(h.k, [h.batch * h.groups, h.keys, h.k.shape[3]])
        return try reshaped(try product(q, k, flipsB: true), h.scoreShape)
    }

    /// Weights times values.
    mutating func weighted(_ weights: Value, _ h: Heads) throws(Failure) -> Value {
        let rows = h.q.shape[1] / h.groups * h.queries
        let w = try reshaped(weights, [h.batch * h.groups, rows, h.keys])
        let v = try reshaped(h.v, [h.batch * h.groups, h.keys, h.v.shape[3]])
        return try reshaped(
            try product(w, v), [h.batch, h.q.shape[1], h.queries, h.v.shape[3]])
    }

    /// Kept within ±`cap` by a tangent.
    mutating func capped(_ scores: Value, _ cap: Float) throws(Failure) -> Value {
        let limit = try pinned(try scalar(cap, scores.type))
        return try multiplied(try unary(.tanh, try binary(.div, scores, limit)), limit)
    }

    /// The mask as one amount to add; nil where there is none.
    mutating func bias(_ mask: AttentionMask, like x: Value) throws(Failure) -> Value? {
        guard let allowed = mask.allowed else { return mask.bias }
        var open = try scalar(0, x.type)
        if let bias = mask.bias { open = bias }
        return try choose(allowed, open, try scalar(-.infinity, x.type))
    }

    /// Softmax; 0 in rows that `bias` leaves nothing of.
    mutating func weights(_ scores: Value, bias: Value?) throws(Failure) -> Value {
        let weights = try softmax(scores, axis: 3)
        guard let bias else { return weights }
        let last = bias.shape.indices.suffix(1)
        let top = try reduced(.max, bias, axes: Array(last), keeps: true)
        let isEmpty = try binary(.equal, top, try scalar(-.infinity, top.type))
        if let known = isEmpty.constant?.integers, !known.contains(1) { return weights }
        return try choose(isEmpty, try scalar(0, weights.type), weights)
    }

    // MARK: Attention

    mutating func attention(_ op: Operator) throws(Failure) {
        let rank = try op.floats(0).shape.count
        var h = Heads(q: try op.floats(0), k: try op.floats(1), v: try op.floats(2))
        if rank == 3 {
            let groups = try op.int("kv_num_heads")
            h.q = try split(h.q, heads: try op.int("q_num_heads"))
            h.k = try split(h.k, heads: groups)
            h.v = try split(h.v, heads: groups)
        }
        var past = 0
        if let key = try op.optional(4), let value = try op.optional(5) {
            try h.check()
            guard key.shape.count == 4, value.shape.count == 4, try op.optional(6) == nil else {
                throw Failure(.malformed, "a past of four axes, and no nonpad_kv_seqlen, expected")
            }
            past = key.shape[2]
            h.k = try concatenated([key, h.k], axis: 2)
            h.v = try concatenated([value, h.v], axis: 2)
        }
        try h.check()
        try define(op, h.k, at: 1)
        try define(op, h.v, at: 2)
        let size = Float(max(1, h.q.shape[3]))
        let scale = try op.float("scale") ?? Exact.rcp(Exact.sqrt(size))
        h.q = try multiplied(h.q, scale)
        let raw = try scores(h)
        var capped = raw
        if let cap = try op.float("softcap"), cap != 0 {
            capped = try self.capped(raw, cap)
        }
        let bias = try bias(try mask(op, h, past: past), like: raw)
        let biased = try bias.map { (bias) throws(Failure) in try add(capped, bias) } ?? capped
        guard biased.shape == h.scoreShape else {
            throw Failure(.malformed, "a mask that does not fit scores of \(h.scoreShape.text)")
        }
        var weights = try weights(try precise(biased, op), bias: bias)
        weights = try precise(weights, op)
        let mode = try op.int("qk_matmul_output_mode") ?? 0
        guard (0...3).contains(mode) else {
            throw Failure(.malformed, "attribute \"qk_matmul_output_mode\": 0 to 3 expected")
        }
        try define(op, [raw, capped, biased, weights][mode], at: 3)
        let y = try weighted(weights, h)
        try define(op, rank == 3 ? try joined(y) : y)
    }

    /// Rounded to attribute "softmax_precision" where that is narrower than float32.
    private mutating func precise(_ x: Value, _ op: Operator) throws(Failure) -> Value {
        guard let code = try op.int("softmax_precision") else { return x }
        switch UInt8(exactly: code).flatMap(ElementType.init) {
        case .float16?: return try cast(try cast(x, to: .float16), to: x.type)
        case .bfloat16?: return try cast(try cast(x, to: .bfloat16), to: x.type)
        case .float32?, .double?: return x
        default: throw Failure(.malformed, "attribute \"softmax_precision\": a float type expected")
        }
    }

    /// Which keys each query sees.
    private mutating func mask(
        _ op: Operator, _ h: Heads, past: Int
    ) throws(Failure) -> AttentionMask {
        var mask = AttentionMask()
        if let given = try op.optional(3) {
            let padded = try padded(given, to: h.keys)
            if given.type == .bool { mask.allowed = padded } else { mask.bias = padded }
        }
        let keys = try range([h.keys])
        // Positions of the queries among the keys.
        var places = try range([h.queries, 1], from: past)
        if let lengths = try op.optional(6) {
            guard lengths.shape == [h.batch] else {
                throw Failure(.malformed, "nonpad_kv_seqlen of \(lengths.shape.text)")
            }
            let valid = try reshaped(lengths, [h.batch, 1, 1, 1])
            places = try add(
                try binary(.sub, valid, integers([h.queries], shape: [])), places)
            mask.allowed = try both(mask.allowed, try binary(.less, keys, valid))
        }
        if try op.flag("is_causal") {
            mask.allowed = try both(mask.allowed, try binary(.lessOrEqual, keys, places))
        }
        let left = try op.int("left_window_size") ?? -1
        let right = try op.int("right_window_size") ?? -1
        guard left >= -1, right >= -1 else { throw Failure(.malformed, "a window below -1") }
        if left >= 0 {
            let first = try binary(.sub, places, integers([left], shape: []))
            mask.allowed = try both(mask.allowed, try binary(.greaterOrEqual, keys, first))
        }
        if right >= 0 {
            let last = try add(places, integers([right], shape: []))
            mask.allowed = try both(mask.allowed, try binary(.lessOrEqual, keys, last))
        }
        return mask
    }

    mutating func both(_ a: Value?, _ b: Value) throws(Failure) -> Value {
        try a.map { (a) throws(Failure) in try binary(.and, a, b) } ?? b
    }

    /// A mask for fewer keys than there are hides the others.
    private mutating func padded(_ mask: Value, to keys: Int) throws(Failure) -> Value {
        guard let last = mask.shape.last, last != 1 || keys == 1, last < keys else { return mask }
        let rest = Array(mask.shape.dropLast()) + [keys - last]
        let hidden =
            mask.type == .bool
            ? Value(Tensor([0], type: .bool, shape: [1])) : try scalar(-.infinity, mask.type)
        return try concatenated([mask, try repeated(hidden, rest)], axis: rest.count - 1)
    }

    // MARK: Attention with graphs inside

    /// Continues in a graph of its own, in which those of the node run as branches always taken.
    mutating func flexAttention(_ op: Operator) throws(Failure) {
        var h = Heads(q: try op.floats(0), k: try op.floats(1), v: try op.floats(2))
        try h.check()
        if h.q.type == .double { throw Failure(.unsupported, "softmax of doubles") }
        if let code = try op.int("softmax_precision"), code != 1 {
            throw Failure(.unsupported, "softmax_precision \(code); 1 (float32) expected")
        }
        let scale = try op.float("scale") ?? Exact.rcp(Exact.sqrt(Float(max(1, h.q.shape[3]))))
        h.q = try multiplied(h.q, scale)
        let repeats = h.q.shape[1] / h.groups
        let v = h.v.shape
        let wide = try repeated(
            try reshaped(h.v, [v[0], v[1], 1, v[2], v[3]]), [v[0], v[1], repeats, v[2], v[3]])
        let values = try reshaped(wide, [v[0], v[1] * repeats, v[2], v[3]])
        var nodes: [Node] = []
        func append(
            _ type: String, _ inputs: [String], _ output: String,
            _ attributes: [String: Node.Attribute] = [:]
        ) {
            nodes.append(
                Node(
                    index: nodes.count, name: "", domain: "", type: type, inputs: inputs,
                    outputs: [output], attributes: attributes))
        }
        func modify(_ name: String, _ input: String, _ output: String) throws(Failure) {
            guard op.node.attributes[name] != nil else {
                return append("Identity", [input], output)
            }
            let graph = try op.graph(name).applied(to: input)
            append("If", ["flex:true"], output, ["then_branch": .graph(graph)])
        }
        try modify("score_mod", "flex:scores", "flex:modified")
        append("Softmax", ["flex:modified"], "flex:weights", ["axis": .int(-1)])
        try modify("prob_mod", "flex:weights", "flex:chosen")
        append("MatMul", ["flex:chosen", "flex:values"], "flex:result")
        append(
            "Cast", ["flex:result"], "flex:output",
            ["to": .int(Int((op.narrow ?? .float32).rawValue))])
        let inputs = ["flex:scores", "flex:values"].map {
            Model.Input(name: $0, type: .float32, shape: [])
        }
        let graph = Graph(
            nodes: nodes,
            constants: ["flex:true": Tensor([1], type: .bool, shape: [])], inputs: inputs,
            outputs: ["flex:output"])
        let scores = try scores(h)
        try enter(
            graph, [.tensor(scores), .tensor(values)], for: .outputs(op.node.outputs))
        stay()
    }

    // MARK: Rotation

    mutating func rotary(_ op: Operator) throws(Failure) -> Value {
        let x = try op.floats(0)
        var caches: [Value] = []
        for index in 1...2 {
            var cache = try op.floats(index)
            if let positions = try op.optional(3) { cache = try gather(cache, positions, axis: 0) }
            caches.append(cache)
        }
        let isByHeads = x.shape.count == 4
        let heads = isByHeads ? x : try split(x, heads: try op.int("num_heads"))
        let given = try op.int("rotary_embedding_dim") ?? 0
        let result = try rotated(
            try transposed(heads, [0, 2, 1, 3]), caches,
            turned: given == 0 ? heads.shape[3] : given,
            isInterleaved: try op.flag("interleaved"))
        let back = try transposed(result, [0, 2, 1, 3])
        return isByHeads ? back : try joined(back)
    }

    /// - Parameters:
    ///   - x: (batch, sequence, heads, size).
    ///   - caches: cosines and sines by (batch, sequence, half the turned size).
    ///   - turned: elements of each head that turn.
    mutating func rotated(
        _ x: Value, _ caches: [Value], turned: Int, isInterleaved: Bool
    ) throws(Failure) -> Value {
        let size = x.shape[3]
        guard turned > 0, turned <= size, turned % 2 == 0, caches[0].shape == caches[1].shape,
            caches[0].shape.last == turned / 2
        else {
            throw Failure(
                .malformed, "caches of \(caches[0].shape.text) for \(turned) of \(size) elements")
        }
        let half = turned / 2
        let step = isInterleaved ? 2 : 1
        let a = try part(x, axis: 3, from: 0, count: half, step: step)
        let b = try part(x, axis: 3, from: isInterleaved ? 1 : half, count: half, step: step)
        var shape = caches[0].shape
        shape.insert(1, at: shape.count - 1)
        let cosines = try reshaped(caches[0], shape)
        let sines = try reshaped(caches[1], shape)
        let real = try binary(.sub, try multiplied(cosines, a), try multiplied(sines, b))
        let imaginary = try add(try multiplied(sines, a), try multiplied(cosines, b))
        guard real.shape == a.shape else {
            throw Failure(.malformed, "caches of \(shape.text) for \(x.shape.text)")
        }
        var y: Value
        if isInterleaved {
            y = try reshaped(
                try stacked([real, imaginary], axis: 4),
                Array(x.shape.dropLast()) + [turned])
        } else {
            y = try concatenated([real, imaginary], axis: 3)
        }
        if turned < size {
            let rest = try part(x, axis: 3, from: turned, count: size - turned)
            y = try concatenated([y, rest], axis: 3)
        }
        return y
    }
}

extension Graph {
    /// This graph with its one input bound to a name around it.
    fileprivate func applied(to name: String) throws(Failure) -> Graph {
        guard inputs.count == 1, outputs.count == 1 else {
            throw Failure(.malformed, "a graph of one input and one output expected")
        }
        let first = Node(
            index: 0, name: "", domain: "", type: "Identity", inputs: [name],
            outputs: [inputs[0].name], attributes: [:])
        let rest = nodes.map { node in
            var node = node
            node.index += 1
            return node
        }
        return Graph(nodes: [first] + rest, constants: constants, inputs: [], outputs: outputs)
    }
}
