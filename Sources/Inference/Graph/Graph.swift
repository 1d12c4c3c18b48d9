internal import Core

/// A model as the loader gives it: checked names and sizes, ONNX's operators.
public struct Model: Sendable {
    /// Version of ONNX's own operator set, which decides what an operator means.
    public var opset: Int
    /// In an order where each input is defined before its use.
    public var nodes: [Node]
    public var constants: [String: Tensor]
    public var inputs: [Input]
    public var outputs: [String]

    /// A named input. An axis is nil where the model leaves it open.
    public struct Input: Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int?]

        /// As messages show it: `x float32 [?, 3, ?, ?]`.
        public var text: String {
            let axes = shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
            return "\(name) \(type.name) [\(axes)]"
        }
    }
}

/// One application of an operator.
public struct Node: Sendable {
    public var index: Int
    public var name: String
    public var type: String
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
    }

    /// As messages name it: `node 12 "conv1" (Conv)`.
    var place: String {
        "node \(index)" + (name.isEmpty ? "" : " \"\(name.printable)\"") + " (\(type.printable))"
    }
}
