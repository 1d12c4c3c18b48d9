internal import Core

/// A model as the loader gives it: checked names and sizes, ONNX's operators.
public struct Model: Sendable {
    /// Versions of operator sets by domain, which decide what an operator means; ONNX's own domain
    /// is "".
    public var opsets: [String: Int]
    public var graph: Graph
    /// Operators that the model itself defines.
    package internal(set) var functions: [FunctionName: Function] = [:]
    /// Files besides the model that hold tensors, as paths below the model's folder.
    public var externalFiles: [String] = []
    /// What the model says of its outputs, by name; it may say nothing of some.
    public var outputTypes: [String: Input] = [:]

    package init(opsets: [String: Int], graph: Graph) {
        self.opsets = opsets
        self.graph = graph
    }

    /// Version of ONNX's own operator set.
    public var opset: Int { opsets[""] ?? 0 }
    public var nodes: [Node] { graph.nodes }
    public var constants: [String: Tensor] { graph.constants }
    public var inputs: [Input] { graph.inputs }
    public var outputs: [String] { graph.outputs }

    /// A named input. An axis is nil where the model leaves it open.
    public struct Input: Sendable {
        public enum Kind: Sendable { case tensor, sequence, optional }

        public var name: String
        public var type: ElementType
        public var shape: [Int?]
        public var kind = Kind.tensor
        /// Whether `shape` says how many axes there are; otherwise any value will do.
        public var isRanked = true

        /// - Parameter shape: nil where any will do.
        package init(name: String, type: ElementType, shape: [Int?]?) {
            self.name = name
            self.type = type
            self.shape = shape ?? []
            isRanked = shape != nil
        }

        /// As messages show it: `x float32 [?, 3, ?, ?]`.
        public var text: String {
            let axes = shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
            let value = "\(type.name) " + (isRanked ? "[\(axes)]" : "of any shape")
            switch kind {
            case .tensor: return "\(name.printable) \(value)"
            case .sequence: return "\(name.printable) sequence of \(value)"
            case .optional: return "\(name.printable) optional \(value)"
            }
        }
    }
}

/// Nodes in an order where each input is defined before its use, here or in a graph around this
/// one.
public struct Graph: Sendable {
    public let nodes: [Node]
    public let constants: [String: Tensor]
    public let inputs: [Model.Input]
    public let outputs: [String]
    /// Indices of the nodes that use each name, once for each use; graphs inside a node count as
    /// its uses, and the outputs of this one as a use of node -1.
    let consumers: [String: [Int]]

    package init(
        nodes: [Node], constants: [String: Tensor], inputs: [Model.Input], outputs: [String]
    ) {
        self.nodes = nodes
        self.constants = constants
        self.inputs = inputs
        self.outputs = outputs
        var consumers: [String: [Int]] = [:]
        for (index, node) in nodes.enumerated() {
            for name in node.inputs where !name.isEmpty {
                consumers[name, default: []].append(index)
            }
            for case .graph(let graph) in node.attributes.values {
                for name in graph.freeNames { consumers[name, default: []].append(index) }
            }
        }
        for name in outputs { consumers[name, default: []].append(-1) }
        self.consumers = consumers
    }

    /// Names that are used here and defined around this graph.
    var freeNames: Set<String> {
        var bound = Set(constants.keys)
        bound.formUnion(inputs.map(\.name))
        for node in nodes { bound.formUnion(node.outputs) }
        return Set(consumers.keys).subtracting(bound)
    }
}

/// An operator that a model defines by others.
package struct Function: Sendable {
    var inputs: [String]
    /// Default values of attributes that a node may leave out.
    var attributes: [String: Node.Attribute]
    var graph: Graph
    var opsets: [String: Int]
}

package struct FunctionName: Hashable, Sendable {
    var domain: String
    var name: String
    var overload: String
}

/// One application of an operator.
public struct Node: Sendable {
    public var index: Int
    public var name: String
    /// "" is ONNX's own.
    public var domain: String
    public var type: String
    public var overload = ""
    /// Names; empty where an optional input is left out.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: Attribute]

    public enum Attribute: Sendable {
        case float(Float)
        case int(Int)
        case string(String)
        case tensor(Tensor)
        case floats([Float])
        case ints([Int])
        case strings([String])
        case graph(Graph)
        /// Of a value: its kind and element type.
        case type(Model.Input)
        /// In a function: the attribute of that name of the node that applies it.
        case reference(String)
    }

    package init(
        index: Int, name: String, domain: String, type: String, overload: String = "",
        inputs: [String], outputs: [String], attributes: [String: Attribute]
    ) {
        self.index = index
        self.name = name
        self.domain = domain
        self.type = type
        self.overload = overload
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }

    /// The operator with its domain before it, where that is not ONNX's own.
    public var operatorName: String { domain.isEmpty ? type : "\(domain).\(type)" }

    /// As messages name it: `node 12 "conv1" (Conv)`.
    package var place: String {
        "node \(index)" + (name.isEmpty ? "" : " \"\(name.printable)\"")
            + " (\(operatorName.printable))"
    }
}
