internal import Core
internal import Inference

/// Tensors' elements as JSON.
enum TensorText {
    /// Reads `data`. Each number is rounded once, to the type.
    ///
    /// - Parameter span: where the array lies; its syntax was checked.
    /// - Throws: ``Failure`` naming the element that is none of the type.
    static func bytes(
        _ body: Bytes, _ span: Range<Int>, _ type: ElementType, _ shape: [Int]
    ) throws(Failure) -> Bytes {
        let expected = shape.elementCount
        // Each takes a byte and one behind it: no room is made where they cannot be there.
        guard expected <= (span.count - 1) / 2 else {
            throw Failure(
                .malformed, "data: too few elements; \(expected) expected by the shape")
        }
        return try body.withUnsafeBufferPointer { text in
            Result { () throws(Failure) in
                try read(ElementReader(text, span, type, shape), text)
            }
        }.get()
    }

    private static func read(
        _ reader: ElementReader, _ text: UnsafeBufferPointer<UInt8>
    ) throws(Failure) -> Bytes {
        switch reader.type {
        case .float32: return try reader.floats { $0.float(in: text) }
        case .double: return try reader.floats { $0.double(in: text) }
        case .float16, .bfloat16: return try reader.narrowFloats { $0.oddFloat(in: text) }
        case .bool:
            return try reader.bytes { scalar -> UInt8? in
                if case .bool(let value) = scalar { return value ? 1 : 0 }
                let value: UInt8? = number(scalar, text)
                return value.map { $0 <= 1 } == true ? value : nil
            }
        case .uint8: return try reader.bytes { number($0, text) as UInt8? }
        case .uint16: return try reader.bytes { number($0, text) as UInt16? }
        case .uint32: return try reader.bytes { number($0, text) as UInt32? }
        case .uint64: return try reader.bytes { number($0, text) as UInt64? }
        case .int8: return try reader.bytes { number($0, text) as Int8? }
        case .int16: return try reader.bytes { number($0, text) as Int16? }
        case .int32: return try reader.bytes { number($0, text) as Int32? }
        default: return try reader.bytes { number($0, text) as Int64? }
        }
    }

    private static func number<T: FixedWidthInteger>(
        _ scalar: JSONReader.Scalar, _ text: UnsafeBufferPointer<UInt8>
    ) -> T? {
        if case .number(let number) = scalar { number.integer(T.self, in: text) } else { nil }
    }

    // MARK: Writing

    /// Writes elements for `data`: floats by the fewest digits that give their bits, NaN and
    /// infinities as Python writes them.
    ///
    /// - Parameter bytesMax: what `out` may have.
    /// - Returns: false where it would have more.
    static func write(
        _ output: InferResponse.Output, into out: inout Bytes, bytesMax: Int
    ) -> Bool {
        func list<T: BitwiseCopyable>(
            _ bytes: UnsafeRawBufferPointer, _ write: (T, inout Bytes) -> Void
        ) -> Bool {
            let size = MemoryLayout<T>.size
            // Room at once: while it grew there would be two of what is long.
            let room = bytes.count / size * (size <= 4 ? 3 * size + 1 : 22)
            out.reserveCapacity(min(bytesMax, out.count + room))
            out.append(UInt8(ascii: "["))
            for at in stride(from: 0, to: bytes.count, by: size) {
                if at > 0 { out.append(UInt8(ascii: ",")) }
                write(bytes.loadUnaligned(fromByteOffset: at, as: T.self), &out)
                if out.count > bytesMax { return false }
            }
            out.append(UInt8(ascii: "]"))
            return out.count <= bytesMax
        }
        func whole<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> Bool {
            output.bytes.withUnsafeBytes {
                list($0) { (value: T, out: inout Bytes) in put(value, into: &out) }
            }
        }
        func floats<T: BinaryFloatingPoint & CustomStringConvertible & BitwiseCopyable>(
            _ bytes: UnsafeRawBufferPointer, _ type: T.Type
        ) -> Bool {
            list(bytes) { (value: T, out: inout Bytes) in put(value, into: &out) }
        }
        switch output.type {
        case .bool:
            return output.bytes.withUnsafeBytes {
                list($0) { (value: UInt8, out: inout Bytes) in
                    put(value != 0 ? "true" : "false", into: &out)
                }
            }
        case .uint8: return whole(UInt8.self)
        case .uint16: return whole(UInt16.self)
        case .uint32: return whole(UInt32.self)
        case .uint64: return whole(UInt64.self)
        case .int8: return whole(Int8.self)
        case .int16: return whole(Int16.self)
        case .int32: return whole(Int32.self)
        case .int64: return whole(Int64.self)
        case .double: return output.bytes.withUnsafeBytes { floats($0, Double.self) }
        case .float32: return output.bytes.withUnsafeBytes { floats($0, Float.self) }
        default:
            return (output.tensor.floats ?? []).withUnsafeBytes { floats($0, Float.self) }
        }
    }

    private static func put(_ text: StaticString, into out: inout Bytes) {
        out.append(
            contentsOf: UnsafeBufferPointer(
                start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func put(
        _ value: some BinaryFloatingPoint & CustomStringConvertible, into out: inout Bytes
    ) {
        if value.isNaN { return put("NaN", into: &out) }
        if value.isInfinite { return put(value < 0 ? "-Infinity" : "Infinity", into: &out) }
        out.append(contentsOf: value.description.utf8)
    }

    private static func put<T: FixedWidthInteger>(_ value: T, into out: inout Bytes) {
        if value < 0 { out.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let first = out.count
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
            rest = quotient
        } while rest > 0
        out[first...].reverse()
    }
}

/// Reads a tensor's elements into the bytes that they lie in.
struct ElementReader {
    let type: ElementType
    private let shape: [Int]
    private let count: Int
    private let text: UnsafeBufferPointer<UInt8>
    private let span: Range<Int>

    init(
        _ text: UnsafeBufferPointer<UInt8>, _ span: Range<Int>, _ type: ElementType, _ shape: [Int]
    ) {
        (self.type, self.shape) = (type, shape)
        count = shape.elementCount
        (self.text, self.span) = (text, span)
    }

    /// Elements that `element` takes.
    func bytes<T: BitwiseCopyable>(
        _ element: (JSONReader.Scalar) -> T?
    ) throws(Failure) -> Bytes {
        var bytes = Bytes(repeating: 0, count: count * MemoryLayout<T>.size)
        try fill(&bytes) { (scalar, index) throws(Failure) in
            guard let value = element(scalar) else { throw wrong(index) }
            return value
        }
        return bytes
    }

    /// Floats of 32 or 64 bits, as `rounded` has them.
    func floats<T: BinaryFloatingPoint & BitwiseCopyable>(
        _ rounded: (JSONNumber) -> T?
    ) throws(Failure) -> Bytes {
        var bytes = Bytes(repeating: 0, count: count * MemoryLayout<T>.size)
        try fill(&bytes) { (scalar, index) throws(Failure) in try float(scalar, index, rounded) }
        return bytes
    }

    /// Floats of 16 bits, for which `rounded` keeps what decides how they are rounded.
    func narrowFloats(_ rounded: (JSONNumber) -> Float?) throws(Failure) -> Bytes {
        var floats = [Float](repeating: 0, count: count)
        try fill(&floats) { (scalar, index) throws(Failure) in try float(scalar, index, rounded) }
        let tensor = Tensor(floats, rounding: type, shape: [count])
        for (index, (before, after)) in zip(floats, tensor.floats ?? []).enumerated()
        where before.isFinite && !after.isFinite { throw beyond(index) }
        return tensor.bytes
    }

    private func float<T: BinaryFloatingPoint>(
        _ scalar: JSONReader.Scalar, _ index: Int, _ rounded: (JSONNumber) -> T?
    ) throws(Failure) -> T {
        switch scalar {
        case .number(let number):
            guard let value = rounded(number) else {
                throw Failure(.limit, "data: element \(index): a number of too many digits")
            }
            guard value.isFinite else { throw beyond(index) }
            return value
        case .special(let value): return T(value)
        case .bool, .string: throw wrong(index)
        }
    }

    /// - Parameter storage: with room for `count` of what `value` gives.
    private func fill<T: BitwiseCopyable>(
        _ storage: inout [some BitwiseCopyable],
        _ value: (JSONReader.Scalar, Int) throws(Failure) -> T
    ) throws(Failure) {
        try storage.withUnsafeMutableBytes { bytes in
            Result { () throws(Failure) in try fill(bytes, value) }
        }.get()
    }

    private func fill<T: BitwiseCopyable>(
        _ bytes: UnsafeMutableRawBufferPointer,
        _ value: (JSONReader.Scalar, Int) throws(Failure) -> T
    ) throws(Failure) {
        var reader = JSONReader(text, span)
        var elements = JSONReader.Elements()
        var index = 0
        while let scalar = try reader.next(&elements) {
            let value = try value(scalar, index)
            guard index < count else {
                if elements.isNested { try DataNesting.check(text, span, shape) }
                throw Failure(.malformed, "data: more than the \(count) elements of the shape")
            }
            bytes.storeBytes(of: value, toByteOffset: index * MemoryLayout<T>.size, as: T.self)
            index += 1
        }
        if elements.isNested { try DataNesting.check(text, span, shape) }
        guard index == count else {
            throw Failure(.malformed, "data: \(index) elements; \(count) expected by the shape")
        }
    }

    private var name: String { WireType.name(type) ?? type.name }

    private func wrong(_ index: Int) -> Failure {
        Failure(.malformed, "data: element \(index): \(name) expected")
    }

    private func beyond(_ index: Int) -> Failure {
        Failure(.malformed, "data: element \(index): beyond what \(name) holds")
    }
}
