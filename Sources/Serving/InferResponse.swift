public import Core
public import Inference

/// What a model made of a request.
public struct InferResponse: Hashable, Sendable {
    /// One of the model's outputs, its elements little-endian and row-major.
    public struct Output: Hashable, Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int]
        public var bytes: Bytes

        public init(name: String, type: ElementType, shape: [Int], bytes: Bytes) {
            self.name = name
            self.type = type
            self.shape = shape
            self.bytes = bytes
        }

        var tensor: Tensor {
            bytes.withUnsafeBytes { Tensor(type: type, shape: shape, bytes: $0) }
        }
    }

    /// A body, with the count of JSON bytes at its start where tensors follow as bytes.
    public struct Body: Hashable, Sendable {
        public var bytes: Bytes
        public var headerCount: Int?
    }

    public var model: String
    public var version: String
    /// All of the model's, in its order.
    public var outputs: [Output]

    public init(model: String, version: String, outputs: [Output]) {
        self.model = model
        self.version = version
        self.outputs = outputs
    }

    /// The body that answers a request: the outputs it asks for, in its order.
    ///
    /// - Throws: ``Failure`` naming an output that the protocol has no type for.
    public func body(for request: InferRequest) throws(Failure) -> Body {
        let wanted =
            request.outputs
            ?? outputs.map { .init(name: $0.name, isBinary: request.isBinary) }
        var entries: [JSON] = []
        var tail = Bytes()
        var isBinary = false
        for want in wanted {
            guard let output = outputs.first(where: { $0.name == want.name }) else {
                throw Failure(.malformed, "no output \"\(want.name.printable)\"")
            }
            guard let type = WireType.name(output.type) else {
                throw Failure(
                    .unsupported,
                    "output \"\(output.name.printable)\": \(output.type.name) has no name in the "
                        + "protocol")
            }
            var members: [JSON.Member] = [
                .init("name", .string(output.name)), .init("datatype", .string(type)),
                .init("shape", .array(output.shape.map { .int($0) })),
            ]
            if want.isBinary {
                isBinary = true
                members.append(
                    .init("parameters", ["binary_data_size": .int(output.bytes.count)]))
                tail += output.bytes
            } else {
                members.append(.init("data", TensorText.json(output.tensor)))
            }
            entries.append(.object(members))
        }
        var members: [JSON.Member] = [
            .init("model_name", .string(model)), .init("model_version", .string(version)),
        ]
        if let id = request.id { members.append(.init("id", .string(id))) }
        members.append(.init("outputs", .array(entries)))
        let header = Bytes(JSON.object(members).line.utf8)
        return Body(bytes: header + tail, headerCount: isBinary ? header.count : nil)
    }
}
