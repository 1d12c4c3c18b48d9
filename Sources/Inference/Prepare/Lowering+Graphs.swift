internal import Core

extension Operators {
    /// Operators that run graphs.
    static let control: Table = [
        "If": steps(1...1, outputs: 0...1024, widens: false, hasGraphs: true) {
            (lowering, op) throws(Failure) in try lowering.branch(op)
        },
        "Loop": steps(0...1024, outputs: 0...1024, widens: false, hasGraphs: true) {
            (lowering, op) throws(Failure) in try lowering.loop(op)
        },
        "Scan": steps(1...1024, outputs: 0...1024, from: 9, widens: false, hasGraphs: true) {
            (lowering, op) throws(Failure) in try lowering.scan(op)
        },
        "SequenceMap": steps(1...1024, outputs: 1...1024, widens: false, hasGraphs: true) {
            (lowering, op) throws(Failure) in try lowering.map(op)
        },
    ]
}

extension Lowering {
    /// What the outputs of a graph are for.
    enum Purpose {
        /// They are the model's results.
        case model
        /// They are the outputs of the node: a branch, or a function's body.
        case outputs([String])
        case iteration(Iteration)
        /// They say what a turn would give.
        case trial
    }

    /// Values, one a turn. A turn's beginning is kept until it is over, to be begun again; so that
    /// the next one copies few, they lie in parts.
    struct Collected {
        private var parts: [[Value]] = []
        private var last: [Value] = []
        /// Values at the end that no stage was taken with.
        private var freshCount = 0
        private static let partCount = 256

        var values: [Value] { parts.flatMap(\.self) + last }

        var fresh: [Value] {
            Array((freshCount <= last.count ? last : values).suffix(freshCount))
        }

        mutating func settle() { freshCount = 0 }

        mutating func append(_ value: Value) {
            freshCount += 1
            last.append(value)
            guard last.count == Self.partCount else { return }
            parts.append(last)
            last = []
        }
    }

    /// One turn of a loop over a graph, and what its turns before left.
    struct Iteration {
        enum Kind {
            /// The first output says whether to go on.
            case loop
            case scan(inputs: [ScanInput], outputs: [(axis: Int, isReversed: Bool)])
            /// Each output is collected to a sequence.
            case map(inputs: [Slot])
        }

        /// What is cut into slices, one a turn.
        struct ScanInput {
            var value: Value
            var axis: Int
            var isReversed: Bool
        }

        var kind: Kind
        var graph: Graph
        var outputs: [String]
        /// Turns at most.
        var turnCount: Int
        var turn = 0
        /// Values that each turn hands to the next.
        var carried: [Slot]
        var isLoop: Bool { if case .loop = kind { true } else { false } }
        /// Of each further output, one value a turn.
        var collected: [Collected]

        /// All values that later turns or nodes may use.
        ///
        /// - Parameter isFresh: without those that turns gave before the last stage was taken.
        func slots(isFresh: Bool) -> [Slot] {
            var slots =
                carried + collected.map { .sequence(isFresh ? $0.fresh : $0.values) }
            switch kind {
            case .loop: break
            case .scan(let inputs, _): slots += inputs.map { .tensor($0.value) }
            case .map(let inputs): slots += inputs
            }
            return slots
        }
    }

    /// Begins a graph; its inputs are bound in order.
    mutating func enter(
        _ graph: Graph, _ bindings: [Slot], for purpose: Purpose
    ) throws(Failure) {
        guard frames.count < Self.framesMax else {
            throw Failure(.limit, "graphs run \(Self.framesMax) deep")
        }
        guard bindings.count == graph.inputs.count else {
            throw Failure(
                .malformed,
                "a graph with \(graph.inputs.count) inputs; \(bindings.count) expected")
        }
        var slots = graph.constants.mapValues { Slot.tensor(Value($0)) }
        for (input, slot) in zip(graph.inputs, bindings) { slots[input.name] = slot }
        frames.append(
            Frame(
                graph: graph, opsets: frames[frames.count - 1].opsets, slots: slots,
                purpose: purpose))
    }

    /// Begins the body of a function in place of the node that applies it.
    mutating func enter(_ function: Function, _ op: Operator) throws(Failure) {
        guard frames.count < Self.framesMax else {
            throw Failure(.limit, "functions apply each other \(Self.framesMax) deep")
        }
        guard op.node.inputs.count <= function.inputs.count,
            op.node.outputs.count <= function.graph.outputs.count
        else {
            throw Failure(.malformed, "as many inputs and outputs as the function has expected")
        }
        var slots: [String: Slot] = [:]
        for (name, slot) in zip(function.inputs, op.slots) { slots[name] = slot }
        frames.append(
            Frame(
                graph: function.graph, opsets: function.opsets, slots: slots,
                functionAttributes: function.attributes.merging(op.node.attributes) { $1 },
                purpose: .outputs(op.node.outputs)))
        stay()
    }

    /// Hands on what the innermost graph gives.
    mutating func finishGraph(_ demand: Operator.Demand) throws(Failure) {
        let frame = frames[frames.count - 1]
        var slots: [Slot] = []
        for name in frame.graph.outputs {
            guard let slot = slot(name) else {
                throw Failure(.malformed, "output \"\(name.printable)\": no node computes it")
            }
            slots.append(slot)
        }
        if case .model = frame.purpose {
            results = slots
            return
        }
        frames.removeLast()
        do throws(Failure) {
            switch frame.purpose {
            case .model: break
            case .trial: trialSlots = slots
            case .outputs(let names):
                guard names.count <= slots.count else {
                    throw Failure(.malformed, "\(names.count) outputs of a graph")
                }
                for (name, slot) in zip(names, slots) { define(name, slot) }
                frames[frames.count - 1].next += 1
            case .iteration(let iteration):
                try end(iteration, slots, demand)
            }
        } catch {
            frames.append(frame)
            throw error
        }
    }

    // MARK: If

    mutating func branch(_ op: Operator) throws(Failure) {
        let condition = try op.data(try op.input(0))
        guard condition.type == .bool, condition.count == 1 else {
            throw Failure(.malformed, "one bool expected")
        }
        let isTrue = condition.integers != [0]
        let graph = try op.graph(isTrue ? "then_branch" : "else_branch")
        try enter(graph, [], for: .outputs(op.node.outputs))
        stay()
    }

    /// The node that began a graph is done when the graph is: its frame stays at it until then.
    mutating func stay() { frames[frames.count - 2].next -= 1 }

    // MARK: Loops

    mutating func loop(_ op: Operator) throws(Failure) {
        var turnCount = Int.max
        if let count = try op.optional(0) {
            guard let count = try op.data(count).integers, count.count == 1 else {
                throw Failure(.malformed, "a trip count of one integer expected")
            }
            turnCount = max(0, Int(count[0]))
        }
        if let condition = try op.optional(1), try op.data(condition).integers == [0] {
            turnCount = 0
        }
        let carried = op.slots.dropFirst(2).map { $0 ?? .absent }
        let graph = try op.graph("body")
        let collectedCount = graph.outputs.count - 1 - carried.count
        guard collectedCount >= 0 else {
            throw Failure(.malformed, "a body with \(carried.count + 1) outputs at least expected")
        }
        try begin(
            Iteration(
                kind: .loop, graph: graph, outputs: op.node.outputs, turnCount: turnCount,
                carried: carried, collected: Array(repeating: .init(), count: collectedCount)))
    }

    mutating func scan(_ op: Operator) throws(Failure) {
        let values = try op.all()
        let graph = try op.graph("body")
        guard let count = try op.int("num_scan_inputs"), (1...values.count).contains(count),
            graph.outputs.count >= values.count - count
        else { throw Failure(.malformed, "attribute \"num_scan_inputs\"") }
        let stateCount = values.count - count
        let outputCount = graph.outputs.count - stateCount
        func list(_ name: String, _ count: Int) throws(Failure) -> [Int] {
            let list = try op.ints(name) ?? Array(repeating: 0, count: count)
            guard list.count == count else {
                throw Failure(.malformed, "attribute \"\(name)\": \(count) integers expected")
            }
            return list
        }
        let axes = try list("scan_input_axes", count)
        let directions = try list("scan_input_directions", count)
        var inputs: [Iteration.ScanInput] = []
        for (index, value) in values.dropFirst(stateCount).enumerated() {
            let axis = try op.axis(axes[index], rank: value.shape.count)
            guard axis < value.shape.count,
                inputs.first.map({ $0.value.shape[$0.axis] == value.shape[axis] }) ?? true
            else { throw Failure(.malformed, "scan inputs of one length expected") }
            inputs.append(.init(value: value, axis: axis, isReversed: directions[index] == 1))
        }
        let outputAxes = try list("scan_output_axes", outputCount)
        let outputDirections = try list("scan_output_directions", outputCount)
        try begin(
            Iteration(
                kind: .scan(
                    inputs: inputs,
                    outputs: zip(outputAxes, outputDirections).map { ($0, $1 == 1) }),
                graph: graph, outputs: op.node.outputs,
                turnCount: inputs[0].value.shape[inputs[0].axis],
                carried: values.prefix(stateCount).map(Slot.tensor),
                collected: Array(repeating: .init(), count: outputCount)))
    }

    mutating func map(_ op: Operator) throws(Failure) {
        guard case .sequence(let first)? = op.slot(0) else {
            throw Failure(.malformed, "a sequence expected")
        }
        let inputs = op.slots.map { $0 ?? .absent }
        for case .sequence(let values) in inputs where values.count != first.count {
            throw Failure(.malformed, "sequences of one length expected")
        }
        let graph = try op.graph("body")
        try begin(
            Iteration(
                kind: .map(inputs: inputs), graph: graph, outputs: op.node.outputs,
                turnCount: first.count, carried: [],
                collected: Array(repeating: .init(), count: graph.outputs.count)))
    }

    private mutating func begin(_ iteration: Iteration) throws(Failure) {
        if iteration.turnCount == 0 {
            try conclude(iteration)
        } else {
            try enterTurn(iteration)
            stay()
        }
    }

    private mutating func enterTurn(_ iteration: Iteration) throws(Failure) {
        var bindings: [Slot] = []
        switch iteration.kind {
        case .loop:
            bindings = [
                .tensor(Value(Tensor([Int64(iteration.turn)], type: .int64, shape: []))),
                .tensor(Value(Tensor([1], type: .bool, shape: []))),
            ]
            bindings += iteration.carried.map(resolved)
        case .scan(let inputs, _):
            bindings = iteration.carried.map(resolved)
            for input in inputs {
                let value = resolved(input.value)
                let turn =
                    input.isReversed ? iteration.turnCount - 1 - iteration.turn : iteration.turn
                var shape = value.shape
                shape.remove(at: input.axis)
                var strides = value.shape.strides
                let offset = turn * strides.remove(at: input.axis)
                bindings.append(
                    .tensor(try view(value, offset: offset, axes: shape, strides: strides)))
            }
        case .map(let inputs):
            bindings = inputs.map { input in
                if case .sequence(let values) = input {
                    return .tensor(resolved(values[iteration.turn]))
                }
                return resolved(input)
            }
        }
        try enter(iteration.graph, bindings, for: .iteration(iteration))
    }

    /// Takes what a turn gave, and begins the next or ends.
    private mutating func end(
        _ iteration: Iteration, _ slots: [Slot], _ demand: Operator.Demand
    ) throws(Failure) {
        var iteration = iteration
        var slots = slots[...]
        var goesOn = true
        if case .loop = iteration.kind {
            guard case .tensor(let condition)? = slots.popFirst() else {
                throw Failure(.malformed, "a condition expected as the body's first output")
            }
            if let known = condition.constant {
                goesOn = known.integers != [0]
            } else if iteration.turn + 1 < iteration.turnCount {
                if let buffer = condition.buffer { demand.buffers.append(buffer) }
                throw Failure(.unsupported, "its condition depends on the data")
            }
        }
        iteration.carried = Array(slots.prefix(iteration.carried.count))
        for (index, slot) in slots.dropFirst(iteration.carried.count).enumerated() {
            guard case .tensor(let value) = slot else {
                throw Failure(.malformed, "a tensor expected, to be collected turn by turn")
            }
            iteration.collected[index].append(value)
        }
        iteration.turn += 1
        if goesOn, iteration.turn < iteration.turnCount {
            try enterTurn(iteration)
        } else {
            try conclude(iteration)
            frames[frames.count - 1].next += 1
        }
    }

    /// Gives the node's outputs.
    private mutating func conclude(_ iteration: Iteration) throws(Failure) {
        var slots = iteration.carried.map(resolved)
        let imagined = iteration.turn == 0 ? self.imagined(iteration) : nil
        for (index, collected) in iteration.collected.enumerated() {
            var values = collected.values.map(resolved)
            if let imagined {
                var shape = imagined[index].shape
                var axis = 0
                if case .scan(_, let outputs) = iteration.kind { axis = outputs[index].axis }
                axis = axis < 0 ? axis + shape.count + 1 : axis
                guard (0...shape.count).contains(axis) else {
                    throw Failure(.malformed, "axis \(axis)")
                }
                shape.insert(0, at: axis)
                slots.append(.tensor(empty(shape, imagined[index].type)))
                continue
            }
            switch iteration.kind {
            case .map:
                slots.append(.sequence(values))
                continue
            case .scan(_, let outputs):
                if outputs[index].isReversed { values.reverse() }
                slots.append(.tensor(try stacked(values, axis: outputs[index].axis)))
            case .loop: slots.append(.tensor(try stacked(values, axis: 0)))
            }
        }
        guard iteration.outputs.count <= slots.count else {
            throw Failure(.malformed, "\(iteration.outputs.count) outputs of a loop")
        }
        for (name, slot) in zip(iteration.outputs, slots) { define(name, slot) }
    }

    /// What a turn would collect of a loop that has none, by types and shapes.
    ///
    /// - Returns: nil where that is not known without a turn's data, or nothing is collected.
    private mutating func imagined(_ iteration: Iteration) -> [Value]? {
        guard !iteration.collected.isEmpty else { return nil }
        var trial = self
        // Loops in loops try no more nodes than a run may have.
        defer { loweredNodes = trial.loweredNodes }
        do throws(Failure) {
            var bindings: [Slot] = []
            switch iteration.kind {
            case .loop:
                bindings = [
                    .tensor(Value(Tensor([0], type: .int64, shape: []))),
                    .tensor(Value(Tensor([1], type: .bool, shape: []))),
                ]
            case .scan: break
            case .map: return nil
            }
            bindings += iteration.carried.map(trial.resolved)
            if case .scan(let inputs, _) = iteration.kind {
                for input in inputs {
                    var shape = input.value.shape
                    shape.remove(at: input.axis)
                    let type = input.value.type
                    bindings.append(
                        .tensor(
                            shape.contains(0)
                                ? empty(shape, type)
                                : Value(
                                    type: type, shape: shape,
                                    buffer: try trial.makeBuffer(shape, type))))
                }
            }
            try trial.enter(iteration.graph, bindings, for: .trial)
            trial.trialSlots = nil
            while trial.trialSlots == nil { try trial.advance(Operator.Demand()) }
        } catch {
            // What no turn does is nobody's mistake.
            return nil
        }
        let first = iteration.carried.count + (iteration.isLoop ? 1 : 0)
        let values = trial.trialSlots?.dropFirst(first).compactMap { slot -> Value? in
            guard case .tensor(let value) = slot else { return nil }
            return value
        }
        return values?.count == iteration.collected.count ? values : nil
    }

    /// Tensors of one shape along a new axis.
    mutating func stacked(_ values: [Value], axis: Int) throws(Failure) -> Value {
        guard let first = values.first else {
            return Value(Tensor([], shape: [0]))
        }
        let rank = first.shape.count + 1
        let place = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(place) else { throw Failure(.malformed, "axis \(axis)") }
        var parts: [Value] = []
        for value in values {
            var shape = value.shape
            guard shape.count == rank - 1 else {
                throw Failure(.malformed, "tensors of one shape expected, to be stacked")
            }
            shape.insert(1, at: place)
            parts.append(try reshaped(value, shape))
        }
        return try concatenated(parts, axis: place)
    }
}
