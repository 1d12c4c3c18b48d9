import Core
import Inference

/// A model that a test puts together, node by node.
struct Net {
    var nodes: [Node] = []
    var constants: [String: Tensor] = [:]
    var inputs: [Model.Input] = []

    mutating func input(_ name: String, _ shape: [Int?], _ type: ElementType = .float32) -> String {
        inputs.append(.init(name: name, type: type, shape: shape))
        return name
    }

    mutating func constant(_ tensor: Tensor) -> String {
        let name = "c\(constants.count)"
        constants[name] = tensor
        return name
    }

    mutating func ints(_ values: [Int]) -> String {
        constant(Tensor(values.map(Int64.init), type: .int64, shape: [values.count]))
    }

    /// One integer without axes.
    mutating func int(_ value: Int) -> String {
        constant(Tensor([Int64(value)], type: .int64, shape: []))
    }

    mutating func floats(_ values: [Float], _ shape: [Int]) -> String {
        constant(Tensor(values, shape: shape))
    }

    /// - Returns: the names of its outputs.
    mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:],
        outputs count: Int
    ) -> [String] {
        let outputs = (0..<count).map { "\(type)\(nodes.count).\($0)" }
        nodes.append(
            Node(
                index: nodes.count, name: "n\(nodes.count)", domain: "", type: type,
                inputs: inputs, outputs: outputs, attributes: attributes))
        return outputs
    }

    /// - Returns: the name of its output.
    mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:]
    ) -> String {
        add(type, inputs, attributes, outputs: 1)[0]
    }

    func model(_ outputs: [String]) -> Model {
        Model(
            opsets: ["": 17],
            graph: Graph(nodes: nodes, constants: constants, inputs: inputs, outputs: outputs))
    }
}
