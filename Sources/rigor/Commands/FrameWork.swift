import Core
import Digest
import Files
import Foundation
import HostProtocol
import Rendering

/// What a command's frames have in common: the scene's files, the place they are seen from, and by
/// what a finished picture is known again.
final class FrameWork {
    private let command: RenderCommand
    private let files: SceneFiles
    private var steadyCamera: Camera?
    private var inputs: Hash256?
    private var hasWarned = false

    init(_ command: RenderCommand) {
        self.command = command
        files = SceneFiles(folder: command.scene.folder)
    }

    /// The scene as it is in `frame`.
    ///
    /// - Throws: ``Failure`` also where the picture, or a part of it, would overwrite one of the
    ///   scene's files.
    func load(frame: Int) throws(Failure) -> Scene {
        let moment = command.moment.moment
        var scene = try command.scene.load(try moment.options(frame: frame), from: files)
        if scene.isFramed(for: command.scene.parameters.camera),
            let options = try moment.steadyOptions(frame: frame)
        {
            if steadyCamera == nil { steadyCamera = try camera(options) }
            scene.steadyCamera = steadyCamera
        }
        let outputs = [
            command.picture.output.map { command.moment.path($0, frame: frame) },
            command.sharing.part,
        ]
        for output in outputs.compactMap(\.self) {
            try FileBytes.checkApart(output, from: inputPaths)
        }
        return scene
    }

    /// What a device needs of `frame`, whose scene `scene` is.
    func blob(of scene: Scene, frame: Int) throws(Failure) -> RenderBlob {
        try command.moment.moment.blob(of: scene, command.scene.parameters, frame: frame) {
            options throws(Failure) in try command.scene.load(options, from: files)
        }
    }

    /// Whether nothing has been said of the scene yet.
    func isFirstWarning() -> Bool {
        defer { hasWarned = true }
        return !hasWarned
    }

    private func camera(_ options: ImportOptions) throws(Failure) -> Camera {
        let name = URL(fileURLWithPath: command.scene.scene).lastPathComponent
        let first = try Scene(importing: name, from: files, options: options)
        let parameters = command.scene.parameters
        return .automatic(framing: first, width: parameters.width, height: parameters.height)
    }

    /// Files that were read, and those that are read at every moment.
    private var inputPaths: [String] {
        [command.scene.scene] + [command.scene.env].compactMap(\.self)
            + files.pathsRead.map { command.scene.folder.appendingPathComponent($0).path }
    }

    // MARK: Finished pictures

    /// Names a whole frame of this work: another program, other files, other options or another
    /// frame give another mark.
    func mark(frame: Int) throws(Failure) -> String {
        var hasher = SHA256.Hasher()
        hasher.update(try Executable.current().bytes)
        hasher.update(try inputsHash(frame).bytes)
        let picture = command.picture
        let layers = picture.aov.map(\.rawValue).sorted()
        let words = [
            "\(command.scene.parameters)", "\(command.moment.moment)", "\(picture.look)",
            "\((picture.exr ?? .float).rawValue)", "\(layers)", "frame \(frame)",
        ]
        hasher.update(Bytes(words.joined(separator: "\n").utf8))
        return hasher.finalize().bytes.hex
    }

    private func inputsHash(_ frame: Int) throws(Failure) -> Hash256 {
        if let inputs { return inputs }
        // Every file that some frame needs is read with the first.
        if files.pathsRead.isEmpty { _ = try load(frame: frame) }
        var hasher = SHA256.Hasher()
        for path in inputPaths { hasher.update(try FileHash.sha256(path: path).sha256.bytes) }
        let hash = hasher.finalize()
        inputs = hash
        return hash
    }

    /// Whether an earlier sitting left a frame whole.
    enum Done {
        case whole(Hash256)
        /// Its picture is there, and why it does not count.
        case not(String)
        case missing
    }

    func done(_ frame: Int, at path: String) throws(Failure) -> Done {
        guard FileManager.default.fileExists(atPath: path),
            let bytes = try? FileBytes.read(path, byteCountMax: Self.pictureBytesMax)
        else { return .missing }
        guard let words = FrameMark.words(in: Bytes(bytes)) else {
            return .not("not whole, or not of --frames")
        }
        guard words.count == 2 else { return .not("not whole, or changed since it was rendered") }
        guard words[0] == (try mark(frame: frame)), let digest = Hash256(hex: words[1]) else {
            return .not("of another job, or another version of this program")
        }
        return .whole(digest)
    }

    private static let pictureBytesMax = 8 << 30
}
