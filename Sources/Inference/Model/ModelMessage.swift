internal import Core
internal import Foundation
internal import SwiftProtobuf

/// Decodes a model without copying its weights, which are nearly all of it.
enum ModelMessage {
    // Fields' numbers in onnx.proto.
    private static let graphOfModel = 7
    private static let initializerOfGraph = 5
    private static let rawDataOfTensor = 9

    /// The message in `data`. What its initializers hold as raw bytes lies in `data` still.
    static func decoded(_ data: Data) throws -> Onnx_ModelProto {
        let parts: Result<Parts?, Failure> = data.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try Self.parts(bytes) }
        }
        // Messages that come in pieces are put together by the decoder alone.
        guard let parts = try parts.get() else { return try message(data) }
        var model: Onnx_ModelProto = try message(parts.model)
        var graph: Onnx_GraphProto = try message(parts.graph)
        graph.initializer.reserveCapacity(parts.initializers.count)
        for part in parts.initializers {
            var tensor: Onnx_TensorProto = try message(part.tensor)
            if let raw = part.raw {
                let first = data.startIndex + raw.lowerBound
                tensor.rawData = data[first..<(first + raw.count)]
            }
            graph.initializer.append(tensor)
        }
        model.graph = graph
        return model
    }

    private static func message<Message: SwiftProtobuf.Message>(
        _ data: Data
    ) throws -> Message {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        options.messageDepthLimit = WireScan.depthMax
        return try Message(serializedBytes: data, options: options)
    }

    /// A model without its graph, the graph without its initializers, those without raw bytes.
    private struct Parts {
        var model: Data
        var graph: Data
        var initializers: [(tensor: Data, raw: Range<Int>?)] = []
    }

    /// - Returns: nil where the model does not have one graph.
    private static func parts(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Parts? {
        let (graphs, model) = try Wire.split(bytes, 0..<bytes.count, taking: graphOfModel)
        guard graphs.count == 1 else { return nil }
        let (tensors, graph) = try Wire.split(bytes, graphs[0], taking: initializerOfGraph)
        var parts = Parts(model: model, graph: graph)
        for tensor in tensors {
            let (raw, rest) = try Wire.split(bytes, tensor, taking: rawDataOfTensor)
            parts.initializers.append((rest, raw.last))
        }
        return parts
    }
}
