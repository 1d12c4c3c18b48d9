import Core
import Foundation
import Rendering

/// A scene's files, at whichever frames it is wanted.
final class SceneLoader {
    private let path: String
    private let environment: String?
    private let parameters: RenderParameters
    private let moment: SceneMoment
    private let files: SceneFiles
    private var steadyCamera: Camera?

    /// - Parameters:
    ///   - path: of the .gltf or .glb.
    ///   - environment: of the light from all around; nil for none but the scene's own.
    init(
        _ path: String, environment: String?, _ parameters: RenderParameters,
        _ moment: SceneMoment
    ) {
        self.path = path
        self.environment = environment
        self.parameters = parameters
        self.moment = moment
        files = SceneFiles(folder: URL(fileURLWithPath: path).deletingLastPathComponent())
    }

    /// The scene as it is in `frame`, and what is around it.
    func load(frame: Int) throws(Failure) -> Scene {
        var scene = try load(try moment.options(frame: frame))
        if scene.isFramed(for: parameters.camera),
            let options = try moment.steadyOptions(frame: frame)
        {
            if steadyCamera == nil { steadyCamera = try camera(options) }
            scene.steadyCamera = steadyCamera
        }
        return scene
    }

    /// What a device needs of `frame`, whose scene `scene` is.
    func blob(of scene: Scene, frame: Int) throws(Failure) -> RenderBlob {
        try moment.blob(of: scene, parameters, frame: frame) { options throws(Failure) in
            try load(options)
        }
    }

    /// What parts of that frame's picture have in common.
    func job(_ blob: RenderBlob, frame: Int) -> RenderPart.Job {
        RenderPart.Job(
            blob, parameters, frame: frame, scene: (path as NSString).lastPathComponent,
            environment: environment.map { ($0 as NSString).lastPathComponent }, moment: moment)
    }

    /// Whether any frame has been loaded.
    var hasRead: Bool { !files.pathsRead.isEmpty }

    /// Files that were read, and those that are read at every moment.
    var inputPaths: [String] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        return [path] + [environment].compactMap(\.self)
            + files.pathsRead.map { folder.appendingPathComponent($0).path }
    }

    private func load(_ options: ImportOptions) throws(Failure) -> Scene {
        var scene = try imported(options)
        if let environment {
            scene.environment = try Environment(contentsOf: URL(fileURLWithPath: environment))
        }
        return scene
    }

    private func imported(_ options: ImportOptions) throws(Failure) -> Scene {
        let name = URL(fileURLWithPath: path).lastPathComponent
        return try Scene(importing: name, from: files, options: options)
    }

    private func camera(_ options: ImportOptions) throws(Failure) -> Camera {
        .automatic(
            framing: try imported(options), width: parameters.width, height: parameters.height)
    }
}
