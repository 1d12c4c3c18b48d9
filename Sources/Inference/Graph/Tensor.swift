public import Core

/// What a tensor's elements are. Raw values are ONNX's (`TensorProto.DataType`).
public enum ElementType: UInt8, Hashable, Sendable {
    case float32 = 1
    case uint8 = 2
    case int32 = 6
    case int64 = 7
    case bool = 9

    public var byteCount: Int {
        switch self {
        case .float32, .int32: 4
        case .uint8, .bool: 1
        case .int64: 8
        }
    }

    /// As people and messages name it.
    public var name: String { "\(self)" }

    /// The OpenCL C type of its elements in device memory.
    var kernelType: String {
        switch self {
        case .float32: "float"
        case .int32: "int"
        case .int64: "long"
        case .uint8, .bool: "uchar"
        }
    }

    /// The OpenCL C type to move its elements with: equal sizes share one program.
    var moveType: String {
        switch byteCount {
        case 1: "uchar"
        case 4: "uint"
        default: "ulong"
        }
    }
}

/// A tensor on the host, row-major.
public struct Tensor: Hashable, Sendable {
    /// The elements. Integers and booleans of every width are held as Int64.
    public enum Elements: Hashable, Sendable {
        case floats([Float])
        case integers([Int64])
    }

    public let type: ElementType
    public let shape: [Int]
    public let elements: Elements

    /// - Precondition: as many floats as the shape has elements.
    public init(_ floats: [Float], shape: [Int]) {
        precondition(floats.count == shape.elementCount, "the shape's number of floats")
        type = .float32
        self.shape = shape
        elements = .floats(floats)
    }

    /// Wraps each value to the type's width.
    ///
    /// - Precondition: `type` is no float, and there are as many values as the shape has elements.
    public init(_ integers: [Int64], type: ElementType, shape: [Int]) {
        precondition(type != .float32 && integers.count == shape.elementCount, "integers by shape")
        self.type = type
        self.shape = shape
        switch type {
        case .int64: elements = .integers(integers)
        case .int32:
            elements = .integers(integers.map { Int64(Int32(truncatingIfNeeded: $0)) })
        default: elements = .integers(integers.map { Int64(UInt8(truncatingIfNeeded: $0)) })
        }
    }

    /// The same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        switch elements {
        case .floats(let values): Tensor(values, shape: shape)
        case .integers(let values): Tensor(values, type: type, shape: shape)
        }
    }

    public var count: Int { shape.elementCount }

    public var floats: [Float]? {
        if case .floats(let values) = elements { values } else { nil }
    }

    public var integers: [Int64]? {
        if case .integers(let values) = elements { values } else { nil }
    }

    /// The elements as they lie in device memory, in `.npy` files and in leaves: little-endian.
    public var bytes: Bytes {
        switch (elements, type) {
        case (.floats(let values), _): values.withUnsafeBytes { Bytes($0) }
        case (.integers(let values), .int64): values.withUnsafeBytes { Bytes($0) }
        case (.integers(let values), .int32):
            values.map { Int32(truncatingIfNeeded: $0) }.withUnsafeBytes { Bytes($0) }
        case (.integers(let values), _): values.map { UInt8(truncatingIfNeeded: $0) }
        }
    }

    /// Gives `body` what ``bytes`` holds, without a copy where the elements are held so anyway.
    func withBytes(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let held: Result<Void, Failure>
        switch (elements, type) {
        case (.floats(let values), _):
            held = values.withUnsafeBytes { bytes in
                Result { () throws(Failure) in try body(bytes) }
            }
        default:
            held = bytes.withUnsafeBytes { bytes in
                Result { () throws(Failure) in try body(bytes) }
            }
        }
        try held.get()
    }

    /// Reads elements as they lie in device memory.
    ///
    /// - Precondition: `bytes` has the size that type and shape say.
    public init(type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
        let count = shape.elementCount
        precondition(bytes.count == count * type.byteCount, "as many bytes as the shape says")
        switch type {
        case .float32:
            self.init(
                [Float](unsafeUninitializedCapacity: count) { storage, initialized in
                    UnsafeMutableRawBufferPointer(storage).copyMemory(from: bytes)
                    initialized = count
                }, shape: shape)
        case .int64:
            self.init(bytes.elements(Int64.self), type: type, shape: shape)
        case .int32:
            self.init(bytes.elements(Int32.self).map(Int64.init), type: type, shape: shape)
        case .uint8, .bool:
            self.init(bytes.map(Int64.init), type: type, shape: shape)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as little-endian values, wherever they lie.
    func elements<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [T] {
        let size = MemoryLayout<T>.size
        return (0..<count / size).map {
            T(littleEndian: loadUnaligned(fromByteOffset: $0 * size, as: T.self))
        }
    }
}

extension [Int] {
    /// The product of a shape's axes; 1 for a scalar.
    ///
    /// - Precondition: the shape passed ``Shape/checked(_:)`` or comes from shapes that did.
    public var elementCount: Int { reduce(1, *) }

    /// As messages show it: `[1, 3, 224, 224]`.
    var text: String { "[" + map(String.init).joined(separator: ", ") + "]" }

    /// Elements from one index to the next along each axis, row-major.
    var strides: [Int] {
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
