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

    /// Bytes of the outputs that a request asks for as JSON.
    public func textBytes(for request: InferRequest) -> Int {
        let isAsked = Dictionary(
            uniqueKeysWithValues: (request.outputs ?? []).map { ($0.name, !$0.isBinary) })
        return outputs.reduce(0) { sum, output in
            let isText = request.outputs == nil ? !request.isBinary : isAsked[output.name] ?? false
            return isText ? sum + output.bytes.count : sum
        }
    }

    /// The body that answers a request: the outputs it asks for, in its order.
    ///
    /// - Parameter bytesMax: of the body.
    /// - Throws: ``Failure`` naming an output that the protocol has no type for, or with code
    ///   `limit` where the body would be longer.
    public func body(
        for request: InferRequest, bytesMax: Int = .max
    ) throws(Failure) -> Body {
        let wanted = try wanted(by: request)
        let tailCount = wanted.reduce(0) { $0 + ($1.isBinary ? $1.output.bytes.count : 0) }
        let tooLong = Failure(
            .limit,
            "an answer of more than \(bytesMax) bytes; fewer outputs, or outputs as binary data "
                + "expected")
        guard tailCount <= bytesMax else { throw tooLong }
        var members: [JSON.Member] = [
            .init("model_name", .string(model)), .init("model_version", .string(version)),
        ]
        if let id = request.id { members.append(.init("id", .string(id))) }
        var bytes = Bytes(JSON.object(members).line.utf8.dropLast())
        bytes += ",\"outputs\":[".utf8
        for (index, want) in wanted.enumerated() {
            let output = want.output
            var members: [JSON.Member] = [
                .init("name", .string(output.name)), .init("datatype", .string(want.type)),
                .init("shape", .array(output.shape.map { .int($0) })),
            ]
            if want.isBinary {
                members.append(
                    .init("parameters", ["binary_data_size": .int(output.bytes.count)]))
            }
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += JSON.object(members).line.utf8.dropLast()
            if !want.isBinary {
                bytes += ",\"data\":".utf8
                guard TensorText.write(output, into: &bytes, bytesMax: bytesMax - tailCount) else {
                    throw tooLong
                }
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes += "]}".utf8
        guard bytes.count <= bytesMax - tailCount else { throw tooLong }
        let headerCount = bytes.count
        for want in wanted where want.isBinary { bytes += want.output.bytes }
        return Body(
            bytes: bytes, headerCount: wanted.contains(where: \.isBinary) ? headerCount : nil)
    }

    /// An output that is asked for, and its type's name.
    private typealias Wanted = (output: Output, type: String, isBinary: Bool)

    private func wanted(by request: InferRequest) throws(Failure) -> [Wanted] {
        let wanted =
            request.outputs
            ?? outputs.map { .init(name: $0.name, isBinary: request.isBinary) }
        var found: [Wanted] = []
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
            found.append((output, type, want.isBinary))
        }
        return found
    }
}
