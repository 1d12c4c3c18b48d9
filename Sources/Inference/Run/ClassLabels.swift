public import Core
internal import Files

/// Names of a classifier's classes, and the best of them.
public enum ClassLabels {
    /// One class of one item.
    public struct Score: Hashable, Sendable {
        public var index: Int
        public var label: String
        /// The shortest decimal that is this number of its type, or `nan`, `inf`, `-inf`.
        public var score: String

        public var json: JSON {
            ["index": .int(index), "label": .string(label), "score": number]
        }

        /// JSON has no numbers for what is not finite: they are told as Protocol Buffers do.
        private var number: JSON {
            switch score {
            case "nan": .string("NaN")
            case "inf": .string("Infinity")
            case "-inf": .string("-Infinity")
            default: .decimal(score)
            }
        }
    }

    /// One name a line; at most 1 MiB.
    ///
    /// - Throws: ``Failure`` when the file cannot be read.
    public static func read(_ path: String) throws(Failure) -> [String] {
        parse(Bytes(try FileBytes.read(path, byteCountMax: 1 << 20)))
    }

    /// Holds names against the scores they are for: names of other classes would be taken for true.
    ///
    /// - Throws: ``Failure`` naming the file and how many were expected.
    public static func check(
        _ names: [String], from path: String, for tensor: Tensor
    ) throws(Failure) {
        let classes = tensor.shape.dropFirst().reduce(1, *)
        guard names.count == classes else {
            throw Failure(
                .malformed,
                "\(path): \(names.count) names; \(classes) expected, one for each class of the "
                    + "first output")
        }
    }

    /// One name a line.
    public static func parse(_ text: Bytes) -> [String] {
        var lines = String(decoding: text, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// The `count` greatest of each item, greatest first; ties go to the lower index, NaN comes
    /// last.
    ///
    /// - Parameter tensor: items along the first axis; scores of any further shape.
    public static func best(_ count: Int, of tensor: Tensor, labels: [String]?) -> [[Score]] {
        let items = tensor.shape.first ?? 1
        guard items > 0 else { return [] }
        let each = tensor.count / items
        func best<T: Comparable & CustomStringConvertible>(_ scores: [T]) -> [[Score]] {
            (0..<items).map { item in
                let row = scores[(item * each)..<((item + 1) * each)]
                return greatest(count, of: Array(row)).map { index in
                    let label = labels.flatMap { $0.indices.contains(index) ? $0[index] : nil }
                    return Score(
                        index: index, label: label ?? String(index),
                        score: row[row.startIndex + index].description)
                }
            }
        }
        return switch tensor.elements {
        case .floats(let values): best(values)
        case .doubles(let values): best(values)
        case .integers(let values):
            tensor.type == .uint64 ? best(values.map { UInt64(bitPattern: $0) }) : best(values)
        }
    }

    /// Indices of the `count` greatest, greatest first.
    private static func greatest<T: Comparable>(_ count: Int, of row: [T]) -> ArraySlice<Int> {
        // A NaN is the one value that does not equal itself.
        let order = row.indices.sorted { a, b in
            let (x, y) = (row[a], row[b])
            if (x == x) != (y == y) { return x == x }
            return x == x && x != y ? x > y : a < b
        }
        return order.prefix(count)
    }
}
