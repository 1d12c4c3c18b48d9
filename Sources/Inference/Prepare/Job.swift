public import Core

extension PreparedModel {
    /// Prepares a model for values of its inputs.
    ///
    /// Items are the indices of the first axis, which all inputs then share. A plan computes a
    /// batch of them; since each item's bits are its own, batches may be cut anywhere.
    ///
    /// Where the model draws random numbers, all items are computed at once.
    ///
    /// - Parameters:
    ///   - batchMax: the most items a batch may have, where the model leaves it open.
    ///   - seed: of the random numbers that the model draws.
    /// - Throws: ``Failure`` naming the node or input and what was expected.
    public init(
        _ model: Model, inputs: [String: Tensor], batchMax: Int = .max, seed: UInt64 = 0
    ) throws(Failure) {
        let whole = inputs.mapValues(\.shape)
        let shapes = model.draws ? whole : try model.batchShapes(whole, batchMax: batchMax)
        let plan: Plan
        do throws(Failure) {
            plan = try Planner.plan(model, shapes: shapes)
        } catch  where error.code == .dependsOnData {
            // What inputs hold is known here, as long as all items are computed at once.
            let values = inputs.merging(["": .seed(seed)]) { a, _ in a }
            plan = try Planner.plan(model, shapes: whole, values: values)
        } catch {
            throw error
        }
        var values: [Tensor] = []
        for port in plan.inputs where !port.isSeed {
            guard let value = inputs[port.name] else { preconditionFailure("checked by the plan") }
            values.append(try port.checked(value))
        }
        if plan.draws { values.append(.seed(seed)) }
        self.init(plan: plan, inputs: values)
        _ = try itemCount()
    }

    /// How many items the inputs hold.
    ///
    /// - Throws: ``Failure`` when the plan computes less than all of them at once and its outputs
    ///   cannot be told apart by item.
    public func itemCount() throws(Failure) -> Int {
        let items = inputs.first?.shape.first ?? 1
        let isWhole = zip(inputs, plan.inputs).allSatisfy { $0.shape == $1.shape }
        if isWhole { return plan.isByItem ? plan.itemCount : 1 }
        guard plan.isByItem, items > 0,
            zip(inputs, plan.inputs).allSatisfy({
                $0.shape.first == items && $0.shape.dropFirst() == $1.shape.dropFirst()
            })
        else {
            throw Failure(
                .unsupported, "an output without the batch as its first axis; one batch expected")
        }
        return items
    }
}

extension Tensor {
    /// What a plan that draws random numbers has as its last input.
    public static func seed(_ seed: UInt64) -> Tensor {
        Tensor([Int64(bitPattern: seed)], type: .uint64, shape: [])
    }
}

extension Model {
    /// The batch that the model itself has.
    public var fixedBatch: Int? { inputs.compactMap { $0.shape.first ?? nil }.min() }

    /// What a plan is made for, where inputs have these shapes.
    ///
    /// - Parameters:
    ///   - shapes: by the inputs' names.
    ///   - batchMax: the most items a batch may have, where the model leaves it open.
    /// - Throws: ``Failure`` where a fixed batch would not be full.
    func batchShapes(
        _ shapes: [String: [Int]], batchMax: Int = .max
    ) throws(Failure) -> [String: [Int]] {
        let firsts = Set(shapes.values.map { $0.first ?? 0 })
        guard firsts.count == 1, let items = firsts.first, items > 0 else { return shapes }
        let batch = min(items, fixedBatch ?? batchMax)
        guard items % batch == 0 || fixedBatch == nil else {
            throw Failure(
                .malformed,
                "\(items) items; a multiple of the model's batch of \(batch) expected")
        }
        return shapes.mapValues { [batch] + $0.dropFirst() }
    }
}

extension Plan {
    /// Whether the first axis of every input and output is the batch.
    public var isByItem: Bool {
        itemCount > 0 && (inputs + outputs).allSatisfy { $0.shape.first == itemCount }
    }
}
