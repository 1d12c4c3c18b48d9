public import Core
internal import Files
internal import Glibc
public import HostProtocol

/// Unix-domain stream sockets: the pool's door on one machine.
public enum LocalSocket {
    /// The kernel's limit on a socket's path, without the final zero.
    public static let pathBytesMax = 107

    /// Connects to a listening socket.
    ///
    /// - Throws: ``Failure`` (io) when nobody listens there.
    public static func connect(path: String, name: String) throws(Failure) -> FrameChannel {
        let descriptor = try open()
        let status = try withAddress(path) { Glibc.connect(descriptor, $0, $1) }
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            _ = close(descriptor)
            throw Failure(.io, "\(name): nobody answers at \(path): \(reason)")
        }
        return FrameChannel(input: descriptor, output: descriptor, name: name)
    }

    private static func open() throws(Failure) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else {
            throw Failure(.io, "no socket: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(Failure) -> Int32 {
        let bytes = Bytes(path.utf8)
        guard (1...pathBytesMax).contains(bytes.count) else {
            throw Failure(
                .limit, "\(path): a socket's path has at most \(pathBytesMax) bytes")
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// A socket that listens.
    public final class Listener: Sendable {
        private let descriptor: Int32

        /// Listens at `path`, for this user alone, in place of a socket that a crash left there.
        public init(path: String) throws(Failure) {
            descriptor = try LocalSocket.open()
            _ = unlink(path)
            let mask = umask(0o177)
            let status = try withAddress(path) { bind(descriptor, $0, $1) }
            _ = umask(mask)
            guard status == 0, listen(descriptor, 64) == 0 else {
                throw Failure(.io, "\(path): cannot listen: \(String(cString: strerror(errno)))")
            }
        }

        deinit { _ = close(descriptor) }

        /// Has whoever waits for a connection, and everyone after, fail.
        public func stop() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

        /// The next connection.
        public func accept(name: String) throws(Failure) -> FrameChannel {
            while true {
                let accepted = Glibc.accept(descriptor, nil, nil)
                if accepted >= 0 {
                    _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                    return FrameChannel(input: accepted, output: accepted, name: name)
                }
                guard errno == EINTR || errno == ECONNABORTED else {
                    throw Failure(.io, "cannot accept: \(String(cString: strerror(errno)))")
                }
            }
        }
    }
}
