public import Core
internal import Files
public import Foundation

/// Reads ONNX files. What comes out has sound names, sizes and operators; everything else is one
/// line saying the place and what was expected.
public enum ModelLoader {
    /// Protocol buffers end at 2 GiB.
    public static let byteCountMax = 1 << 31 - 1
    /// Operator sets whose meaning the operators here know.
    public static let opsets = 7...28

    /// - Throws: ``Failure`` naming the file, the node or tensor, and what was expected.
    public static func load(path: String) throws(Failure) -> Model {
        let data = try FileBytes.read(path, byteCountMax: byteCountMax, isMapped: true)
        // The message, and the tensors that are made of it.
        try HostRoom.check(2 * data.count, for: path)
        let name = (path as NSString).lastPathComponent
        let folder = (path as NSString).deletingLastPathComponent
        do throws(Failure) {
            return try load(data, files: ExternalFiles(folder: folder.isEmpty ? "." : folder))
        } catch {
            throw error.at(name)
        }
    }

    /// A model that is whole in itself.
    ///
    /// - Throws: ``Failure`` naming the node or tensor, and what was expected.
    public static func load(_ data: Data) throws(Failure) -> Model { try load(data, files: nil) }

    private static func load(_ data: Data, files: ExternalFiles?) throws(Failure) -> Model {
        let scanned: Result<Void, Failure> = data.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try WireScan.check(bytes) }
        }
        try scanned.get()
        let message: Onnx_ModelProto
        do {
            message = try ModelMessage.decoded(data)
        } catch {
            let reason = ModelMessage.reason(error)
            throw Failure(.malformed, "not an ONNX model: \(reason); a protocol buffer expected")
        }
        guard message.hasGraph, !message.graph.node.isEmpty || !message.graph.output.isEmpty else {
            throw Failure(.malformed, "not an ONNX model: a graph with nodes and outputs expected")
        }
        let opsets = try opsets(message.opsetImport)
        var reader = GraphReader(opsets: opsets, files: files)
        for function in message.functions {
            reader.functionNames.insert(
                FunctionName(
                    domain: GraphReader.domain(function.domain), name: function.name,
                    overload: function.overload))
        }
        var model = Model(opsets: opsets, graph: try reader.graph(message.graph, isOuter: true))
        for function in message.functions {
            let (name, body) = try reader.function(function)
            guard model.functions.updateValue(body, forKey: name) == nil else {
                throw Failure(.malformed, "function \(name.name.printable) is defined twice")
            }
        }
        model.externalFiles = files?.names ?? []
        for output in message.graph.output {
            model.outputTypes[output.name] = try? reader.input(output.name, output.type, "output")
        }
        return model
    }

    /// Versions by domain; ONNX's own must be one that is known.
    static func opsets(
        _ entries: [Onnx_OperatorSetIdProto], isOuter: Bool = true
    ) throws(Failure) -> [String: Int] {
        var found: [String: Int] = [:]
        for entry in entries {
            let domain = GraphReader.domain(entry.domain)
            guard found.updateValue(Int(entry.version), forKey: domain) == nil else {
                let name = domain.isEmpty ? "the default domain" : "\"\(domain.printable)\""
                throw Failure(.malformed, "opset_import: \(name) is imported twice")
            }
        }
        let own = found[""]
        guard own.map(opsets.contains) ?? (!isOuter || !found.isEmpty) else {
            throw Failure(
                .unsupported,
                "opset \(own.map(String.init) ?? "missing"); "
                    + "\(opsets.lowerBound) to \(opsets.upperBound) expected")
        }
        return found
    }
}
