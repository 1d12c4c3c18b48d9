public import Compute
public import Core

/// A model that computes batch after batch on a device, with one plan as long as their axes agree.
///
/// A file gives what it gives alone. Files are computed together until the first batch of them
/// shows that the model's items depend on each other.
public struct BatchedModel {
    /// What one file gave.
    public struct Output {
        public var tensors: [(name: String, tensor: Tensor)]
        /// Whether their first axis counts items.
        public var isByItem: Bool
    }

    private let model: Model
    private let device: any ComputeDevice
    private var session: Session?
    private var staged: ModelSession?
    /// Its outputs are not one for each item, or items depend on each other: files are computed one
    /// by one.
    private var isWhole = false
    /// Whether a batch has shown that each item's bits are its own.
    private var isProven = false
    /// Whether one has shown that they are not.
    public private(set) var isMixing = false

    public init(_ model: Model, on device: any ComputeDevice) {
        self.model = model
        self.device = device
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
        var first = 0
        for count in batch.counts {
            outputs.append(
                try alone(batch.values.mapValues { $0.items(first..<(first + count)) }))
            first += count
        }
        return outputs
    }

    // MARK: Several files

    /// - Returns: nil where the model has no plan by items.
    private mutating func joined(_ batch: InputBatches.Batch) throws(Failure) -> [Output]? {
        guard let session = try planned(batch.values) else { return nil }
        guard session.plan.isByItem else {
            isWhole = true
            return nil
        }
        let inputs = try ordered(batch.values, session.plan)
        let items = 0..<batch.counts.reduce(0, +)
        let tensors = try session.run(inputs, items: items)
        if !isProven, items.count > 1 {
            isMixing = try !isLastOwn(inputs, tensors, items.count, session)
            guard !isMixing else {
                isWhole = true
                return nil
            }
            // Equal items say nothing of what others would do.
            isProven = inputs.contains { input in
                items.dropLast().contains { input.item($0) != input.item(items.count - 1) }
            }
        }
        var first = 0
        return batch.counts.map { count in
            defer { first += count }
            return Output(
                tensors: zip(session.plan.outputs, tensors).map {
                    ($0.name, $1.items(first..<(first + count)))
                }, isByItem: true)
        }
    }

    /// Whether the last item's outputs are the same in a batch of nothing else, at each place: what
    /// it is computed beside, and where, is then nothing to it.
    private func isLastOwn(
        _ inputs: [Tensor], _ outputs: [Tensor], _ count: Int, _ session: Session
    ) throws(Failure) -> Bool {
        let places = 0..<session.plan.itemCount
        let copies = inputs.map { input in
            Tensor(stacking: places.map { _ in input.items((count - 1)..<count) })
        }
        let found = try session.run(copies)
        return zip(outputs, found).allSatisfy { output, found in
            let own = output.item(count - 1)
            return places.allSatisfy { found.item($0) == own }
        }
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
        let outputs = try session.run(values.mapValues(ModelValue.tensor))
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
        if let session, session.plan.inputs.allSatisfy({ shapes[$0.name] == $0.shape }) {
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

extension Tensor {
    /// The bits of one index of the first axis: numbers that are none are equal here.
    fileprivate func item(_ index: Int) -> Bytes { items(index..<(index + 1)).bytes }
}
