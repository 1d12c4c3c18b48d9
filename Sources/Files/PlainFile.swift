public import Core
internal import Foundation
internal import Glibc

/// A plain file, open for reading. Folders, devices and pipes are refused: they have no end, or
/// none that comes.
public struct PlainFile {
    public let descriptor: Int32
    public let byteCount: Int

    /// - Parameters:
    ///   - name: how messages call the file; its path by default.
    ///   - what: what messages say was expected.
    /// - Throws: ``Failure`` `io` with the reason.
    public init(
        _ path: String, named name: String? = nil, expecting what: String = "a plain file"
    ) throws(Failure) {
        let name = name ?? path
        // A pipe without a writer would keep a blocking call for ever.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno == ENOENT ? "no such file" : systemMessage(errno)
            throw Failure(.io, "\(name): \(reason)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let found = status.st_mode & S_IFMT == S_IFDIR ? "a folder; " : ""
            _ = Glibc.close(descriptor)
            throw Failure(.io, "\(name): \(found)\(what) expected")
        }
        byteCount = Int(status.st_size)
    }

    public func close() { _ = Glibc.close(descriptor) }
}

/// What the system says about an `errno`.
package func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}

/// What the system says about an error of Foundation's.
package func systemMessage(_ error: any Error) -> String {
    let outer = error as NSError
    let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError
    let system = [outer, inner].compactMap(\.self).first { $0.domain == NSPOSIXErrorDomain }
    return system.map { systemMessage(Int32($0.code)) } ?? error.localizedDescription
}
