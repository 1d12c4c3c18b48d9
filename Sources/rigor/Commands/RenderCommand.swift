import ArgumentParser
import Compute
import Core
import Digest
import Files
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
              rigor render helmet.gltf --env beach.hdr --spp 256 -o helmet.exr
              rigor render shop.glb --camera Counter --device cpu --json
            """)

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

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Exposure of a .png in stops. (default: 0)", valueName: "EV"),
        transform: Accepted.decimal(-32...32))
    var exposure = 0.0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The picture: .png or .exr; without it, the digest alone.", valueName: "file"),
        completion: .file(extensions: ["png", "exr"]),
        transform: Accepted.file(ending: ["png", "exr"]))
    var output: String?

    @Flag(name: .long, help: "Have the driver measure each kernel, and say where time went.")
    var kernels = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var home: HomeOptions

    private var parameters: RenderParameters {
        RenderParameters(
            width: size.width, height: size.height, samples: spp, bounces: bounces, seed: seed,
            camera: CameraChoice(argument: camera))
    }

    func run() async throws {
        let console = Console()
        if let output { try FileBytes.checkWritable(output) }
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

    fileprivate func load() throws(Failure) -> Scene {
        var scene = try Scene(contentsOf: URL(fileURLWithPath: scene))
        if let env { scene.environment = try Environment(contentsOf: URL(fileURLWithPath: env)) }
        return scene
    }

    fileprivate func write(_ picture: Picture) throws(Failure) {
        guard let output else { return }
        let bytes =
            output.lowercased().hasSuffix(".exr")
            ? try EXR.encode(picture.image) : try PNG.encode(picture.exposed(stops: exposure))
        try FileBytes.write(bytes, to: output)
    }

    fileprivate var wanted: RenderParameters { parameters }
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
        report.kernels = device.kernelTimes
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
                let rate = Units.significant(fraction * samples / seconds / 1e6)
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
    /// Launches and seconds on the device; empty where they were not measured.
    var kernels: [String: (launches: Int, seconds: Double)] = [:]

    init(device: String, parameters: RenderParameters) {
        self.device = device
        self.parameters = parameters
    }

    private var samplesPerSecond: Double {
        Double(parameters.width * parameters.height * parameters.samples)
            / max(prepare + compute + digestSeconds + write, 1e-9)
    }

    var json: JSON {
        var members = self.members
        if !kernels.isEmpty {
            let seconds = kernels.sorted { $0.key < $1.key }.map {
                JSON.Member($0.key, .seconds($0.value.seconds))
            }
            members.append(JSON.Member("kernel_seconds", .object(seconds)))
        }
        return .object(members)
    }

    private var members: [JSON.Member] {
        let document: JSON = [
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
        guard case .object(let members) = document else { return [] }
        return members
    }

    var lines: [String] {
        func text(_ value: Double) -> String { Units.plain(value, 3) }
        var lines = [
            "device   \(device)",
            "digest   \(digest.map(\.description) ?? "none")",
            """
            seconds  load \(text(load)), prepare \(text(prepare)), compile \(text(compile)), \
            compute \(text(compute)), digest \(text(digestSeconds)), write \(text(write))
            """,
            "rate     \(Units.significant(samplesPerSecond / 1e6)) Msamples/s",
        ]
        for (name, time) in kernels.sorted(by: { $0.value.seconds > $1.value.seconds }) {
            let padded = name.padding(toLength: 12, withPad: " ", startingAt: 0)
            lines.append("kernel   \(padded) \(text(time.seconds)) s, \(time.launches) launches")
        }
        if nanCount > 0 { lines.append("NaN      \(nanCount) samples, counted as black") }
        if let image { lines.insert("picture  \(image)", at: 0) }
        return lines
    }
}
