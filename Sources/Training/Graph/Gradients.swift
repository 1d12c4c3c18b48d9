internal import Core
internal import Inference

/// Reverse-mode differentiation of a graph: for each node, from the loss backwards, nodes that
/// compute what its inputs' gradients gain by it.
struct Gradients {
    /// What one operator's inputs gain.
    ///
    /// - Parameters:
    ///   - node: the operator.
    ///   - gradient: of its result.
    typealias Rule =
        @Sendable (
            _ gradients: inout Gradients, _ node: Node, _ gradient: String
        ) throws(Failure) -> Void

    var builder: GraphBuilder
    /// Of the values of the graph that is differentiated.
    let shapes: [String: [Int]]
    /// Values that the loss is differentiated by, and what depends on them.
    private let moving: Set<String>
    private var parts: [String: [String]] = [:]

    /// - Parameters:
    ///   - parameters: what the loss is differentiated by.
    ///   - shapes: of every value.
    init(
        _ builder: GraphBuilder, nodes: [Node], parameters: Set<String>, shapes: [String: [Int]]
    ) {
        self.builder = builder
        self.shapes = shapes
        var moving = parameters
        for node in nodes where node.inputs.contains(where: moving.contains) {
            moving.formUnion(node.outputs)
        }
        self.moving = moving
    }

    /// Goes through nodes backwards.
    ///
    /// - Parameter seeds: gradients that are known.
    /// - Returns: for each value that the loss depends on, its gradient's name.
    /// - Throws: ``Failure`` naming the first node whose operator has no rule.
    mutating func run(
        _ nodes: [Node], seeds: [String: String]
    ) throws(Failure) -> [String: String] {
        for (name, gradient) in seeds { parts[name, default: []].append(gradient) }
        for node in nodes.reversed() {
            guard node.outputs.contains(where: { parts[$0] != nil }),
                node.inputs.contains(where: moving.contains)
            else { continue }
            guard let rule = Self.rules[node.operatorName] else {
                let known = Self.rules.keys.sorted().joined(separator: ", ")
                throw Failure(
                    .unsupported,
                    "\(node.place): no gradient of this operator is known; of \(known)")
            }
            guard node.outputs.dropFirst().allSatisfy({ parts[$0] == nil }),
                let gradient = total(node.outputs[0])
            else {
                throw Failure(
                    .unsupported, "\(node.place): a gradient through its second output")
            }
            do throws(Failure) {
                try rule(&self, node, gradient)
            } catch {
                throw error.at(node.place)
            }
        }
        var gradients: [String: String] = [:]
        for name in parts.keys.sorted() { gradients[name] = total(name) }
        return gradients
    }

    /// The sum of what a value's gradient is made of, in the order in which it came.
    private mutating func total(_ name: String) -> String? {
        guard let all = parts[name], var sum = all.first else { return nil }
        for part in all.dropFirst() { sum = builder.add("Add", [sum, part]) }
        parts[name] = [sum]
        return sum
    }

    // MARK: For rules

    /// Whether a gradient of that value is wanted.
    func isMoving(_ name: String?) -> Bool { name.map(moving.contains) ?? false }

    /// Says what an input's gradient gains, where it is wanted.
    mutating func give(
        _ name: String, _ gradient: (inout GraphBuilder) throws(Failure) -> String
    ) throws(Failure) {
        guard moving.contains(name) else { return }
        parts[name, default: []].append(try gradient(&builder))
    }

    func shape(_ name: String) throws(Failure) -> [Int] {
        guard let shape = shapes[name] else {
            throw Failure(.unsupported, "value \"\(name.printable)\": its shape is not known")
        }
        return shape
    }

    /// The gradient of an operand that was repeated to the shape of the result.
    mutating func giveBroadcast(
        _ name: String, from shape: [Int], _ gradient: (inout GraphBuilder) -> String
    ) throws(Failure) {
        guard moving.contains(name) else { return }
        let own = try self.shape(name)
        var value = gradient(&builder)
        let lead = shape.count - own.count
        let axes = shape.indices.filter { $0 < lead || (own[$0 - lead] == 1 && shape[$0] != 1) }
        if !axes.isEmpty { value = builder.sum(value, axes: axes, keeps: true) }
        if lead > 0 || (axes.isEmpty && own != shape) { value = builder.reshaped(value, own) }
        parts[name, default: []].append(value)
    }

    /// Rules by operator.
    static let rules: [String: Rule] = [elementwise, moves, products, windows].reduce(into: [:]) {
        table, group in
        table.merge(group) { _, _ in preconditionFailure("an operator is in two groups") }
    }

    /// Operators whose gradients are known.
    static var names: [String] { rules.keys.sorted() }
}

// MARK: - Attributes

extension Node {
    func int(_ name: String, default value: Int) -> Int {
        if case .int(let int)? = attributes[name] { int } else { value }
    }

    func float(_ name: String, default value: Float) -> Float {
        if case .float(let float)? = attributes[name] { float } else { value }
    }

    func ints(_ name: String) -> [Int]? {
        if case .ints(let ints)? = attributes[name] { ints } else { nil }
    }

    func string(_ name: String, default value: String) -> String {
        if case .string(let string)? = attributes[name] { string } else { value }
    }

    /// The input at `index`; nil where it is left out.
    func input(_ index: Int) -> String? {
        inputs.indices.contains(index) && !inputs[index].isEmpty ? inputs[index] : nil
    }
}
