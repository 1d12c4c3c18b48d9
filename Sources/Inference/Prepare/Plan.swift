public import Core

/// A model prepared for inputs of known shapes: what to put where, and the steps in order.
public struct Plan: Hashable, Sendable {
    /// A tensor that goes in or comes out.
    public struct Port: Hashable, Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int]
        public var buffer: Int

        /// Of a whole plan: the seed of random numbers.
        static func seed(in buffer: Int) -> Port {
            Port(name: "", type: .uint64, shape: [], buffer: buffer)
        }

        var isSeed: Bool { name.isEmpty && type == .uint64 && shape.isEmpty }

        package init(name: String, type: ElementType, shape: [Int], buffer: Int) {
            (self.name, self.type, self.shape, self.buffer) = (name, type, shape, buffer)
        }

        /// - Throws: ``Failure`` naming the input where `value` is not of its type.
        func checked(_ value: Tensor) throws(Failure) -> Tensor {
            guard value.type == type else {
                throw Failure(
                    .malformed,
                    "input \"\(name.printable)\" is \(value.type.name); \(type.name) expected")
            }
            return value
        }
    }

    /// Size in bytes of each buffer; steps name buffers by index.
    public var buffers: [Int]
    /// Contents of the buffers that never change.
    public var constants: [Int: Tensor]
    public var inputs: [Port]
    public var outputs: [Port]
    public var steps: [Step]

    package init(
        buffers: [Int], constants: [Int: Tensor], inputs: [Port], outputs: [Port], steps: [Step]
    ) {
        (self.buffers, self.constants) = (buffers, constants)
        (self.inputs, self.outputs, self.steps) = (inputs, outputs, steps)
    }

    /// Whether its last input is the seed of random numbers: no input of a model has such a port.
    public var draws: Bool { inputs.last?.isSeed == true }

    /// The number of items that a batch has: the first input's first axis.
    public var itemCount: Int { inputs.first?.shape.first ?? 1 }

    /// Roughly the multiplications of a run, and one.
    package var cost: Double { steps.reduce(1) { $0 + $1.cost } }
}

/// Turns a model and the shapes of its inputs into a plan: infers every shape, computes what is
/// constant, folds batch normalisations and activations into the products before them.
public enum Planner {
    /// - Parameter shapes: for each of the model's inputs, by name.
    /// - Throws: ``Failure`` naming the node and what was expected.
    public static func plan(_ model: Model, shapes: [String: [Int]]) throws(Failure) -> Plan {
        try plan(model, shapes: shapes, values: [:])
    }

    /// - Parameter values: of inputs, for where the plan depends on what they hold; the seed's name
    ///   is "".
    static func plan(
        _ model: Model, shapes: [String: [Int]], values: [String: Tensor]
    ) throws(Failure) -> Plan {
        var lowering = try Lowering(model)
        try lowering.takeInputs(shapes)
        while true {
            let needed = try lowering.advance()
            if needed.isEmpty { break }
            for buffer in needed {
                guard let port = lowering.inputs.first(where: { $0.buffer == buffer }),
                    let value = values[port.name]
                else { throw lowering.dependence }
                lowering.known[buffer] = value
            }
        }
        return try lowering.wholePlan()
    }
}

extension Failure.Code {
    /// A model of which no plan can be made before it runs; it may be run in stages.
    public static let dependsOnData = Failure.Code(rawValue: "depends_on_data")
}

extension Lowering {
    mutating func takeInputs(_ shapes: [String: [Int]]) throws(Failure) {
        for input in model.inputs {
            guard let shape = shapes[input.name] else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            guard input.kind == .tensor, input.takes(shape) else {
                throw Failure(
                    .malformed,
                    "input \"\(input.name.printable)\": shape \(shape.text) is given; "
                        + "\(input.text) expected")
            }
            // Devices compute nothing of it.
            guard !shape.contains(0) else {
                throw Failure(
                    .dependsOnData, "input \"\(input.name.printable)\": an empty tensor")
            }
            try takeInput(input, try Shape.checked(shape))
        }
        try takeSeed()
        for name in shapes.keys where !model.inputs.contains(where: { $0.name == name }) {
            let known = model.inputs.map(\.text).joined(separator: "; ")
            throw Failure(
                .malformed, "the model has no input \"\(name.printable)\"; it has \(known)")
        }
    }

    /// - Returns: the buffer it will be in.
    @discardableResult
    mutating func takeInput(_ input: Model.Input, _ shape: [Int]) throws(Failure) -> Int {
        let buffer = try makeBuffer(shape, input.type)
        define(input.name, .tensor(Value(type: input.type, shape: shape, buffer: buffer)))
        inputs.append(.init(name: input.name, type: input.type, shape: shape, buffer: buffer))
        return buffer
    }

    /// Makes room for the seed behind all inputs, where the model may draw random numbers.
    mutating func takeSeed() throws(Failure) {
        guard model.draws else { return }
        let buffer = try makeBuffer([], .uint64)
        inputs.append(.seed(in: buffer))
        seedBuffer = buffer
    }

    /// What a plan that knows shapes alone says where data are needed.
    var dependence: Failure {
        var failure = Failure(
            .dependsOnData, "depends on data that are not known before the model runs")
        for frame in frames.reversed() where frame.next < frame.graph.nodes.count {
            failure = failure.at(frame.graph.nodes[frame.next].place)
        }
        return failure
    }

    /// All steps as one plan, whose results are the model's.
    ///
    /// - Throws: ``Failure`` when a result is none that a plan can have, or memory would not do.
    func wholePlan() throws(Failure) -> Plan {
        var plan = Plan(
            buffers: buffers, constants: constants, inputs: inputs, outputs: [], steps: steps)
        if !hasDrawn { plan.inputs.removeAll { $0.buffer == seedBuffer } }
        for (name, slot) in zip(model.outputs, results ?? []) {
            guard case .tensor(let value) = slot else {
                throw Failure(
                    .unsupported, "output \"\(name.printable)\" is a sequence; a tensor expected")
            }
            var buffer = value.buffer
            if let constant = value.constant, buffer == nil {
                guard constant.count > 0 else {
                    throw Failure(
                        .dependsOnData,
                        "output \"\(name.printable)\": an empty tensor of shape "
                            + constant.shape.text)
                }
                plan.buffers.append(constant.count * constant.type.byteCount)
                plan.constants[plan.buffers.count - 1] = constant
                buffer = plan.buffers.count - 1
            }
            plan.outputs.append(
                .init(name: name, type: value.type, shape: value.shape, buffer: buffer ?? 0))
        }
        return try plan.pruned()
    }
}

extension Model.Input {
    /// Whether a value of that shape may be given for it.
    func takes(_ shape: [Int]) -> Bool {
        !isRanked
            || (shape.count == self.shape.count
                && zip(shape, self.shape).allSatisfy { $0 >= 0 && ($1 == nil || $0 == $1) })
    }
}

extension Plan {
    /// Without the steps and constants that no output needs, and with memory shared.
    ///
    /// - Throws: ``Failure`` when it needs more memory than a device may be asked for.
    func pruned() throws(Failure) -> Plan {
        var plan = self
        plan.readThroughCopies()
        var needed = Set(outputs.map(\.buffer))
        var kept: [Step] = []
        for step in plan.steps.reversed() where needed.contains(step.result) {
            needed.formUnion(step.operands)
            kept.append(step)
        }
        plan.steps = kept.reversed()
        plan.constants = constants.filter { needed.contains($0.key) }
        MemoryPlan.share(&plan)
        let bytes = plan.buffers.reduce(0, +)
        guard bytes <= Lowering.deviceBytesMax else {
            throw Failure(
                .limit,
                "the model needs \(bytes >> 20) MiB of device memory; at most "
                    + "\(Lowering.deviceBytesMax >> 20) expected")
        }
        return plan
    }
}
