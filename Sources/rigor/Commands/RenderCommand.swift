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
            had happened. It is also kept every minute, for worse ends. Of --frames, --resume goes \
            on with the one that was interrupted. Renders with --share or --part keep nothing.

            EXAMPLES
              rigor render helmet.gltf -o helmet.png
              rigor render helmet.gltf --env beach.hdr --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
              rigor render shop.glb --spp 4096 --preview 10 -o shop.png
              rigor render fox.glb --animation Run --frames 1-48 --fps 24 -o fox.####.png
              rigor render shop.glb --share -o shop.exr
              rigor render shop.glb --tiles 0-99 --part first.part
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

    func run() async throws {
        let console = Console()
        if explanation.explain {
            return try explanation.run(scene.scene, moment, asJSON: format.json, console)
        }
        if sharing.isGiven {
            try moment.checkOneFrame()
            if let output = picture.output { try FileBytes.checkWritable(output) }
            return try SharedRender(self, console).run()
        }
        let numbers = try moment.numbers(resuming: sitting.resume, picture.output)
        if let output = picture.output {
            try FileBytes.checkWritable(moment.path(output, frame: numbers.lowerBound))
        }
        let opened = try device.open(home: home.given, isProfiling: kernels)
        try sitting.check(output: picture.output, devices: opened.count)
        var documents: [JSON] = []
        var isWhole = true
        for frame in numbers where isWhole {
            var command = self
            command.picture.output = picture.output.map { moment.path($0, frame: frame) }
            command.sitting.resume = sitting.resume && frame == numbers.lowerBound
            let reports = try command.render(frame, on: opened, console)
            documents.append(.perDevice(reports.map(\.json)))
            isWhole = !reports.contains { $0.kept != nil }
        }
        if format.json {
            console.write(moment.frames == nil ? documents[0] : ["frames": .array(documents)])
        }
        if !isWhole { throw ExitCode(Interruption.exitCode) }
    }

    /// The scene as it is in `frame`, by default the first of those asked for.
    func load(frame: Int? = nil) throws(Failure) -> Scene {
        try scene.load(moment.moment.options(frame: frame ?? moment.first))
    }

    /// What a device needs of `frame`, whose scene `scene` is.
    func blob(of scene: Scene, frame: Int? = nil) throws(Failure) -> RenderBlob {
        try moment.moment.blob(
            of: scene, self.scene.parameters, frame: frame ?? moment.first
        ) { options throws(Failure) in try self.scene.load(options) }
    }

    /// One frame on every device.
    private func render(
        _ frame: Int, on devices: [OpenCLDevice], _ console: Console
    ) throws(Failure) -> [RenderReport] {
        let isAlone = devices.count == 1
        var reports: [RenderReport] = []
        for device in devices {
            reports.append(
                try RenderJob(self, frame, console, isAlone: isAlone).run(on: device))
        }
        if !format.json {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
        return reports
    }
}
