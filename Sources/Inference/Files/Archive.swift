internal import CZip
public import Core
internal import Files

/// NumPy's `.npz`: a ZIP archive of `.npy` files, stored without compression and without dates, so
/// that the same arrays give the same bytes. Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.4.
public enum Archive {
    /// - Throws: ``Failure`` `limit` when the archive would pass 4 GiB, which its format ends at.
    public static func npz(_ arrays: [(name: String, tensor: Tensor)]) throws(Failure) -> Bytes {
        // An array that grows is twice there.
        try HostRoom.check(
            3 * arrays.reduce(0) { $0 + $1.tensor.count * $1.tensor.type.byteCount },
            for: "outputs as an archive")
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

    /// The arrays of an archive, in its order.
    ///
    /// - Throws: ``Failure`` naming the array and what was expected.
    public static func arrays(_ bytes: Bytes) throws(Failure) -> [(name: String, tensor: Tensor)] {
        let reader = try Reader(bytes)
        var arrays: [(name: String, tensor: Tensor)] = []
        var left = InputSource.fileBytesMax
        for file in reader.names {
            let data = try reader.bytes(file, byteCountMax: left) {
                (bytes, count) throws(Failure) in
                _ = try NumPy.header(bytes, of: count)
            }
            left -= data.count
            do throws(Failure) {
                let name = file.hasSuffix(".npy") ? String(file.dropLast(4)) : file
                arrays.append((name, try NumPy.decode(data)))
            } catch {
                throw error.at(file.printable)
            }
        }
        return arrays
    }
}

// MARK: - Reading

extension Archive {
    /// A ZIP archive that somebody gave: stored or compressed, read by libzip.
    public struct Reader: ~Copyable {
        private let archive: OpaquePointer
        /// How messages begin.
        private let place: String
        /// Its members, in its own order; folders left out.
        public let names: [String]

        /// More than any model has inputs; a directory of millions is an attack.
        private static let membersMax: Int64 = 65_536

        /// - Throws: ``Failure`` naming the file when it is no archive.
        public init(_ path: String) throws(Failure) {
            // Pipes and devices are refused before they are waited for.
            try PlainFile(path).close()
            try self.init(zip_open(path, ZIP_RDONLY, nil), "\(path): ")
        }

        /// - Throws: ``Failure`` when these bytes are no archive.
        public init(_ bytes: Bytes) throws(Failure) {
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, bytes.count), alignment: 1)
            copy.copyBytes(from: bytes)
            // What it is read from frees the copy.
            let source = zip_source_buffer_create(
                copy.baseAddress, UInt64(bytes.count), 1, nil)
            let archive = source.flatMap { zip_open_from_source($0, ZIP_RDONLY, nil) }
            if archive == nil, let source { zip_source_free(source) }
            try self.init(archive, "")
        }

        private init(_ opened: OpaquePointer?, _ place: String) throws(Failure) {
            guard let archive = opened else {
                throw Failure(.malformed, "\(place)not a .npz archive (ZIP), or cut short")
            }
            let count = zip_get_num_entries(archive, 0)
            guard count <= Self.membersMax else {
                zip_discard(archive)
                throw Failure(
                    .limit, "\(place)\(count) members; at most \(Self.membersMax) expected")
            }
            var names: [String] = []
            for index in 0..<UInt64(max(count, 0)) {
                guard let name = zip_get_name(archive, index, 0) else { continue }
                let text = String(cString: name)
                if !text.hasSuffix("/") { names.append(text) }
            }
            (self.archive, self.place, self.names) = (archive, place, names)
        }

        deinit { zip_discard(archive) }

        /// One member, whose checksum is compared.
        ///
        /// - Parameter check: sees its first bytes, and how many it has, before the rest is
        ///   unpacked: a small archive may hold much.
        /// - Throws: ``Failure`` when it is not there, damaged, encrypted, or larger than that.
        public func bytes(
            _ name: String, byteCountMax: Int,
            checking check: (Bytes, Int) throws(Failure) -> Void = { _, _ in }
        ) throws(Failure) -> Bytes {
            let label = "\(place)\(name.printable)"
            var status = zip_stat_t()
            guard zip_stat(archive, name, 0, &status) == 0,
                status.valid & UInt64(ZIP_STAT_SIZE) != 0, status.size <= UInt64(byteCountMax)
            else {
                throw Failure(.limit, "\(label): missing, or over \(byteCountMax) bytes")
            }
            guard let file = zip_fopen(archive, name, 0) else {
                throw Failure(.malformed, "\(label): \(reason)")
            }
            defer { zip_fclose(file) }
            let size = Int(status.size)
            let damaged = Failure(.malformed, "\(label): damaged")
            let first = Self.read(file, min(size, NumPy.headerBytesMax))
            guard first.count == min(size, NumPy.headerBytesMax) else { throw damaged }
            do throws(Failure) { try check(first, size) } catch { throw error.at(label) }
            // Room for all of it at once; of what does not come nothing is ever touched.
            var bytes = first
            bytes.reserveCapacity(size)
            while bytes.count < size {
                let part = Self.read(file, min(size - bytes.count, Self.partBytes))
                guard !part.isEmpty else { throw damaged }
                bytes += part
            }
            // The checksum is compared at the end.
            var rest: UInt8 = 0
            guard zip_fread(file, &rest, 1) == 0 else { throw damaged }
            return bytes
        }

        private static let partBytes = 1 << 20

        /// As many bytes as there are, up to `count`.
        private static func read(_ file: OpaquePointer, _ count: Int) -> Bytes {
            Bytes(unsafeUninitializedCapacity: count) { bytes, filled in
                while filled < count {
                    let more = zip_fread(
                        file, bytes.baseAddress.map { $0 + filled }, UInt64(count - filled))
                    guard more > 0 else { return }
                    filled += Int(more)
                }
            }
        }

        private var reason: String { String(cString: zip_strerror(archive)) }
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
