public import Core
internal import Foundation
internal import SwiftProtobuf

/// Writes models as ONNX files.
public enum ModelWriter {
    /// The first IR version that knows every operator set up to 21; later sets have later ones.
    private static let irVersion: Int64 = 8

    /// - Throws: ``Failure`` `unsupported` for what is not written: functions of the model's own,
    ///   graphs inside nodes, elements of less than a byte.
    public static func bytes(_ model: Model) throws(Failure) -> Bytes {
        guard model.functions.isEmpty else {
            throw Failure(.unsupported, "functions of the model's own are not written")
        }
        var message = Onnx_ModelProto()
        message.irVersion = model.opset > 21 ? 10 : irVersion
        message.producerName = "rigor"
        message.opsetImport = model.opsets.sorted { $0.key < $1.key }.map { domain, version in
            var entry = Onnx_OperatorSetIdProto()
            entry.domain = domain
            entry.version = Int64(version)
            return entry
        }
        var graph = Onnx_GraphProto()
        graph.name = "graph"
        for node in model.nodes { graph.node.append(try self.node(node)) }
        for (name, tensor) in model.constants.sorted(by: { $0.key < $1.key }) {
            graph.initializer.append(try self.tensor(tensor, named: name))
        }
        graph.input = model.inputs.map(value)
        graph.output = model.outputs.map { name in
            value(model.outputTypes[name] ?? .init(name: name, type: .float32, shape: nil))
        }
        message.graph = graph
        do {
            return Bytes(try message.serializedData())
        } catch {
            throw Failure(.limit, "a model larger than protocol buffers hold, 2 GiB")
        }
    }

    private static func value(_ input: Model.Input) -> Onnx_ValueInfoProto {
        var tensor = Onnx_TypeProto.Tensor()
        tensor.elemType = Int32(input.type.rawValue)
        if input.isRanked {
            var shape = Onnx_TensorShapeProto()
            shape.dim = input.shape.enumerated().map { index, axis in
                var dimension = Onnx_TensorShapeProto.Dimension()
                if let axis {
                    dimension.dimValue = Int64(axis)
                } else {
                    dimension.dimParam = index == 0 ? "N" : "axis\(index)"
                }
                return dimension
            }
            tensor.shape = shape
        }
        var value = Onnx_ValueInfoProto()
        value.name = input.name
        value.type.tensorType = tensor
        return value
    }

    private static func tensor(
        _ tensor: Tensor, named name: String
    ) throws(Failure) -> Onnx_TensorProto {
        guard tensor.type.bitCount >= 8 else {
            throw Failure(.unsupported, "\(name.printable): \(tensor.type.name) is not written")
        }
        var message = Onnx_TensorProto()
        message.name = name
        message.dataType = Int32(tensor.type.rawValue)
        message.dims = tensor.shape.map(Int64.init)
        message.rawData = Data(tensor.bytes)
        return message
    }

    private static func node(_ node: Node) throws(Failure) -> Onnx_NodeProto {
        var message = Onnx_NodeProto()
        message.name = node.name
        message.domain = node.domain
        message.opType = node.type
        message.overload = node.overload
        message.input = node.inputs
        message.output = node.outputs
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            var entry = Onnx_AttributeProto()
            entry.name = name
            switch attribute {
            case .float(let value): (entry.type, entry.f) = (.float, value)
            case .int(let value): (entry.type, entry.i) = (.int, Int64(value))
            case .string(let value): (entry.type, entry.s) = (.string, Data(value.utf8))
            case .floats(let values): (entry.type, entry.floats) = (.floats, values)
            case .ints(let values): (entry.type, entry.ints) = (.ints, values.map(Int64.init))
            case .strings(let values):
                (entry.type, entry.strings) = (.strings, values.map { Data($0.utf8) })
            case .tensor(let value):
                (entry.type, entry.t) = (.tensor, try tensor(value, named: ""))
            case .graph, .type, .reference:
                throw Failure(
                    .unsupported,
                    "\(node.place): attribute \"\(name.printable)\" is not written")
            }
            message.attribute.append(entry)
        }
        return message
    }
}
