public import Core
public import Inference

/// One step of training as a model of ONNX's operators: a batch, its labels, the step's numbers
/// and the state in; the loss, how many were right, and the new state out.
public struct TrainingGraph: Sendable {
    /// What the step keeps from one run to the next.
    public struct State: Hashable, Sendable {
        public enum Kind: Int, Hashable, Sendable {
            /// A parameter that the optimiser moves.
            case weight = 0
            /// A running mean or variance.
            case statistic = 1
            /// What the optimiser remembers.
            case memory = 2
        }

        public var name: String
        public var kind: Kind
        public var initial: Tensor
    }

    /// Inputs in order: the batch, labels, numbers of the step, states. Outputs in order: loss,
    /// number of right answers, states.
    public let model: Model
    public let states: [State]
    /// How many numbers each step has of its own.
    public let numberCount: Int
    /// Of each weight, the name of its gradient.
    public let gradients: [String: String]

    /// States follow so many inputs, or so many outputs.
    public var firstStateInput: Int { 2 + numberCount }
    public static let firstStateOutput = 2

    /// - Parameters:
    ///   - network: what is trained; its constants are where training begins.
    ///   - batch: shape of a batch of inputs.
    /// - Throws: ``Failure`` naming the node whose gradient is not known, or what was expected.
    public init(
        _ network: Network, options: TrainingOptions, batch: [Int]
    ) throws(Failure) {
        var forward = try Forward(network, batch: batch)
        let loss = forward.builder.add(
            "SoftmaxCrossEntropyLoss", [network.logits, Forward.labels], results: 2)
        let correct = forward.correct(network.logits)
        let seed = forward.seed(logarithms: loss[1], classes: network.classes, items: batch[0])
        var gradients = Gradients(
            forward.builder, nodes: forward.nodes, parameters: forward.candidates,
            shapes: try forward.shapes())
        let all = try gradients.run(forward.nodes, seeds: [network.logits: seed])
        let weights = forward.candidates.filter { all[$0] != nil }.sorted()
        guard !weights.isEmpty else {
            throw Failure(.malformed, "the model has no weight that its output depends on")
        }
        var optimizer = OptimizerGraph(gradients.builder, options)
        for weight in weights {
            guard let gradient = all[weight], let tensor = forward.constants[weight] else {
                continue
            }
            optimizer.apply(to: weight, tensor, gradient)
        }
        self.gradients = all.filter { weights.contains($0.key) }
        numberCount = optimizer.numbers.count
        states =
            optimizer.states(.weight)
            + forward.statistics.map {
                State(name: $0.name, kind: .statistic, initial: $0.tensor)
            } + optimizer.states(.memory)
        let next = optimizer.next.merging(forward.nextStatistics) { new, _ in new }
        model = Self.assembled(
            network, optimizer, states, next, batch: batch, loss: loss[0], correct: correct)
    }

    private static func assembled(
        _ network: Network, _ optimizer: OptimizerGraph, _ states: [State],
        _ next: [String: String], batch: [Int], loss: String, correct: String
    ) -> Model {
        var inputs = [
            Model.Input(name: network.input.name, type: .float32, shape: batch),
            Model.Input(name: Forward.labels, type: .int64, shape: [batch[0]]),
        ]
        inputs += optimizer.numbers.map { Model.Input(name: $0, type: .float32, shape: []) }
        inputs += states.map {
            Model.Input(name: $0.name, type: .float32, shape: $0.initial.shape)
        }
        var constants = optimizer.builder.constants
        for state in states { constants[state.name] = nil }
        let graph = Graph(
            nodes: optimizer.builder.nodes, constants: constants, inputs: inputs,
            outputs: [loss, correct] + states.map { next[$0.name] ?? $0.name })
        var opsets = network.model.opsets
        opsets["ai.rigor"] = 1
        return Model(opsets: opsets, graph: graph)
    }
}

/// The forward half of a step: the network with batch normalisation as training has it.
private struct Forward {
    static let labels = "training/labels"

    var builder: GraphBuilder
    /// What gradients go back through.
    private(set) var nodes: [Node] = []
    let constants: [String: Tensor]
    private(set) var statistics: [(name: String, tensor: Tensor)] = []
    /// What each statistic becomes.
    private(set) var nextStatistics: [String: String] = [:]
    private let network: Network
    private let batch: [Int]
    /// Of the network's own values.
    private let ownShapes: [String: [Int]]

    init(_ network: Network, batch: [Int]) throws(Failure) {
        self.network = network
        self.batch = batch
        ownShapes = try network.shapes(batch: batch)
        constants = network.model.constants
        let names = network.nodes.flatMap { $0.inputs + $0.outputs }
        builder = GraphBuilder(
            constants: constants, names: Set(names + [network.input.name, Self.labels]))
        for node in network.nodes {
            guard node.operatorName == "BatchNormalization" else {
                builder.append(node)
                continue
            }
            do throws(Failure) {
                try normalize(node)
            } catch {
                throw error.at(node.place)
            }
        }
        nodes = builder.nodes
    }

    /// Constants that may be weights: floats with axes that are no statistics.
    var candidates: Set<String> {
        let held = Set(statistics.map(\.name))
        return Set(
            constants.filter {
                $0.value.type == .float32 && !$0.value.shape.isEmpty && !held.contains($0.key)
            }.keys)
    }

    /// Batch normalisation by mean and variance of the batch; the running ones follow them.
    private mutating func normalize(_ node: Node) throws(Failure) {
        guard node.inputs.count == 5, let scale = constants[node.inputs[1]],
            scale.type == .float32, scale.shape.count == 1,
            node.inputs[2...].allSatisfy({ constants[$0]?.shape == scale.shape }),
            node.outputs.dropFirst().allSatisfy(\.isEmpty)
        else {
            throw Failure(.unsupported, "constant scale, bias, mean and variance expected")
        }
        guard let shape = ownShapes[node.inputs[0]] else {
            throw Failure(.unsupported, "the shape of its input is not known")
        }
        let axes = shape.indices.filter { $0 != 1 }
        let channels = scale.count
        let perChannel = [channels] + shape.dropFirst(2).map { _ in 1 }
        let part = builder.scalar(1 / Float(shape.elementCount / channels))
        func mean(_ x: String) -> String {
            builder.add("Mul", [builder.sum(x, axes: axes, keeps: true), part])
        }
        let x = node.inputs[0]
        let average = mean(x)
        let centred = builder.add("Sub", [x, average])
        let variance = mean(builder.add("Mul", [centred, centred]))
        let epsilon = builder.scalar(node.float("epsilon", default: 1e-5))
        let deviation = builder.add("Sqrt", [builder.add("Add", [variance, epsilon])])
        let normal = builder.add("Div", [centred, deviation])
        let scaled = builder.add(
            "Mul", [normal, builder.reshaped(node.inputs[1], perChannel)])
        var last = node
        last.type = "Add"
        last.attributes = [:]
        last.inputs = [scaled, builder.reshaped(node.inputs[2], perChannel)]
        last.outputs = [node.outputs[0]]
        builder.append(last)
        let momentum = node.float("momentum", default: 0.9)
        for (name, now) in zip(node.inputs[3...], [average, variance]) {
            guard let tensor = constants[name], nextStatistics[name] == nil else {
                throw Failure(.unsupported, "statistics of its own expected")
            }
            let old = builder.add("Mul", [name, builder.scalar(momentum)])
            let new = builder.add(
                "Mul", [builder.reshaped(now, [channels]), builder.scalar(1 - momentum)])
            nextStatistics[name] = builder.add("Add", [old, new])
            statistics.append((name, tensor))
        }
    }

    /// How many items' greatest number is at their label.
    mutating func correct(_ logits: String) -> String {
        let best = builder.add("ArgMax", [logits], ["axis": .int(1), "keepdims": .int(0)])
        let isRight = builder.add("Equal", [best, Self.labels])
        let numbers = builder.add(
            "Cast", [isRight], ["to": .int(Int(ElementType.float32.rawValue))])
        return builder.sum(numbers, axes: [0], keeps: false)
    }

    /// The loss's gradient by the logits: (probability − 1 at the label) ÷ items.
    mutating func seed(logarithms: String, classes: Int, items: Int) -> String {
        let probabilities = builder.add("Exp", [logarithms])
        let depth = builder.constant(Tensor([Int64(classes)], type: .int64, shape: [1]))
        let values = builder.constant(Tensor([0, 1], shape: [2]))
        let isLabel = builder.add("OneHot", [Self.labels, depth, values])
        let difference = builder.add("Sub", [probabilities, isLabel])
        return builder.add("Div", [difference, builder.scalar(Float(items))])
    }

    /// Shapes of all values that gradients may ask for.
    func shapes() throws(Failure) -> [String: [Int]] {
        var shapes = constants.mapValues(\.shape).merging(builder.constants.mapValues(\.shape)) {
            own, _ in own
        }
        shapes[network.input.name] = batch
        return try network.shapes(
            of: nodes, constants: builder.constants, batch: batch
        ).merging(shapes) { new, _ in new }
    }
}
