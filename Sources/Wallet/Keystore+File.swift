public import Core
internal import Glibc

extension Keystore {
    /// Writes `<address>.json`, whole or not at all, readable by its owner alone, in a folder
    /// closed to others. A file that is there already is never replaced.
    ///
    /// - Returns: the file's path.
    /// - Throws: ``Failure`` naming the path.
    @discardableResult
    public func write(in folder: String) throws(Failure) -> String {
        try Self.secureFolder(folder)
        let path = Self.path(of: address ?? .zero, in: folder)
        let draft = "\(path).\(id).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", draft) }
        defer { unlink(draft) }
        let bytes = Bytes(json.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        let synced = fsync(descriptor)
        guard close(descriptor) == 0, written == bytes.count, synced == 0 else {
            throw Self.failure("write", draft)
        }
        // A hard link, unlike a rename, fails when the name is taken.
        guard link(draft, path) == 0 else { throw Self.failure("create", path) }
        try Self.syncFolder(folder)
        return path
    }

    /// Reads a keystore file.
    ///
    /// - Throws: ``Failure`` naming the path and what was expected.
    public static func read(_ path: String) throws(Failure) -> Keystore {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.malformed, "\(path): a regular file expected")
        }
        guard status.st_size <= fileBytesMax else {
            throw Failure(
                .limit, "\(path): \(status.st_size) bytes, a keystore has at most \(fileBytesMax)")
        }
        var bytes = Bytes(repeating: 0, count: fileBytesMax + 1)
        var count = 0
        while count < bytes.count {
            let room = bytes.count - count
            let more = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), room)
            }
            guard more >= 0 else { throw failure("read", path) }
            if more == 0 { break }
            count += more
        }
        do { return try Keystore(json: Bytes(bytes[..<count])) } catch { throw error.at(path) }
    }

    /// Where ``write(in:)`` puts an account's file.
    public static func path(of address: Address, in folder: String) -> String {
        "\(folder)/\(address.bytes.hex).json"
    }

    private static func secureFolder(_ folder: String) throws(Failure) {
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw failure("create", folder) }
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(.io, "\(folder): a folder for keys expected")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(.untrusted, "\(folder): open to others; run: chmod 700 \(folder)")
        }
    }

    private static func syncFolder(_ folder: String) throws(Failure) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        Failure(.io, "\(path): cannot \(what): \(String(cString: strerror(errno)))")
    }
}
