internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Inference

extension KnownWorkload {
    /// The shipped classifier on four made pictures: convolution, pooling, products, activations
    /// and sums, as inference runs them. SHA-256 of its scores.
    static func networkHash(on device: any ComputeDevice) throws(Failure) -> Hash256 {
        let model = try ModelLoader.load(Data(ShippedExamples.bytes("digits/digits.onnx")))
        guard let input = model.inputs.first else {
            throw Failure(.malformed, "digits.onnx: an input expected")
        }
        let shape = [pictureCount] + input.shape.dropFirst().map { $0 ?? 1 }
        let elements = shape.reduce(1, *)
        // Quarters from 0 to 1, which floats hold exactly.
        let shades = (0..<elements).map { Float($0 &* 7 % 5) * 0.25 }
        let prepared = try PreparedModel(
            model, inputs: [input.name: Tensor(shades, shape: shape)])
        let scores = try Session(prepared.plan, on: device)
            .run(prepared.inputs, items: 0..<pictureCount)
        let leaves = InferenceLeaves.leaves(
            zip(prepared.plan.outputs, scores).map { ($0.name, $1) },
            isByItem: prepared.plan.isByItem)
        return MerkleTree(leaves: leaves).root
    }

    private static let pictureCount = 4
}
