public import Compute
public import Core

/// A model on a device, run with any inputs that it takes.
///
/// Where results depend on data, the model runs in stages: each is planned when it is first
/// reached, and found again by the shapes, and by the data that led to it.
public final class ModelSession {
    /// Stages kept with their memory. Those beyond are planned anew in every run, as a loop's turns
    /// may be, and the next run begins with none.
    private static let stagesMax = 256

    private let model: Model
    private let device: any ComputeDevice
    private let isNarrow: Bool
    private var roots: [[ModelValue]: Node] = [:]
    private var stageCount = 0
    /// Bytes of device memory that the stages kept hold, packed constants left out.
    public private(set) var heldBytes = 0
    /// Whether the last run drew random numbers.
    public private(set) var hasDrawn = false

    /// A stage, and what follows for the data that were asked for.
    private final class Node {
        let stage: Stage
        let session: Session?
        /// After the stage.
        let lowering: Lowering
        let needed: [Int]
        var next: [[Tensor]: Node] = [:]

        init(_ stage: Stage, _ session: Session?, _ lowering: Lowering, _ needed: [Int]) {
            self.stage = stage
            self.session = session
            self.lowering = lowering
            self.needed = needed
        }
    }

    public init(_ model: Model, on device: any ComputeDevice, isNarrow: Bool = false) {
        self.model = model
        self.device = device
        self.isNarrow = isNarrow
    }

    /// Computes the model's outputs, in its order.
    ///
    /// - Parameters:
    ///   - inputs: a value for each of the model's inputs.
    ///   - seed: of the random numbers that the model draws.
    /// - Throws: ``Failure`` naming the node or input and what was expected.
    public func run(
        _ inputs: [String: ModelValue], seed: UInt64 = 0
    ) throws(Failure) -> [ModelValue] {
        var values: [ModelValue] = []
        for input in model.inputs {
            guard let value = inputs[input.name] else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            values.append(value)
        }
        for name in inputs.keys where !model.inputs.contains(where: { $0.name == name }) {
            throw Failure(.malformed, "the model has no input \"\(name.printable)\"")
        }
        return try run(values, seed: seed)
    }

    /// Computes the model's outputs, in its order.
    ///
    /// - Parameters:
    ///   - values: one for each of the model's inputs, in order.
    ///   - seed: of the random numbers that the model draws.
    ///   - trace: called with each value of the model that the device computed, in their order.
    /// - Throws: ``Failure`` naming the node or input and what was expected.
    public func run(
        _ values: [ModelValue], seed: UInt64 = 0,
        trace: ((Step.Output, Tensor) throws(Failure) -> Void)? = nil
    ) throws(Failure) -> [ModelValue] {
        guard values.count == model.inputs.count else {
            throw Failure(
                .malformed, "\(values.count) inputs; \(model.inputs.count) expected by the model")
        }
        for (value, input) in zip(values, model.inputs) { try check(value, for: input) }
        if stageCount >= Self.stagesMax { (roots, stageCount, heldBytes) = ([:], 0, 0) }
        // Of tensors that a device takes only the shape decides, unless their data are asked for.
        let key = values.map { value -> ModelValue in
            guard case .tensor(let tensor) = value, !tensor.isHostValue else { return value }
            return .tensor(
                Tensor(
                    [Int64(tensor.type.rawValue)] + tensor.shape.map(Int64.init), type: .int64,
                    shape: [tensor.shape.count + 1]))
        }
        var run = Run(device: device, model: model, values: values, seed: seed)
        var node: Node
        if let known = roots[key] {
            node = known
        } else {
            node = try makeNode(try lowering(values))
            roots[key] = node
            keep(node)
        }
        while true {
            try run.compute(node.stage, node.session, trace)
            run.forget(allBut: node.stage.live)
            hasDrawn = node.lowering.hasDrawn
            if node.needed.isEmpty { return try run.results(node.lowering) }
            var data: [Tensor] = []
            for buffer in node.needed { data.append(try run.tensor(buffer, node.lowering)) }
            if let next = node.next[data] {
                node = next
                continue
            }
            var lowering = node.lowering
            for (buffer, tensor) in zip(node.needed, data) { lowering.known[buffer] = tensor }
            let next = try makeNode(lowering)
            if stageCount < Self.stagesMax {
                node.next[data] = next
                keep(next)
            }
            node = next
        }
    }

    private func keep(_ node: Node) {
        stageCount += 1
        heldBytes += node.stage.plan.buffers.reduce(0, +)
    }

    private func check(_ value: ModelValue, for input: Model.Input) throws(Failure) {
        let tensors: [Tensor]
        switch (value, input.kind) {
        case (.tensor(let tensor), .tensor), (.tensor(let tensor), .optional): tensors = [tensor]
        case (.sequence(let list), .sequence), (.sequence(let list), .optional): tensors = list
        case (.absent, .optional): tensors = []
        default: throw Failure(.malformed, "another kind of value; \(input.text) expected")
        }
        for tensor in tensors {
            let fits =
                tensor.type == input.type
                && (input.kind != .tensor || !input.isRanked
                    || (tensor.shape.count == input.shape.count
                        && zip(tensor.shape, input.shape).allSatisfy { $1 == nil || $0 == $1 }))
            guard fits else {
                throw Failure(
                    .malformed,
                    "input \"\(input.name.printable)\": \(tensor.type.name) \(tensor.shape.text) "
                        + "is given; \(input.text) expected")
            }
        }
    }

    private func lowering(_ values: [ModelValue]) throws(Failure) -> Lowering {
        var lowering = try Lowering(model)
        for (input, value) in zip(model.inputs, values) {
            switch value {
            case .tensor(let tensor) where tensor.isHostValue:
                lowering.define(input.name, .tensor(.init(tensor)))
            case .tensor(let tensor): try lowering.takeInput(input, tensor.shape)
            case .sequence(let list):
                lowering.define(input.name, .sequence(list.map(Lowering.Value.init)))
            case .absent: lowering.define(input.name, .absent)
            }
        }
        try lowering.takeSeed()
        return lowering
    }

    private func makeNode(_ before: Lowering) throws(Failure) -> Node {
        var lowering = before
        let needed = try lowering.advance()
        let stage = try lowering.takeStage(needed)
        let session =
            stage.plan.steps.isEmpty
            ? nil : try Session(stage.plan, on: device, isNarrow: isNarrow, bindsPorts: true)
        return Node(stage, session, lowering, needed)
    }

    /// One run's values.
    private struct Run {
        let device: any ComputeDevice
        let model: Model
        let values: [ModelValue]
        let seed: Tensor
        var buffers: [Int: any ComputeBuffer] = [:]
        /// What was read back: several names may stand for one buffer.
        private var read: [Int: Tensor] = [:]

        init(device: any ComputeDevice, model: Model, values: [ModelValue], seed: UInt64) {
            (self.device, self.model, self.values) = (device, model, values)
            self.seed = .seed(seed)
        }

        mutating func compute(
            _ stage: Stage, _ session: Session?,
            _ trace: ((Step.Output, Tensor) throws(Failure) -> Void)?
        ) throws(Failure) {
            guard let session else { return }
            var inputs: [any ComputeBuffer] = []
            for (number, port) in zip(stage.inputs, stage.plan.inputs) {
                if buffers[number] == nil { buffers[number] = try upload(number, port) }
                guard let buffer = buffers[number] else { throw Step.broken }
                inputs.append(buffer)
            }
            let outputs: [any ComputeBuffer]
            if let trace {
                outputs = try session.trace(binding: inputs, trace)
            } else {
                outputs = try session.run(binding: inputs)
            }
            for (number, buffer) in zip(stage.outputs, outputs) { buffers[number] = buffer }
        }

        /// Lets go of what no later stage needs: a loop may have many turns.
        mutating func forget(allBut live: Set<Int>) {
            buffers = buffers.filter { live.contains($0.key) }
            read = read.filter { live.contains($0.key) }
        }

        /// Buffers that no stage wrote are inputs, in the order of the tensors among them, and
        /// then the seed.
        private func upload(
            _ number: Int, _ port: Plan.Port
        ) throws(Failure) -> any ComputeBuffer {
            var tensors = values.compactMap { value -> Tensor? in
                if case .tensor(let tensor) = value, !tensor.isHostValue { tensor } else { nil }
            }
            tensors.append(seed)
            guard tensors.indices.contains(number) else { throw Step.broken }
            return try device.makeBuffer(tensors[number].bytes)
        }

        mutating func tensor(_ number: Int, _ lowering: Lowering) throws(Failure) -> Tensor {
            if let tensor = read[number] { return tensor }
            if number == lowering.seedBuffer { return seed }
            if let input = lowering.inputs.firstIndex(where: { $0.buffer == number }) {
                let name = lowering.inputs[input].name
                if let at = model.inputs.firstIndex(where: { $0.name == name }),
                    case .tensor(let tensor) = values[at]
                {
                    return tensor
                }
            }
            guard let buffer = buffers[number] else { throw Step.broken }
            let type = lowering.bufferTypes[number]
            let tensor = try device.readTensor(
                type, [lowering.buffers[number] / type.byteCount], from: buffer)
            read[number] = tensor
            return tensor
        }

        mutating func results(_ lowering: Lowering) throws(Failure) -> [ModelValue] {
            var results: [ModelValue] = []
            for slot in lowering.results ?? [] {
                switch slot {
                case .absent: results.append(.absent)
                case .tensor(let value): results.append(.tensor(try tensor(value, lowering)))
                case .sequence(let list):
                    var tensors: [Tensor] = []
                    for value in list { tensors.append(try tensor(value, lowering)) }
                    results.append(.sequence(tensors))
                }
            }
            return results
        }

        private mutating func tensor(
            _ value: Lowering.Value, _ lowering: Lowering
        ) throws(Failure) -> Tensor {
            if let constant = lowering.resolved(value).constant { return constant.canonical }
            guard let number = value.buffer else { throw Step.broken }
            return try tensor(number, lowering).reshaped(value.shape).canonical
        }
    }
}

extension Tensor {
    /// Whether its data are known to every plan: no device holds nothing, or such elements.
    var isHostValue: Bool { type.isHostOnly || count == 0 }
}

extension ComputeDevice {
    /// A tensor from the start of a buffer.
    func readTensor(
        _ type: ElementType, _ shape: [Int], from buffer: any ComputeBuffer
    ) throws(Failure) -> Tensor {
        if type == .float32 {
            return Tensor(
                try read(Float.self, count: shape.elementCount, from: buffer), shape: shape)
        }
        let bytes = try read(
            UInt8.self, count: shape.elementCount * type.byteCount, from: buffer)
        if type.isNarrowInteger { return Tensor(narrow: bytes, type, shape) }
        return bytes.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
    }
}
