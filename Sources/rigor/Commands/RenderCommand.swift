import ArgumentParser
import Core
import Files

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
            had happened. It is also kept every minute, for worse ends.

            EXAMPLES
              rigor render helmet.gltf -o helmet.png
              rigor render helmet.gltf --env beach.hdr --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
              rigor render shop.glb --spp 4096 --preview 10 -o shop.png
              rigor render shop.glb --share -o shop.exr
              rigor render shop.glb --tiles 0-99 --part first.part
            """)

    @OptionGroup var scene: RenderOptions
    @OptionGroup var picture: PictureOptions
    @OptionGroup var sitting: SittingOptions

    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false

    @OptionGroup var sharing: ShareOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        if let output = picture.output { try FileBytes.checkWritable(output) }
        if sharing.isGiven { return try SharedRender(self, console).run() }
        let opened = try device.open(home: home.given, isProfiling: kernels)
        try sitting.check(output: picture.output, devices: opened.count)
        let isAlone = opened.count == 1
        let reports = try opened.map {
            try RenderJob(self, console, isAlone: isAlone).run(on: $0)
        }
        if format.json {
            console.write(.perDevice(reports.map(\.json)))
        } else {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
        if reports.contains(where: { $0.kept != nil }) { throw ExitCode(Interruption.exitCode) }
    }
}
