internal import Core

/// A model on its way to plans. Every operator becomes steps; steps whose operands are all known
/// are computed here and now.
///
/// Where an operator must know data that a device has yet to compute (the shape of a result, the
/// branch to take, all that the host computes itself), lowering stops: what was lowered so far is a
/// stage of its own. Whoever runs it brings the data asked for, and lowering goes on with them as
/// constants. Graphs inside nodes are lowered in place, as often as they run.
struct Lowering {
    /// A tensor of the graph: known, or computed by the device, or both.
    struct Value: Sendable {
        var type: ElementType
        var shape: [Int]
        var constant: Tensor?
        var buffer: Int?

        init(_ tensor: Tensor) {
            type = tensor.type
            shape = tensor.shape
            constant = tensor
        }

        init(type: ElementType, shape: [Int], buffer: Int) {
            self.type = type
            self.shape = shape
            self.buffer = buffer
        }
    }

    /// What a name stands for.
    enum Slot: Sendable {
        case tensor(Value)
        case sequence([Value])
        /// An optional that holds nothing.
        case absent

        /// The tensors in it.
        var tensors: [Value] {
            switch self {
            case .tensor(let value): [value]
            case .sequence(let values): values
            case .absent: []
            }
        }
    }

    /// A graph that is being lowered: the model's own, or one inside a node of the frame below.
    struct Frame {
        let graph: Graph
        let opsets: [String: Int]
        /// What its names stand for so far.
        var slots: [String: Slot]
        /// Index of the node to lower next.
        var next = 0
        /// Nodes that were computed ahead or folded into one before them.
        var folded: Set<Int> = []
        /// A function sees nothing of what is around it; its attributes are the node's.
        var functionAttributes: [String: Node.Attribute]?
        /// What its outputs are for.
        var purpose: Purpose
    }

    /// Elements that all constants computed here may have together: a few bytes of a model can ask
    /// for gigabytes.
    static let foldedElementsMax = 160 << 20
    /// Elements of a tensor that the host may ask a device for, to compute with: they take several
    /// times their memory there.
    static let hostElementsMax = 64 << 20
    /// Bytes of memory that one plan may ask a device for.
    static let deviceBytesMax = 16 << 30
    /// Bytes of all values of a plan, of which those share memory that never live together.
    static let valueBytesMax = 256 << 30
    /// Nodes that one run may lower, each as often as it runs.
    static let nodesMax = 1 << 20
    /// How deep graphs may run inside each other.
    static let framesMax = 64

    let model: Model
    var frames: [Frame] = []
    /// Size in bytes of each buffer, and what lies in it.
    var buffers: [Int] = []
    var bufferTypes: [ElementType] = []
    var constants: [Int: Tensor] = [:]
    /// Buffers of constants by their elements: what a loop's turns share is there once.
    private var constantBuffers: [Tensor.Identity: Int] = [:]
    var steps: [Step] = []
    var inputs: [Plan.Port] = []
    /// Where the seed of random numbers is, in models that may draw some.
    var seedBuffer: Int?
    /// Whether any were drawn.
    var hasDrawn = false
    /// The model's results, once all is lowered.
    var results: [Slot]?
    /// Data of buffers that a device computed, or that inputs hold.
    var known: [Int: Tensor] = [:]
    /// Of the node that is being lowered.
    private var foldedNow: Set<Int> = []
    private var foldedElements = 0
    private var valueBytes = 0
    var loweredNodes = 0
    /// What the turn of a trial gave.
    var trialSlots: [Slot]?

    init(_ model: Model) throws(Failure) {
        self.model = model
        let slots = model.constants.mapValues { Slot.tensor(Value($0)) }
        frames = [
            Frame(graph: model.graph, opsets: model.opsets, slots: slots, purpose: .model)
        ]
    }

    // MARK: Running over the graph

    /// Lowers until the model is done or data are needed.
    ///
    /// - Returns: the buffers whose data are needed next; empty when the model is done.
    mutating func advance() throws(Failure) -> [Int] {
        while results == nil {
            let before = (steps: steps.count, buffers: buffers.count, frames: frames.count)
            foldedNow = []
            let demand = Operator.Demand()
            do throws(Failure) {
                try advance(demand)
            } catch {
                guard !demand.buffers.isEmpty else { throw located(error) }
                // The operator begins anew once its data are there.
                steps.removeSubrange(before.steps...)
                for buffer in before.buffers..<buffers.count { constants[buffer] = nil }
                buffers.removeSubrange(before.buffers...)
                bufferTypes.removeSubrange(before.buffers...)
                frames.removeSubrange(before.frames...)
                frames[frames.count - 1].folded.subtract(foldedNow)
                return demand.buffers
            }
        }
        return []
    }

    /// One node, or the end of a graph.
    mutating func advance(_ demand: Operator.Demand) throws(Failure) {
        let top = frames.count - 1
        let nodes = frames[top].graph.nodes
        let next = frames[top].next
        if next == 0, frames[top].folded.isEmpty { try lowerConstants(of: nodes, demand) }
        guard next < nodes.count else { return try finishGraph(demand) }
        if !frames[top].folded.contains(next) { try lower(nodes[next], demand) }
        frames[top].next += 1
    }

    /// Constants first, so that a folding product finds parameters defined after it.
    private mutating func lowerConstants(
        of nodes: [Node], _ demand: Operator.Demand
    ) throws(Failure) {
        for node in nodes {
            let isKnown = node.inputs.allSatisfy { name in
                guard !name.isEmpty else { return true }
                if case .tensor(let value)? = slot(name) { return value.constant != nil }
                return false
            }
            guard isKnown, Operators.table[node.operatorName]?.hasGraphs == false else { continue }
            do throws(Failure) {
                try lower(node, demand)
            } catch {
                // So that this node is named.
                frames[frames.count - 1].next = node.index
                throw error
            }
            skip(node)
        }
    }

    /// Passes a node by when its turn comes.
    mutating func skip(_ node: Node) {
        foldedNow.insert(node.index)
        frames[frames.count - 1].folded.insert(node.index)
    }

    private mutating func lower(_ node: Node, _ demand: Operator.Demand) throws(Failure) {
        loweredNodes += 1
        guard loweredNodes <= Self.nodesMax else {
            throw Failure(.limit, "more than \(Self.nodesMax) nodes run")
        }
        let top = frames.count - 1
        var node = node
        if let attributes = frames[top].functionAttributes { node.resolve(attributes) }
        var op = Operator(
            node: node, opset: frames[top].opsets[node.domain] ?? 1,
            slots: node.inputs.map { $0.isEmpty ? nil : slot($0) }, demand: demand)
        let name = FunctionName(domain: node.domain, name: node.type, overload: node.overload)
        if let function = model.functions[name] { return try enter(function, op) }
        guard let entry = Operators.table[node.operatorName] else {
            preconditionFailure("\(node.type) passed the loader")
        }
        let isOfHost = op.slots.contains {
            $0?.tensors.contains { $0.type.isHostOnly } ?? false
        }
        switch entry.body {
        case .steps(let body):
            if isOfHost { try demandAll(op) }
            if entry.widens { try widen(&op) }
            try body(&self, op)
        case .host(let body):
            try demandAll(op)
            if entry.widens { try widen(&op) }
            var tensors: [Tensor?] = []
            for index in op.slots.indices { tensors.append(try op.optional(index)?.constant) }
            let results = try body(op, tensors)
            for (index, result) in results.enumerated() {
                try fold(result.count)
                try define(op, Value(result), at: index)
            }
        }
    }

    /// Sees to it that the data of every input are known.
    private func demandAll(_ op: Operator) throws(Failure) {
        let values = op.slots.flatMap { $0?.tensors ?? [] }.filter { $0.constant == nil }
        for value in values { try value.checkHost() }
        op.demand.buffers += values.compactMap(\.buffer)
        guard op.demand.buffers.isEmpty else {
            throw Failure(
                .unsupported, "the host computes it, from data that are not known beforehand")
        }
    }

    /// Narrow floats become float32, and results are narrowed again.
    private mutating func widen(_ op: inout Operator) throws(Failure) {
        for index in op.slots.indices {
            guard case .tensor(let value)? = op.slots[index], value.type.isNarrowFloat else {
                continue
            }
            op.narrow = op.narrow ?? value.type
            let wide = try cast(value, to: .float32)
            // What is asked for must be there when the operator begins anew.
            if let buffer = wide.buffer, let old = value.buffer { op.origins[buffer] = old }
            op.slots[index] = .tensor(wide)
        }
    }

    /// The failure with the nodes around it.
    private func located(_ failure: Failure) -> Failure {
        frames.reversed().reduce(failure) { failure, frame in
            frame.next < frame.graph.nodes.count
                ? failure.at(frame.graph.nodes[frame.next].place) : failure
        }
    }

    // MARK: Names

    /// What a name stands for, here or in a graph around this one; with the data that have come.
    func slot(_ name: String) -> Slot? {
        for frame in frames.reversed() {
            if let slot = frame.slots[name] { return resolved(slot) }
            if frame.functionAttributes != nil { return nil }
        }
        return nil
    }

    func resolved(_ value: Value) -> Value {
        guard value.constant == nil, let buffer = value.buffer, let tensor = known[buffer] else {
            return value
        }
        var value = value
        value.constant = tensor.reshaped(value.shape)
        return value
    }

    func resolved(_ slot: Slot) -> Slot {
        switch slot {
        case .tensor(let value): .tensor(resolved(value))
        case .sequence(let values): .sequence(values.map(resolved))
        case .absent: .absent
        }
    }

    /// Names an output of a node, where it is asked for.
    mutating func define(_ op: Operator, _ value: Value, at index: Int = 0) throws(Failure) {
        guard index < op.node.outputs.count, !op.node.outputs[index].isEmpty else { return }
        var value = value
        if let narrow = op.narrow, value.type == .float32 { value = try cast(value, to: narrow) }
        define(op.node.outputs[index], .tensor(value))
    }

    mutating func define(_ name: String, _ slot: Slot) {
        guard !name.isEmpty else { return }
        frames[frames.count - 1].slots[name] = slot
        // For traces: the step that made it, which is one of the last, if there is one.
        guard case .tensor(let value) = slot, let buffer = value.buffer else { return }
        for index in steps.indices.suffix(8).reversed() where steps[index].result == buffer {
            guard steps[index].output == nil else { return }
            steps[index].output = .init(name: name, type: value.type, shape: value.shape)
            return
        }
    }

    // MARK: Emitting

    mutating func makeBuffer(_ shape: [Int], _ type: ElementType) throws(Failure) -> Int {
        let bytes = shape.elementCount * type.byteCount
        guard bytes > 0 else {
            throw Failure(.unsupported, "an empty tensor of shape \(shape.text)")
        }
        valueBytes += bytes
        guard valueBytes <= Self.valueBytesMax else {
            throw Failure(.limit, "more than \(Self.valueBytesMax >> 30) GiB of values")
        }
        buffers.append(bytes)
        bufferTypes.append(type)
        return buffers.count - 1
    }

    /// The buffer that holds `value` on the device.
    mutating func buffer(_ value: Value) throws(Failure) -> Int {
        if let buffer = value.buffer { return buffer }
        guard let constant = value.constant else { preconditionFailure("a value is one of both") }
        let identity = constant.identity
        // A number may have become another's, where an operator began anew.
        if let identity, let known = constantBuffers[identity],
            constants[known]?.identity == identity
        {
            return known
        }
        let buffer = try makeBuffer(constant.shape, constant.type)
        constants[buffer] = constant
        if let identity { constantBuffers[identity] = buffer }
        return buffer
    }

    /// Kinds that take time in proportion to the elements they touch.
    private static let cheap: Set<Step.Kind> = [
        .unary, .binary, .not, .cast, .affine, .copy, .concat, .pad, .choose, .gather, .reduce,
        .argument, .softmax,
    ]

    /// Kinds whose operands and results are floats of one type.
    private static let ofFloats: Set<Step.Kind> = [
        .affine, .gemm, .convolve, .pool, .unpool, .softmax, .lrn, .normalize, .cell,
    ]

    /// Counts elements that are computed here.
    mutating func fold(_ elements: Int) throws(Failure) {
        foldedElements += elements
        guard foldedElements <= Self.foldedElementsMax else {
            throw Failure(
                .limit,
                "constants computed from constants have more than \(Self.foldedElementsMax) "
                    + "elements together")
        }
    }

    /// Adds a step, or computes it now when all its operands are known.
    mutating func emit(
        _ kind: Step.Kind, _ operands: [Value], ints: [Int], floats: [Float] = [],
        type: ElementType, shape: [Int]
    ) throws(Failure) -> Value {
        let shape = try Shape.checked(shape)
        if shape.contains(0) { return empty(shape, type) }
        if Self.ofFloats.contains(kind) {
            guard type == .float32 || type == .double, operands.allSatisfy({ $0.type == type })
            else {
                let types = operands.map(\.type.name).joined(separator: ", ")
                throw Failure(.unsupported, "operands of \(types); float32 expected")
            }
        }
        let constants = operands.compactMap(\.constant)
        let isHostOnly = type.isHostOnly || operands.contains { $0.type.isHostOnly }
        if constants.count == operands.count, isHostOnly || Self.cheap.contains(kind) {
            try fold(shape.elementCount + constants.reduce(0) { $0 + $1.count })
            let step = Step(kind, operands: [], result: 0, ints: ints, floats: floats)
            return Value(HostSteps.run(step, constants, type: type, shape: shape))
        }
        guard !isHostOnly else {
            throw Failure(.unsupported, "\(type.name) is computed on the host alone")
        }
        guard operands.allSatisfy({ !$0.shape.contains(0) }) else {
            throw Failure(.unsupported, "an empty tensor")
        }
        var numbers: [Int] = []
        for operand in operands { numbers.append(try buffer(operand)) }
        let result = try makeBuffer(shape, type)
        let step = Step(kind, operands: numbers, result: result, ints: ints, floats: floats)
        let extent = try step.extent()
        guard extent.result == buffers[result],
            zip(extent.operands, numbers).allSatisfy({ $0 <= buffers[$1] })
        else { throw Failure(.malformed, "operands of other sizes or types than it takes") }
        try Layout.check(step)
        steps.append(step)
        return Value(type: type, shape: shape, buffer: result)
    }

    /// What a step gives whose result has no elements.
    func empty(_ shape: [Int], _ type: ElementType) -> Value {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return Value(Tensor(type: type, shape: shape, bytes: none))
    }

    /// The same elements in another shape.
    func reshaped(_ value: Value, _ shape: [Int]) throws(Failure) -> Value {
        let shape = try Shape.checked(shape)
        guard shape.elementCount == value.shape.elementCount else {
            throw Failure(
                .malformed, "shape \(value.shape.text) does not become \(shape.text)")
        }
        var value = value
        value.shape = shape
        value.constant = value.constant?.reshaped(shape)
        return value
    }
}

extension Node {
    /// Puts the attributes of a function's application where its nodes refer to them.
    mutating func resolve(_ attributes: [String: Attribute]) {
        for (name, attribute) in self.attributes {
            if case .reference(let outer) = attribute { self.attributes[name] = attributes[outer] }
        }
    }
}

/// How steps with more than three axes are launched: once for each index of the outer ones.
enum Layout {
    static let launchesMax = 4096

    /// - Throws: ``Failure`` when the step would take too many launches.
    static func check(_ step: Step) throws(Failure) {
        let parts: (start: Int, count: Int)
        switch step.kind {
        case .binary: parts = (2, 3)
        case .copy: parts = (2, 2)
        case .pad: parts = (2, 3)
        case .choose: parts = (1, 4)
        default: return
        }
        let axes = try step.lists(from: parts.start, parts: parts.count)[0]
        guard axes.dropLast(3).reduce(1, *) <= launchesMax else {
            throw Failure(.unsupported, "axes that interleave too finely: \(Array(axes).text)")
        }
    }
}
