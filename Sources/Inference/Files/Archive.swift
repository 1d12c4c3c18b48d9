public import Core

/// NumPy's `.npz`: a ZIP archive of `.npy` files, stored without compression and without dates, so
/// that the same arrays give the same bytes. Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.4.
public enum Archive {
    /// - Throws: ``Failure`` `limit` when the archive would pass 4 GiB, which its format ends at.
    public static func npz(_ arrays: [(name: String, tensor: Tensor)]) throws(Failure) -> Bytes {
        var out = Bytes()
        var directory = Bytes()
        for (name, tensor) in arrays {
            let file = Bytes("\(name).npy".utf8)
            let data = NumPy.encode(tensor)
            guard out.count + data.count < 1 << 32 - 1 << 20, file.count < 1 << 16 else {
                throw Failure(.limit, "outputs of more than 4 GiB in one archive")
            }
            let size = UInt32(data.count).littleEndianBytes
            // Version 2.0, flag 11 (UTF-8 names), stored, 1980-01-01.
            let common =
                [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0] + CRC32.of(data).littleEndianBytes + size + size
                + UInt16(file.count).littleEndianBytes + [0, 0]
            directory += Bytes("PK\u{1}\u{2}".utf8) + [20, 0] + common
            directory += Bytes(repeating: 0, count: 10) + UInt32(out.count).littleEndianBytes + file
            out += Bytes("PK\u{3}\u{4}".utf8) + common + file + data
        }
        let count = UInt16(arrays.count).littleEndianBytes
        let end =
            Bytes("PK\u{5}\u{6}".utf8) + [0, 0, 0, 0] + count + count
            + UInt32(directory.count).littleEndianBytes + UInt32(out.count).littleEndianBytes + [
                0, 0,
            ]
        return out + directory + end
    }
}

/// The CRC of ZIP and PNG: polynomial 0xedb88320, reflected.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
        }
    }

    static func of(_ bytes: Bytes) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}
