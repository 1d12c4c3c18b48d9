public import Core
internal import Digest
public import Foundation

/// The hash of every value of a model that a device computed, in their order, and of those outputs
/// that the host did: two devices that do not agree part at the first entry that differs.
///
/// Names are those of the rewritten graph: what was folded into another operator has none.
public struct ModelTrace: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var output: Step.Output
        /// Of the value's leaf: type, shape and elements.
        public var hash: Hash256
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public mutating func append(_ output: Step.Output, _ tensor: Tensor) {
        entries.append(.init(output: output, hash: SHA256.hash(InferenceLeaves.bytes(tensor))))
    }

    /// Traces a run.
    ///
    /// - Parameter seed: of the random numbers that the model draws.
    /// - Throws: ``Failure`` as ``ModelSession/run(_:trace:)``.
    public init(
        of session: ModelSession, _ inputs: [ModelValue], seed: UInt64 = 0
    ) throws(Failure) {
        var trace = ModelTrace()
        try Self.walk(session, inputs, seed: seed) { (output, tensor) throws(Failure) in
            trace.append(output, tensor)
        }
        self = trace
    }

    /// Gives `visit` what a trace of a run has, in its order.
    ///
    /// - Throws: ``Failure`` as ``ModelSession/run(_:trace:)``.
    public static func walk(
        _ session: ModelSession, _ inputs: [ModelValue], seed: UInt64 = 0,
        _ visit: @escaping (Step.Output, Tensor) throws(Failure) -> Void
    ) throws(Failure) {
        var seen: Set<String> = []
        let outputs = try session.run(inputs, seed: seed) { (output, tensor) throws(Failure) in
            seen.insert(output.name)
            try visit(output, tensor)
        }
        for (name, value) in zip(session.model.outputs, outputs) {
            guard case .tensor(let tensor) = value, seen.insert(name).inserted else { continue }
            try visit(.init(name: name, type: tensor.type, shape: tensor.shape), tensor)
        }
    }

    /// The first entry that differs, also where one trace ends before the other; nil where none
    /// does.
    public func firstDifference(from other: ModelTrace) -> Int? {
        let shared = min(entries.count, other.entries.count)
        if let index = (0..<shared).first(where: { entries[$0] != other.entries[$0] }) {
            return index
        }
        return entries.count == other.entries.count ? nil : shared
    }

    // MARK: As JSON

    private struct Document: Codable {
        struct Value: Codable {
            var name: String
            var type: String
            var shape: [Int]
            var hash: String
        }
        var format = 1
        var values: [Value]
    }

    public var json: JSON {
        [
            "format": .int(1),
            "values": .array(
                entries.map { entry in
                    [
                        "name": .string(entry.output.name),
                        "type": .string(entry.output.type.name),
                        "shape": .array(entry.output.shape.map { .int($0) }),
                        "hash": .hash(entry.hash),
                    ]
                }),
        ]
    }

    /// - Throws: ``Failure`` `malformed` when it is no trace.
    public init(decoding data: Data) throws(Failure) {
        let broken = Failure(.malformed, "a trace of a model expected, as infer --trace writes it")
        guard let document = try? JSONDecoder().decode(Document.self, from: data),
            document.format == 1
        else { throw broken }
        for value in document.values {
            let name = value.type
            guard let type = ElementType.allCases.first(where: { $0.name == name }),
                let hash = Hash256(hex: value.hash)
            else { throw broken }
            entries.append(
                .init(output: .init(name: value.name, type: type, shape: value.shape), hash: hash))
        }
    }
}

/// The first element in which two tensors of one type and shape differ.
public struct ElementDifference: Hashable, Sendable {
    public var place: [Int]
    /// How many elements differ.
    public var count: Int
    /// Both values, as text and as bits.
    public var first: String
    public var second: String

    /// nil where all are equal.
    public init?(_ a: Tensor, _ b: Tensor) {
        precondition(a.type == b.type && a.shape == b.shape, "tensors of one type and shape")
        let (left, right) = (a.bits, b.bits)
        let places = left.indices.filter { left[$0] != right[$0] }
        guard let at = places.first else { return nil }
        count = places.count
        place = zip(a.shape.strides, a.shape).map { at / $0 % $1 }
        (first, second) = (Self.text(a, at, left[at]), Self.text(b, at, right[at]))
    }

    private static func text(_ tensor: Tensor, _ at: Int, _ bits: UInt64) -> String {
        let value =
            switch tensor.elements {
            case .floats(let values): "\(values[at])"
            case .doubles(let values): "\(values[at])"
            case .integers(let values): "\(values[at])"
            }
        return "\(value) (0x\(String(bits, radix: 16)))"
    }
}
