internal import Core

/// Holds what a model gave against what was expected, by the rules of onnx's own test runner:
/// types and shapes are equal, floating-point numbers within a tolerance; NaN equals NaN, and
/// infinities are equal or not. Integers and booleans are equal here, where the runner allows them
/// the tolerance too.
public struct Comparison: Hashable, Sendable {
    /// Part of the expected number's magnitude by which one may miss it.
    public var relative = 1e-3
    /// By how much one may miss any number, beside that part.
    public var absolute = 1e-7
    /// Whether numbers are random: then types and shapes are compared.
    public var isDrawn = false
    /// Whether random is only which numbers are 0: then those are compared, too, that are 0 in
    /// neither.
    public var drawsZeros = false

    /// With the suite's own tolerance.
    public init() {}

    /// bfloat16 has eight bits: the runner allows two units in their last place.
    private static let bfloat16 = 16
    private static let bfloat16Relative = 0x1p-6

    /// What differs, in one line; nil where all is as expected.
    ///
    /// - Parameter names: how messages call the values, in their order.
    public func difference(
        of found: [ModelValue], from expected: [ModelValue], names: [String]
    ) -> String? {
        guard found.count == expected.count, names.count == expected.count else {
            return "\(found.count) outputs; \(expected.count) expected"
        }
        for index in expected.indices {
            if let difference = difference(of: found[index], from: expected[index]) {
                return "output \"\(names[index].printable)\": \(difference)"
            }
        }
        return nil
    }

    private func difference(of found: ModelValue, from expected: ModelValue) -> String? {
        switch (found, expected) {
        case (.tensor(let a), .tensor(let b)): return difference(of: a, from: b)
        case (.absent, .absent): return nil
        case (.sequence(let a), .sequence(let b)):
            guard a.count == b.count else {
                return "a sequence of \(a.count) tensors; \(b.count) expected"
            }
            for index in b.indices {
                if let difference = difference(of: a[index], from: b[index]) {
                    return "tensor \(index): \(difference)"
                }
            }
            return nil
        default: return "\(found.kind); \(expected.kind) expected"
        }
    }

    private func difference(of found: Tensor, from expected: Tensor) -> String? {
        guard found.type == expected.type else {
            return "\(found.type.name); \(expected.type.name) expected"
        }
        guard found.shape == expected.shape else {
            return "shape \(found.shape.text); \(expected.shape.text) expected"
        }
        guard !isDrawn || drawsZeros else { return nil }
        switch (found.elements, expected.elements) {
        case (.floats(let a), .floats(let b)):
            return numbers(a, b, in: expected)
        case (.integers(let a), .integers(let b)):
            // Large neighbours are one number as doubles.
            return worst(of: a, b, in: expected.shape) { a, b in
                if a == b || isDrawn && (a == 0 || b == 0) { return 0 }
                return max(1, (Double(a) - Double(b)).magnitude)
            }
        case (.doubles(let a), .doubles(let b)): return numbers(a, b, in: expected)
        default: return "elements of another kind"
        }
    }

    private func numbers<T: BinaryFloatingPoint>(
        _ found: [T], _ expected: [T], in tensor: Tensor
    ) -> String? {
        let isShort = Int(tensor.type.rawValue) == Self.bfloat16
        let relative = isShort ? max(relative, Self.bfloat16Relative) : relative
        return worst(of: found, expected, in: tensor.shape) { a, b in
            if a == b || a.isNaN && b.isNaN || isDrawn && (a == 0 || b == 0) { return 0 }
            guard a.isFinite, b.isFinite else { return .infinity }
            let difference = Double(a) - Double(b)
            return difference.magnitude <= absolute + relative * Double(b.magnitude)
                ? 0 : difference
        }
    }

    /// The element that misses what was expected by most, as text.
    ///
    /// - Parameter miss: by how much one misses another; 0 where it is as expected.
    private func worst<T>(
        of found: [T], _ expected: [T], in shape: [Int], miss: (T, T) -> Double
    ) -> String? {
        var count = 0
        var worst = (index: 0, miss: -1.0)
        for index in expected.indices {
            let miss = miss(found[index], expected[index]).magnitude
            guard miss != 0 else { continue }
            count += 1
            if miss > worst.miss { worst = (index, miss) }
        }
        guard count > 0 else { return nil }
        let place = zip(shape.strides, shape).map { worst.index / $0 % $1 }
        return "element \(place.text) is \(found[worst.index]); \(expected[worst.index]) expected; "
            + "\(count) of \(expected.count) differ, this one most"
    }
}

extension ModelValue {
    /// As messages name it.
    fileprivate var kind: String {
        switch self {
        case .tensor: "a tensor"
        case .sequence: "a sequence"
        case .absent: "an absent optional"
        }
    }
}
