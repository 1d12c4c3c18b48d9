public import Core
public import Inference

/// Training made ready for a device: plans of a step and of an evaluation, where it begins, and
/// the data.
///
///     "RIGORTR1"   8 bytes
///     then parts, each its size in 8 bytes, little-endian, before it:
///     header       deterministic CBOR: format, options, states (name, kind), classes
///     step         a prepared model; its values are a batch and numbers of zeros, and the states
///                  where training begins
///     evaluation   a prepared model, its values likewise
///     data         items of training, labels; items of the test, labels (these two perhaps empty):
///                  each as in leaves of inference
public struct TrainingTask: Hashable, Sendable {
    public var options: TrainingOptions
    public var states: [TrainingGraph.State]
    var numberCount: Int
    public var classes: Int
    var step: Plan
    var evaluation: Plan
    public var train: DataSet
    public var test: DataSet?

    /// Steps that make an epoch: what is left over of an epoch's order is left out.
    public var stepsPerEpoch: Int { train.count / options.batch }
    public var steps: Int { stepsPerEpoch * options.epochs }

    /// Items that one run of an evaluation takes.
    static let evaluatedMax = 256

    /// - Throws: ``Failure`` naming what of model or data is not as training needs it.
    public init(
        _ model: Model, train: DataSet, test: DataSet?, _ options: TrainingOptions
    ) throws(Failure) {
        try options.check()
        self.options = options
        (self.train, self.test) = (train, test)
        let start = options.isFresh ? model.redrawn(seed: options.seed) : model
        let network = try Network(start, item: train.item)
        classes = network.classes
        let batch = [options.batch] + train.item
        let graph = try TrainingGraph(network, options: options, batch: batch)
        states = graph.states
        numberCount = graph.numberCount
        step = try Planner.plan(graph.model, shapes: graph.model.shapes)
        let items = min(Self.evaluatedMax, test?.count ?? 1)
        let used = network.evaluation(states: states, batch: [items] + train.item)
        evaluation = try Planner.plan(used, shapes: used.shapes)
        try check()
    }

    /// Whether all parts fit each other.
    ///
    /// - Throws: ``Failure`` naming what does not.
    private func check() throws(Failure) {
        try options.check()
        guard train.count >= options.batch else {
            throw Failure(
                .malformed,
                "\(train.count) items to train on; as many as a batch has, \(options.batch), or "
                    + "more expected")
        }
        guard steps <= TrainingOptions.stepsMax else {
            throw Failure(
                .limit, "\(steps) steps; at most \(TrainingOptions.stepsMax) expected")
        }
        try train.check(classes: classes)
        do throws(Failure) { try test?.check(classes: classes) } catch { throw error.at("test") }
    }
}

extension Model {
    /// Of its inputs, which have all their axes.
    fileprivate var shapes: [String: [Int]] {
        Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0.shape.map { $0 ?? 1 }) })
    }
}

// MARK: - The blob

extension TrainingTask {
    static let magic = Bytes("RIGORTR1".utf8)
    static let format = 1

    /// A function of the task alone.
    public var encoded: Bytes {
        let header = CBOR.map([
            "format": CBOR(Self.format), "classes": CBOR(classes), "numbers": CBOR(numberCount),
            "options": .map(options.parameters.mapValues(\.cbor)),
            "states": .array(states.map { .array([.text($0.name), CBOR($0.kind.rawValue)]) }),
        ]).encoded
        var parts = [
            header, PreparedModel(plan: step, inputs: initialInputs).encoded,
            PreparedModel(plan: evaluation, inputs: evaluation.inputs.map(\.zeros)).encoded,
            InferenceLeaves.bytes(train.items), InferenceLeaves.bytes(train.labelTensor),
        ]
        if let test {
            parts += [InferenceLeaves.bytes(test.items), InferenceLeaves.bytes(test.labelTensor)]
        } else {
            parts += [[], []]
        }
        return Self.magic + parts.flatMap { UInt64($0.count).littleEndianBytes + $0 }
    }

    /// Values of a step's inputs before the first one.
    var initialInputs: [Tensor] {
        step.inputs.prefix(2 + numberCount).map(\.zeros) + states.map(\.initial)
    }

    /// Reads a blob, trusting nothing.
    ///
    /// - Throws: ``Failure`` `malformed` when it is not one that this version makes.
    public init(decoding blob: Bytes) throws(Failure) {
        guard blob.starts(with: Self.magic) else {
            throw Failure(.malformed, "training task: \"RIGORTR1\" expected at the start")
        }
        let parts = try Self.parts(blob)
        let header = try CBOR(decoding: parts[0])
        guard header.map?.count == 5, header["format"]?.int == Self.format,
            let classes = header["classes"]?.int, let numbers = header["numbers"]?.int,
            let map = header["options"]?.map, let list = header["states"]?.array, numbers >= 0
        else { throw Self.broken }
        var parameters: [String: TaskSpec.Parameter] = [:]
        for (key, value) in map { parameters[key] = try TaskSpec.Parameter(value, key) }
        options = try TrainingOptions(parameters)
        self.classes = classes
        numberCount = numbers
        let step = try PreparedModel(decoding: parts[1])
        self.step = step.plan
        evaluation = try PreparedModel(decoding: parts[2]).plan
        train = try Self.data(parts[3], parts[4])
        test = parts[5].isEmpty ? nil : try Self.data(parts[5], parts[6])
        states = []
        guard step.inputs.count == 2 + numbers + list.count,
            options.optimizer == .sgd ? numbers == 1 : numbers == 3
        else { throw Self.broken }
        for (entry, initial) in zip(list, step.inputs.dropFirst(2 + numbers)) {
            guard let pair = entry.array, pair.count == 2, let name = pair[0].text,
                let kind = pair[1].int.flatMap(TrainingGraph.State.Kind.init)
            else { throw Self.broken }
            states.append(.init(name: name, kind: kind, initial: initial))
        }
        try checkPlans()
        try check()
    }

    private static var broken: Failure {
        Failure(.malformed, "training task: not one that this version makes")
    }

    private static func parts(_ blob: Bytes) throws(Failure) -> [Bytes] {
        var parts: [Bytes] = []
        var at = magic.count
        while at < blob.count {
            guard blob.count - at >= 8, parts.count < 7 else { throw broken }
            let count = blob[at..<(at + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            at += 8
            guard count <= UInt64(blob.count - at) else { throw broken }
            parts.append(Bytes(blob[at..<(at + Int(count))]))
            at += Int(count)
        }
        guard parts.count == 7 else { throw broken }
        return parts
    }

    private static func data(_ items: Bytes, _ labels: Bytes) throws(Failure) -> DataSet {
        let items = try InferenceLeaves.tensor(items)
        let labels = try InferenceLeaves.tensor(labels)
        guard items.type == .float32, items.shape.count >= 2, items.count > 0,
            labels.type == .int64, labels.shape == [items.shape[0]],
            let numbers = labels.integers
        else { throw broken }
        return DataSet(items: items, labels: numbers.map(Int.init))
    }

    /// Whether ports are where a trainer looks for them.
    private func checkPlans() throws(Failure) {
        let held = states.map { Expected(.float32, $0.initial.shape) }
        let batch = options.batch
        let inputs =
            [Expected(.float32, [batch] + train.item), Expected(.int64, [batch])]
            + Array(repeating: Expected(.float32, []), count: numberCount) + held
        let result = Expected(.float32, [])
        guard step.inputs.map(Expected.init) == inputs,
            step.outputs.map(Expected.init) == [result, result] + held,
            test.map({ $0.item == train.item }) ?? true,
            states.allSatisfy({ $0.initial.type == .float32 })
        else { throw Self.broken }
        guard let first = evaluation.inputs.first, let items = first.shape.first,
            Expected(first) == Expected(.float32, [items] + train.item),
            evaluation.outputs.map(Expected.init) == [Expected(.float32, [items, classes])],
            evaluation.inputs.dropFirst().allSatisfy({ port in
                states.contains { $0.name == port.name && $0.initial.shape == port.shape }
                    && port.type == .float32
            })
        else { throw Self.broken }
    }

    private struct Expected: Equatable {
        var type: ElementType
        var shape: [Int]

        init(_ type: ElementType, _ shape: [Int]) { (self.type, self.shape) = (type, shape) }
        init(_ port: Plan.Port) { (type, shape) = (port.type, port.shape) }
    }
}

extension Plan.Port {
    /// A value of nothing but zeros.
    var zeros: Tensor {
        let bytes = Bytes(repeating: 0, count: shape.elementCount * type.byteCount)
        return bytes.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
    }
}
