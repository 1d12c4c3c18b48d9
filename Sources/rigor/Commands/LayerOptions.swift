import ArgumentParser
import Compute
import Core
import Foundation
import Rendering

/// Of what `rigor merge` makes layers. Parts have none: a layer is of camera rays' first hits,
/// which one device finds sooner than it reads them from files, and which no merge can check.
struct LayerOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The scene, for --aov: parts hold no layers. What else shaped the picture is given as \
            `rigor render` had it; size, samples, bounces, seed and camera are in the parts.
            """, valueName: "scene"),
        completion: .file(extensions: ["gltf", "glb"]))
    var scene: String?

    @Option(
        name: .long,
        help: ArgumentHelp("With --scene: light from all around.", valueName: "file"),
        completion: .file(extensions: ["hdr", "exr"]))
    var env: String?

    @OptionGroup var light: LightOptions
    @OptionGroup var lens: LensOptions
    @OptionGroup var moment: MomentOptions
    @OptionGroup var device: DeviceOptions

    /// - Parameter hasLayers: whether any are wanted.
    func check(hasLayers: Bool) throws {
        if hasLayers, scene == nil {
            throw ValidationError("--aov: parts hold no layers: name the scene with --scene")
        }
        guard !hasLayers else { return }
        let strange = [
            ("--scene", scene != nil), ("--env", env != nil), ("--clamp", light.clamp != nil),
            ("--focus-distance", lens.focusDistance != nil), ("--time", moment.time != nil),
            ("--frames", moment.frames != nil), ("--variant", moment.variant != nil),
            ("--device", device.device != nil),
        ]
        for (name, isGiven) in strange where isGiven {
            throw ValidationError("\(name): is for the layers of --aov")
        }
    }

    /// Layers of the picture whose parts are of `job`.
    ///
    /// - Parameter part: what messages call a part of it.
    /// - Throws: ``Failure`` where the scene and these options are of another picture.
    func firstHits(
        _ job: RenderPart.Job, from part: String, on device: OpenCLDevice
    ) throws(Failure) -> FirstHits? {
        guard let scene else { return nil }
        guard job.frame == 0 || moment.frames != nil else {
            throw Failure(
                .usage,
                "--scene: \(part) is of frame \(job.frame): --frames and --fps expected, as it was "
                    + "rendered with")
        }
        var parameters = job.parameters
        parameters.lens = lens.lens
        parameters.indirectMax = light.clamp.map { Float($0) }
        let loader = SceneLoader(scene, environment: env, parameters, moment.moment)
        let loaded = try loader.load(frame: job.frame)
        let blob = try loader.blob(of: loaded, frame: job.frame)
        if let difference = job.difference(from: loader.job(blob, frame: job.frame)) {
            throw Failure(
                .refused,
                "\(part): of another picture than --scene and the options with it: \(difference)")
        }
        let run = try RenderRun(
            blob, on: device, clock: SystemClock(),
            tuning: .init(device.tuning))
        return try run.firstHits(SceneNames(loaded), samples: parameters.samples) {
            _ throws(Failure) in
        }
    }
}
