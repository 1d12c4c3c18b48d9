import ArgumentParser
import Compute
import Core
import Digest
import Foundation
import Imaging
import Rendering

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
              rigor render helmet.gltf --env beach.hdr --size 1280x720 --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
            """)

    @Argument(help: ArgumentHelp("The scene: .gltf or .glb.", valueName: "scene"))
    var scene: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Light from all around: .hdr or .exr, equirectangular.", valueName: "file"))
    var env: String?

    @Option(name: .long, help: ArgumentHelp("Width and height in pixels.", valueName: "WxH"))
    var size = PictureSize(width: 640, height: 360)

    @Option(name: .long, help: "Samples a pixel.")
    var spp = 64

    @Option(name: .long, help: "Times a path may scatter after its first surface.")
    var bounces = 4

    @Option(name: .long, help: "Another seed, other noise.")
    var seed: UInt64 = 0

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            The file's camera by name or index, or auto: in front of the whole scene. By default \
            the file's first, or auto where it has none.
            """, valueName: "camera"))
    var camera = "first"

    @Option(name: .long, help: ArgumentHelp("Exposure of a .png in stops.", valueName: "EV"))
    var exposure = 0.0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The picture: .png or .exr; without it, the digest alone.", valueName: "file"))
    var output: String?

    @OptionGroup var device: DeviceOptions
    @OptionGroup var format: OutputOptions

    private var parameters: RenderParameters {
        RenderParameters(
            width: size.width, height: size.height, samples: spp, bounces: bounces, seed: seed,
            camera: CameraChoice(argument: camera))
    }

    func validate() throws {
        do {
            try parameters.check()
        } catch {
            throw ValidationError("\(error)")
        }
        guard exposure.isFinite, exposure.magnitude <= 32 else {
            throw ValidationError("exposure \(exposure): -32…32 expected")
        }
        if let output, !output.hasSuffix(".png"), !output.hasSuffix(".exr") {
            throw ValidationError("\(output): a name ending in .png or .exr expected")
        }
    }

    func run() async throws {
        let console = Console()
        let reports = try device.open().map { try RenderJob(self, console).run(on: $0) }
        if format.json {
            console.write(reports.count == 1 ? reports[0].json : .array(reports.map(\.json)))
        } else {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
    }

    fileprivate func load() throws(Failure) -> Scene {
        var scene = try Scene(contentsOf: URL(fileURLWithPath: scene))
        if let env { scene.environment = try Environment(contentsOf: URL(fileURLWithPath: env)) }
        return scene
    }

    fileprivate func write(_ picture: Picture) throws(Failure) {
        guard let output else { return }
        let bytes =
            output.hasSuffix(".exr")
            ? try EXR.encode(picture.image) : try PNG.encode(picture.exposed(stops: exposure))
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: output))
        } catch {
            throw Failure(.io, "\(output): cannot be written")
        }
    }

    fileprivate var wanted: RenderParameters { parameters }
}

/// `640x360` on a command line.
struct PictureSize: ExpressibleByArgument, CustomStringConvertible {
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false)
        guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]) else {
            return nil
        }
        self.init(width: width, height: height)
    }

    var description: String { "\(width)x\(height)" }
    var defaultValueDescription: String { description }
}

/// One picture on one device, and where its time goes.
private struct RenderJob {
    private let command: RenderCommand
    private let console: Console
    private let clock = SystemClock()

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func run(on device: OpenCLDevice) throws(Failure) -> RenderReport {
        let parameters = command.wanted
        var report = RenderReport(device: device.description.label, parameters: parameters)
        report.image = command.output
        let scene = try timed(&report.load) { () throws(Failure) in try command.load() }
        if !command.format.json { for line in scene.warnings { console.warn(line) } }
        report.triangles = scene.triangles.count
        let blob = try timed(&report.prepare) { () throws(Failure) in
            try RenderBlob(scene, parameters)
        }
        let tiles = try compute(blob, on: device, &report)
        report.digest = timed(&report.digestSeconds) {
            MerkleTree(
                leaves: tiles.enumerated().map {
                    Leaf(index: $0.offset, name: $0.element.leafName, bytes: $0.element.bytes)
                }
            ).root
        }
        try timed(&report.write) { () throws(Failure) in
            let picture = try Picture(tiles, width: parameters.width, height: parameters.height)
            report.nanCount = picture.nanCount
            try command.write(picture)
        }
        return report
    }

    private func compute(
        _ blob: RenderBlob, on device: OpenCLDevice, _ report: inout RenderReport
    ) throws(Failure) -> [TileSums] {
        let parameters = command.wanted
        let start = clock.monotonicSeconds
        let renderer = try RenderRun(
            blob, on: device, clock: clock,
            tuning: .init(pathsMax: device.tuning[.renderPathsMax]))
        report.compile = renderer.compileSeconds
        let began = clock.monotonicSeconds
        let samples = Double(parameters.width * parameters.height * parameters.samples)
        var tiles: [TileSums] = []
        try renderer.render(
            tiles: 0..<parameters.tileCount, samples: 0..<parameters.samples,
            advance: { (fraction: Double) throws(Failure) in
                let seconds = max(clock.monotonicSeconds - began, 1e-9)
                let rate = JSON.number(fraction * samples / seconds / 1e6, decimals: 2).plain
                console.progress("rendering \(Int(fraction * 100)) %  \(rate) Msamples/s")
            },
            finish: { (tile: TileSums) throws(Failure) in tiles.append(tile) })
        console.endProgress()
        report.compute = clock.monotonicSeconds - start - report.compile
        return tiles
    }

    private func timed<T, E: Error>(
        _ seconds: inout Double, _ work: () throws(E) -> T
    ) throws(E) -> T {
        let start = clock.monotonicSeconds
        defer { seconds += clock.monotonicSeconds - start }
        return try work()
    }
}

/// What `rigor render` says at its end.
private struct RenderReport {
    let device: String
    let parameters: RenderParameters
    var image: String?
    var digest: Hash256?
    var triangles = 0
    var nanCount = 0
    var load = 0.0
    var prepare = 0.0
    var compile = 0.0
    var compute = 0.0
    var digestSeconds = 0.0
    var write = 0.0

    init(device: String, parameters: RenderParameters) {
        self.device = device
        self.parameters = parameters
    }

    private var samplesPerSecond: Double {
        Double(parameters.width * parameters.height * parameters.samples)
            / max(prepare + compute + digestSeconds + write, 1e-9)
    }

    var json: JSON {
        [
            "device": .string(device),
            "digest": .optional(digest, JSON.hash),
            "image": .optional(image, JSON.string),
            "width": .int(parameters.width),
            "height": .int(parameters.height),
            "samples": .int(parameters.samples),
            "bounces": .int(parameters.bounces),
            "seed": .string(String(parameters.seed)),
            "triangles": .int(triangles),
            "nan_samples": .int(nanCount),
            "seconds": [
                "load": .seconds(load), "prepare": .seconds(prepare),
                "compile": .seconds(compile), "compute": .seconds(compute),
                "digest": .seconds(digestSeconds), "write": .seconds(write),
            ],
            "samples_per_second": .number(samplesPerSecond, decimals: 1),
        ]
    }

    var lines: [String] {
        func text(_ value: Double) -> String { JSON.number(value, decimals: 3).plain }
        var lines = [
            "device   \(device)",
            "digest   \(digest.map(\.description) ?? "none")",
            """
            seconds  load \(text(load)), prepare \(text(prepare)), compile \(text(compile)), \
            compute \(text(compute)), digest \(text(digestSeconds)), write \(text(write))
            """,
            "rate     \(text(samplesPerSecond / 1e6)) Msamples/s",
        ]
        if nanCount > 0 { lines.append("NaN      \(nanCount) samples, counted as black") }
        if let image { lines.insert("picture  \(image)", at: 0) }
        return lines
    }
}

extension JSON {
    /// A decimal's digits, for people.
    fileprivate var plain: String {
        if case .decimal(let text) = self { return text }
        return "-"
    }
}
