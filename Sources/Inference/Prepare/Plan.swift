public import Core

/// A model prepared for inputs of known shapes: what to put where, and the steps in order.
public struct Plan: Hashable, Sendable {
    /// A tensor that goes in or comes out.
    public struct Port: Hashable, Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int]
        public var buffer: Int
    }

    /// Size in bytes of each buffer; steps name buffers by index.
    public var buffers: [Int]
    /// Contents of the buffers that never change.
    public var constants: [Int: Tensor]
    public var inputs: [Port]
    public var outputs: [Port]
    public var steps: [Step]

    /// The number of items that a batch has: the first input's first axis.
    public var itemCount: Int { inputs.first?.shape.first ?? 1 }
}

/// Turns a model and the shapes of its inputs into a plan: infers every shape, computes what is
/// constant, folds batch normalisations and activations into the products before them.
public enum Planner {
    /// - Parameter shapes: for each of the model's inputs, by name.
    /// - Throws: ``Failure`` naming the node and what was expected.
    public static func plan(_ model: Model, shapes: [String: [Int]]) throws(Failure) -> Plan {
        var lowering = Lowering(model)
        try lowering.takeInputs(shapes)
        try lowering.lowerAll()
        var plan = try lowering.finish()
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
