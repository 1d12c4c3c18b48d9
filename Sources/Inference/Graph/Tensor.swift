internal import Compute
public import Core

/// A tensor on the host, row-major.
public struct Tensor: Hashable, Sendable {
    /// The elements, for computing. Floats narrower than float32 are the Float of the same value,
    /// integers and booleans of every width Int64 (`uint64` as its bits).
    public enum Elements: Hashable, Sendable {
        case floats([Float])
        case doubles([Double])
        case integers([Int64])
    }

    /// The elements, as they are held.
    private enum Storage: Hashable, Sendable {
        case floats(HostValues<Float>)
        case doubles([Double])
        /// Of 64 bits.
        case integers([Int64])
        /// Integers of fewer bits, as they lie in device memory.
        case narrow(HostValues<UInt8>)
    }

    public let type: ElementType
    public let shape: [Int]
    private let storage: Storage

    /// - Precondition: as many floats as the shape has elements.
    public init(_ floats: [Float], shape: [Int]) {
        precondition(floats.count == shape.elementCount, "the shape's number of floats")
        self.init(HostValues(floats), shape: shape)
    }

    /// - Precondition: as many floats as the shape has elements.
    init(_ floats: HostValues<Float>, shape: [Int]) {
        precondition(floats.count == shape.elementCount, "the shape's number of floats")
        self.init(.floats(floats), .float32, shape)
    }

    /// - Precondition: as many doubles as the shape has elements.
    public init(doubles: [Double], shape: [Int]) {
        precondition(doubles.count == shape.elementCount, "the shape's number of doubles")
        type = .double
        self.shape = shape
        storage = .doubles(doubles)
    }

    /// Rounds each value to the type.
    ///
    /// - Precondition: `type` is a float no wider than float32, and there are as many values as the
    ///   shape has elements.
    public init(_ floats: [Float], rounding type: ElementType, shape: [Int]) {
        precondition(type.isFloat && floats.count == shape.elementCount, "floats by shape")
        let rounded = type == .float32 ? floats : floats.map { NarrowFloat.round($0, type) }
        self.init(.floats(HostValues(rounded)), type, shape)
    }

    /// Wraps each value to the type's width.
    ///
    /// - Precondition: `type` is no float, and there are as many values as the shape has elements.
    public init(_ integers: [Int64], type: ElementType, shape: [Int]) {
        precondition(type.isInteger && integers.count == shape.elementCount, "integers by shape")
        self.type = type
        self.shape = shape
        storage =
            type.byteCount == 8
            ? .integers(integers) : .narrow(HostValues(Self.narrowed(integers, type)))
    }

    /// Values that the type has.
    init(_ floats: [Float], shape: [Int], as type: ElementType) {
        self.init(.floats(HostValues(floats)), type, shape)
    }

    private init(_ storage: Storage, _ type: ElementType, _ shape: [Int]) {
        self.type = type
        self.shape = shape
        self.storage = storage
    }

    /// The same elements in another shape.
    ///
    /// - Precondition: the shape has as many elements.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.elementCount == count, "as many elements")
        return Tensor(storage, type, shape)
    }

    public var count: Int { shape.elementCount }

    /// Where elements lie: tensors of one identity that live at the same time hold the same ones,
    /// perhaps in other shapes.
    struct Identity: Hashable {
        var address: UInt
        var byteCount: Int
        var type: ElementType
    }

    /// nil where there are no elements.
    var identity: Identity? {
        func place(_ bytes: UnsafeRawBufferPointer) -> Identity? {
            guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
            return Identity(address: UInt(bitPattern: start), byteCount: bytes.count, type: type)
        }
        return switch storage {
        case .floats(let values): values.withUnsafeBytes(place)
        case .doubles(let values): values.withUnsafeBytes(place)
        case .integers(let values): values.withUnsafeBytes(place)
        case .narrow(let bytes): bytes.withUnsafeBytes(place)
        }
    }

    public var elements: Elements {
        switch storage {
        case .floats(let values): .floats(values.array)
        case .doubles(let values): .doubles(values)
        case .integers(let values): .integers(values)
        case .narrow(let bytes): .integers(widened(bytes))
        }
    }

    /// The values of a float type no wider than float32.
    public var floats: [Float]? {
        if case .floats(let values) = storage { values.array } else { nil }
    }

    /// Of a type as ``floats``.
    var holdsNaN: Bool {
        if case .floats(let values) = storage { values.holdsNaN } else { false }
    }

    public var doubles: [Double]? {
        if case .doubles(let values) = storage { values } else { nil }
    }

    public var integers: [Int64]? {
        if case .integers(let values) = elements { values } else { nil }
    }

    /// The elements as they lie in device memory, in `.npy` files and in leaves: little-endian.
    public var bytes: Bytes {
        switch storage {
        case .doubles(let values): values.withUnsafeBytes { Bytes($0) }
        case .integers(let values): values.withUnsafeBytes { Bytes($0) }
        case .narrow(let bytes): bytes.array
        case .floats(let values):
            switch type.byteCount {
            case 4: values.withUnsafeBytes { Bytes($0) }
            case 2:
                values.array.map { UInt16(truncatingIfNeeded: NarrowFloat.bits($0, type)) }
                    .withUnsafeBytes { Bytes($0) }
            default: values.array.map { UInt8(truncatingIfNeeded: NarrowFloat.bits($0, type)) }
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
                self.init(values, shape: shape, as: type)
            } else {
                self.init(bits.map { Int64(bitPattern: $0) }, type: type, shape: shape)
            }
        }
    }

    /// Gives `body` what ``bytes`` holds, without a copy where the elements are held so anyway.
    func withBytes(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        func given(_ bytes: UnsafeRawBufferPointer) -> Result<Void, Failure> {
            Result { () throws(Failure) in try body(bytes) }
        }
        let result =
            switch storage {
            case .floats(let values) where type == .float32: values.withUnsafeBytes(given)
            case .floats: bytes.withUnsafeBytes(given)
            case .doubles(let values): values.withUnsafeBytes(given)
            case .integers(let values): values.withUnsafeBytes(given)
            case .narrow(let bytes): bytes.withUnsafeBytes(given)
            }
        try result.get()
    }

    /// Gives `body` a buffer that holds ``bytes``, as a device's `withBuffer(reading:_:)` does.
    func withBuffer(
        on device: some ComputeDevice, _ body: (any ComputeBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        switch storage {
        case .floats(let values) where type == .float32:
            try values.withBuffer(on: device, body)
        case .floats: try device.withBuffer(reading: bytes, body)
        case .doubles(let values): try device.withBuffer(reading: values, body)
        case .integers(let values): try device.withBuffer(reading: values, body)
        case .narrow(let bytes): try bytes.withBuffer(on: device, body)
        }
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
        case .int64, .uint64: self.init(.integers(Self.copied(bytes, count)), type, shape)
        case .float16, .bfloat16:
            let bits = bytes.elements(UInt16.self)
            self.init(bits.map { NarrowFloat.value(UInt32($0), type) }, shape: shape, as: type)
        default:
            if type.isFloat {
                self.init(
                    bytes.map { NarrowFloat.value(UInt32($0), type) }, shape: shape, as: type)
            } else {
                self.init(narrow: HostValues(Bytes(bytes)), type, shape)
            }
        }
    }

    /// Integers of fewer than 64 bits as they lie in device memory, kept without a copy.
    init(narrow bytes: HostValues<UInt8>, _ type: ElementType, _ shape: [Int]) {
        precondition(
            type.isNarrowInteger && bytes.count == shape.elementCount * type.byteCount,
            "as many bytes as the shape says")
        // Those of less than a byte have one spelling, with which tensors are compared.
        let isWhole = type.bitCount >= 8
        self.init(
            .narrow(
                isWhole
                    ? bytes
                    : HostValues(
                        bytes.array.map { UInt8(truncatingIfNeeded: type.wrapped(Int64($0))) })),
            type, shape)
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

// MARK: - Parts

extension Tensor {
    /// Tensors of one type and equal axes after the first, one behind the other.
    public init(stacking parts: [Tensor]) {
        let shape = [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst()
        let type = parts[0].type
        switch parts[0].storage {
        case .floats: self.init(parts.flatMap { $0.floats ?? [] }, shape: shape, as: type)
        case .doubles: self.init(.doubles(parts.flatMap { $0.doubles ?? [] }), type, shape)
        case .integers: self.init(.integers(parts.flatMap { $0.integers ?? [] }), type, shape)
        case .narrow: self.init(.narrow(HostValues(parts.flatMap(\.bytes))), type, shape)
        }
    }

    /// Some indices of the first axis.
    public func items(_ range: Range<Int>) -> Tensor {
        if range == 0..<(shape.first ?? 0) { return self }
        let each = shape.dropFirst().reduce(1, *)
        let shape = [range.count] + shape.dropFirst()
        let place = (range.lowerBound * each)..<(range.upperBound * each)
        let part: Storage
        switch storage {
        case .floats(let values): part = .floats(HostValues(values[place]))
        case .doubles(let values): part = .doubles(Array(values[place]))
        case .integers(let values): part = .integers(Array(values[place]))
        case .narrow(let bytes):
            let size = type.byteCount
            part = .narrow(
                HostValues(bytes[(place.lowerBound * size)..<(place.upperBound * size)]))
        }
        return Tensor(part, type, shape)
    }
}

// MARK: - Narrow integers

extension Tensor {
    /// Each value wrapped to the type's width.
    private static func narrowed(_ values: [Int64], _ type: ElementType) -> Bytes {
        func pack<T: FixedWidthInteger>(_ narrow: T.Type) -> Bytes {
            let size = MemoryLayout<T>.size
            return Bytes(unsafeUninitializedCapacity: values.count * size) { bytes, initialized in
                let out = UnsafeMutableRawBufferPointer(bytes)
                for (index, value) in values.enumerated() {
                    out.storeBytes(
                        of: T(truncatingIfNeeded: value), toByteOffset: index * size, as: T.self)
                }
                initialized = values.count * size
            }
        }
        switch type.byteCount {
        case 4: return pack(UInt32.self)
        case 2: return pack(UInt16.self)
        default:
            return type.bitCount == 8
                ? pack(UInt8.self)
                : values.map { UInt8(truncatingIfNeeded: type.wrapped($0)) }
        }
    }

    private func widened(_ bytes: HostValues<UInt8>) -> [Int64] {
        func unpack<T: FixedWidthInteger & BitwiseCopyable>(_ narrow: T.Type) -> [Int64] {
            let size = MemoryLayout<T>.size
            return bytes.withUnsafeBytes { bytes in
                [Int64](unsafeUninitializedCapacity: count) { values, initialized in
                    for index in 0..<count {
                        values[index] = Int64(
                            bytes.loadUnaligned(fromByteOffset: index * size, as: T.self))
                    }
                    initialized = count
                }
            }
        }
        return switch (type.byteCount, type.isSigned) {
        case (4, true): unpack(Int32.self)
        case (4, false): unpack(UInt32.self)
        case (2, true): unpack(Int16.self)
        case (2, false): unpack(UInt16.self)
        case (_, true): unpack(Int8.self)
        case (_, false): unpack(UInt8.self)
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
