internal import Core

extension Operators {
    /// Recurrent layers.
    static let recurrences: Table = [
        "GRU": steps(3...6, outputs: 0...2) { (lowering, op) throws(Failure) in
            try lowering.recur(op, try op.flag("linear_before_reset") ? .gru : .gruGates)
        },
        "LSTM": steps(3...8, outputs: 0...3) { (lowering, op) throws(Failure) in
            try lowering.recur(op, .lstm)
        },
        "RNN": steps(3...6, outputs: 0...2) { (lowering, op) throws(Failure) in
            try lowering.recur(op, .rnn)
        },
    ]
}

/// A recurrent layer's sizes and operands.
private struct Recurrence {
    var cell = CellShape()
    var time: Int
    var inputSize: Int
    /// For each direction, whether it goes from the end.
    var isReversed: [Bool]
    /// Whether items come before time steps.
    var isByItem: Bool
    /// How long each item is; nil where all last to the end.
    var lengths: [Int]?
    var biases: Lowering.Value?
    var peepholes: Lowering.Value?
    /// By (directions, gates · hidden, hidden), cut as the cell's products are.
    var recurrent: [Lowering.Value] = []

    /// (directions, batch, hidden).
    var stateShape: [Int] { [cell.directions, cell.batch, cell.hidden] }

    /// Of all time steps.
    var resultShape: [Int] {
        isByItem
            ? [cell.batch, time, cell.directions, cell.hidden] : [time] + stateShape
    }

    /// The time step of an item that a direction takes at a turn; nil behind its end.
    func step(_ direction: Int, _ turn: Int, _ item: Int) -> Int? {
        let length = lengths?[item] ?? time
        guard turn < length else { return nil }
        return isReversed[direction] ? length - 1 - turn : turn
    }
}

extension Lowering {
    mutating func recur(_ op: Operator, _ kind: CellShape.Kind) throws(Failure) {
        var layer = try layer(op, kind)
        let cell = layer.cell
        guard cell.batch > 0, layer.time > 0 else {
            // What no step changes is as it was.
            return try defineStates(op, layer, [], last: try initialState(op, layer))
        }
        let x = try op.floats(0)
        let byTime = layer.isByItem ? try transposed(x, [1, 0, 2]) : x
        let products = try inputs(layer, byTime, try op.floats(1))
        var state = try initialState(op, layer)
        var states: [Value] = []
        for turn in 0..<layer.time {
            layer.cell.offsets = offsets(layer, turn)
            let next = try step(layer, products, state)
            if let lengths = layer.lengths, lengths.contains(where: { $0 <= turn }) {
                let goesOn = Value(
                    Tensor(
                        lengths.map { $0 > turn ? 1 : 0 }, type: .bool, shape: [1, cell.batch, 1]))
                state = try choose(goesOn, next, state)
            } else {
                state = next
            }
            states.append(state)
        }
        try defineStates(op, layer, states, last: state)
    }

    /// Time steps that one node may take, each of them steps of its own.
    static let turnsMax = 1 << 16

    // MARK: Operands

    private mutating func layer(
        _ op: Operator, _ kind: CellShape.Kind
    ) throws(Failure) -> Recurrence {
        let x = try op.floats(0)
        let w = try op.floats(1)
        let r = try op.floats(2)
        let direction = try op.string("direction") ?? "forward"
        let directions = ["forward": [false], "reverse": [true], "bidirectional": [false, true]]
        guard let isReversed = directions[direction], x.type == .float32, x.shape.count == 3,
            w.shape.count == 3, r.shape.count == 3
        else {
            throw Failure(
                .unsupported,
                "direction \(direction.printable), \(x.type.name) \(x.shape.text); float32 by "
                    + "three axes expected")
        }
        let isByItem = try op.int("layout") ?? 0 == 1
        var layer = Recurrence(
            time: x.shape[isByItem ? 1 : 0], inputSize: x.shape[2], isReversed: isReversed,
            isByItem: isByItem)
        let hidden = r.shape[2]
        let gates = kind.gateCount
        layer.cell.kind = kind
        (layer.cell.directions, layer.cell.hidden) = (isReversed.count, hidden)
        layer.cell.batch = x.shape[isByItem ? 0 : 1]
        guard w.shape == [isReversed.count, gates * hidden, x.shape[2]],
            r.shape == [isReversed.count, gates * hidden, hidden],
            try op.int("hidden_size") ?? hidden == hidden, layer.inputSize > 0, hidden > 0
        else {
            throw Failure(
                .malformed, "\(x.shape.text), W \(w.shape.text) and R \(r.shape.text)")
        }
        guard layer.time <= Self.turnsMax,
            try Shape.checked([layer.time] + layer.stateShape).elementCount / hidden
                <= Self.placesMax
        else {
            throw Failure(
                .limit,
                "\(layer.time) time steps; at most \(Self.turnsMax) expected, and at most "
                    + "\(Self.placesMax) of all items")
        }
        try setVectors(op, &layer)
        if let lengths = try op.constantIntegers(4) {
            guard lengths.count == layer.cell.batch,
                lengths.allSatisfy({ (0...layer.time).contains($0) })
            else { throw Failure(.malformed, "sequence_lens of \(lengths.count) items") }
            layer.lengths = lengths.allSatisfy { $0 == layer.time } ? nil : lengths
        }
        try setActivations(op, &layer.cell)
        // The state's product with both gates comes first, where the rest needs them.
        for range in kind == .gruGates ? [0..<2, 2..<3] : [0..<gates] {
            let rows = try part(
                r, axis: 1, from: range.lowerBound * hidden, count: range.count * hidden)
            layer.recurrent.append(try pinned(rows))
        }
        return layer
    }

    /// Biases and peepholes.
    private mutating func setVectors(
        _ op: Operator, _ layer: inout Recurrence
    ) throws(Failure) {
        let cell = layer.cell
        func vector(_ index: Int, _ count: Int) throws(Failure) -> Value? {
            guard let value = try op.optional(index) else { return nil }
            guard value.shape == [cell.directions, count * cell.hidden], value.type == .float32
            else { throw Failure(.malformed, "input \(index) of \(value.shape.text)") }
            return value
        }
        if let biases = try vector(3, 2 * cell.kind.gateCount) {
            layer.biases = try pinned(biases)
            layer.cell.flags.insert(.biases)
        }
        if cell.kind == .lstm, let peepholes = try vector(7, 3) {
            layer.peepholes = try pinned(peepholes)
            layer.cell.flags.insert(.peepholes)
        }
        if cell.kind == .lstm, try op.flag("input_forget") {
            layer.cell.flags.insert(.couples)
        }
    }

    private func setActivations(
        _ op: Operator, _ cell: inout CellShape
    ) throws(Failure) {
        let defaults: [CellShape.Activation] =
            switch cell.kind {
            case .rnn: [.tanh]
            case .lstm: [.sigmoid, .tanh, .tanh]
            default: [.sigmoid, .tanh]
            }
        let count = defaults.count
        var alphas = try (op.floatList("activation_alpha") ?? [])[...]
        var betas = try (op.floatList("activation_beta") ?? [])[...]
        let names = try op.strings("activations")
        guard names.map({ $0.count == count * cell.directions }) ?? true else {
            throw Failure(
                .malformed, "attribute \"activations\": \(count * cell.directions) expected")
        }
        for index in 0..<(count * cell.directions) {
            var activation = defaults[index % count]
            if let name = names?[index] {
                guard
                    let known = CellShape.Activation.allCases.first(where: {
                        "\($0)".lowercased() == name.lowercased()
                    })
                else { throw Failure(.unsupported, "activation \(name.printable)") }
                activation = known
            }
            let place = index / count * 3 + index % count
            cell.activations[place] = activation
            // Each takes the next of the lists, where it has such a number at all.
            let (alpha, beta) = activation.defaults
            if let alpha { cell.alpha[place] = alphas.popFirst() ?? alpha }
            if let beta { cell.beta[place] = betas.popFirst() ?? beta }
        }
        cell.clip = try op.float("clip") ?? .infinity
        guard cell.clip >= 0 else { throw Failure(.malformed, "attribute \"clip\" below 0") }
        if cell.clip == 0 { cell.clip = .infinity }
    }

    /// Products of all time steps with W, by (directions, time · batch, gates · hidden); where
    /// items end early, in the order in which they are taken.
    private mutating func inputs(
        _ layer: Recurrence, _ x: Value, _ w: Value
    ) throws(Failure) -> Value {
        let cell = layer.cell
        let width = cell.kind.gateCount * cell.hidden
        let rows = layer.time * cell.batch
        let flat = try reshaped(x, [rows, layer.inputSize])
        let all = try product(flat, w, flipsB: true)
        guard layer.lengths != nil else { return all }
        var order: [Int] = []
        for direction in 0..<cell.directions {
            for turn in 0..<layer.time {
                for item in 0..<cell.batch {
                    let step = layer.step(direction, turn, item) ?? turn
                    order.append((direction * layer.time + step) * cell.batch + item)
                }
            }
        }
        let table = try reshaped(all, [cell.directions * rows, width])
        return try gathered(table, integers(order, shape: [order.count]), axis: 0)
    }

    private func offsets(_ layer: Recurrence, _ turn: Int) -> [Int] {
        let cell = layer.cell
        let each = cell.batch * cell.kind.gateCount * cell.hidden
        var offsets = [0, 0]
        for direction in 0..<cell.directions {
            let isTurned = layer.isReversed[direction] && layer.lengths == nil
            let step = isTurned ? layer.time - 1 - turn : turn
            offsets[direction] = (direction * layer.time + step) * each
        }
        return offsets
    }

    private mutating func initialState(
        _ op: Operator, _ layer: Recurrence
    ) throws(Failure) -> Value {
        var parts: [Value] = []
        for index in 0..<layer.cell.kind.stateCount {
            guard var given = try op.optional(5 + index) else {
                parts.append(try repeated(try scalar(0, .float32), layer.stateShape))
                continue
            }
            if layer.isByItem, given.shape.count == 3 {
                given = try transposed(given, [1, 0, 2])
            }
            guard given.shape == layer.stateShape, given.type == .float32 else {
                throw Failure(
                    .malformed, "a state of \(given.shape.text); \(layer.stateShape.text) expected")
            }
            parts.append(given)
        }
        return try concatenated(parts, axis: 0)
    }

    // MARK: Steps

    /// The state after one more time step, by (parts · directions, batch, hidden).
    private mutating func step(
        _ layer: Recurrence, _ products: Value, _ state: Value
    ) throws(Failure) -> Value {
        var cell = layer.cell
        func emitted(
            _ cell: CellShape, _ operands: [Value], _ lowering: inout Lowering
        ) throws(Failure) -> Value {
            let more = [layer.biases, layer.peepholes].compactMap { $0 }
            return try lowering.emit(
                .cell, operands + more, ints: cell.ints, floats: cell.floats, type: .float32,
                shape: [cell.kind.resultCount * cell.directions, cell.batch, cell.hidden])
        }
        let hidden = try head(state, cell)
        let first = try product(hidden, layer.recurrent[0], flipsB: true)
        let result = try emitted(cell, [products, first, state], &self)
        guard cell.kind == .gruGates else { return result }
        let gated = try head(result, cell)
        let second = try product(gated, layer.recurrent[1], flipsB: true)
        cell.kind = .gruState
        return try emitted(cell, [products, second, state, result], &self)
    }

    /// The first of the tensors that a cell keeps in one buffer, where it lies.
    private mutating func head(_ x: Value, _ cell: CellShape) throws(Failure) -> Value {
        let shape = [cell.directions, cell.batch, cell.hidden]
        guard x.constant == nil, let buffer = x.buffer else {
            return try part(x, axis: 0, from: 0, count: cell.directions)
        }
        return Value(type: x.type, shape: shape, buffer: buffer)
    }

    /// All time steps' results, by (time, directions, batch, hidden).
    ///
    /// - Parameter states: turn by turn, by (turns · parts · directions, batch, hidden).
    private mutating func sequence(
        _ layer: Recurrence, _ states: Value
    ) throws(Failure) -> Value {
        let cell = layer.cell
        let shape = [layer.time] + layer.stateShape
        let each = cell.kind.stateCount * cell.directions
        let places = (0..<layer.time).flatMap { t in (0..<cell.directions).map { (t, $0) } }
        func turn(_ t: Int, _ direction: Int, of length: Int) -> Int {
            layer.isReversed[direction] ? length - 1 - t : t
        }
        guard let lengths = layer.lengths else {
            let order = places.map { turn($0, $1, of: layer.time) * each + $1 }
            return try reshaped(try picked(states, 0, order), shape)
        }
        let rows = layer.time * each * cell.batch
        let order = places.flatMap { t, direction in
            lengths.enumerated().map { item, length in
                // Behind an item's end there are zeros.
                guard t < length else { return rows }
                return (turn(t, direction, of: length) * each + direction) * cell.batch + item
            }
        }
        let table = try reshaped(states, [rows, cell.hidden])
        let y = try gathered(table, integers(order, shape: [order.count]), axis: 0)
        return try reshaped(y, shape)
    }

    private mutating func defineStates(
        _ op: Operator, _ layer: Recurrence, _ states: [Value], last: Value
    ) throws(Failure) {
        let cell = layer.cell
        let parts = cell.kind.stateCount
        if op.node.outputs.first.map({ !$0.isEmpty }) ?? false {
            if states.isEmpty {
                try define(op, empty(layer.resultShape, .float32))
            } else {
                let y = try sequence(layer, try concatenated(states, axis: 0))
                try define(op, layer.isByItem ? try transposed(y, [2, 0, 1, 3]) : y)
            }
        }
        for index in 0..<parts where op.node.outputs.count > 1 + index {
            let count = cell.directions
            let own = try part(last, axis: 0, from: index * count, count: count)
            try define(op, layer.isByItem ? try transposed(own, [1, 0, 2]) : own, at: 1 + index)
        }
    }
}

extension CellShape.Activation {
    /// Its numbers, where none are given; nil of those that it has not.
    fileprivate var defaults: (alpha: Float?, beta: Float?) {
        switch self {
        case .affine, .scaledTanh: (1, self == .affine ? 0 : 1)
        case .leakyRelu: (0.01, nil)
        case .thresholdedRelu, .elu: (1, nil)
        case .hardSigmoid: (0.2, 0.5)
        default: (nil, nil)
        }
    }
}
