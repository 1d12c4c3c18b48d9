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

    /// The arrays of an archive, in its order. Archives of `savez` are stored; those of
    /// `savez_compressed` are refused.
    ///
    /// - Throws: ``Failure`` naming the place and what was expected.
    public static func arrays(_ bytes: Bytes) throws(Failure) -> [(name: String, tensor: Tensor)] {
        func number(_ at: Int, _ count: Int) throws(Failure) -> Int {
            guard at >= 0, at <= bytes.count - count else { throw cut }
            return (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
        let end = try directoryEnd(of: bytes)
        let count = try number(end + 10, 2)
        var at = try number(end + 16, 4)
        var arrays: [(name: String, tensor: Tensor)] = []
        for _ in 0..<count {
            guard try number(at, 4) == 0x0201_4b50 else { throw cut }
            let method = try number(at + 10, 2)
            let (sum, size) = (try number(at + 16, 4), try number(at + 24, 4))
            let lengths = [try number(at + 28, 2), try number(at + 30, 2), try number(at + 32, 2)]
            let local = try number(at + 42, 4)
            _ = try number(at + 46, lengths[0])
            let file = String(decoding: bytes[(at + 46)..<(at + 46 + lengths[0])], as: UTF8.self)
            guard method == 0 else {
                throw Failure(
                    .unsupported,
                    "\(file.printable): compressed; an archive of numpy.savez expected")
            }
            let start = local + 30 + (try number(local + 26, 2)) + (try number(local + 28, 2))
            guard start <= bytes.count, size <= bytes.count - start else { throw cut }
            let data = Bytes(bytes[start..<(start + size)])
            guard CRC32.of(data) == UInt32(sum) else {
                throw Failure(.malformed, "\(file.printable): its checksum does not fit")
            }
            do throws(Failure) {
                let name = file.hasSuffix(".npy") ? String(file.dropLast(4)) : file
                arrays.append((name, try NumPy.decode(data)))
            } catch {
                throw error.at(file.printable)
            }
            at += 46 + lengths.reduce(0, +)
        }
        return arrays
    }

    private static let cut = Failure(
        .malformed, "not a .npz archive, or cut short; one of numpy.savez expected")

    /// Where the directory's end record begins: 22 bytes before the end, and a comment's more.
    private static func directoryEnd(of bytes: Bytes) throws(Failure) -> Int {
        let mark: Bytes = [0x50, 0x4b, 5, 6]
        var at = bytes.count - 22
        while at >= max(0, bytes.count - 22 - 0xffff) {
            if bytes[at..<(at + 4)].elementsEqual(mark) { return at }
            at -= 1
        }
        throw cut
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
