public import Core
internal import Glibc

/// Room in the host's memory for what is large, asked for before it is taken: an array that finds
/// none ends the process.
public enum HostRoom {
    /// What is smaller is not asked for.
    private static let bytesMin = 4 << 20

    /// - Parameters:
    ///   - byteCount: what is about to be taken together.
    ///   - name: what it is for, as the message calls it.
    /// - Throws: ``Failure`` `memory` where the system would not give so much now.
    public static func check(
        _ byteCount: Int, for name: @autoclosure () -> String
    ) throws(Failure) {
        guard byteCount >= bytesMin else { return }
        let start = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start, start != MAP_FAILED else {
            throw Failure(
                .memory,
                "\(name()): out of memory: \(byteCount >> 20) MiB: \(systemMessage(errno))")
        }
        munmap(start, byteCount)
    }
}
