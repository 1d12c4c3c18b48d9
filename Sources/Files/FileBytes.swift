public import Core
public import Foundation
internal import Glibc

/// Whole files that a user names: read with a limit, written with the system's reason on failure.
public enum FileBytes {
    /// - Parameters:
    ///   - name: how messages call the file; its path by default.
    ///   - isMapped: whether the system may bring the file's bytes when they are looked at: for
    ///     what is large and soon done with, since a file cut short meanwhile ends the process.
    /// - Throws: ``Failure`` when it is no plain file, cannot be read, or is larger than
    ///   `byteCountMax`.
    public static func read(
        _ path: String, byteCountMax: Int, named name: String? = nil, isMapped: Bool = false
    ) throws(Failure) -> Data {
        let file = try PlainFile(path, named: name)
        defer { file.close() }
        let name = name ?? path
        guard file.byteCount <= byteCountMax else {
            throw Failure(
                .limit, "\(name): \(file.byteCount) bytes; at most \(byteCountMax) expected")
        }
        if !isMapped { try HostRoom.check(file.byteCount, for: name) }
        do {
            let options: Data.ReadingOptions = isMapped ? .alwaysMapped : []
            return try Data(contentsOf: URL(fileURLWithPath: path), options: options)
        } catch {
            // Foundation does not say that there was no room to map it.
            try HostRoom.check(file.byteCount, for: name)
            throw Failure(.io, "\(name): cannot be read")
        }
    }

    /// Writes `bytes` in place of what the file held. After a failure there is no file: half a
    /// picture is worse than none.
    ///
    /// - Throws: ``Failure`` with the system's reason.
    public static func write(_ bytes: Bytes, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw unwritable(path, errno) }
        var status = writeAll(bytes, to: descriptor)
        var kind = stat()
        let isPlain = fstat(descriptor, &kind) == 0 && kind.st_mode & S_IFMT == S_IFREG
        if close(descriptor) != 0 && status == 0 { status = errno }
        guard status == 0 else {
            if isPlain { _ = unlink(path) }
            throw unwritable(path, status)
        }
    }

    /// Puts `pieces`, one after the other, in place of what the file held, by renaming: whoever
    /// reads it, and whatever ends this process or the machine, finds the old file or the new one.
    ///
    /// What is no plain file (a pipe, a device) is written as it is.
    ///
    /// - Parameter isFlushed: whether the bytes must be on the disk on return.
    /// - Throws: ``Failure`` with the system's reason; the old file is then still there.
    public static func replace(
        _ path: String, with pieces: some Sequence<Bytes>, isFlushed: Bool = false
    ) throws(Failure) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            return try write(Bytes(pieces.joined()), to: path)
        }
        // The file that a link leads to is replaced, and not the link.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let folder = target.deletingLastPathComponent().path
        let new = "\(folder)/.\(target.lastPathComponent).\(getpid()).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            // A file may be ours to write where its folder is not.
            return try write(Bytes(pieces.joined()), to: path)
        }
        var code: Int32 = 0
        for piece in pieces where code == 0 { code = writeAll(piece, to: descriptor) }
        if code == 0, isFlushed, fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, rename(new, target.path) != 0 { code = errno }
        guard code == 0 else {
            _ = unlink(new)
            throw unwritable(path, code)
        }
        if isFlushed { flushFolder(folder) }
    }

    /// Which file a path leads to at a moment: where this differs later, another one is there.
    public struct Identity: Hashable, Sendable {
        private let device: UInt64
        private let inode: UInt64
        private let seconds: Int
        private let nanoseconds: Int

        /// nil where there is none.
        public init?(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// As ``replace(_:with:isFlushed:)``, flushed, where `path` still leads to `expected`, and to
    /// nothing where that is nil: of several processes that would do so one does.
    ///
    /// - Returns: the new file; nil where another one is there by now, and nothing was written.
    /// - Throws: ``Failure`` with the system's reason; the old file is then still there.
    public static func exchange(
        _ path: String, _ expected: Identity?, with pieces: some Sequence<Bytes>
    ) throws(Failure) -> Identity? {
        guard Identity(of: path) == expected else { return nil }
        let new = "\(path).\(getpid()).new"
        try replace(new, with: pieces, isFlushed: true)
        defer { _ = unlink(new) }
        guard expected != nil else {
            if link(new, path) == 0 { return Identity(of: path) }
            if errno == EEXIST { return nil }
            // A file system without links.
            guard Identity(of: path) == nil, rename(new, path) == 0 else {
                throw unwritable(path, errno)
            }
            return Identity(of: path)
        }
        // Who comes second finds the first one's file in its place.
        let lock = open(path, O_RDONLY | O_CLOEXEC)
        defer { if lock >= 0 { _ = close(lock) } }
        if lock >= 0 { _ = flock(lock, LOCK_EX) }
        guard Identity(of: path) == expected else { return nil }
        guard rename(new, path) == 0 else { throw unwritable(path, errno) }
        return Identity(of: path)
    }

    /// Without it a power cut may take back the renaming.
    private static func flushFolder(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = close(descriptor)
    }

    /// Whether ``write(_:to:)`` has a chance, asked before work whose result goes there.
    ///
    /// - Throws: ``Failure`` with the reason why not.
    public static func checkWritable(_ path: String) throws(Failure) {
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw Failure(.io, "\"\(path)\": the name of a file expected")
        }
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT != S_IFDIR else {
                throw Failure(.io, "\(path): a folder; a file expected")
            }
            guard access(path, W_OK) == 0 else { throw unwritable(path, errno) }
            return
        }
        guard errno == ENOENT else { throw unwritable(path, errno) }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard stat(folder, &status) == 0 else {
            throw Failure(.io, "\(path): cannot be written: there is no folder \(folder)")
        }
        guard access(folder, W_OK | X_OK) == 0 else { throw unwritable(path, errno) }
        var space = statvfs()
        if statvfs(folder, &space) == 0, space.f_blocks > 0, space.f_bavail == 0 {
            throw unwritable(path, ENOSPC)
        }
    }

    /// Refuses to write where one of `inputs` lies, by whatever name: what is read is not ours to
    /// overwrite.
    ///
    /// - Throws: ``Failure`` `usage` naming both.
    public static func checkApart(
        _ output: String, from inputs: some Sequence<String>
    ) throws(Failure) {
        var own = stat()
        guard stat(output, &own) == 0, own.st_mode & S_IFMT == S_IFREG else { return }
        for input in inputs {
            var other = stat()
            guard stat(input, &other) == 0, own.st_dev == other.st_dev, own.st_ino == other.st_ino
            else { continue }
            let what = input == output ? "an input" : "the input \(input)"
            throw Failure(.usage, "\(output): is \(what): another name expected for the output")
        }
    }

    /// Refuses to write into one of the folders that are read, by whatever name: what is written
    /// would be among them the next time.
    ///
    /// - Throws: ``Failure`` `usage` naming both.
    public static func checkApart(
        folder output: String, from inputs: some Sequence<String>
    ) throws(Failure) {
        var own = stat()
        guard stat(output, &own) == 0 else { return }
        for input in inputs {
            var other = stat()
            guard stat(input, &other) == 0, own.st_dev == other.st_dev, own.st_ino == other.st_ino
            else { continue }
            throw Failure(
                .usage,
                "\(output): is the folder of inputs \(input): another one expected for the output")
        }
    }

    /// Writes all of `bytes`, however many calls that takes.
    ///
    /// - Returns: 0, or the number of the system's error.
    public static func writeAll(_ bytes: Bytes, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { all in
            var sent = 0
            while sent < all.count {
                let count = Glibc.write(
                    descriptor, all.baseAddress.map { $0 + sent }, all.count - sent)
                if count >= 0 { sent += count } else if errno != EINTR { return errno }
            }
            return 0
        }
    }

    private static func unwritable(_ path: String, _ code: Int32) -> Failure {
        Failure(.io, "\(path): cannot be written: \(systemMessage(code))")
    }
}
