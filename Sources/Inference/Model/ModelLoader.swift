public import Core
internal import Files
public import Foundation
internal import SwiftProtobuf

/// Reads ONNX files. What comes out has sound names, sizes and operators; everything else is one
/// line saying the place and what was expected.
public enum ModelLoader {
    /// Protocol buffers end at 2 GiB.
    public static let byteCountMax = 1 << 31 - 1
    /// Operator sets whose meaning the operators here know.
    public static let opsets = 7...23

    /// - Throws: ``Failure`` naming the file, the node or tensor, and what was expected.
    public static func load(path: String) throws(Failure) -> Model {
        let data = try FileBytes.read(path, byteCountMax: byteCountMax)
        do throws(Failure) {
            return try load(data)
        } catch {
            throw error.at((path as NSString).lastPathComponent)
        }
    }

    /// - Throws: ``Failure`` naming the node or tensor, and what was expected.
    public static func load(_ data: Data) throws(Failure) -> Model {
        let scanned: Result<Void, Failure> = data.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try WireScan.check(bytes) }
        }
        try scanned.get()
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        options.messageDepthLimit = 16
        let message: Onnx_ModelProto
        do {
            message = try Onnx_ModelProto(serializedBytes: data, options: options)
        } catch {
            throw Failure(.malformed, "not an ONNX model: \(error); a protocol buffer expected")
        }
        guard message.hasGraph, !message.graph.node.isEmpty || !message.graph.output.isEmpty else {
            throw Failure(.malformed, "not an ONNX model: a graph with nodes and outputs expected")
        }
        return try model(message)
    }

    private static func model(_ message: Onnx_ModelProto) throws(Failure) -> Model {
        var opset: Int?
        for entry in message.opsetImport where ["", "ai.onnx"].contains(entry.domain) {
            guard opset == nil else {
                throw Failure(.malformed, "opset_import: the default domain is imported twice")
            }
            opset = Int(entry.version)
        }
        guard let opset, opsets.contains(opset) else {
            throw Failure(
                .unsupported,
                "opset \(opset.map(String.init) ?? "missing"); "
                    + "\(opsets.lowerBound) to \(opsets.upperBound) expected")
        }
        let graph = message.graph
        guard graph.sparseInitializer.isEmpty else {
            throw Failure(.unsupported, "sparse initializers; dense ones expected")
        }
        var model = Model(opset: opset, nodes: [], constants: [:], inputs: [], outputs: [])
        for tensor in graph.initializer {
            let place = "initializer \"\(tensor.name.printable)\""
            guard !tensor.name.isEmpty, model.constants[tensor.name] == nil else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
            model.constants[tensor.name] = try self.tensor(tensor, place)
        }
        try readInputs(graph, into: &model)
        try readNodes(graph, into: &model)
        try readOutputs(graph, into: &model)
        return model
    }

    private static func readInputs(
        _ graph: Onnx_GraphProto, into model: inout Model
    ) throws(Failure) {
        var names: Set<String> = []
        for input in graph.input {
            let place = "input \"\(input.name.printable)\""
            guard !input.name.isEmpty, names.insert(input.name).inserted else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
            // Before IR version 4 every initializer was listed as an input too.
            if model.constants[input.name] != nil { continue }
            guard case .tensorType(let type)? = input.type.value else {
                throw Failure(.unsupported, "\(place): a tensor expected")
            }
            guard let element = elementType(type.elemType), type.hasShape,
                type.shape.dim.count <= Shape.rankMax
            else {
                throw Failure(
                    .unsupported,
                    "\(place): element type \(type.elemType); float32, uint8, int32, int64 or bool "
                        + "with at most \(Shape.rankMax) axes expected")
            }
            let shape = type.shape.dim.map { dimension -> Int? in
                if case .dimValue(let value)? = dimension.value, value > 0 {
                    Int(value)
                } else {
                    nil
                }
            }
            _ = try checked(shape.map { $0 ?? 1 }, place)
            model.inputs.append(.init(name: input.name, type: element, shape: shape))
        }
    }

    private static func readNodes(
        _ graph: Onnx_GraphProto, into model: inout Model
    ) throws(Failure) {
        var defined = Set(model.constants.keys)
        defined.formUnion(model.inputs.map(\.name))
        model.nodes.reserveCapacity(graph.node.count)
        for (index, message) in graph.node.enumerated() {
            var node = Node(
                index: index, name: message.name, type: message.opType, inputs: message.input,
                outputs: message.output, attributes: [:])
            guard ["", "ai.onnx"].contains(message.domain) else {
                throw Failure(
                    .unsupported,
                    "\(node.place): operator domain \"\(message.domain.printable)\" is not "
                        + "supported; the default domain expected")
            }
            try Operators.check(node, opset: model.opset)
            for name in node.inputs where !name.isEmpty && !defined.contains(name) {
                throw Failure(
                    .malformed,
                    "\(node.place): input \"\(name.printable)\" is not defined before it; "
                        + "no cycles and nodes in order of use expected")
            }
            for name in node.outputs where !name.isEmpty {
                guard defined.insert(name).inserted else {
                    throw Failure(
                        .malformed,
                        "\(node.place): output \"\(name.printable)\" is defined twice")
                }
            }
            for attribute in message.attribute {
                guard node.attributes[attribute.name] == nil else {
                    throw Failure(
                        .malformed,
                        "\(node.place): attribute \"\(attribute.name.printable)\" is given twice")
                }
                node.attributes[attribute.name] = try self.attribute(attribute, node.place)
            }
            model.nodes.append(node)
        }
    }

    private static func readOutputs(
        _ graph: Onnx_GraphProto, into model: inout Model
    ) throws(Failure) {
        var defined = Set(model.constants.keys)
        defined.formUnion(model.inputs.map(\.name))
        for node in model.nodes { defined.formUnion(node.outputs) }
        for output in graph.output {
            let place = "output \"\(output.name.printable)\""
            guard defined.contains(output.name), !output.name.isEmpty else {
                throw Failure(.malformed, "\(place): no node computes it")
            }
            guard !model.outputs.contains(output.name) else {
                throw Failure(.malformed, "\(place): a name of its own expected")
            }
            model.outputs.append(output.name)
            guard model.outputs.count <= 256 else {
                throw Failure(.limit, "more than 256 outputs")
            }
        }
        guard !model.outputs.isEmpty else {
            throw Failure(.malformed, "the graph has no output; at least one expected")
        }
    }

    private static func attribute(
        _ message: Onnx_AttributeProto, _ place: String
    ) throws(Failure) -> Node.Attribute {
        let place = "\(place): attribute \"\(message.name.printable)\""
        switch message.type {
        case .float: return .float(message.f)
        case .int: return .int(Int(message.i))
        case .string: return .string(String(decoding: message.s, as: UTF8.self))
        case .tensor: return .tensor(try tensor(message.t, place))
        case .floats: return .floats(message.floats)
        case .ints: return .ints(message.ints.map(Int.init))
        case .strings: return .strings(message.strings.map { String(decoding: $0, as: UTF8.self) })
        default:
            throw Failure(
                .unsupported,
                "\(place): type \(message.type.rawValue); numbers, strings or a tensor "
                    + "expected")
        }
    }
}
