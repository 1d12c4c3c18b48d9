internal import Compute
internal import Core

/// Computes a model's outputs from values for its inputs, both in the graph's order.
///
/// - Throws: ``Failure`` `unsupported` or `limit` where this version does not compute the model;
///   others when it, its inputs or the device are at fault.
func runModel(
    _ model: Model, _ inputs: [ModelValue], on device: any ComputeDevice
) throws(Failure) -> [ModelValue] {
    guard inputs.count == model.inputs.count else {
        throw Failure(
            .malformed, "\(inputs.count) inputs; \(model.inputs.count) expected by the model")
    }
    var values: [String: Tensor] = [:]
    for (port, value) in zip(model.inputs, inputs) {
        guard case .tensor(let tensor) = value else {
            throw Failure(.malformed, "input \"\(port.name.printable)\": a tensor expected")
        }
        values[port.name] = tensor
    }
    let prepared = try PreparedModel(model, inputs: values)
    let session = try Session(prepared.plan, on: device)
    let items = 0..<(try prepared.itemCount())
    return try session.run(prepared.inputs, items: items).map(ModelValue.tensor)
}
