public import Core
internal import Digest

extension Session {
    /// Computes some items, batch by batch; the last batch is filled up by repeating its last item,
    /// which changes no other's bits.
    ///
    /// - Parameters:
    ///   - inputs: values for all items.
    ///   - items: which to compute.
    /// - Returns: the outputs in the plan's order, for these items.
    public func run(
        _ inputs: [Tensor], items: Range<Int>,
        advance: (Double) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> [Tensor] {
        guard plan.isByItem else { return try run(inputs, advance: advance) }
        let batch = plan.itemCount
        var parts: [[Tensor]] = plan.outputs.map { _ in [] }
        for first in Swift.stride(from: items.lowerBound, to: items.upperBound, by: batch) {
            let count = min(batch, items.upperBound - first)
            let values = inputs.map { input in
                let part = input.items(first..<(first + count))
                if count == batch { return part }
                let last = part.items((count - 1)..<count)
                return Tensor(
                    stacking: [part] + Array(repeating: last, count: batch - count))
            }
            let done = Double(first - items.lowerBound) / Double(items.count)
            let share = Double(count) / Double(items.count)
            let outputs = try run(values) { (part) throws(Failure) in
                try advance(done + share * part)
            }
            for index in outputs.indices { parts[index].append(outputs[index].items(0..<count)) }
        }
        return parts.map { $0.count == 1 ? $0[0] : Tensor(stacking: $0) }
    }
}

/// The units of an inference's digest.
public enum InferenceLeaves {
    /// One leaf for each output of each item, items slowest: `item/N/NAME`, N counting from
    /// `firstItem`.
    ///
    /// - Parameters:
    ///   - outputs: tensors whose first axis is the item, or with `isByItem` false, whole tensors
    ///     that make one item.
    public static func leaves(
        _ outputs: [(name: String, tensor: Tensor)], isByItem: Bool, firstItem: Int = 0
    ) -> [Leaf] {
        let count = isByItem ? outputs.first?.tensor.shape.first ?? 0 : 1
        var leaves: [Leaf] = []
        for item in 0..<count {
            for (name, tensor) in outputs {
                var tensor = tensor
                if isByItem {
                    tensor = tensor.items(item..<(item + 1))
                    tensor = tensor.reshaped(Array(tensor.shape.dropFirst()))
                }
                leaves.append(
                    Leaf(
                        index: leaves.count, name: "item/\(firstItem + item)/\(name)",
                        bytes: bytes(tensor)))
            }
        }
        return leaves
    }

    /// Element type (ONNX's number), number of axes, each axis: 8 bytes little-endian each; then
    /// the elements, little-endian.
    package static func bytes(_ tensor: Tensor) -> Bytes {
        let header = [Int(tensor.type.rawValue), tensor.shape.count] + tensor.shape
        return header.flatMap { UInt64($0).littleEndianBytes } + tensor.bytes
    }

    /// Reads a leaf's bytes.
    ///
    /// - Throws: ``Failure`` `malformed` when they are not a tensor's.
    public static func tensor(_ bytes: Bytes) throws(Failure) -> Tensor {
        func number(_ index: Int) throws(Failure) -> Int {
            guard bytes.count >= 8 * (index + 1) else { throw broken }
            let value = bytes[(8 * index)..<(8 * index + 8)].reversed().reduce(UInt64(0)) {
                $0 << 8 | UInt64($1)
            }
            guard let number = Int(exactly: value) else { throw broken }
            return number
        }
        let rank = try number(1)
        guard let type = UInt8(exactly: try number(0)).flatMap(ElementType.init),
            (0...Shape.rankMax).contains(rank)
        else { throw broken }
        var shape: [Int] = []
        for axis in 0..<rank { shape.append(try number(2 + axis)) }
        shape = try Shape.checked(shape)
        let start = 8 * (2 + rank)
        guard bytes.count - start == shape.elementCount * type.byteCount else { throw broken }
        return bytes.withUnsafeBytes {
            Tensor(type: type, shape: shape, bytes: UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
    }

    private static let broken = Failure(.malformed, "a leaf of inference: a tensor expected")
}
