internal import Compute
public import Core

/// A tensor on the host, row-major.
public struct Tensor: Hashable, Sendable {
    /// The elements. Floats narrower than float32 are held as the Float of the same value, integers
    /// and booleans of every width as Int64 (`uint64` as its bits).
    public enum Elements: Hashable, Sendable {
        case floats([Float])
        case doubles([Double])
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

    /// - Precondition: as many doubles as the shape has elements.
    public init(doubles: [Double], shape: [Int]) {
        precondition(doubles.count == shape.elementCount, "the shape's number of doubles")
        type = .double
        self.shape = shape
        elements = .doubles(doubles)
    }

    /// Rounds each value to the type.
    ///
    /// - Precondition: `type` is a float no wider than float32, and there are as many values as the
    ///   shape has elements.
    public init(_ floats: [Float], rounding type: ElementType, shape: [Int]) {
        precondition(type.isFloat && floats.count == shape.elementCount, "floats by shape")
        self.type = type
        self.shape = shape
        elements = .floats(type == .float32 ? floats : floats.map { NarrowFloat.round($0, type) })
    }

    /// Wraps each value to the type's width.
    ///
    /// - Precondition: `type` is no float, and there are as many values as the shape has elements.
    public init(_ integers: [Int64], type: ElementType, shape: [Int]) {
        precondition(type.isInteger && integers.count == shape.elementCount, "integers by shape")
        self.type = type
        self.shape = shape
        let isWide = type == .int64 || type == .uint64
        elements = .integers(isWide ? integers : integers.map(type.wrapped))
    }

    /// Values that the type has.
    init(_ floats: [Float], shape: [Int], as type: ElementType) {
        self.init(.floats(floats), type, shape)
    }

    private init(_ elements: Elements, _ type: ElementType, _ shape: [Int]) {
        self.type = type
        self.shape = shape
        self.elements = elements
    }

    /// The same elements in another shape.
    ///
    /// - Precondition: the shape has as many elements.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.elementCount == count, "as many elements")
        return Tensor(elements, type, shape)
    }

    public var count: Int { shape.elementCount }

    /// The values of a float type no wider than float32.
    public var floats: [Float]? {
        if case .floats(let values) = elements { values } else { nil }
    }

    public var doubles: [Double]? {
        if case .doubles(let values) = elements { values } else { nil }
    }

    public var integers: [Int64]? {
        if case .integers(let values) = elements { values } else { nil }
    }

    /// The elements as they lie in device memory, in `.npy` files and in leaves: little-endian.
    public var bytes: Bytes {
        switch (elements, type) {
        case (.doubles(let values), _): values.withUnsafeBytes { Bytes($0) }
        case (.floats(let values), .float32): values.withUnsafeBytes { Bytes($0) }
        case (.floats(let values), _):
            type.byteCount == 2
                ? values.map { UInt16(truncatingIfNeeded: NarrowFloat.bits($0, type)) }
                    .withUnsafeBytes { Bytes($0) }
                : values.map { UInt8(truncatingIfNeeded: NarrowFloat.bits($0, type)) }
        case (.integers(let values), _):
            switch type.byteCount {
            case 8: values.withUnsafeBytes { Bytes($0) }
            case 4: values.map { Int32(truncatingIfNeeded: $0) }.withUnsafeBytes { Bytes($0) }
            case 2: values.map { Int16(truncatingIfNeeded: $0) }.withUnsafeBytes { Bytes($0) }
            default: values.map { UInt8(truncatingIfNeeded: $0) }
            }
        }
    }

    /// Each element's bits, in the lowest places.
    var bits: [UInt64] {
        switch elements {
        case .doubles(let values): values.map(\.bitPattern)
        case .floats(let values):
            type == .float32
                ? values.map { UInt64($0.bitPattern) }
                : values.map { UInt64(NarrowFloat.bits($0, type)) }
        case .integers(let values): values.map { UInt64(bitPattern: $0) }
        }
    }

    /// Elements from their bits; of integers the lowest count.
    init(bits: [UInt64], type: ElementType, shape: [Int]) {
        switch type {
        case .double: self.init(doubles: bits.map { Double(bitPattern: $0) }, shape: shape)
        case .float32:
            self.init(
                bits.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }, shape: shape)
        default:
            if type.isFloat {
                let values = bits.map { NarrowFloat.value(UInt32(truncatingIfNeeded: $0), type) }
                self.init(.floats(values), type, shape)
            } else {
                self.init(bits.map { Int64(bitPattern: $0) }, type: type, shape: shape)
            }
        }
    }

    /// Gives `body` what ``bytes`` holds, without a copy where the elements are held so anyway.
    func withBytes(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let held: Result<Void, Failure>
        switch (elements, type) {
        case (.floats(let values), .float32):
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
        case .float32: self.init(Self.copied(bytes, count), shape: shape)
        case .double: self.init(doubles: Self.copied(bytes, count), shape: shape)
        case .float16, .bfloat16:
            let bits = bytes.elements(UInt16.self)
            self.init(.floats(bits.map { NarrowFloat.value(UInt32($0), type) }), type, shape)
        case .int8: self.init(.integers(Self.widened(bytes, Int8.self)), type, shape)
        case .uint8: self.init(.integers(Self.widened(bytes, UInt8.self)), type, shape)
        case .int16: self.init(.integers(Self.widened(bytes, Int16.self)), type, shape)
        case .uint16: self.init(.integers(Self.widened(bytes, UInt16.self)), type, shape)
        case .int32: self.init(.integers(Self.widened(bytes, Int32.self)), type, shape)
        case .uint32: self.init(.integers(Self.widened(bytes, UInt32.self)), type, shape)
        case .int64, .uint64: self.init(.integers(Self.copied(bytes, count)), type, shape)
        default:
            if type.isFloat {
                self.init(.floats(bytes.map { NarrowFloat.value(UInt32($0), type) }), type, shape)
            } else {
                self.init(bytes.map(Int64.init), type: type, shape: shape)
            }
        }
    }

    /// In one pass over memory: results of integer products are large.
    private static func widened<T: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ narrow: T.Type
    ) -> [Int64] {
        let count = bytes.count / MemoryLayout<T>.size
        return [Int64](unsafeUninitializedCapacity: count) { storage, initialized in
            for index in 0..<count {
                let value = bytes.loadUnaligned(
                    fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
                storage[index] = Int64(truncatingIfNeeded: value)
            }
            initialized = count
        }
    }

    private static func copied<T>(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> [T] {
        [T](unsafeUninitializedCapacity: count) { storage, initialized in
            UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(storage)[..<bytes.count]
            )
            .copyTogether(from: bytes)
            initialized = count
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
