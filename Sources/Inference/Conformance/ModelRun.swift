internal import Compute
internal import Core

/// Computes a model's outputs from values for its inputs, both in the graph's order.
///
/// - Throws: ``Failure`` `unsupported` or `limit` where this version does not compute the model;
///   others when it, its inputs or the device are at fault.
func runModel(
    _ model: Model, _ inputs: [ModelValue], on device: any ComputeDevice
) throws(Failure) -> [ModelValue] {
    try ModelSession(model, on: device).run(inputs)
}
