internal import Core
internal import Inference

/// Collects nodes of ONNX's operators, each value under a name of its own.
struct GraphBuilder {
    private(set) var nodes: [Node] = []
    private(set) var constants: [String: Tensor]
    private var names: Set<String>
    private var count = 0

    /// - Parameter names: those that are taken.
    init(constants: [String: Tensor], names: Set<String>) {
        self.constants = constants
        self.names = names.union(constants.keys)
    }

    /// A name that nothing else has.
    mutating func name(_ hint: String) -> String {
        while true {
            count += 1
            let name = "\(hint)/\(count)"
            if names.insert(name).inserted { return name }
        }
    }

    /// A node as it stands, its index aside.
    mutating func append(_ node: Node) {
        var node = node
        node.index = nodes.count
        names.formUnion(node.outputs)
        nodes.append(node)
    }

    /// A node with one result.
    mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:],
        domain: String = ""
    ) -> String {
        add(type, inputs, attributes, domain: domain, results: 1)[0]
    }

    mutating func add(
        _ type: String, _ inputs: [String], _ attributes: [String: Node.Attribute] = [:],
        domain: String = "", results: Int
    ) -> [String] {
        let outputs = (0..<results).map { _ in name(type) }
        append(
            Node(
                index: 0, name: outputs[0], domain: domain, type: type, inputs: inputs,
                outputs: outputs, attributes: attributes))
        return outputs
    }

    mutating func constant(_ tensor: Tensor) -> String {
        let name = name("constant")
        constants[name] = tensor
        return name
    }

    /// A float32 without axes.
    mutating func scalar(_ value: Float) -> String { constant(Tensor([value], shape: [])) }

    mutating func integers(_ values: [Int]) -> String {
        constant(Tensor(values.map(Int64.init), type: .int64, shape: [values.count]))
    }

    // MARK: What gradients are made of

    mutating func reshaped(_ x: String, _ shape: [Int]) -> String {
        add("Reshape", [x, integers(shape)])
    }

    /// Axes of 1 stay where `keeps`.
    mutating func sum(_ x: String, axes: [Int], keeps: Bool) -> String {
        add("ReduceSum", [x, integers(axes)], ["keepdims": .int(keeps ? 1 : 0)])
    }

    mutating func slice(
        _ x: String, axes: [Int], from: [Int], to: [Int], steps: [Int]? = nil
    ) -> String {
        add(
            "Slice",
            [x, integers(from), integers(to), integers(axes)]
                + (steps.map { [integers($0)] } ?? []))
    }
}
