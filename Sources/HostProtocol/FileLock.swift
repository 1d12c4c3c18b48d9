public import Core
internal import Files
internal import Glibc

/// A file that one process at a time holds; given back when the process ends, however it ends.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``Failure`` (refused) when another process holds it.
    public init(path: String) throws(Failure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.storage, "\(path): \(systemMessage(errno))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw Failure(.refused, "\(path): another process is at work in this folder")
        }
    }

    deinit { _ = close(descriptor) }
}
