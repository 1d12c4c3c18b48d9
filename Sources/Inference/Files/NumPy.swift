public import Core

/// NumPy's `.npy` files: format 1.0 to 3.0, little-endian; read in C and Fortran order, written in
/// C order.
public enum NumPy {
    static let magic = Bytes([0x93]) + Bytes("NUMPY".utf8)
    /// What a header may take, with what is before it.
    static let headerBytesMax = 12 + 1 << 16

    /// What an array's first bytes say of it.
    struct Header {
        var type: ElementType
        var shape: [Int]
        /// Whether the first axis varies fastest.
        var isFortran: Bool
        /// Where the elements begin.
        var start: Int

        var byteCount: Int { start + shape.elementCount * type.byteCount }
    }

    /// Reads an array of numbers or booleans.
    ///
    /// - Throws: ``Failure`` saying what the file has and what was expected.
    public static func decode(_ bytes: Bytes) throws(Failure) -> Tensor {
        let header = try header(bytes, of: bytes.count)
        return bytes.withUnsafeBytes { bytes in
            let data = UnsafeRawBufferPointer(rebasing: bytes[header.start...])
            guard header.isFortran, header.shape.count > 1 else {
                return Tensor(type: header.type, shape: header.shape, bytes: data)
            }
            return inCOrder(data, header).withUnsafeBytes {
                Tensor(type: header.type, shape: header.shape, bytes: $0)
            }
        }
    }

    /// The elements with the last axis varying fastest.
    private static func inCOrder(_ data: UnsafeRawBufferPointer, _ header: Header) -> Bytes {
        let size = header.type.byteCount
        // Bytes from one element to the next along each axis.
        var strides: [Int] = []
        var stride = size
        for axis in header.shape {
            strides.append(stride)
            stride *= axis
        }
        return Bytes(unsafeUninitializedCapacity: data.count) { out, count in
            var place = [Int](repeating: 0, count: header.shape.count)
            var from = 0
            while count < data.count {
                for byte in 0..<size {
                    out.initializeElement(at: count + byte, to: data[from + byte])
                }
                count += size
                var axis = place.count - 1
                while axis >= 0 {
                    place[axis] += 1
                    from += strides[axis]
                    guard place[axis] == header.shape[axis] else { break }
                    from -= place[axis] * strides[axis]
                    place[axis] = 0
                    axis -= 1
                }
            }
        }
    }

    /// - Parameters:
    ///   - bytes: the file's first ones, with all of the header.
    ///   - byteCount: the whole file's.
    /// - Throws: ``Failure`` where it is no array of numbers or booleans, or of another size.
    static func header(_ bytes: Bytes, of byteCount: Int) throws(Failure) -> Header {
        guard bytes.starts(with: magic), bytes.count >= 12, (1...3).contains(bytes[6]) else {
            throw Failure(.malformed, "not a .npy file of format 1.0, 2.0 or 3.0")
        }
        let isShort = bytes[6] == 1
        let length =
            isShort
            ? Int(bytes[8]) | Int(bytes[9]) << 8
            : (0..<4).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        let start = (isShort ? 10 : 12) + length
        guard length <= 1 << 16, start <= bytes.count else {
            throw Failure(
                .malformed, ".npy: a header of \(length) bytes in a file of \(byteCount)")
        }
        let dictionary = String(decoding: bytes[(start - length)..<start], as: UTF8.self)
        guard let type = text(after: "'descr':", in: dictionary),
            let order = text(after: "'fortran_order':", in: dictionary),
            let axes = text(after: "'shape':", in: dictionary)
        else {
            throw Failure(.malformed, ".npy: a header with descr, fortran_order, shape expected")
        }
        guard ["False", "True"].contains(order) else {
            throw Failure(.malformed, ".npy: fortran_order \(order.printable)")
        }
        var shape: [Int] = []
        for axis in axes.dropFirst().dropLast().split(separator: ",") {
            guard let value = Int(axis.drop { $0 == " " }.prefix { $0 != " " }) else {
                throw Failure(.malformed, ".npy: shape \(axes.printable)")
            }
            shape.append(value)
        }
        let quoted = type.dropFirst().dropLast()
        guard let element = types.first(where: { $0.value == quoted })?.key else {
            throw Failure(
                .unsupported,
                ".npy: elements of type \(type.printable); one of "
                    + types.values.sorted().joined(separator: ", ") + " expected")
        }
        let header = Header(
            type: element, shape: try Shape.checked(shape), isFortran: order == "True",
            start: start)
        guard byteCount == header.byteCount else {
            throw Failure(
                .malformed,
                ".npy: \(byteCount - start) bytes of data; \(header.byteCount - start) "
                    + "expected for \(type) \(header.shape.text)")
        }
        return header
    }

    /// NumPy's names of element types.
    private static let types: [ElementType: String] = [
        .float32: "<f4", .float16: "<f2", .double: "<f8", .int8: "|i1", .int16: "<i2",
        .int32: "<i4", .int64: "<i8", .uint8: "|u1", .uint16: "<u2", .uint32: "<u4",
        .uint64: "<u8", .bool: "|b1",
    ]

    /// The value behind a key of the header's dictionary: quoted, a word, or in parentheses.
    private static func text(after key: String, in header: String) -> String? {
        guard let range = header.firstRange(of: key) else { return nil }
        let rest = header[range.upperBound...].drop { $0 == " " }
        switch rest.first {
        case "(": return rest.firstIndex(of: ")").map { String(rest[...$0]) }
        case "'":
            return rest.dropFirst().firstIndex(of: "'").map { String(rest[...$0]) }
        default: return String(rest.prefix { $0.isLetter })
        }
    }

    /// The type of an array that holds elements of another. NumPy has no integers of less than a
    /// byte and of the narrow floats float16 alone: of others the bits are unsigned integers.
    static func stored(_ type: ElementType) -> ElementType {
        if types[type] != nil { return type }
        if type.isFloat { return type.byteCount == 2 ? .uint16 : .uint8 }
        return type.isSigned ? .int8 : .uint8
    }

    /// Format 1.0, data at a multiple of 64 bytes.
    public static func encode(_ tensor: Tensor) -> Bytes {
        let type = types[stored(tensor.type)] ?? "|u1"
        let axes = tensor.shape.map { "\($0)," }.joined(separator: " ")
        var header =
            "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(axes)), }"
        let used = magic.count + 4 + header.utf8.count + 1
        header += String(repeating: " ", count: used.roundedUp(to: 64) - used) + "\n"
        return magic + [1, 0] + UInt16(header.utf8.count).littleEndianBytes + Bytes(header.utf8)
            + tensor.bytes
    }
}
