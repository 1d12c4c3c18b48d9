public import Core

/// NumPy's `.npy` files: format 1.0 to 3.0, little-endian, C order.
public enum NumPy {
    static let magic = Bytes([0x93]) + Bytes("NUMPY".utf8)

    /// Reads an array of float32, float64 (rounded to float32), int32, int64, uint8 or bool.
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
        let sizes: [String: (ElementType, Int)] = [
            "'<f4'": (.float32, 4), "'<f8'": (.float32, 8), "'<i4'": (.int32, 4),
            "'<i8'": (.int64, 8), "'|u1'": (.uint8, 1), "'|b1'": (.bool, 1),
        ]
        guard let (element, size) = sizes[type] else {
            throw Failure(
                .unsupported,
                ".npy: elements of type \(type.printable); "
                    + "'<f4', '<f8', '<i4', '<i8', '|u1' or '|b1' expected")
        }
        let count = shape.elementCount
        guard bytes.count - start == count * size else {
            throw Failure(
                .malformed,
                ".npy: \(bytes.count - start) bytes of data; \(count * size) expected for "
                    + "\(type) \(shape.text)")
        }
        return bytes.withUnsafeBytes { all in
            let data = UnsafeRawBufferPointer(rebasing: all[start...])
            guard size == 8, element == .float32 else {
                return Tensor(type: element, shape: shape, bytes: data)
            }
            let doubles = data.elements(UInt64.self).map { Double(bitPattern: $0) }
            return Tensor(doubles.map { Float($0) }, shape: shape)
        }
    }

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
        let types: [ElementType: String] = [
            .float32: "<f4", .int32: "<i4", .int64: "<i8", .uint8: "|u1", .bool: "|b1",
        ]
        let axes = tensor.shape.map { "\($0)," }.joined(separator: " ")
        var header =
            "{'descr': '\(types[tensor.type] ?? "")', 'fortran_order': False, 'shape': (\(axes)), }"
        let used = magic.count + 4 + header.utf8.count + 1
        header += String(repeating: " ", count: used.roundedUp(to: 64) - used) + "\n"
        return magic + [1, 0] + UInt16(header.utf8.count).littleEndianBytes + Bytes(header.utf8)
            + tensor.bytes
    }
}
