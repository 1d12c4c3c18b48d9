public import Core
public import Inference

/// A model under the name that clients know it by.
public struct ServedModel: Sendable {
    /// The only version there is.
    public static let version = "1"
    static let platform = "rigor_onnx"

    public let name: String
    let model: Model
    /// Whether the model may draw random numbers: asked for by every request.
    private let draws: Bool

    /// - Throws: ``Failure`` where the name is none for a path, or an input none that the protocol
    ///   can bring.
    public init(_ model: Model, name: String) throws(Failure) {
        let isPlain = name.utf8.allSatisfy { byte in
            let scalar = Unicode.Scalar(byte)
            return scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "._-".unicodeScalars.contains(scalar))
        }
        guard isPlain, (1...128).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw Failure(
                .malformed,
                "model name \"\(name.printable)\": letters, digits, \"_\", \"-\" and \".\" expected"
            )
        }
        for input in model.inputs {
            guard input.kind == .tensor, WireType.name(input.type) != nil else {
                throw Failure(
                    .unsupported,
                    "\(name): input \(input.text): a tensor of a type that the protocol names "
                        + "expected")
            }
        }
        self.model = model
        draws = model.draws
        self.name = name
    }

    /// Whether the first axis of all inputs is open: then it may be one of items. Where random
    /// numbers are drawn, those of an item depend on its place.
    var mayBatch: Bool {
        !draws && !model.inputs.isEmpty
            && model.inputs.allSatisfy { $0.isRanked && !$0.shape.isEmpty && $0.shape[0] == nil }
    }

    /// How many items a request brings; nil where it cannot be cut into items.
    func itemCount(_ request: InferRequest) -> Int? {
        guard mayBatch, let items = request.inputs.first?.shape.first, items > 0,
            request.inputs.allSatisfy({ $0.shape.first == items })
        else { return nil }
        return items
    }

    /// A request with its inputs in the model's order.
    ///
    /// - Throws: ``Failure`` naming what does not fit the model, and what was expected.
    func checked(_ request: InferRequest) throws(Failure) -> InferRequest {
        for value in request.inputs where !model.inputs.contains(where: { $0.name == value.name }) {
            let all = model.inputs.map(\.text).joined(separator: "; ")
            throw Failure(
                .malformed, "the model has no input \"\(value.name.printable)\"; it has \(all)")
        }
        var ordered = request
        ordered.inputs = []
        for input in model.inputs {
            guard let value = request.inputs.first(where: { $0.name == input.name }) else {
                throw Failure(.missing, "input \(input.text): no value is given for it")
            }
            let fits =
                value.type == input.type
                && (!input.isRanked
                    || (value.shape.count == input.shape.count
                        && zip(value.shape, input.shape).allSatisfy { $1 == nil || $0 == $1 }))
            guard fits else {
                throw Failure(
                    .malformed,
                    "input \"\(input.name.printable)\": \(value.type.name) \(value.shape) is "
                        + "given; \(input.text) expected")
            }
            ordered.inputs.append(value)
        }
        for output in request.outputs ?? [] where !model.outputs.contains(output.name) {
            let all = model.outputs.map(\.printable).joined(separator: ", ")
            throw Failure(
                .malformed, "the model has no output \"\(output.name.printable)\"; it has \(all)")
        }
        return ordered
    }

    /// What the protocol tells of a model; -1 is an open axis.
    public var metadata: JSON {
        func tensor(_ name: String, _ port: Model.Input?) -> JSON {
            let shape = port.flatMap { $0.isRanked ? $0.shape.map { $0 ?? -1 } : nil } ?? [-1]
            return [
                "name": .string(name),
                "datatype": .string(port.flatMap { WireType.name($0.type) } ?? "FP32"),
                "shape": .array(shape.map { .int($0) }),
            ]
        }
        return [
            "name": .string(name), "versions": [.string(Self.version)],
            "platform": .string(Self.platform),
            "inputs": .array(model.inputs.map { tensor($0.name, $0) }),
            "outputs": .array(model.outputs.map { tensor($0, model.outputTypes[$0]) }),
        ]
    }
}
