public import Core
public import Inference

/// Small networks to begin with, made to fit the data.
public enum Preset: String, Hashable, Sendable, CaseIterable {
    /// Two hidden layers.
    case mlp
    /// Three convolutions with batch normalisation, the last two around a residual, and a layer.
    case cnn

    static let opset = 17

    /// The network, its weights yet to be drawn.
    ///
    /// - Throws: ``Failure`` when it does not fit items of that shape.
    public func model(item: [Int], classes: Int) throws(Failure) -> Model {
        var layers = Layers()
        switch self {
        case .mlp:
            layers.flatten(item)
            for width in [128, 64] {
                layers.dense(width)
                layers.relu()
            }
        case .cnn:
            guard item.count == 3, item[1] >= 4, item[2] >= 4 else {
                throw Failure(
                    .unsupported,
                    "preset cnn: items of \(item.text); channels, height and width from 4 on "
                        + "expected")
            }
            layers.shape = item
            layers.convolve(16)
            layers.relu()
            layers.convolve(32)
            layers.relu()
            layers.pool()
            let before = layers.value
            layers.convolve(32)
            layers.node("Add", [layers.value, before])
            layers.relu()
            layers.pool()
            layers.flatten(layers.shape)
        }
        layers.dense(classes, isLast: true)
        let graph = Graph(
            nodes: layers.nodes, constants: layers.constants,
            inputs: [Model.Input(name: "image", type: .float32, shape: [nil] + item)],
            outputs: ["scores"])
        var model = Model(opsets: ["": Self.opset], graph: graph)
        model.outputTypes["scores"] = Model.Input(
            name: "scores", type: .float32, shape: [nil, classes])
        return model
    }

    /// A network that grows layer by layer; `value` is what the last one gives.
    private struct Layers {
        var nodes: [Node] = []
        var constants: [String: Tensor] = [:]
        var value = "image"
        /// Of one item.
        var shape: [Int] = []
        private var count = 0

        mutating func node(
            _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:],
            named output: String? = nil
        ) {
            let name = output ?? "\(type.lowercased())\(nodes.count)"
            nodes.append(
                Node(
                    index: nodes.count, name: name, domain: "", type: type, inputs: inputs,
                    outputs: [name], attributes: attributes))
            value = name
        }

        private mutating func constant(_ name: String, _ value: Float, _ shape: [Int]) -> String {
            constants[name] = Tensor(
                Array(repeating: value, count: shape.elementCount), shape: shape)
            return name
        }

        mutating func flatten(_ item: [Int]) {
            node("Flatten", [value])
            shape = [item.elementCount]
        }

        mutating func dense(_ width: Int, isLast: Bool = false) {
            count += 1
            let inputs = [
                value, constant("dense\(count).weight", 0, [width, shape[0]]),
                constant("dense\(count).bias", 0, [width]),
            ]
            node("Gemm", inputs, ["transB": .int(1)], named: isLast ? "scores" : nil)
            shape = [width]
        }

        mutating func relu() { node("Relu", [value]) }

        mutating func convolve(_ channels: Int) {
            count += 1
            let weight = constant("conv\(count).weight", 0, [channels, shape[0], 3, 3])
            node(
                "Conv", [value, weight],
                ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])])
            let parts: [(String, Float)] = [("scale", 1), ("bias", 0), ("mean", 0), ("var", 1)]
            let inputs = parts.map { constant("norm\(count).\($0)", $1, [channels]) }
            node("BatchNormalization", [value] + inputs)
            shape[0] = channels
        }

        mutating func pool() {
            node(
                "MaxPool", [value],
                ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
            shape = [shape[0], shape[1] / 2, shape[2] / 2]
        }
    }
}
