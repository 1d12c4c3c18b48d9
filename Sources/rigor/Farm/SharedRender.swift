internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Profiling
internal import Rendering

/// `rigor render --share` and `--part`: a frame or a piece of it, by several devices or one.
struct SharedRender {
    let command: RenderCommand
    let console: Console
    private let clock = SystemClock()

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func run() throws(Failure) {
        let parameters = command.scene.parameters
        let piece = try command.sharing.piece(of: parameters)
        try check(piece, of: parameters)
        if let part = command.sharing.part { try FileBytes.checkWritable(part) }
        var report = SharedReport(parameters: parameters, piece: piece)
        let devices = try open()
        var mark = clock.monotonicSeconds
        func lap() -> Double {
            defer { mark = clock.monotonicSeconds }
            return clock.monotonicSeconds - mark
        }
        let scene = try command.load()
        if !command.format.json { for line in scene.warnings { console.warn(line) } }
        report.load = lap()
        let blob = try command.blob(of: scene)
        report.prepare = lap()
        let outcome = try compute(blob, piece, on: devices)
        report.outcome = outcome
        report.compute = lap()
        if piece == RenderPiece(wholeOf: parameters) {
            report.digest = TileSums.tree(over: outcome.tiles).root
            report.digestSeconds = lap()
            var picture = command.picture
            picture.output = picture.output.map {
                command.moment.path($0, frame: command.moment.first)
            }
            try picture.write(
                try Picture(outcome.tiles, width: parameters.width, height: parameters.height))
            report.image = picture.output
        }
        if let path = command.sharing.part {
            try PartFile.write(
                RenderPart(
                    job: command.scene.job(blob, at: command.moment), piece: piece,
                    tiles: outcome.tiles),
                to: path)
            report.part = path
        }
        report.write = lap()
        if command.format.json {
            console.write(report.json)
        } else {
            for line in report.lines { console.say(line) }
        }
    }

    /// A picture is whole.
    private func check(
        _ piece: RenderPiece, of parameters: RenderParameters
    ) throws(Failure) {
        if command.picture.output != nil, piece != RenderPiece(wholeOf: parameters) {
            throw Failure(.usage, "-o: \(piece) are no picture; `rigor merge` makes one of parts")
        }
    }

    // MARK: Devices

    /// The devices, each for a thread of its own.
    private func open() throws(Failure) -> [OpenCLDevice] {
        var selection = command.device
        if selection.device == nil, command.sharing.share { selection.device = "all" }
        let all = try selection.open(home: command.home.given, isProfiling: command.kernels)
        // A simulator of kernels keeps its state in globals.
        let isLeftOut = { (device: OpenCLDevice) in
            all.count > 1 && device.description.platform == "Oclgrind"
        }
        for device in all where isLeftOut(device) {
            console.note(
                "\(device.description.label): left out: it does not bear a second thread beside it")
        }
        let devices = all.filter { !isLeftOut($0) }
        for device in devices where devices.count > 1 {
            let label = device.description.label
            guard let verdict = verdict(device), verdict != .exact else { continue }
            console.warn(
                "\(label) is certified \(verdict.rawValue): what it computes may differ from the "
                    + "others' bits")
        }
        return devices
    }

    private func verdict(_ device: OpenCLDevice) -> Verdict? {
        command.home.certificates.certificate(
            platform: device.description.platform,
            platformVersion: device.description.platformVersion, device: device.description.name,
            driverVersion: device.description.driverVersion,
            pciAddress: device.description.pciAddress)?.verdict
    }

    private func compute(
        _ blob: RenderBlob, _ piece: RenderPiece, on devices: [OpenCLDevice]
    ) throws(Failure) -> FrameShare.Outcome {
        let workers = devices.map { device in
            FrameShare.Worker(
                device, blob, clock: clock,
                tuning: .init(device.tuning))
        }
        let share = try FrameShare(workers, command.scene.parameters, whole: piece, clock: clock)
        let began = clock.monotonicSeconds
        let samples = Double(piece.units * TileSums.side * TileSums.side)
        defer { console.endProgress() }
        return try share.run(
            advance: { (fraction: Double) throws(Failure) in
                let seconds = max(clock.monotonicSeconds - began, 1e-9)
                let rate = Units.significant(fraction * samples / seconds / 1e6)
                console.progress("rendering \(Int(fraction * 100)) %  \(rate) Msamples/s")
            },
            lost: { label, failure in
                console.endProgress()
                console.warn("\(label) is lost, the others do its work: \(failure)")
            })
    }
}

/// What a shared render says at its end.
private struct SharedReport {
    let parameters: RenderParameters
    let piece: RenderPiece
    var outcome: FrameShare.Outcome?
    var digest: Hash256?
    var image: String?
    var part: String?
    var load = 0.0
    var prepare = 0.0
    var compute = 0.0
    var digestSeconds = 0.0
    var write = 0.0

    private var shares: [FrameShare.Share] { outcome?.shares ?? [] }
    private var spread: Double { outcome?.finishSpread ?? 0 }

    /// Samples inside the frame a second, as `rigor render` counts them, programs' compilation
    /// included: it goes on beside the work.
    private var samplesPerSecond: Double {
        let pixels = (outcome?.tiles ?? []).reduce(0) { $0 + $1.width * $1.height }
        return Double(pixels * piece.samples.count)
            / max(prepare + compute + digestSeconds + write, 1e-9)
    }

    var json: JSON {
        [
            "device": .string(shares.map(\.label).joined(separator: " + ")),
            "digest": .optional(digest, JSON.hash), "image": .optional(image, JSON.string),
            "part": .optional(part, JSON.string), "width": .int(parameters.width),
            "height": .int(parameters.height), "samples": .int(parameters.samples),
            "bounces": .int(parameters.bounces), "seed": .string(String(parameters.seed)),
            "tiles": [.int(piece.tiles.lowerBound), .int(piece.tiles.upperBound)],
            "sample_range": [.int(piece.samples.lowerBound), .int(piece.samples.upperBound)],
            "shares": .array(shares.map(Self.json)),
            "finish_spread": .number(spread, decimals: 4),
            "seconds": [
                "load": .seconds(load), "prepare": .seconds(prepare),
                "compute": .seconds(compute), "digest": .seconds(digestSeconds),
                "write": .seconds(write),
            ],
            "samples_per_second": .number(samplesPerSecond, decimals: 1),
        ]
    }

    private static func json(_ share: FrameShare.Share) -> JSON {
        [
            "device": .string(share.label), "share": .number(share.fraction, decimals: 4),
            "pieces": .int(share.pieceCount),
            "seconds": [
                "open": .seconds(share.openSeconds), "busy": .seconds(share.busySeconds),
                "finished": .optional(share.finishedSeconds, JSON.seconds),
            ],
            "failure": .optional(share.failure) { .string($0.message) },
        ]
    }

    var lines: [String] {
        func text(_ value: Double) -> String { Units.plain(value, 3) }
        var lines: [String] = []
        if let image { lines.append("picture  \(image)") }
        if let part { lines.append("part     \(part): \(piece)") }
        if let digest { lines.append("digest   \(digest)") }
        for share in shares {
            let end = share.finishedSeconds.map { ", finished at \(text($0)) s" } ?? ""
            let lost = share.failure.map { ", lost: \($0)" } ?? ""
            lines.append(
                "share    \(Units.plain(share.fraction * 100, 1)) % on \(share.label), busy "
                    + "\(text(share.busySeconds)) s\(end)\(lost)")
        }
        if shares.count > 1 {
            lines.append("finish   \(Units.plain(spread * 100, 1)) % apart")
        }
        lines.append(
            """
            seconds  load \(text(load)), prepare \(text(prepare)), compute \(text(compute)), \
            digest \(text(digestSeconds)), write \(text(write))
            """)
        lines.append("rate     \(Units.significant(samplesPerSecond / 1e6)) Msamples/s")
        return lines
    }
}
