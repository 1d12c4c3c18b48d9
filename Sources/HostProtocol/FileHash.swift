public import Core
internal import Digest
internal import Files
internal import Glibc

/// Files on disk, read in pieces and made durable.
public enum FileHash {
    /// SHA-256 and size of a file, read once in pieces.
    public static func sha256(path: String) throws(Failure) -> TaskSpec.ContentID {
        var hasher = SHA256.Hasher()
        var total = 0
        try read(path: path) { piece in
            hasher.update(piece)
            total += piece.count
        }
        return TaskSpec.ContentID(sha256: hasher.finalize(), byteCount: total)
    }

    /// A whole file, which must be `expected`.
    ///
    /// - Throws: ``Failure``: `untrusted` when size or hash differ, `io` when it cannot be read.
    public static func contents(
        path: String, expected: TaskSpec.ContentID
    ) throws(Failure) -> Bytes {
        let bytes = try contents(path: path, bytesMax: expected.byteCount)
        guard bytes.count == expected.byteCount, SHA256.hash(bytes) == expected.sha256 else {
            throw Failure(
                .untrusted,
                "\(path): content \(expected.sha256) of "
                    + "\(expected.byteCount) bytes expected")
        }
        return bytes
    }

    /// A whole file of at most `bytesMax` bytes.
    public static func contents(path: String, bytesMax: Int) throws(Failure) -> Bytes {
        var bytes = Bytes()
        var isTooLarge = false
        try read(path: path) { piece in
            if bytes.count + piece.count > bytesMax {
                isTooLarge = true
                return
            }
            bytes += piece
        }
        if isTooLarge {
            throw Failure(.limit, "\(path): at most \(bytesMax) bytes expected")
        }
        return bytes
    }

    /// Writes `bytes` under `path` so that after a crash there is the whole file or none: a
    /// temporary file beside it, flushed, renamed, and the folder flushed.
    public static func writeDurably(_ bytes: Bytes, to path: String) throws(Failure) {
        let temporary = "\(path).part-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.storage, "\(temporary): \(systemMessage(errno))")
        }
        var status = FileBytes.writeAll(bytes, to: descriptor)
        if status == 0 && fsync(descriptor) != 0 { status = errno }
        _ = close(descriptor)
        if status == 0 && rename(temporary, path) != 0 { status = errno }
        guard status == 0 else {
            _ = unlink(temporary)
            // A host's own limit says something of the task, not of the disk.
            throw Failure(
                status == EFBIG ? .limit : .storage, "\(path): \(systemMessage(status))")
        }
        try flushFolder(of: path)
    }

    /// Makes a file's content survive a crash.
    public static func flush(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(.storage, "\(path): \(systemMessage(errno))") }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw Failure(.storage, "\(path): \(systemMessage(errno))")
        }
    }

    /// Makes a rename or a new file in `path`'s folder survive a crash.
    public static func flushFolder(of path: String) throws(Failure) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let place = folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder
        let descriptor = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(.storage, "\(place): \(systemMessage(errno))") }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw Failure(.storage, "\(place): \(systemMessage(errno))")
        }
    }

    private static func read(
        path: String, piece: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        let file = try PlainFile(path)
        defer { file.close() }
        let pieceBytes = 1 << 20
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
        defer { storage.deallocate() }
        while true {
            let count = Glibc.read(file.descriptor, storage.baseAddress, pieceBytes)
            if count > 0 {
                piece(UnsafeRawBufferPointer(rebasing: storage[..<count]))
            } else if count == 0 {
                return
            } else if errno != EINTR {
                throw Failure(.io, "\(path): \(systemMessage(errno))")
            }
        }
    }
}
