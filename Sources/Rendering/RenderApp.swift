public import Compute
public import Core
internal import Digest
internal import Foundation
internal import Imaging

/// Path-traced pictures of glTF scenes.
///
/// Parameters: `scene` (path of the glTF file among the inputs), `width`, `height`, `samples`,
/// `bounces`, `seed`, and if wanted `environment` (path), `camera` (`first`, `auto`, an index or a
/// name), `clamp` (decimal text: ``RenderParameters/indirectMax``), `aperture` or `f_stop` with
/// `focus_distance` (``Lens``; decimal text), `noise` (decimal text) with `samples_min`
/// (``NoiseTarget``; then `samples` is the most, the price's measure, and parts are ranges of tiles
/// alone), and for the shown picture alone `exposure` (stops, decimal text), `view`
/// (``ViewTransform``) and `png_bits`.
///
/// A moving scene is rendered at `start` seconds plus a part's `frame` divided by `fps` (both
/// decimal text; ``FrameClock``), with the `animation` of that name or index, by default all;
/// without both, its nodes rest. With `fps` the automatic camera is that of frame 0 for all frames.
/// `variant` names one of the file's material variants. With `shutter` (decimal text) and
/// `shutter_steps`, what moves is blurred (``Shutter``).
///
/// A part may have `tiles` and `samples`; without them it computes all. Leaves are tiles:
/// ``TileSums``.
public struct RenderApp: App {
    public let id = "render"
    public let version = "0.3"

    public init() {}

    // MARK: Prepare

    public func prepare(
        _ spec: TaskSpec, frame: Int, inputs: String
    ) throws(Failure) -> Bytes {
        let parameters = try RenderParameters(spec)
        let folder = URL(fileURLWithPath: inputs, isDirectory: true)
        var closed: [String: URL] = [:]
        for path in spec.inputs.keys { closed[path] = folder.appendingPathComponent(path) }
        let files = SceneFiles(closed: closed)
        let path = try spec.text("scene")
        var environment: Environment?
        if spec.parameters["environment"] != nil {
            environment = try Environment(importing: try spec.text("environment"), from: files)
        }
        func load(_ options: ImportOptions) throws(Failure) -> Scene {
            var scene = try Scene(importing: path, from: files, options: options)
            guard scene.codecsInDoubt.isEmpty else {
                throw Failure(
                    .unsupported,
                    "\(scene.codecsInDoubt.joined(separator: ", ")): this machine's library does "
                        + "not give the known answers; see `rigor certify`")
            }
            scene.environment = environment ?? scene.environment
            return scene
        }
        let moment = try SceneMoment(spec)
        var scene = try load(moment.options(frame: frame))
        if scene.isFramed(for: parameters.camera),
            let options = try moment.steadyOptions(frame: frame)
        {
            scene.steadyCamera = .automatic(
                framing: try load(options), width: parameters.width, height: parameters.height)
        }
        return try moment.blob(of: scene, parameters, frame: frame, load: load).bytes
    }

    // MARK: Run

    public func run(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds {
        let parameters = try RenderParameters(run.spec)
        let blob = try RenderBlob(bytes: run.blob)
        guard blob.width == parameters.width, blob.height == parameters.height else {
            throw Failure(.malformed, "render blob: made for another size")
        }
        let part = run.spec.parts[run.part]
        let start = run.clock.monotonicSeconds
        let renderer = try RenderRun(
            blob, on: device, clock: run.clock,
            tuning: .init(device.tuning, sliceSeconds: run.sliceSeconds))
        var index = 0
        let piece = RenderPiece(
            tiles: part.tiles ?? 0..<parameters.tileCount,
            samples: part.samples ?? 0..<parameters.samples)
        try renderer.render(
            piece, of: parameters,
            advance: { (fraction: Double) throws(Failure) in try observer.advance(fraction) },
            finish: { (tile: TileSums) throws(Failure) in
                try observer.leaf(Leaf(index: index, name: tile.leafName, bytes: tile.bytes))
                index += 1
            })
        let seconds = run.clock.monotonicSeconds - start
        return AppSeconds(
            compile: renderer.compileSeconds, compute: seconds - renderer.compileSeconds)
    }

    // MARK: Present

    public func present(
        _ spec: TaskSpec, leaves: [[Leaf]], folder: String
    ) throws(Failure) -> [String] {
        let parameters = try RenderParameters(spec)
        let look = try PictureLook(spec)
        var frames: [Int: [Leaf]] = [:]
        for (part, leaves) in zip(spec.parts, leaves) { frames[part.frame, default: []] += leaves }
        var paths: [String] = []
        for (frame, leaves) in frames.sorted(by: { $0.key < $1.key }) {
            let picture = try Self.picture(leaves, parameters)
            let name = frames.count > 1 ? FrameClock.path("picture", frame: frame) : "picture"
            let files = [
                ("\(folder)/\(name).png", try picture.png(look)),
                ("\(folder)/\(name).exr", try EXR.encode(picture.image)),
            ]
            for (path, bytes) in files {
                guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
                    throw Failure(.io, "\(path): cannot be written")
                }
            }
            paths += files.map(\.0)
        }
        return paths
    }

    /// One frame of all its tiles, whose samples may lie in several parts.
    private static func picture(
        _ leaves: [Leaf], _ parameters: RenderParameters
    ) throws(Failure) -> Picture {
        var tiles: [Int: TileSums] = [:]
        for leaf in leaves {
            let sums = try TileSums(leaf)
            if var merged = tiles[sums.tile] {
                try merged.add(sums)
                tiles[sums.tile] = merged
            } else {
                tiles[sums.tile] = sums
            }
        }
        return try Picture(
            Array(tiles.values), width: parameters.width, height: parameters.height)
    }

    // MARK: Specification

    /// The specification of a job: reads the scene once, to list every file that it needs.
    ///
    /// - Parameters:
    ///   - scene: path of the glTF file below `folder`.
    ///   - environment: path of an HDR or EXR panorama below `folder`.
    ///   - look: how the shown picture looks.
    ///   - moment: when, and in which of its variants, the scene is wanted.
    ///   - parts: how the job is cut; one part computes all of it.
    public func specification(
        scene: String, environment: String? = nil, folder: String, _ parameters: RenderParameters,
        look: PictureLook = PictureLook(), moment: SceneMoment = SceneMoment(),
        parts: [TaskSpec.Part] = [.init()]
    ) throws(Failure) -> TaskSpec {
        try parameters.check()
        let files = SceneFiles(folder: URL(fileURLWithPath: folder, isDirectory: true))
        let options = try moment.options(frame: parts.first?.frame ?? 0)
        _ = try moment.steps(frame: parts.first?.frame ?? 0)
        _ = try Scene(importing: scene, from: files, options: options)
        if let environment { _ = try files.read(environment) }
        var inputs: [String: TaskSpec.ContentID] = [:]
        for path in files.pathsRead {
            let bytes = try files.read(path)
            inputs[path] = .init(sha256: SHA256.hash(bytes), byteCount: bytes.count)
        }
        var spec = TaskSpec(
            app: id, appVersion: version,
            parameters: [
                "scene": .string(scene), "camera": .string(parameters.camera.argument),
                "width": .int(parameters.width), "height": .int(parameters.height),
                "samples": .int(parameters.samples), "bounces": .int(parameters.bounces),
                "seed": .string(String(parameters.seed)),
            ],
            inputs: inputs, parts: parts)
        if let environment { spec.parameters["environment"] = .string(environment) }
        for more in [
            look.parameters, parameters.lens?.parameters, parameters.noise?.parameters,
            moment.parameters,
        ] {
            spec.parameters.merge(more ?? [:]) { $1 }
        }
        if let most = parameters.indirectMax { spec.parameters["clamp"] = .string("\(most)") }
        return spec
    }
}

extension RenderParameters {
    /// What a specification asks for.
    ///
    /// - Throws: ``Failure`` naming the parameter that is missing or out of range.
    package init(_ spec: TaskSpec) throws(Failure) {
        var camera = CameraChoice.first
        if spec.parameters["camera"] != nil {
            camera = CameraChoice(argument: try spec.text("camera"))
        }
        guard let seed = UInt64(try spec.text("seed")) else {
            throw Failure(.malformed, "render: parameter seed: a whole number expected")
        }
        self.init(
            width: try spec.int("width"), height: try spec.int("height"),
            samples: try spec.int("samples"), bounces: try spec.int("bounces"), seed: seed,
            camera: camera, lens: try Lens(spec), noise: try NoiseTarget(spec))
        if spec.parameters["clamp"] != nil {
            guard let most = Float(try spec.text("clamp")) else {
                throw Failure(.malformed, "render: parameter clamp: a decimal number expected")
            }
            indirectMax = most
        }
        try check()
    }
}

extension TaskSpec {
    func int(_ name: String) throws(Failure) -> Int {
        guard case .int(let value) = parameters[name] else {
            throw Failure(.malformed, "render: parameter \(name): a whole number expected")
        }
        return value
    }

    /// A decimal number's text; nil where there is none.
    func decimal(_ name: String) throws(Failure) -> Double? {
        guard parameters[name] != nil else { return nil }
        guard let value = Double(try text(name)), value.isFinite else {
            throw Failure(.malformed, "render: parameter \(name): a decimal number expected")
        }
        return value
    }

    func text(_ name: String) throws(Failure) -> String {
        guard case .string(let value) = parameters[name] else {
            throw Failure(.malformed, "render: parameter \(name): text expected")
        }
        return value
    }
}
