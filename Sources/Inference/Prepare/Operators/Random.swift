internal import Core
internal import Exact

extension Operators {
    /// Operators that draw random numbers; Dropout is among the elementwise ones.
    static let random: Table = [
        "RandomNormal": value(0...0, widens: false) { (lowering, op) throws(Failure) in
            try lowering.randomTensor(op, .normal, like: nil)
        },
        "RandomNormalLike": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.randomTensor(op, .normal, like: try op.input(0))
        },
        "RandomUniform": value(0...0, widens: false) { (lowering, op) throws(Failure) in
            try lowering.randomTensor(op, .uniform, like: nil)
        },
        "RandomUniformLike": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.randomTensor(op, .uniform, like: try op.input(0))
        },
        "Bernoulli": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.bernoulli(op)
        },
        "Multinomial": value(1...1, widens: false) { (lowering, op) throws(Failure) in
            try lowering.multinomial(op)
        },
    ]
}

// MARK: - Draws

extension Lowering {
    /// What tells a node's draws from those of all others in a run: the turns of the loops around
    /// it, and its own number. That is its attribute `seed`, where it has one, else its place in
    /// its graph after those of the nodes around it.
    private func place(of op: Operator) throws(Failure) -> SIMD2<UInt32> {
        var place = SIMD2<UInt32>(0, 0)
        func add(_ tag: UInt32, _ number: UInt64) {
            let words = Exact.philox(
                SIMD4(number.words.x, number.words.y, tag, 0), key: place)
            place = SIMD2(words.x, words.y)
        }
        let seed: (tag: UInt32, bits: UInt64)?
        switch op.node.attributes["seed"] {
        case nil: seed = nil
        case .float(let value)?: seed = (3, UInt64(value.bitPattern))
        case .int(let value)?: seed = (4, UInt64(bitPattern: Int64(value)))
        default: throw Failure(.malformed, "attribute \"seed\": a number expected")
        }
        for (depth, frame) in frames.enumerated() {
            if case .iteration(let iteration) = frame.purpose { add(1, UInt64(iteration.turn)) }
            guard seed == nil else { continue }
            let isOwn = depth == frames.count - 1
            add(2, UInt64(isOwn ? op.node.index : frame.next))
        }
        if let seed { add(seed.tag, seed.bits) }
        // As steps' numbers are held.
        return place &>> 1
    }

    /// Random numbers times `b`, plus `a`.
    ///
    /// Doubles are drawn and scaled by the host.
    ///
    /// - Parameter end: what each of them has to be less than, and not less than `a`, where the
    ///   type has such numbers.
    mutating func drawn(
        _ op: Operator, _ distribution: Distribution, _ shape: [Int], times b: Double = 1,
        plus a: Double = 0, below end: Float? = nil, as type: ElementType = .float32
    ) throws(Failure) -> Value {
        guard let seedBuffer else { preconditionFailure("a model that draws has a seed") }
        hasDrawn = true
        let shape = try Shape.checked(shape)
        let place = try place(of: op)
        let seed = resolved(Value(type: .uint64, shape: [], buffer: seedBuffer))
        guard type == .double else {
            let (a, b) = (Float(a), Float(b))
            var value = try emit(
                .random, [seed],
                ints: [distribution.rawValue, shape.elementCount, Int(place.x), Int(place.y)],
                floats: [a, b], type: .float32, shape: shape)
            if let end, let limits = Self.limits(from: a, times: b, below: end, type) {
                value = try unary(.clip, value, limits.lowerBound, limits.upperBound)
            }
            return try cast(value, to: type)
        }
        guard let key = try op.data(seed).integers?.first else { throw Step.broken }
        try fold(shape.elementCount)
        let last = end.map(Double.init).flatMap { a < $0 ? $0.nextDown : nil } ?? .infinity
        let numbers = (0..<shape.elementCount).map { index in
            let number = distribution.double(index, place, seed: UInt64(bitPattern: key))
            return min(a.addingProduct(number, b), last)
        }
        return Value(Tensor(doubles: numbers, shape: shape))
    }

    /// The first and the last number of a type from `a` to below `end`, where rounding would leave
    /// them; nil where it does not, or there are none.
    private static func limits(
        from a: Float, times b: Float, below end: Float, _ type: ElementType
    ) -> ClosedRange<Float>? {
        let last = NarrowFloat.round(a.addingProduct(Exact.unit(.max), b), type)
        if NarrowFloat.round(a, type) >= a, last < end { return nil }
        let (low, high) = (NarrowFloat.notBelow(a, type), NarrowFloat.below(end, type))
        return low <= high ? low...high : nil
    }

    /// The type that `dtype` names.
    private func drawnType(
        _ op: Operator, default type: ElementType
    ) throws(Failure) -> ElementType {
        guard let code = try op.int("dtype") else { return type }
        guard let type = UInt8(exactly: code).flatMap(ElementType.init) else {
            throw Failure(
                .unsupported,
                "dtype \(ModelLoader.typeName(Int32(clamping: code))); numbers or bool expected")
        }
        return type
    }

    // MARK: Operators

    mutating func randomTensor(
        _ op: Operator, _ distribution: Distribution, like x: Value?
    ) throws(Failure) -> Value {
        let type = try drawnType(op, default: x?.type ?? .float32)
        guard [.float32, .float16, .bfloat16, .double].contains(type) else {
            throw Failure(.unsupported, "random numbers of \(type.name); floats expected")
        }
        let own = try op.ints("shape")
        guard let shape = x?.shape ?? own else {
            throw Failure(.malformed, "attribute \"shape\": integers expected")
        }
        let a: Float
        let b: Double
        var end: Float?
        switch distribution {
        case .uniform:
            a = try op.float("low") ?? 0
            end = try op.float("high") ?? 1
            b = Double(end ?? 1) - Double(a)
        case .normal:
            a = try op.float("mean") ?? 0
            b = Double(try op.float("scale") ?? 1)
        }
        guard a.isFinite, Float(b).isFinite else {
            throw Failure(.malformed, "random numbers in a finite range expected")
        }
        return try drawn(
            op, distribution, shape, times: b, plus: Double(a), below: end, as: type)
    }

    /// One where a number in [0, 1) is less than the chance.
    mutating func bernoulli(_ op: Operator) throws(Failure) -> Value {
        var chance = try op.input(0)
        let type = try drawnType(op, default: chance.type)
        guard [.float32, .float16, .bfloat16, .double].contains(chance.type) else {
            throw Failure(.unsupported, "chances of \(chance.type.name); floats expected")
        }
        // What devices do not compute is compared on the host.
        let real: ElementType = type.isHostOnly ? .double : .float32
        if type.isHostOnly { chance = Value(try op.data(chance)) }
        let number = try drawn(op, .uniform, chance.shape, as: real)
        let isLess = try binary(.less, number, try cast(chance, to: real))
        return try cast(isLess, to: type)
    }

    /// Classes by their logarithms' exponentials.
    mutating func multinomial(_ op: Operator) throws(Failure) -> Value {
        let x = try cast(try op.input(0), to: .float32)
        let samples = try op.int("sample_size") ?? 1
        let type = try drawnType(op, default: .int32)
        guard x.shape.count == 2, x.shape[1] > 0, samples > 0,
            type == .int32 || type == .int64
        else {
            throw Failure(
                .malformed,
                "rows of logarithms, of which classes as int32 or int64 are drawn, expected")
        }
        let greatest = try reduced(.max, x, axes: [1], keeps: true)
        let weights = try unary(.exp, try binary(.sub, x, greatest))
        let shape = [x.shape[0], samples]
        let number = try drawn(op, .uniform, shape)
        let picked = try emit(
            .pick, [weights, number], ints: [x.shape[0], x.shape[1], samples], type: .int32,
            shape: shape)
        return try cast(picked, to: type)
    }

    /// In training, what a number in [0, 1) is less than the ratio for becomes 0, and the rest is
    /// scaled up.
    mutating func dropout(_ op: Operator) throws(Failure) {
        let x = try op.input(0)
        var ratio: Value?
        if let training = try op.optional(2), try op.data(training).integers != [0] {
            ratio = try op.optional(1)
            if ratio == nil { ratio = try scalar(0.5, x.type) }
            let number = try op.constantFloat(1) ?? 0.5
            guard number >= 0, number < 1 else {
                throw Failure(.malformed, "a ratio of \(number); 0 to less than 1 expected")
            }
            if number == 0 { ratio = nil }
        }
        let isMasked = op.node.outputs.count > 1 && !op.node.outputs[1].isEmpty
        guard let ratio, let data = ratio.constant else {
            try define(op, x)
            if isMasked {
                // Nothing is dropped.
                let kept = Value(Tensor([1], type: .bool, shape: []))
                try define(op, try filled(kept, x.shape), at: 1)
            }
            return
        }
        let part = try cast(Value(data.reshaped([])), to: x.type)
        let number = try drawn(op, .uniform, x.shape, as: x.type)
        let isKept = try binary(.greaterOrEqual, number, part)
        let one = try scalar(1, x.type)
        let scale = try binary(.div, one, try binary(.sub, one, part))
        let scaled = try multiplied(x, scale)
        try define(op, try choose(isKept, scaled, try scalar(0, x.type)))
        if isMasked { try define(op, isKept, at: 1) }
    }
}

extension Model {
    /// Whether it may draw random numbers.
    public var draws: Bool {
        graph.draws || functions.values.contains { $0.graph.draws }
    }
}

extension Graph {
    fileprivate var draws: Bool {
        nodes.contains { node in
            if Operators.random[node.operatorName] != nil { return true }
            if node.operatorName == "Dropout", node.inputs.count > 2, !node.inputs[2].isEmpty {
                return constants[node.inputs[2]]?.integers != [0]
            }
            return node.attributes.values.contains {
                if case .graph(let graph) = $0 { graph.draws } else { false }
            }
        }
    }
}

extension Node {
    /// Whether only which of its results are 0 is random.
    var drawsZeros: Bool { ["Bernoulli", "Dropout"].contains(operatorName) }
}
