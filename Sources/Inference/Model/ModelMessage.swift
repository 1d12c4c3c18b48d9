internal import Core
internal import Foundation
internal import SwiftProtobuf

/// Decodes a model without copying its weights, which are nearly all of it: raw bytes of tensors
/// are slices of the file.
struct ModelMessage {
    /// Fields' numbers in onnx.proto.
    private enum Number {
        static let graphOfModel = 7
        static let nodeOfGraph = 1
        static let initializerOfGraph = 5
        static let attributeOfNode = 5
        static let tensorOfAttribute = 5
        static let rawDataOfTensor = 9
    }

    /// Below, a node has no tensor that is worth the trouble.
    private static let largeBytesMin = 1 << 12

    private let data: Data
    private let bytes: UnsafeRawBufferPointer

    /// The message in `data`.
    static func decoded(_ data: Data) throws -> Onnx_ModelProto {
        let decoded: Result<Onnx_ModelProto, any Error> = data.withUnsafeBytes { bytes in
            Result { try ModelMessage(data: data, bytes: bytes).model() }
        }
        return try decoded.get()
    }

    /// Why bytes are no message, in words.
    static func reason(_ error: any Error) -> String {
        switch error as? BinaryDecodingError {
        case .truncated: "it is cut short"
        case .invalidUTF8: "a name in it is not UTF-8"
        case .messageDepthLimit: "messages in it lie too deep in each other"
        default: "it is damaged"
        }
    }

    private func model() throws -> Onnx_ModelProto {
        let (taken, rest) = try Wire.split(bytes, 0..<bytes.count, taking: Number.graphOfModel)
        // Messages that come in pieces are put together by the decoder alone.
        guard let graphs = taken[Number.graphOfModel], graphs.count == 1 else {
            return try message(data)
        }
        var model: Onnx_ModelProto = try message(rest)
        model.graph = try graph(graphs[0])
        return model
    }

    private func graph(_ range: Range<Int>) throws -> Onnx_GraphProto {
        let (taken, rest) = try Wire.split(
            bytes, range, taking: Number.nodeOfGraph, Number.initializerOfGraph)
        var graph: Onnx_GraphProto = try message(rest)
        graph.node = try (taken[Number.nodeOfGraph] ?? []).map(node)
        graph.initializer = try (taken[Number.initializerOfGraph] ?? []).map(tensor)
        return graph
    }

    private func node(_ range: Range<Int>) throws -> Onnx_NodeProto {
        guard range.count >= Self.largeBytesMin else { return try message(slice(range)) }
        let (taken, rest) = try Wire.split(bytes, range, taking: Number.attributeOfNode)
        var node: Onnx_NodeProto = try message(rest)
        node.attribute = try (taken[Number.attributeOfNode] ?? []).map(attribute)
        return node
    }

    private func attribute(_ range: Range<Int>) throws -> Onnx_AttributeProto {
        let (taken, rest) = try Wire.split(bytes, range, taking: Number.tensorOfAttribute)
        guard let tensors = taken[Number.tensorOfAttribute], tensors.count == 1 else {
            return try message(slice(range))
        }
        var attribute: Onnx_AttributeProto = try message(rest)
        attribute.t = try tensor(tensors[0])
        return attribute
    }

    private func tensor(_ range: Range<Int>) throws -> Onnx_TensorProto {
        let (taken, rest) = try Wire.split(bytes, range, taking: Number.rawDataOfTensor)
        var tensor: Onnx_TensorProto = try message(rest)
        if let raw = taken[Number.rawDataOfTensor]?.last { tensor.rawData = slice(raw) }
        return tensor
    }

    private func slice(_ range: Range<Int>) -> Data {
        let first = data.startIndex + range.lowerBound
        return data[first..<(first + range.count)]
    }

    private func message<Message: SwiftProtobuf.Message>(_ data: Data) throws -> Message {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        options.messageDepthLimit = WireScan.depthMax
        return try Message(serializedBytes: data, options: options)
    }
}
