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
    private let scene: SceneLoader
    private var inputs: Hash256?
    private var hasWarned = false

    init(_ command: RenderCommand) {
        self.command = command
        scene = SceneLoader(
            command.scene.scene, environment: command.scene.env, command.scene.parameters,
            command.moment.moment)
    }

    /// The scene as it is in `frame`.
    ///
    /// - Throws: ``Failure`` also where the picture, or a part of it, would overwrite one of the
    ///   scene's files.
    func load(frame: Int) throws(Failure) -> Scene {
        let loaded = try scene.load(frame: frame)
        let outputs = [command.picture.output, command.sharing.part]
        for output in outputs.compactMap(\.self) {
            try FileBytes.checkApart(
                command.moment.path(output, frame: frame), from: scene.inputPaths)
        }
        return loaded
    }

    /// What a device needs of `frame`, whose scene `loaded` is.
    func blob(of loaded: Scene, frame: Int) throws(Failure) -> RenderBlob {
        try scene.blob(of: loaded, frame: frame)
    }

    /// What parts of that frame's picture have in common.
    func job(_ blob: RenderBlob, frame: Int) -> RenderPart.Job { scene.job(blob, frame: frame) }

    /// Says what the user should know of the scene, once for all frames.
    func warn(of scene: Scene, _ console: Console) {
        guard !hasWarned else { return }
        hasWarned = true
        for line in scene.warnings { console.warn(line) }
        if command.moment.frames != nil, scene.isFramed(for: command.scene.parameters.camera) {
            console.warn("no camera: every frame is seen from where frame 0 as a whole is seen")
        }
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

    /// What a whole frame of an animation says of itself, to be known again; nil for other
    /// pictures.
    func mark(frame: Int, _ digest: Hash256?) throws(Failure) -> String? {
        guard command.moment.frames != nil, let digest else { return nil }
        return "\(try mark(frame: frame)) \(digest)"
    }

    /// Whether an earlier sitting left a whole part at `path`: this piece of this frame.
    func isDone(_ piece: RenderPiece, of frame: Int, at path: String) throws(Failure) -> Bool {
        guard FileManager.default.fileExists(atPath: path), let part = try? PartFile.read(path),
            part.piece == piece
        else { return false }
        let blob = try blob(of: try load(frame: frame), frame: frame)
        return part.job.difference(from: job(blob, frame: frame)) == nil
    }

    private func inputsHash(_ frame: Int) throws(Failure) -> Hash256 {
        if let inputs { return inputs }
        // Every file that some frame needs is read with the first.
        if !scene.hasRead { _ = try load(frame: frame) }
        var hasher = SHA256.Hasher()
        for path in scene.inputPaths { hasher.update(try FileHash.sha256(path: path).sha256.bytes) }
        let hash = hasher.finalize()
        inputs = hash
        return hash
    }

    /// Whether an earlier sitting left a frame whole.
    enum Done {
        case whole(Hash256)
        /// Its picture is there, and why it does not count.
        case not(String)
        /// A whole one of something else is there.
        case another
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
            return .another
        }
        return .whole(digest)
    }

    private static let pictureBytesMax = 8 << 30
}
