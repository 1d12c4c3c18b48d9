import ArgumentParser
import Core
import Files

struct RenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render a glTF scene by path tracing, with the same bits on every device.",
        discussion: """
            The digest is the Merkle root over the picture's tiles: equal digests mean equal \
            pictures to the last bit. A .png is clipped and sRGB-encoded (Blender's Standard \
            view); an .exr keeps linear floats. Without --env the scene stands under a plain sky.

            EXAMPLES
              rigor render helmet.gltf -o helmet.png
              rigor render helmet.gltf --env beach.hdr --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
            """)

    @OptionGroup var scene: RenderOptions
    @OptionGroup var picture: PictureOptions

    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        if let output = picture.output { try FileBytes.checkWritable(output) }
        let opened = try device.open(home: home.given, isProfiling: kernels)
        let reports = try opened.map { try RenderJob(self, console).run(on: $0) }
        if format.json {
            console.write(.perDevice(reports.map(\.json)))
        } else {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
    }
}
