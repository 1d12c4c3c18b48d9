internal import Core

/// Axes of an elementwise operation, merged as far as all operands allow.
struct Broadcast {
    /// The result's axes after merging.
    var axes: [Int]
    /// Elements from one index to the next, per operand; 0 along an axis that is repeated.
    var strides: [[Int]]
    /// The result's shape before merging.
    var shape: [Int]

    /// Lines shapes up at their last axis; axes of 1 are repeated.
    ///
    /// - Throws: ``Failure`` when two axes differ and neither is 1.
    init(_ shapes: [[Int]]) throws(Failure) {
        let rank = shapes.map(\.count).max() ?? 0
        let padded = shapes.map { Array(repeating: 1, count: rank - $0.count) + $0 }
        shape = try (0..<rank).map { axis throws(Failure) in
            let sizes = Set(padded.map { $0[axis] }).subtracting([1])
            guard sizes.count <= 1 else {
                throw Failure(
                    .malformed,
                    "shapes \(shapes.map(\.text).joined(separator: " and ")) do not broadcast")
            }
            return sizes.first ?? 1
        }
        axes = shape
        strides = padded.map { operand in
            zip(operand, operand.strides).map { $0 == 1 ? 0 : $1 }
        }
        merge()
    }

    /// A strided view on one operand.
    init(axes: [Int], strides: [Int]) {
        self.axes = axes
        self.strides = [strides]
        shape = axes
        merge()
    }

    private mutating func merge() {
        var merged: [Int] = []
        var mergedStrides = strides.map { _ in [Int]() }
        for axis in axes.indices where axes[axis] != 1 {
            let last = merged.count - 1
            let joins =
                last >= 0
                && strides.indices.allSatisfy {
                    mergedStrides[$0][last] == strides[$0][axis] * axes[axis]
                }
            if joins {
                merged[last] *= axes[axis]
                for operand in strides.indices {
                    mergedStrides[operand][last] = strides[operand][axis]
                }
            } else {
                merged.append(axes[axis])
                for operand in strides.indices {
                    mergedStrides[operand].append(strides[operand][axis])
                }
            }
        }
        axes = merged
        strides = mergedStrides
    }
}
