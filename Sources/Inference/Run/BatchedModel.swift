public import Compute
public import Core

/// A model that computes batch after batch on a device, with one plan as long as their axes agree.
///
/// A file gives what it gives alone: two files of the first batch are computed alone as well, and
/// where that differs, items depend on each other, and all files are computed one by one.
public struct BatchedModel {
    /// What one file gave.
    public struct Output {
        public var tensors: [(name: String, tensor: Tensor)]
        /// Whether their first axis counts items.
        public var isByItem: Bool

        /// Whether all numbers are the other's: those that are none have one bit pattern by now.
        fileprivate func hasBits(of other: Output) -> Bool {
            zip(tensors, other.tensors).allSatisfy { $0.tensor.bytes == $1.tensor.bytes }
        }
    }

    private let model: Model
    private let device: any ComputeDevice
    private let seed: UInt64
    private var session: Session?
    private var staged: ModelSession?
    /// Its outputs are not one for each item, or items depend on each other: files are computed one
    /// by one.
    private var isWhole = false
    /// Whether a batch has shown that each item's bits are its own.
    private var isProven = false
    /// Whether one has shown that they are not.
    public private(set) var isMixing = false
    /// Whether random numbers were drawn.
    public private(set) var hasDrawn = false

    /// - Parameter seed: of the random numbers that the model draws, the same for each file.
    public init(_ model: Model, on device: any ComputeDevice, seed: UInt64 = 0) {
        self.model = model
        self.device = device
        self.seed = seed
    }

    /// - Returns: outputs for each file of the batch, in order.
    /// - Throws: ``Failure`` naming the input or node and what was expected.
    public mutating func run(_ batch: InputBatches.Batch) throws(Failure) -> [Output] {
        for input in model.inputs where batch.values[input.name] == nil {
            throw Failure(.missing, "input \(input.text): no value is given for it")
        }
        if staged == nil, !isWhole, batch.counts.count > 1 {
            if let outputs = try joined(batch) { return outputs }
        }
        if batch.counts.count == 1 { return [try alone(batch.values)] }
        var outputs: [Output] = []
        for file in files(of: batch) { outputs.append(try alone(file)) }
        return outputs
    }

    // MARK: Several files

    /// - Returns: nil where the model has no plan by items.
    private mutating func joined(_ batch: InputBatches.Batch) throws(Failure) -> [Output]? {
        let files = files(of: batch)
        var own: [Output] = []
        let samples = isProven ? [] : samples(of: files)
        for file in samples {
            let output = try alone(files[file])
            guard output.isByItem else {
                isWhole = staged == nil
                return nil
            }
            own.append(output)
        }
        guard let session = try planned(batch.values) else { return nil }
        guard session.plan.isByItem else {
            isWhole = true
            return nil
        }
        let tensors = try session.run(
            try ordered(batch.values, session.plan), items: 0..<batch.counts.reduce(0, +))
        var first = 0
        let outputs = batch.counts.map { count in
            defer { first += count }
            return Output(
                tensors: zip(session.plan.outputs, tensors).map {
                    ($0.name, $1.items(first..<(first + count)))
                }, isByItem: true)
        }
        isMixing = zip(samples, own).contains { !outputs[$0].hasBits(of: $1) }
        if isMixing {
            isWhole = true
            return nil
        }
        // Equal files say nothing of what others would do.
        if samples.count > 1 { isProven = true }
        return outputs
    }

    /// What each file of a batch brings.
    private func files(of batch: InputBatches.Batch) -> [[String: Tensor]] {
        var first = 0
        return batch.counts.map { count in
            defer { first += count }
            return batch.values.mapValues { $0.items(first..<(first + count)) }
        }
    }

    /// Files of which it is looked at whether a batch gives them what they have alone: one, and
    /// one that differs from it, if there is any. What one of them decides for both, as a greatest
    /// number does, shows in the other.
    private func samples(of files: [[String: Tensor]]) -> [Int] {
        let last = files.indices.last { file in
            files[file].contains { $0.value.bytes != files[0][$0.key]?.bytes }
        }
        return [0] + (last.map { [$0] } ?? [])
    }

    // MARK: One file

    private mutating func alone(_ values: [String: Tensor]) throws(Failure) -> Output {
        if staged == nil, let session = try planned(values) {
            let inputs = try ordered(values, session.plan)
            let isFull = zip(inputs, session.plan.inputs).allSatisfy { $0.shape == $1.shape }
            guard isFull || session.plan.isByItem else {
                throw Failure(
                    .unsupported,
                    "an output without the batch as its first axis; one batch expected")
            }
            hasDrawn = session.plan.draws
            let tensors =
                isFull
                ? try session.run(inputs)
                : try session.run(inputs, items: 0..<(inputs.first?.shape.first ?? 1))
            return Output(
                tensors: zip(session.plan.outputs, tensors).map { ($0.name, $1) },
                isByItem: session.plan.isByItem)
        }
        let session = staged ?? ModelSession(model, on: device)
        staged = session
        var tensors: [(name: String, tensor: Tensor)] = []
        let outputs = try session.run(values.mapValues(ModelValue.tensor), seed: seed)
        hasDrawn = session.hasDrawn
        for (name, value) in zip(model.outputs, outputs) {
            guard case .tensor(let tensor) = value else {
                throw Failure(
                    .unsupported, "output \"\(name.printable)\" is a sequence; a tensor expected")
            }
            tensors.append((name, tensor))
        }
        return Output(tensors: tensors, isByItem: false)
    }

    // MARK: Plans

    /// The plan at hand, where these values fit it, or a new one.
    ///
    /// - Returns: nil for a model whose steps depend on data.
    private mutating func planned(_ values: [String: Tensor]) throws(Failure) -> Session? {
        if isProven, let session, fits(values, session.plan) { return session }
        let shapes = try model.batchShapes(values.mapValues(\.shape))
        if let session,
            session.plan.inputs.allSatisfy({ $0.isSeed || shapes[$0.name] == $0.shape })
        {
            return session
        }
        // The one before gives its memory back first.
        session = nil
        do throws(Failure) {
            let plan = try Planner.plan(model, shapes: shapes)
            let new = try Session(plan, on: device)
            session = new
            return new
        } catch  where error.code == .dependsOnData {
            staged = ModelSession(model, on: device)
            return nil
        } catch {
            throw error
        }
    }

    private func fits(_ values: [String: Tensor], _ plan: Plan) -> Bool {
        plan.inputs.allSatisfy { port in
            guard let value = values[port.name], value.type == port.type else { return false }
            return value.shape == port.shape
                || (plan.isByItem && !value.shape.isEmpty
                    && value.shape.dropFirst() == port.shape.dropFirst()
                    && !values.values.contains { $0.shape.first != value.shape.first })
        }
    }

    private func ordered(
        _ values: [String: Tensor], _ plan: Plan
    ) throws(Failure) -> [Tensor] {
        try plan.inputs.map { (port) throws(Failure) in
            if port.isSeed { return .seed(seed) }
            guard let value = values[port.name] else {
                throw Failure(.missing, "input \"\(port.name.printable)\": no value is given")
            }
            guard value.type == port.type else {
                throw Failure(
                    .malformed,
                    "input \"\(port.name.printable)\" is \(value.type.name); "
                        + "\(port.type.name) expected")
            }
            return value
        }
    }
}
