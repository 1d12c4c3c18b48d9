public import Core
public import Inference

/// A request of the Open Inference Protocol, as it came: tensors as bytes, to be joined with
/// others'.
public struct InferRequest: Hashable, Sendable {
    /// A tensor by name, its elements little-endian and row-major.
    public struct Input: Hashable, Sendable {
        public var name: String
        public var type: ElementType
        public var shape: [Int]
        public var bytes: Bytes
    }

    /// An output that is asked for.
    public struct Output: Hashable, Sendable {
        public var name: String
        public var isBinary: Bool

        public init(name: String, isBinary: Bool) {
            self.name = name
            self.isBinary = isBinary
        }
    }

    /// What the client calls it; given back.
    public var id: String?
    public var inputs: [Input]
    /// Nil: all.
    public var outputs: [Output]?
    /// Whether outputs that are not named come as bytes.
    public var isBinary = false
    /// Of the random numbers that the model draws.
    public var seed: UInt64 = 0

    private static let axesMax = 8
    private static let tensorsMax = 256
    private static let elementsMax = 1 << 31 - 1

    /// Reads a request's body.
    ///
    /// - Parameter headerCount: bytes of JSON at its start, before tensors as bytes; nil where all
    ///   of it is JSON.
    /// - Throws: ``Failure`` naming the tensor and what was expected.
    public init(decoding body: Bytes, headerCount: Int? = nil) throws(Failure) {
        let headerCount = headerCount ?? body.count
        guard (0...body.count).contains(headerCount) else {
            throw Failure(
                .malformed,
                "Inference-Header-Content-Length: \(headerCount); at most the body's "
                    + "\(body.count) bytes expected")
        }
        let root = try JSONReader.document(body, 0..<headerCount)
        guard case .object = root else { throw Failure(.malformed, "an object expected") }
        id = try Self.text(root, "id", "request")
        let parameters = try Self.parameters(root, "request")
        for name in ["sequence_id", "sequence_start", "sequence_end"] {
            switch parameters[name] {
            case nil, .null, .int(0), .bool(false), .string(""): break
            default:
                throw Failure(
                    .unsupported,
                    "parameter \(name): no state is kept here; state as inputs and outputs expected"
                )
            }
        }
        isBinary = try Self.flag(parameters, "binary_data_output", "request") ?? false
        switch parameters["seed"] {
        case nil, .null?: break
        case .int(let number)? where number >= 0: seed = UInt64(number)
        default:
            throw Failure(
                .malformed, "parameter seed: a whole number from 0 to \(Int.max) expected")
        }
        inputs = []
        var next = headerCount
        for entry in try Self.list(root, "inputs") ?? [] {
            let input = try Self.input(entry, body, &next)
            guard !inputs.contains(where: { $0.name == input.name }) else {
                throw Failure(.malformed, "input \"\(input.name.printable)\" is given twice")
            }
            inputs.append(input)
        }
        guard next == body.count else {
            throw Failure(
                .malformed,
                "\(body.count - headerCount) bytes after the JSON; \(next - headerCount) expected "
                    + "by the inputs' binary_data_size")
        }
        // An empty list asks for all, as no list does.
        if let list = try Self.list(root, "outputs"), !list.isEmpty {
            outputs = try Self.outputs(list, isBinary)
        }
    }

    // MARK: Parts

    private static func list(
        _ root: JSONValue, _ name: String
    ) throws(Failure) -> [JSONValue]? {
        switch root[name] {
        case nil, .null: return nil
        case .array(let list)? where list.count <= tensorsMax: return list
        case .array: throw Failure(.limit, "\(name): more than \(tensorsMax)")
        default: throw Failure(.malformed, "\(name): an array expected")
        }
    }

    private static func text(
        _ value: JSONValue, _ key: String, _ place: String
    ) throws(Failure) -> String? {
        switch value[key] {
        case nil, .null: return nil
        case .string(let text)?: return text
        default: throw Failure(.malformed, "\(place): \(key): text expected")
        }
    }

    private static func parameters(
        _ value: JSONValue, _ place: String
    ) throws(Failure) -> [String: JSONValue] {
        switch value["parameters"] {
        case nil, .null: return [:]
        case .object(let members)?: return members
        default: throw Failure(.malformed, "\(place): parameters: an object expected")
        }
    }

    private static func flag(
        _ parameters: [String: JSONValue], _ name: String, _ place: String
    ) throws(Failure) -> Bool? {
        switch parameters[name] {
        case nil, .null: return nil
        case .bool(let flag)?: return flag
        default: throw Failure(.malformed, "\(place): \(name): true or false expected")
        }
    }

    private static func checkNoSharedMemory(
        _ parameters: [String: JSONValue], _ place: String
    ) throws(Failure) {
        guard parameters["shared_memory_region"] == nil else {
            throw Failure(
                .unsupported, "\(place): shared memory is not supported; data expected")
        }
    }

    // MARK: Inputs

    private static func input(
        _ entry: JSONValue, _ body: Bytes, _ next: inout Int
    ) throws(Failure) -> Input {
        guard let name = try text(entry, "name", "input"), !name.isEmpty else {
            throw Failure(.malformed, "an input without a name")
        }
        let place = "input \"\(name.printable)\""
        do throws(Failure) {
            guard let typeName = try text(entry, "datatype", "input") else {
                throw Failure(.malformed, "datatype expected")
            }
            let type = try WireType.type(typeName)
            let shape = try shape(entry)
            let parameters = try parameters(entry, "input")
            try checkNoSharedMemory(parameters, "input")
            let bytes: Bytes
            switch (parameters["binary_data_size"], entry["data"]) {
            case (nil, .span(let span)?):
                bytes = try TensorText.bytes(body, span, type, shape)
            case (.int(let size)?, nil):
                bytes = try binary(body, &next, size, type, shape)
            case (_?, nil): throw Failure(.malformed, "binary_data_size: a whole number expected")
            case (_?, _?):
                throw Failure(.malformed, "data or binary_data_size expected, not both")
            default: throw Failure(.malformed, "data: an array expected")
            }
            return Input(name: name, type: type, shape: shape, bytes: bytes)
        } catch {
            throw error.at(place)
        }
    }

    private static func shape(_ entry: JSONValue) throws(Failure) -> [Int] {
        guard case .array(let axes)? = entry["shape"] else {
            throw Failure(.malformed, "shape: an array expected")
        }
        guard axes.count <= axesMax else {
            throw Failure(.limit, "shape: \(axes.count) axes; at most \(axesMax) expected")
        }
        var shape: [Int] = []
        var count = 1
        for axis in axes {
            guard case .int(let size) = axis, size >= 0 else {
                throw Failure(.malformed, "shape: whole numbers from 0 expected")
            }
            shape.append(size)
            let (product, isOver) = count.multipliedReportingOverflow(by: max(size, 1))
            guard !isOver, product <= elementsMax else {
                throw Failure(.limit, "shape: more than \(elementsMax) elements")
            }
            count = product
        }
        return shape
    }

    private static func binary(
        _ body: Bytes, _ next: inout Int, _ size: Int, _ type: ElementType, _ shape: [Int]
    ) throws(Failure) -> Bytes {
        let expected = shape.elementCount * type.byteCount
        guard size == expected else {
            throw Failure(
                .malformed,
                "binary_data_size \(size); \(expected) expected by datatype and shape")
        }
        guard size <= body.count - next else {
            throw Failure(
                .malformed,
                "\(body.count - next) bytes are left of the body; \(size) expected")
        }
        let bytes = Bytes(body[next..<(next + size)])
        next += size
        guard type != .bool || bytes.allSatisfy({ $0 <= 1 }) else {
            throw Failure(.malformed, "BOOL: bytes of 0 or 1 expected")
        }
        return bytes
    }

    // MARK: Outputs

    private static func outputs(
        _ list: [JSONValue], _ isBinary: Bool
    ) throws(Failure) -> [Output] {
        var outputs: [Output] = []
        for entry in list {
            guard let name = try text(entry, "name", "output") else {
                throw Failure(.malformed, "an output without a name")
            }
            let place = "output \"\(name.printable)\""
            guard !outputs.contains(where: { $0.name == name }) else {
                throw Failure(.malformed, "\(place) is asked for twice")
            }
            let parameters = try parameters(entry, place)
            try checkNoSharedMemory(parameters, place)
            switch parameters["classification"] {
            case nil, .null, .int(0): break
            default:
                throw Failure(
                    .unsupported,
                    "\(place): classification is not supported; scores are sorted by the client")
            }
            let own = try flag(parameters, "binary_data", place)
            outputs.append(Output(name: name, isBinary: own ?? isBinary))
        }
        return outputs
    }
}
