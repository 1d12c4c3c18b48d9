public import Core
internal import Files
public import Foundation

/// The files a scene may be read from, and a record of which it did read.
///
/// On disk that is a scene's own folder and what lies below it; in a task it is the closed set that
/// the task's manifest lists. A scene's URIs reach nothing else.
public final class SceneFiles {
    private enum Source {
        case folder(URL)
        case closed([String: URL])
        case memory([String: Bytes])
    }

    private let source: Source
    /// Most bytes of one file.
    public let fileBytesMax: Int
    /// Paths read so far, relative to the scene's folder, in the order first read: the closure that
    /// a task's manifest must list.
    public private(set) var pathsRead: [String] = []

    public static let fileBytesMaxStandard = 1 << 30

    /// Files below `folder`.
    public init(folder: URL, fileBytesMax: Int = SceneFiles.fileBytesMaxStandard) {
        source = .folder(folder.standardizedFileURL.resolvingSymlinksInPath())
        self.fileBytesMax = fileBytesMax
    }

    /// Exactly these files: relative path with `/` → where its bytes lie now.
    public init(closed files: [String: URL], fileBytesMax: Int = SceneFiles.fileBytesMaxStandard) {
        source = .closed(files)
        self.fileBytesMax = fileBytesMax
    }

    /// Exactly these bytes.
    public init(
        memory files: [String: Bytes], fileBytesMax: Int = SceneFiles.fileBytesMaxStandard
    ) {
        source = .memory(files)
        self.fileBytesMax = fileBytesMax
    }

    /// A whole file's bytes.
    ///
    /// - Parameter path: relative to the scene's folder, with `/`.
    /// - Throws: ``Failure`` when the path leaves the folder, the file is not there or not a plain
    ///   file, or is larger than `fileBytesMax`.
    public func read(_ path: String) throws(Failure) -> Bytes {
        guard Self.isConfined(path) else {
            throw Failure(.untrusted, "\(path): a path inside the scene's folder expected")
        }
        let bytes = try bytes(at: path)
        if !pathsRead.contains(path) { pathsRead.append(path) }
        return bytes
    }

    private func bytes(at path: String) throws(Failure) -> Bytes {
        switch source {
        case .memory(let files):
            guard let bytes = files[path] else {
                throw Failure(.missing, "\(path): not among the scene's files")
            }
            guard bytes.count <= fileBytesMax else { throw tooLarge(path, bytes.count) }
            return bytes
        case .closed(let files):
            guard let url = files[path] else {
                throw Failure(.missing, "\(path): not among the scene's files")
            }
            return try load(url, path)
        case .folder(let folder):
            let url = folder.appendingPathComponent(path).resolvingSymlinksInPath()
            guard url.path.hasPrefix(folder.path == "/" ? "/" : folder.path + "/") else {
                throw Failure(.untrusted, "\(path): a path inside the scene's folder expected")
            }
            return try load(url, path)
        }
    }

    private func load(_ url: URL, _ path: String) throws(Failure) -> Bytes {
        Bytes(try FileBytes.read(url.path, byteCountMax: fileBytesMax, named: path))
    }

    private func tooLarge(_ path: String, _ count: Int) -> Failure {
        Failure(.limit, "\(path): \(count) bytes; at most \(fileBytesMax) expected")
    }

    /// Whether a relative path names something below its folder by spelling alone.
    static func isConfined(_ path: String) -> Bool {
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.isEmpty && !path.utf8.contains(0)
            && components.allSatisfy { !["", ".", ".."].contains($0) }
    }
}
