internal import Core

/// A node together with the values of its inputs: what its attributes say, with defaults.
struct Operator {
    let node: Node
    let opset: Int
    /// Of the node's inputs; nil where one is left out or not defined.
    private let values: [Lowering.Value?]

    init(_ node: Node, opset: Int, values: [String: Lowering.Value]) {
        self.node = node
        self.opset = opset
        self.values = node.inputs.map { values[$0] }
    }

    /// The input at `index`; nil where it is left out.
    func optional(_ index: Int) throws(Failure) -> Lowering.Value? {
        guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
        guard let value = values[index] else {
            throw Failure(
                .malformed, "input \"\(node.inputs[index].printable)\" is not defined")
        }
        return value
    }

    func input(_ index: Int) throws(Failure) -> Lowering.Value {
        guard let value = try optional(index) else {
            throw Failure(.malformed, "input \(index) is missing")
        }
        return value
    }

    /// An input of floats.
    func floats(_ index: Int) throws(Failure) -> Lowering.Value {
        let value = try input(index)
        guard value.type == .float32 else {
            throw Failure(.unsupported, "input \(index) is \(value.type.name); float32 expected")
        }
        return value
    }

    /// All inputs, none left out.
    func all() throws(Failure) -> [Lowering.Value] {
        var values: [Lowering.Value] = []
        for index in node.inputs.indices { values.append(try input(index)) }
        return values
    }

    /// A constant of integers that shapes the result; nil where it is left out.
    func constantIntegers(_ index: Int) throws(Failure) -> [Int]? {
        guard let value = try optional(index) else { return nil }
        guard let integers = value.constant?.integers else {
            throw Failure(
                .unsupported,
                "input \(index) depends on the data; integers known from shapes expected")
        }
        return integers.map(Int.init)
    }

    /// A constant float; nil where it is left out.
    func constantFloat(_ index: Int) throws(Failure) -> Float? {
        guard let value = try optional(index) else { return nil }
        guard let floats = value.constant?.floats, floats.count == 1 else {
            throw Failure(.unsupported, "input \(index): a constant float expected")
        }
        return floats[0]
    }

    // MARK: Attributes

    private func wrong(_ name: String, _ expected: String) -> Failure {
        Failure(.malformed, "attribute \"\(name)\": \(expected) expected")
    }

    func int(_ name: String) throws(Failure) -> Int? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .int(let value) = attribute else { throw wrong(name, "an integer") }
        return value
    }

    func float(_ name: String) throws(Failure) -> Float? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .float(let value) = attribute else { throw wrong(name, "a float") }
        return value
    }

    func ints(_ name: String) throws(Failure) -> [Int]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .ints(let value) = attribute else { throw wrong(name, "integers") }
        return value
    }

    func string(_ name: String) throws(Failure) -> String? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .string(let value) = attribute else { throw wrong(name, "a string") }
        return value
    }

    /// A positive integer of a window, per axis.
    func sizes(_ name: String, rank: Int) throws(Failure) -> [Int] {
        guard let values = try ints(name) else { return Array(repeating: 1, count: rank) }
        guard values.count == rank, values.allSatisfy({ (1...(1 << 20)).contains($0) }) else {
            throw wrong(name, "\(rank) integers from 1 to \(1 << 20)")
        }
        return values
    }

    /// An axis counted from the end when negative.
    func axis(_ value: Int, rank: Int) throws(Failure) -> Int {
        guard (-rank..<max(rank, 1)).contains(value) else {
            throw Failure(.malformed, "axis \(value) of a tensor with \(rank) axes")
        }
        return value < 0 ? value + rank : value
    }

    /// Axes, each once, ascending.
    func axes(_ values: [Int], rank: Int) throws(Failure) -> [Int] {
        var axes: Set<Int> = []
        for value in values {
            guard axes.insert(try axis(value, rank: rank)).inserted else {
                throw Failure(.malformed, "axis \(value) is given twice")
            }
        }
        return axes.sorted()
    }
}
