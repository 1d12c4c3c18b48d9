public import Compute
public import Core

/// A model that computes batch after batch on a device, with one plan as long as their axes agree.
///
/// A file gives what it gives alone: files are computed together only where the plans prove that
/// each item's bits are the item's own.
public struct BatchedModel {
    /// What one file gave.
    public struct Output {
        public var tensors: [(name: String, tensor: Tensor)]
        /// Whether their first axis counts items.
        public var isByItem: Bool
    }

    private let model: Model
    private let device: any ComputeDevice
    private let seed: UInt64
    private var session: Session?
    /// Where steps depend on data: what files that are known decide is planned for each by itself.
    private var commons: SessionCommons?
    /// Where they depend on more than what a file holds.
    private var staged: ModelSession?
    private var dependsOnData = false
    /// Its outputs are not one for each item, or items may depend on each other: files are computed
    /// one by one.
    private var isWhole = false
    /// Shapes of inputs for which it is proved that each item is its own.
    private var proved: Set<[String: [Int]]> = []
    /// What keeps files from being computed together.
    public private(set) var doubt: ItemDoubt?
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
        if !dependsOnData, !isWhole, batch.counts.count > 1 {
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
        for count in Set(batch.counts + [batch.counts.reduce(0, +)]).sorted() {
            let shapes = batch.values.mapValues { [count] + $0.shape.dropFirst() }
            guard isProved(shapes) else { return nil }
        }
        guard let session = try planned(batch.values) else { return nil }
        let tensors = try session.run(
            try ordered(batch.values, session.plan), items: 0..<batch.counts.reduce(0, +))
        var first = 0
        return batch.counts.map { count in
            defer { first += count }
            return Output(
                tensors: zip(session.plan.outputs, tensors).map {
                    ($0.name, $1.items(first..<(first + count)))
                }, isByItem: true)
        }
    }

    /// Whether items are their own in inputs of these shapes.
    private mutating func isProved(_ shapes: [String: [Int]]) -> Bool {
        if proved.contains(shapes) { return true }
        do throws(Failure) {
            if let fixed = model.fixedBatch, shapes.values.contains(where: { $0[0] % fixed != 0 }) {
                // It is filled up, alone as with others.
                return true
            }
            doubt = try model.itemDoubt(try model.batchShapes(shapes))
        } catch  where error.code == .dependsOnData {
            dependsOnData = true
            return false
        } catch {
            // Each file by itself says what is wrong with it.
            return false
        }
        isWhole = doubt != nil
        if doubt == nil { proved.insert(shapes) }
        return doubt == nil
    }

    /// What each file of a batch brings.
    private func files(of batch: InputBatches.Batch) -> [[String: Tensor]] {
        var first = 0
        return batch.counts.map { count in
            defer { first += count }
            return batch.values.mapValues { $0.items(first..<(first + count)) }
        }
    }

    // MARK: One file

    private mutating func alone(_ values: [String: Tensor]) throws(Failure) -> Output {
        if !dependsOnData, let session = try planned(values) {
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
        if staged == nil, let output = try decided(values) { return output }
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

    /// What the model gives for a file whose values decide what its steps are.
    ///
    /// - Returns: nil where they do not.
    private mutating func decided(_ values: [String: Tensor]) throws(Failure) -> Output? {
        var prepared: PreparedModel
        do throws(Failure) {
            prepared = try PreparedModel(model, inputs: values, seed: seed)
        } catch  where error.code == .dependsOnData {
            return nil
        } catch {
            throw error
        }
        if commons == nil {
            commons = try SessionCommons(on: device, isNarrow: false, of: model)
        }
        guard let commons else { return nil }
        let (count, inputs) = (try prepared.itemCount(), prepared.inputs)
        let session = try Session(prepared.takePlan(), with: commons, bindsPorts: false)
        hasDrawn = session.plan.draws
        let tensors = try session.run(inputs, items: 0..<count)
        return Output(
            tensors: zip(session.plan.outputs, tensors).map { ($0.name, $1) },
            isByItem: session.plan.isByItem)
    }

    // MARK: Plans

    /// The plan at hand, where these values fit it, or a new one.
    ///
    /// - Returns: nil for a model whose steps depend on data.
    private mutating func planned(_ values: [String: Tensor]) throws(Failure) -> Session? {
        if let session,
            session.plan.inputs.allSatisfy({
                $0.isSeed || values[$0.name]?.shape == $0.shape
            })
        {
            return session
        }
        // What is behind the last item changes none of those that are their own.
        if let session, fits(values, session.plan), isProved(session.plan.inputShapes),
            isProved(values.mapValues(\.shape))
        {
            return session
        }
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
            dependsOnData = true
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
            return try port.checked(value)
        }
    }
}

extension Plan {
    fileprivate var inputShapes: [String: [Int]] {
        Dictionary(uniqueKeysWithValues: inputs.filter { !$0.isSeed }.map { ($0.name, $0.shape) })
    }
}
