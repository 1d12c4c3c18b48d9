internal import Core
public import Inference

extension Model {
    /// The model with its weights drawn anew: of convolutions and products uniform within ±√(6 ÷
    /// inputs of a sum) (He et al. 2015), biases 0, scales of normalisations 1, running means 0 and
    /// variances 1. Other constants stay.
    public func redrawn(seed: UInt64) -> Model {
        let philox = Philox(seed: seed)
        var constants = graph.constants
        // A tensor's number among those drawn is its place in the order of names.
        let names = constants.keys.sorted()
        for node in nodes {
            for (position, name) in node.inputs.enumerated() {
                guard let tensor = constants[name], tensor.type == .float32,
                    let number = names.firstIndex(of: name),
                    let start = Self.start(of: position, in: node, tensor)
                else { continue }
                let values: [Float]
                switch start {
                case .constant(let value):
                    values = Array(repeating: value, count: tensor.count)
                case .drawn(let terms):
                    let bound = Float((6 / Double(terms)).squareRoot())
                    values = (0..<tensor.count).map {
                        philox.symmetric(.weight, number, $0) * bound
                    }
                }
                constants[name] = Tensor(values, shape: tensor.shape)
            }
        }
        return replacing(constants)
    }

    /// How a weight begins.
    private enum Start {
        case constant(Float)
        /// Random, for sums of so many terms.
        case drawn(Int)
    }

    private static func start(of position: Int, in node: Node, _ tensor: Tensor) -> Start? {
        switch (node.operatorName, position) {
        case ("Conv", 1): return .drawn(tensor.shape.dropFirst().reduce(1, *))
        case ("Gemm", 1):
            let flips = node.int("transB", default: 0) != 0
            return .drawn(tensor.shape[flips ? 1 : 0])
        case ("MatMul", 1) where tensor.shape.count >= 2:
            return .drawn(tensor.shape[tensor.shape.count - 2])
        case ("Conv", 2), ("Gemm", 2), ("BatchNormalization", 2), ("BatchNormalization", 3):
            return .constant(0)
        case ("BatchNormalization", 1), ("BatchNormalization", 4): return .constant(1)
        default: return nil
        }
    }

    /// The model with other values of its constants.
    public func replacing(_ values: [String: Tensor]) -> Model {
        var model = self
        model.graph = Graph(
            nodes: nodes, constants: constants.merging(values) { _, new in new }, inputs: inputs,
            outputs: outputs)
        return model
    }
}
