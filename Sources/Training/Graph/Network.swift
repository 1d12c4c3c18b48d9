public import Core
public import Inference

/// A model as training sees it: one input by item, one output of logits by item and class.
public struct Network: Sendable {
    public let model: Model
    public let input: Model.Input
    /// The value that the loss is computed from: the first output, before a softmax at its end.
    public let logits: String
    public let classes: Int
    /// The model's nodes that the logits depend on, in order.
    let nodes: [Node]

    /// From where on sums take their axes as an input.
    static let opsetMin = 13

    /// - Parameter item: shape of one item of the data.
    /// - Throws: ``Failure`` saying what of the model is not as training needs it.
    public init(_ model: Model, item: [Int]) throws(Failure) {
        guard model.opset >= Self.opsetMin else {
            throw Failure(
                .unsupported,
                "opset \(model.opset); \(Self.opsetMin) or later expected for training")
        }
        guard model.functions.isEmpty else {
            throw Failure(.unsupported, "functions of the model's own; operators expected")
        }
        guard !model.draws else {
            throw Failure(.unsupported, "random numbers that the model draws itself")
        }
        guard model.inputs.count == 1, let input = model.inputs.first, input.type == .float32,
            input.kind == .tensor
        else {
            let known = model.inputs.map(\.text).joined(separator: "; ")
            throw Failure(.malformed, "the model has \(known); one input of float32 expected")
        }
        let fits =
            !input.isRanked
            || (input.shape.count == item.count + 1
                && zip(input.shape.dropFirst(), item).allSatisfy { $0 == nil || $0 == $1 })
        guard fits else {
            throw Failure(
                .malformed,
                "items of \(item.text) in the data; \(input.text) expected by the model")
        }
        guard input.shape.first.map({ $0 == nil }) ?? true else {
            throw Failure(
                .unsupported, "\(input.text): a first axis that the model leaves open expected")
        }
        self.model = model
        self.input = input
        var logits = model.outputs[0]
        if let last = model.nodes.last(where: { $0.outputs.contains(logits) }),
            ["Softmax", "LogSoftmax"].contains(last.operatorName),
            [-1, 1].contains(last.int("axis", default: -1))
        {
            logits = last.inputs[0]
        }
        self.logits = logits
        var needed: Set<String> = [logits]
        var nodes: [Node] = []
        for node in model.nodes.reversed() where node.outputs.contains(where: needed.contains) {
            needed.formUnion(node.inputs)
            nodes.append(node)
        }
        self.nodes = nodes.reversed()
        let found =
            try Self.shapes(
                model, input, nodes: self.nodes, constants: model.constants, [2] + item)[logits]
            ?? []
        guard found.count == 2, found[0] == 2, (2...(1 << 20)).contains(found[1]) else {
            throw Failure(
                .unsupported,
                "output \"\(logits.printable)\" is \(found.text) for two items; a number for each "
                    + "item and class expected")
        }
        classes = found[1]
    }

    /// Shapes of the network's own values, for a batch.
    func shapes(batch: [Int]) throws(Failure) -> [String: [Int]] {
        var shapes = try shapes(of: nodes, constants: model.constants, batch: batch)
        shapes[input.name] = batch
        return shapes
    }

    /// Shapes of what nodes compute, for a batch.
    func shapes(
        of nodes: [Node], constants: [String: Tensor], batch: [Int]
    ) throws(Failure) -> [String: [Int]] {
        try Self.shapes(model, input, nodes: nodes, constants: constants, batch)
    }

    private static func shapes(
        _ model: Model, _ input: Model.Input, nodes: [Node], constants: [String: Tensor],
        _ batch: [Int]
    ) throws(Failure) -> [String: [Int]] {
        let outputs = nodes.flatMap(\.outputs).filter { !$0.isEmpty }
        let graph = Graph(
            nodes: nodes.renumbered, constants: constants,
            inputs: [Model.Input(name: input.name, type: .float32, shape: batch)],
            outputs: outputs)
        let plan = try Planner.plan(
            Model(opsets: model.opsets, graph: graph), shapes: [input.name: batch])
        return Dictionary(
            plan.outputs.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    }

    /// The network as it is used, with weights and statistics as inputs after its own.
    func evaluation(states: [TrainingGraph.State], batch: [Int]) -> Model {
        let used = Set(nodes.flatMap(\.inputs))
        let held = states.filter { $0.kind != .memory && used.contains($0.name) }
        var constants = model.constants
        for state in held { constants[state.name] = nil }
        let inputs =
            [Model.Input(name: input.name, type: .float32, shape: batch)]
            + held.map { Model.Input(name: $0.name, type: .float32, shape: $0.initial.shape) }
        return Model(
            opsets: model.opsets,
            graph: Graph(
                nodes: nodes.renumbered, constants: constants, inputs: inputs, outputs: [logits]))
    }
}

extension [Node] {
    /// Nodes by their place in a graph of these alone.
    var renumbered: [Node] {
        enumerated().map { index, node in
            var node = node
            node.index = index
            return node
        }
    }
}
