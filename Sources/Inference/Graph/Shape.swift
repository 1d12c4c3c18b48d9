internal import Core

extension [Int] {
    /// The product of a shape's axes; 1 for a scalar.
    ///
    /// - Precondition: the shape passed ``Shape/checked(_:)`` or comes from shapes that did.
    public var elementCount: Int { reduce(1, *) }

    /// As messages show it: `[1, 3, 224, 224]`.
    package var text: String { "[" + map(String.init).joined(separator: ", ") + "]" }

    /// Elements from one index to the next along each axis, row-major.
    package var strides: [Int] {
        var strides = Array(repeating: 1, count: count)
        for axis in stride(from: count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * self[axis + 1]
        }
        return strides
    }
}

/// Limits on shapes, so that sums of sizes never overflow and kernels can count in 32 bits.
enum Shape {
    static let rankMax = 8
    static let elementCountMax = 1 << 31 - 1

    /// The shape, when no axis is negative and the number of elements is within limits.
    static func checked(_ shape: [Int]) throws(Failure) -> [Int] {
        guard shape.count <= rankMax else {
            throw Failure(.limit, "a tensor has \(shape.count) axes; at most \(rankMax) expected")
        }
        guard shape.allSatisfy({ $0 >= 0 }) else {
            throw Failure(.malformed, "shape \(shape.text) has a negative axis")
        }
        var count = 1
        for axis in shape where axis != 0 {
            let (product, overflow) = count.multipliedReportingOverflow(by: axis)
            guard !overflow, product <= elementCountMax else {
                throw Failure(
                    .limit, "shape \(shape.text) has too many elements; at most 2^31-1 expected")
            }
            count = product
        }
        return shape
    }
}
