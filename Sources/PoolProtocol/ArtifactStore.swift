public import Core
internal import Files
internal import Foundation
internal import Glibc
internal import HostProtocol

/// Files by content: a folder in which each file's name is its SHA-256.
///
/// A file appears whole and flushed to disk, or not at all, so what `contains` affirms survives a
/// crash.
public struct ArtifactStore: Sendable {
    public let folder: String

    /// Opens the store, creating its folder.
    public init(folder: String) throws(Failure) {
        self.folder = folder
        try Folder.make("\(folder)/incoming")
    }

    /// Where the file with that content is or would be.
    public func path(of hash: Hash256) -> String {
        "\(folder)/\(hash.bytes.prefix(1).hex)/\(hash.bytes.hex)"
    }

    public func contains(_ content: TaskSpec.ContentID) -> Bool {
        var status = stat()
        return stat(path(of: content.sha256), &status) == 0
            && Int(status.st_size) == content.byteCount
    }

    /// A new place for bytes on their way in.
    public func incomingPath() -> String {
        "\(folder)/incoming/\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    /// Removes what a crash left half-way. Only for the store's one owner, at its start.
    public func removeIncoming() {
        let incoming = "\(folder)/incoming"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: incoming)) ?? [] {
            _ = unlink("\(incoming)/\(name)")
        }
    }

    /// Stores bytes.
    @discardableResult
    public func put(_ bytes: Bytes) throws(Failure) -> TaskSpec.ContentID {
        let path = incomingPath()
        try FileHash.writeDurably(bytes, to: path)
        return try adopt(path, expected: nil)
    }

    /// Stores a copy of a file.
    @discardableResult
    public func put(file: String, bytesMax: Int) throws(Failure) -> TaskSpec.ContentID {
        try put(try FileHash.contents(path: file, bytesMax: bytesMax))
    }

    /// Takes over a file of this file system, flushing it to disk first.
    ///
    /// - Throws: ``Failure``: `untrusted` when it is not `expected`; it is removed then.
    @discardableResult
    public func adopt(
        _ path: String, expected: TaskSpec.ContentID?
    ) throws(Failure) -> TaskSpec.ContentID {
        let content = try FileHash.sha256(path: path)
        if let expected, expected != content {
            _ = unlink(path)
            throw Failure(
                .untrusted,
                "artifact: content \(expected.sha256) of \(expected.byteCount) "
                    + "bytes expected, \(content.sha256) of \(content.byteCount) came")
        }
        let target = self.path(of: content.sha256)
        try Folder.make("\(folder)/\(content.sha256.bytes.prefix(1).hex)")
        try FileHash.flush(path)
        guard rename(path, target) == 0 else {
            throw Failure(.storage, "\(target): \(systemMessage(errno))")
        }
        try FileHash.flushFolder(of: target)
        try FileHash.flushFolder(of: "\(folder)/x")
        return content
    }

    /// The bytes of an artifact, checked.
    public func contents(_ content: TaskSpec.ContentID) throws(Failure) -> Bytes {
        try FileHash.contents(path: path(of: content.sha256), expected: content)
    }
}
