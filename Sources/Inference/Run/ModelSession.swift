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

    let model: Model
    private let device: any ComputeDevice
    private let isNarrow: Bool
    private var commons: SessionCommons?
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
        let needed: [Int]
        /// After the stage; nil where nobody comes by again.
        var lowering: Lowering?
        var next: [[Tensor]: Node] = [:]

        init(_ stage: Stage, _ session: Session?, _ needed: [Int]) {
            self.stage = stage
            self.session = session
            self.needed = needed
        }
    }

    /// Seconds that compiling took so far, or loading compiled programs.
    public var compileSeconds: Double {
        guard let commons else { return 0 }
        return commons.gemm.buildSeconds + commons.programs.buildSeconds
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
    ///   - advance: called between launches; it may stop the run by throwing.
    /// - Throws: ``Failure`` naming the node or input and what was expected.
    public func run(
        _ values: [ModelValue], seed: UInt64 = 0,
        trace: ((Step.Output, Tensor) throws(Failure) -> Void)? = nil,
        advance: () throws(Failure) -> Void = {}
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
        var lowering: Lowering
        if let known = roots[key], let after = known.lowering {
            (node, lowering) = (known, after)
        } else {
            lowering = try self.lowering(values)
            node = try makeNode(&lowering)
            roots[key] = node
            keep(node, lowering)
        }
        while true {
            try run.compute(node.stage, node.session, advance, trace)
            // Stages of the host alone launch nothing.
            try advance()
            if run.isFull { run.forget(allBut: lowering.liveBuffers().union(node.needed)) }
            hasDrawn = lowering.hasDrawn
            if node.needed.isEmpty { return try run.results(lowering) }
            var data: [Tensor] = []
            for buffer in node.needed { data.append(try run.tensor(buffer, lowering)) }
            if let next = node.next[data], let after = next.lowering {
                (node, lowering) = (next, after)
                continue
            }
            for (buffer, tensor) in zip(node.needed, data) { lowering.known[buffer] = tensor }
            // One that is not kept goes on where it is: a copy a turn takes time by their square.
            let next = try makeNode(&lowering)
            if stageCount < Self.stagesMax {
                node.next[data] = next
                keep(next, lowering)
            }
            node = next
        }
    }

    private func keep(_ node: Node, _ lowering: Lowering) {
        node.lowering = lowering
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

    private func makeNode(_ lowering: inout Lowering) throws(Failure) -> Node {
        let needed = try lowering.advance()
        let stage = try lowering.takeStage(needed)
        guard !stage.plan.steps.isEmpty else { return Node(stage, nil, needed) }
        return Node(stage, try Session(stage.plan, with: try shared()), needed)
    }

    private func shared() throws(Failure) -> SessionCommons {
        if let commons { return commons }
        let made = try SessionCommons(on: device, isNarrow: isNarrow, of: model)
        commons = made
        return made
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
        private var byteCount = 0
        /// What was left when ``forget(allBut:)`` was last called.
        private var left = (count: 0, byteCount: 0)
        private static let countMin = 64
        private static let bytesMin = 64 << 20

        init(device: any ComputeDevice, model: Model, values: [ModelValue], seed: UInt64) {
            (self.device, self.model, self.values) = (device, model, values)
            self.seed = .seed(seed)
        }

        mutating func compute(
            _ stage: Stage, _ session: Session?, _ advance: () throws(Failure) -> Void,
            _ trace: ((Step.Output, Tensor) throws(Failure) -> Void)?
        ) throws(Failure) {
            guard let session else { return }
            var inputs: [any ComputeBuffer] = []
            for (number, port) in zip(stage.inputs, stage.plan.inputs) {
                if buffers[number] == nil { hold(try upload(number, port), number) }
                guard let buffer = buffers[number] else { throw Step.broken }
                inputs.append(buffer)
            }
            let outputs: [any ComputeBuffer]
            if let trace {
                outputs = try session.trace(binding: inputs, trace)
            } else {
                outputs = try session.run(binding: inputs) { _ throws(Failure) in try advance() }
            }
            for (number, buffer) in zip(stage.outputs, outputs) { hold(buffer, number) }
        }

        private mutating func hold(_ buffer: any ComputeBuffer, _ number: Int) {
            buffers[number] = buffer
            byteCount += buffer.byteCount
        }

        /// Whether to look for what no later stage needs, as a loop may have many turns: once there
        /// is twice what was left when one looked last, so that looking takes no more time than
        /// what came since.
        var isFull: Bool {
            buffers.count > 2 * left.count + Self.countMin
                || byteCount > 2 * left.byteCount + Self.bytesMin
        }

        mutating func forget(allBut live: Set<Int>) {
            buffers = buffers.filter { live.contains($0.key) }
            read = read.filter { live.contains($0.key) }
            byteCount = buffers.values.reduce(0) { $0 + $1.byteCount }
            left = (buffers.count, byteCount)
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
        if type.isNarrowInteger { return Tensor(narrow: HostValues(bytes), type, shape) }
        return bytes.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
    }
}
