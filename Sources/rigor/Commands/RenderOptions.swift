import ArgumentParser
import Core
import Foundation
import Rendering

/// What `rigor render` is to render.
struct RenderOptions: ParsableArguments {
    private static let standard = RenderParameters()

    @Argument(
        help: ArgumentHelp("The scene: .gltf or .glb.", valueName: "scene"),
        completion: .file(extensions: ["gltf", "glb"]))
    var scene: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Light from all around: .hdr or .exr, equirectangular.", valueName: "file"),
        completion: .file(extensions: ["hdr", "exr"]))
    var env: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Width and height in pixels. (default: \(PictureSize.standard))", valueName: "WxH"),
        transform: PictureSize.init(accepting:))
    var size = PictureSize.standard

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Samples a pixel. (default: \(standard.samples))", valueName: "n"),
        transform: Accepted.whole(1...RenderParameters.samplesMax))
    var spp = standard.samples

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            """
            Times a path may scatter after its first surface. (default: \(standard.bounces))
            """, valueName: "n"),
        transform: Accepted.whole(0...RenderParameters.bouncesMax))
    var bounces = standard.bounces

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Another seed, other noise. (default: \(standard.seed))", valueName: "n"),
        transform: Accepted.whole(0...UInt64.max))
    var seed = standard.seed

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The file's camera by name or index, or auto: in front of the whole scene. By default \
            the file's first, or auto where it has none.
            """, valueName: "camera"))
    var camera = "first"

    @OptionGroup var light: LightOptions
    @OptionGroup var lens: LensOptions
    @OptionGroup var noise: NoiseOptions

    var parameters: RenderParameters {
        RenderParameters(
            width: size.width, height: size.height, samples: spp, bounces: bounces, seed: seed,
            camera: CameraChoice(argument: camera), indirectMax: light.clamp.map { Float($0) },
            lens: lens.lens, noise: noise.target)
    }

    /// Reads the scene, and what is around it.
    ///
    /// - Parameter files: below ``folder``; afterwards it knows which belong to the scene.
    func load(_ options: ImportOptions, from files: SceneFiles) throws(Failure) -> Scene {
        let name = URL(fileURLWithPath: scene).lastPathComponent
        var scene = try Scene(importing: name, from: files, options: options)
        if let env { scene.environment = try Environment(contentsOf: URL(fileURLWithPath: env)) }
        return scene
    }

    /// Where the scene's files are.
    var folder: URL { URL(fileURLWithPath: scene).deletingLastPathComponent() }

    /// What parts of this picture have in common.
    func job(_ blob: RenderBlob, at moment: MomentOptions) -> RenderPart.Job {
        RenderPart.Job(
            blob, parameters, frame: moment.first, scene: (scene as NSString).lastPathComponent,
            environment: env.map { ($0 as NSString).lastPathComponent }, moment: moment.moment)
    }
}

/// `640x360` on a command line.
struct PictureSize: CustomStringConvertible {
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    static let standard: PictureSize = {
        let parameters = RenderParameters()
        return PictureSize(width: parameters.width, height: parameters.height)
    }()

    /// - Throws: `ValidationError` saying what was expected.
    @Sendable init(accepting text: String) throws {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1],
            (try? RenderParameters(width: width, height: height).check()) != nil
        else {
            throw ValidationError(
                "WIDTHxHEIGHT expected, such as 640x360: each from 1 to "
                    + "\(RenderParameters.sideMax), at most \(RenderParameters.pixelsMax) pixels")
        }
        self.init(width: width, height: height)
    }

    var description: String { "\(width)x\(height)" }
}
