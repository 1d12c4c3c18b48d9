internal import Core

/// A node together with the values of its inputs: what its attributes say, with defaults.
struct Operator {
    /// Buffers whose data an operator asks for before it can be lowered.
    final class Demand {
        var buffers: [Int] = []
    }

    let node: Node
    let opset: Int
    /// Of the node's inputs; nil where one is left out.
    var slots: [Lowering.Slot?]
    /// The narrow type that its inputs were widened from, and its results are rounded to.
    var narrow: ElementType?
    /// Of buffers that were made for this operator, those that hold what they were made of.
    var origins: [Int: Int] = [:]
    /// Where it says which data it must know.
    let demand: Demand

    /// What the input at `index` is; nil where it is left out.
    func slot(_ index: Int) -> Lowering.Slot? { slots.indices.contains(index) ? slots[index] : nil }

    /// The tensor at `index`; nil where it is left out.
    func optional(_ index: Int) throws(Failure) -> Lowering.Value? {
        switch slot(index) {
        case nil: return nil
        case .tensor(let value)?: return value
        case .sequence?:
            throw Failure(.malformed, "input \(index) is a sequence; a tensor expected")
        case .absent?: throw Failure(.malformed, "input \(index) is an empty optional")
        }
    }

    func input(_ index: Int) throws(Failure) -> Lowering.Value {
        guard let value = try optional(index) else {
            throw Failure(.malformed, "input \(index) is missing")
        }
        return value
    }

    /// An input of floats: float32, or double where all is computed on the host.
    func floats(_ index: Int) throws(Failure) -> Lowering.Value {
        let value = try input(index)
        guard value.type == .float32 || value.type == .double else {
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

    /// What a value holds.
    ///
    /// - Throws: ``Failure`` when that is not known yet; the operator is lowered again when it is.
    func data(_ value: Lowering.Value) throws(Failure) -> Tensor {
        if let constant = value.constant { return constant }
        try value.checkHost()
        if let buffer = value.buffer { demand.buffers.append(origins[buffer] ?? buffer) }
        throw Failure(.unsupported, "an input depends on the data; one known from shapes expected")
    }

    /// Whether the input is left out, or what it holds is known.
    func isKnown(_ index: Int) -> Bool {
        slot(index)?.tensors.allSatisfy { $0.constant != nil } ?? true
    }

    /// Integers that shape the result; nil where they are left out.
    func constantIntegers(_ index: Int) throws(Failure) -> [Int]? {
        guard let value = try optional(index) else { return nil }
        guard let integers = try data(value).integers else {
            throw Failure(.malformed, "input \(index) is \(value.type.name); integers expected")
        }
        return integers.map(Int.init)
    }

    /// One known number; nil where it is left out.
    func constantFloat(_ index: Int) throws(Failure) -> Float? {
        guard let value = try optional(index) else { return nil }
        let tensor = try data(value)
        guard tensor.count == 1 else {
            throw Failure(.malformed, "input \(index) is \(value.shape.text); one number expected")
        }
        switch tensor.elements {
        case .floats(let floats): return floats[0]
        case .doubles(let doubles): return Float(doubles[0])
        case .integers(let integers): return Float(integers[0])
        }
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

    func floatList(_ name: String) throws(Failure) -> [Float]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .floats(let value) = attribute else { throw wrong(name, "floats") }
        return value
    }

    func strings(_ name: String) throws(Failure) -> [String]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .strings(let value) = attribute else { throw wrong(name, "strings") }
        return value
    }

    func graph(_ name: String) throws(Failure) -> Graph {
        guard case .graph(let value)? = node.attributes[name] else { throw wrong(name, "a graph") }
        return value
    }

    /// Whether an attribute that is 0 or 1 is set.
    func flag(_ name: String, default: Bool = false) throws(Failure) -> Bool {
        try int(name).map { $0 != 0 } ?? `default`
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
        guard (-rank..<rank).contains(value) else {
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

extension Lowering.Value {
    /// - Throws: ``Failure`` when there is more of it than the host computes with.
    func checkHost() throws(Failure) {
        guard shape.elementCount <= Lowering.hostElementsMax else {
            throw Failure(
                .limit,
                "\(shape.text) is more than the \(Lowering.hostElementsMax) elements that the host "
                    + "computes with")
        }
    }
}
