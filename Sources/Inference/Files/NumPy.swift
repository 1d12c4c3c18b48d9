public import Core

/// NumPy's `.npy` files: format 1.0 to 3.0, little-endian, C order.
public enum NumPy {
    static let magic = Bytes([0x93]) + Bytes("NUMPY".utf8)

    /// Reads an array of numbers or booleans.
    ///
    /// - Throws: ``Failure`` saying what the file has and what was expected.
    public static func decode(_ bytes: Bytes) throws(Failure) -> Tensor {
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
                .malformed, ".npy: a header of \(length) bytes in a file of \(bytes.count)")
        }
        let header = String(decoding: bytes[(start - length)..<start], as: UTF8.self)
        guard let type = text(after: "'descr':", in: header),
            let order = text(after: "'fortran_order':", in: header),
            let axes = text(after: "'shape':", in: header)
        else {
            throw Failure(.malformed, ".npy: a header with descr, fortran_order, shape expected")
        }
        guard order == "False" else {
            throw Failure(.unsupported, ".npy: Fortran order; C order expected")
        }
        var shape: [Int] = []
        for axis in axes.dropFirst().dropLast().split(separator: ",") {
            guard let value = Int(axis.drop { $0 == " " }.prefix { $0 != " " }) else {
                throw Failure(.malformed, ".npy: shape \(axes.printable)")
            }
            shape.append(value)
        }
        shape = try Shape.checked(shape)
        return try tensor(type, shape, bytes, from: start)
    }

    private static func tensor(
        _ type: String, _ shape: [Int], _ bytes: Bytes, from start: Int
    ) throws(Failure) -> Tensor {
        let quoted = type.dropFirst().dropLast()
        guard let element = types.first(where: { $0.value == quoted })?.key else {
            throw Failure(
                .unsupported,
                ".npy: elements of type \(type.printable); one of "
                    + types.values.sorted().joined(separator: ", ") + " expected")
        }
        let count = shape.elementCount
        guard bytes.count - start == count * element.byteCount else {
            throw Failure(
                .malformed,
                ".npy: \(bytes.count - start) bytes of data; \(count * element.byteCount) "
                    + "expected for \(type) \(shape.text)")
        }
        return bytes.withUnsafeBytes {
            Tensor(
                type: element, shape: shape, bytes: UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
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

    /// Format 1.0, data at a multiple of 64 bytes.
    public static func encode(_ tensor: Tensor) -> Bytes {
        // NumPy itself has none of the narrow floats but float16, nor integers of less than a byte.
        let type = types[tensor.type] ?? (tensor.type.byteCount == 2 ? "<u2" : "|u1")
        let axes = tensor.shape.map { "\($0)," }.joined(separator: " ")
        var header =
            "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(axes)), }"
        let used = magic.count + 4 + header.utf8.count + 1
        header += String(repeating: " ", count: used.roundedUp(to: 64) - used) + "\n"
        return magic + [1, 0] + UInt16(header.utf8.count).littleEndianBytes + Bytes(header.utf8)
            + tensor.bytes
    }
}
