import ArgumentParser
import Compute
import Core
import Files
import Rendering

struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render a glTF scene by path tracing, with the same bits on every device.",
        discussion: """
            The digest is the Merkle root over the picture's tiles: equal digests mean equal \
            pictures to the last bit. A .png shows light as --view says, by default clipped and \
            sRGB-encoded (Blender's Standard view); an .exr keeps linear floats, and with --aov \
            layers for compositing. Without --env the scene stands under a plain sky.

            Ctrl-C keeps what is done in a file beside the picture (shop.png.rigor) and ends with \
            exit code 75; the same command with --resume goes on, to the same bits as if nothing \
            had happened, with whatever devices --share finds then. It is also kept every minute, \
            for worse ends. Of --frames, --resume leaves those whose pictures or parts are whole \
            and of the same job, goes on with the one that was interrupted, and renders the rest. \
            Without --resume a render begins anew, and leaves what is kept as it is.

            --part with --tiles or --samples computes a part of a picture, which `rigor merge` \
            puts together. With --noise a picture is cut by tiles alone, and --spp is the most \
            that a tile gets.

            A scene without a camera is seen from in front of the whole of it; in --frames, from \
            where that is at frame 0, so that the camera stands still.

            EXAMPLES
              rigor render helmet.gltf -o helmet.png
              rigor render helmet.gltf --env beach.hdr --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
              rigor render shop.glb --spp 4096 --preview 10 -o shop.png
              rigor render fox.glb --animation Run --frames 1-48 --fps 24 -o fox.####.png
              rigor render shop.glb --share -o shop.exr
              rigor render shop.glb --size 640x360 --tiles 0-119 --part upper.part
              rigor render fox.glb --frames 1-48 --tiles 0-119 --part a.part
            """)

    @OptionGroup var scene: RenderOptions
    @OptionGroup var picture: PictureOptions
    @OptionGroup var moment: MomentOptions
    @OptionGroup var sitting: SittingOptions
    @OptionGroup var explanation: ExplainOptions

    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false

    @OptionGroup var sharing: ShareOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var home: HomeOptions

    func validate() throws {
        if sitting.resume, picture.output == nil, sharing.part == nil {
            throw ValidationError("--resume: a picture expected: name it with -o")
        }
        if sitting.preview != nil, picture.output == nil {
            throw ValidationError("--preview: a picture expected: name it with -o")
        }
        if let least = scene.noise.sppMin, least > scene.spp {
            throw ValidationError("--spp-min \(least): at most --spp, \(scene.spp), expected")
        }
        try moment.shutter.check(samples: scene.spp, hasNoise: scene.parameters.noise != nil)
    }

    /// Refuses what says how a picture is made, where none is.
    ///
    /// - Parameter why: what the command does instead.
    func refuseMaking(_ why: String) throws {
        let making = [
            ("--explain", explanation.explain), ("--kernels", kernels),
            ("--resume", sitting.resume), ("--preview", sitting.preview != nil),
            ("--share", sharing.share), ("--part", sharing.part != nil),
        ]
        for (name, isGiven) in making where isGiven {
            throw ValidationError("\(name): \(why)")
        }
    }

    func run() async throws {
        let console = Console()
        if explanation.explain {
            return try explanation.run(scene.scene, moment, asJSON: format.json, console)
        }
        try RenderFrames(self, console).run()
    }

    /// The scene as it is in the first of the frames asked for.
    func load() throws(Failure) -> Scene { try FrameWork(self).load(frame: moment.first) }

    /// What a device needs of that frame, whose scene `scene` is.
    func blob(of scene: Scene) throws(Failure) -> RenderBlob {
        try FrameWork(self).blob(of: scene, frame: moment.first)
    }
}
