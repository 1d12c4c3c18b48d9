internal import Core

/// A model on its way to a plan. Every operator becomes steps; steps whose operands are all
/// constant are computed here and now.
struct Lowering {
    /// A tensor of the graph: known, or computed by the device.
    struct Value {
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

    /// Elements that all constants computed here may have together: a few bytes of a model can ask
    /// for gigabytes.
    static let foldedElementsMax = 160 << 20
    /// Bytes of memory that one plan may ask a device for.
    static let deviceBytesMax = 16 << 30
    /// Bytes of all values of a plan, of which those share memory that never live together.
    static let valueBytesMax = 256 << 30

    let model: Model
    var values: [String: Value] = [:]
    var buffers: [Int] = []
    var constants: [Int: Tensor] = [:]
    var steps: [Step] = []
    var inputs: [Plan.Port] = []
    /// Nodes that were folded into one before them.
    var folded: Set<Int> = []
    /// Nodes that use each name; outputs of the graph count as another use.
    let consumers: [String: [Int]]
    private var foldedElements = 0
    private var deviceBytes = 0

    init(_ model: Model) {
        self.model = model
        values = model.constants.mapValues(Value.init)
        var consumers: [String: [Int]] = [:]
        for node in model.nodes {
            for name in node.inputs where !name.isEmpty {
                consumers[name, default: []].append(node.index)
            }
        }
        for name in model.outputs { consumers[name, default: []].append(-1) }
        self.consumers = consumers
    }

    mutating func takeInputs(_ shapes: [String: [Int]]) throws(Failure) {
        for input in model.inputs {
            guard let shape = shapes[input.name] else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            let fits =
                shape.count == input.shape.count
                && zip(shape, input.shape).allSatisfy { $0 > 0 && ($1 == nil || $0 == $1) }
            guard fits else {
                throw Failure(
                    .malformed,
                    "input \"\(input.name.printable)\": shape \(shape.text) is given; "
                        + "\(input.text) expected")
            }
            let buffer = try makeBuffer(try Shape.checked(shape), input.type)
            values[input.name] = Value(type: input.type, shape: shape, buffer: buffer)
            inputs.append(
                .init(name: input.name, type: input.type, shape: shape, buffer: buffer))
        }
        for name in shapes.keys where !model.inputs.contains(where: { $0.name == name }) {
            let known = model.inputs.map(\.text).joined(separator: "; ")
            throw Failure(
                .malformed, "the model has no input \"\(name.printable)\"; it has \(known)")
        }
    }

    mutating func lowerAll() throws(Failure) {
        // Constants first, so that a folding product finds parameters defined after it.
        for node in model.nodes where isConstant(node) {
            try lower(node)
            folded.insert(node.index)
        }
        for node in model.nodes where !folded.contains(node.index) { try lower(node) }
    }

    private func isConstant(_ node: Node) -> Bool {
        node.inputs.allSatisfy { $0.isEmpty || values[$0]?.constant != nil }
    }

    private mutating func lower(_ node: Node) throws(Failure) {
        do throws(Failure) {
            try dispatch(Operator(node, opset: model.opset, values: values))
        } catch {
            throw error.at(node.place)
        }
    }

    func finish() throws(Failure) -> Plan {
        var plan = Plan(
            buffers: buffers, constants: constants, inputs: inputs, outputs: [], steps: steps)
        for name in model.outputs {
            guard let value = values[name] else {
                throw Failure(.malformed, "output \"\(name.printable)\": no node computes it")
            }
            var buffer = value.buffer
            if let constant = value.constant {
                plan.buffers.append(max(1, constant.count * constant.type.byteCount))
                plan.constants[plan.buffers.count - 1] = constant
                buffer = plan.buffers.count - 1
            }
            plan.outputs.append(
                .init(name: name, type: value.type, shape: value.shape, buffer: buffer ?? 0))
        }
        return plan
    }

    // MARK: Emitting

    private mutating func makeBuffer(_ shape: [Int], _ type: ElementType) throws(Failure) -> Int {
        let bytes = shape.elementCount * type.byteCount
        guard bytes > 0 else {
            throw Failure(.unsupported, "an empty tensor of shape \(shape.text)")
        }
        deviceBytes += bytes
        guard deviceBytes <= Self.valueBytesMax else {
            throw Failure(.limit, "more than \(Self.valueBytesMax >> 30) GiB of values")
        }
        buffers.append(bytes)
        return buffers.count - 1
    }

    /// The buffer that holds `value` on the device.
    mutating func buffer(_ value: Value) throws(Failure) -> Int {
        if let buffer = value.buffer { return buffer }
        guard let constant = value.constant else { preconditionFailure("a value is one of both") }
        let buffer = try makeBuffer(constant.shape, constant.type)
        constants[buffer] = constant
        return buffer
    }

    /// Kinds that take time in proportion to the elements they touch.
    private static let cheap: Set<Step.Kind> = [
        .unary, .binary, .not, .cast, .affine, .copy, .concat, .pad, .choose, .gather, .reduce,
        .argument, .softmax,
    ]

    /// Adds a step, or computes it now when all its operands are known.
    mutating func emit(
        _ kind: Step.Kind, _ operands: [Value], ints: [Int], floats: [Float] = [],
        type: ElementType, shape: [Int]
    ) throws(Failure) -> Value {
        let shape = try Shape.checked(shape)
        let constants = operands.compactMap(\.constant)
        if constants.count == operands.count, Self.cheap.contains(kind) {
            foldedElements += shape.elementCount + constants.reduce(0) { $0 + $1.count }
            guard foldedElements <= Self.foldedElementsMax else {
                throw Failure(
                    .limit,
                    "constants computed from constants have more than "
                        + "\(Self.foldedElementsMax) elements together")
            }
            let step = Step(kind, operands: [], result: 0, ints: ints, floats: floats)
            return Value(HostSteps.run(step, constants, type: type, shape: shape))
        }
        guard operands.allSatisfy({ !$0.shape.contains(0) }) else {
            throw Failure(.unsupported, "an empty tensor")
        }
        var numbers: [Int] = []
        for operand in operands { numbers.append(try buffer(operand)) }
        let result = try makeBuffer(shape, type)
        let step = Step(kind, operands: numbers, result: result, ints: ints, floats: floats)
        let extent = try step.extent()
        precondition(
            extent.result == buffers[result]
                && zip(extent.operands, numbers).allSatisfy { $0 <= buffers[$1] },
            "\(kind) fits its buffers")
        try Layout.check(step)
        steps.append(step)
        return Value(type: type, shape: shape, buffer: result)
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
