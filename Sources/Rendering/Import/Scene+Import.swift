public import Core
public import Foundation
internal import Imaging

extension Scene {
    /// Reads a glTF 2.0 scene.
    ///
    /// - Parameters:
    ///   - path: the `.gltf` or `.glb` file within `files`; the bytes say which of the two it is.
    ///   - files: where it and the buffers and images it names are read from. Afterwards
    ///     `files.pathsRead` is the scene's closure.
    ///   - options: at which time, and in which of its variants, the scene is wanted.
    /// - Throws: ``Failure`` naming file, place and what was expected, for anything malformed, not
    ///   supported, beyond `limits` or outside the scene's folder.
    public init(
        importing path: String, from files: SceneFiles, limits: ImportLimits = ImportLimits(),
        options: ImportOptions = ImportOptions()
    ) throws(Failure) {
        do throws(Failure) {
            self = try SceneImporter(path, files, limits, options).run()
        } catch {
            throw error.message.hasPrefix("\(path): ") ? error : error.at(path)
        }
    }

    /// Reads a glTF 2.0 scene from disk; its buffers and images lie in the same folder or below.
    public init(
        contentsOf url: URL, limits: ImportLimits = ImportLimits(),
        options: ImportOptions = ImportOptions()
    ) throws(Failure) {
        let files = SceneFiles(folder: url.deletingLastPathComponent())
        try self.init(
            importing: url.lastPathComponent, from: files, limits: limits, options: options)
    }
}
