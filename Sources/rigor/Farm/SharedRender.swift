internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import Profiling
internal import Rendering

/// `rigor render --share` and `--part`: a frame or a piece of it, by several devices or one.
struct SharedRender {
    private let command: RenderCommand
    private let work: FrameWork
    private let frame: Int
    private let piece: RenderPiece
    private let console: Console
    private let clock = SystemClock()

    /// - Parameter command: with the paths of this frame's picture and part.
    init(
        _ command: RenderCommand, _ work: FrameWork, _ frame: Int, _ piece: RenderPiece,
        _ console: Console
    ) {
        self.command = command
        self.work = work
        self.frame = frame
        self.piece = piece
        self.console = console
    }

    private var parameters: RenderParameters { command.scene.parameters }
    private var isWhole: Bool { piece == RenderPiece(wholeOf: parameters) }

    func run(on devices: [OpenCLDevice]) throws(Failure) -> SharedReport {
        var report = SharedReport(parameters: parameters, piece: piece)
        report.frame = command.moment.frames == nil ? nil : frame
        var mark = clock.monotonicSeconds
        func lap() -> Double {
            defer { mark = clock.monotonicSeconds }
            return clock.monotonicSeconds - mark
        }
        let scene = try work.load(frame: frame)
        try Interruption.check(after: "the scene was loaded")
        if !command.format.json { work.warn(of: scene, console) }
        report.load = lap()
        let blob = try work.blob(of: scene, frame: frame)
        try Interruption.check(after: "the scene was prepared")
        try checkPart(blob)
        report.prepare = lap()
        let sitting = RenderSitting(
            command, blob, console, piece: piece,
            place: command.picture.output ?? command.sharing.part)
        let start = try sitting.begin()
        let outcome = try compute(blob, from: start, on: devices, sitting)
        report.take(outcome, from: start)
        try sitting.pause(outcome.frame)
        report.kept = sitting.kept
        let names = command.picture.aov.isEmpty || sitting.kept != nil ? nil : SceneNames(scene)
        let hits = try names.map { names throws(Failure) in
            try firstHits(names, blob, devices, outcome)
        }
        report.compute = lap()
        if isWhole, sitting.kept == nil {
            report.digest = TileSums.tree(over: outcome.tiles).root
        }
        report.digestSeconds = lap()
        try sitting.write(outcome.frame) { () throws(Failure) in
            let isShown = sitting.kept == nil || !sitting.hasEarlierPicture
            try write(outcome, hits, blob, isShown: isShown, &report)
        }
        report.write = lap()
        sitting.end()
        return report
    }

    /// A part that nobody has merged yet is work.
    private func checkPart(_ blob: RenderBlob) throws(Failure) {
        guard let path = command.sharing.part, FileManager.default.fileExists(atPath: path),
            let part = try? PartFile.read(path)
        else { return }
        var reason = part.job.difference(from: work.job(blob, frame: frame))
        if reason == nil, part.piece != piece {
            reason = "\(part.piece.text(in: parameters)), not \(piece.text(in: parameters))"
        }
        guard let reason else { return }
        throw Failure(
            .refused,
            "\(path): another part lies there (\(reason)): name another file, or remove it")
    }

    private func write(
        _ outcome: FrameShare.Outcome, _ hits: FirstHits?, _ blob: RenderBlob, isShown: Bool,
        _ report: inout SharedReport
    ) throws(Failure) {
        // Not of a render that is not whole, over a picture that may be.
        if isWhole, isShown {
            let picture = Picture(outcome.frame)
            report.nanCount = picture.nanCount
            try command.picture.write(
                picture, hits, mark: try work.mark(frame: frame, report.digest))
            report.image = command.picture.output
        }
        if let path = command.sharing.part, report.kept == nil {
            try PartFile.write(
                RenderPart(
                    job: work.job(blob, frame: frame), piece: piece,
                    tiles: outcome.tiles),
                to: path)
            report.part = path
        }
    }

    private func compute(
        _ blob: RenderBlob, from start: PartialFrame, on devices: [OpenCLDevice],
        _ sitting: RenderSitting
    ) throws(Failure) -> FrameShare.Outcome {
        let workers = devices.map { device in
            FrameShare.Worker(
                device, blob, parameters, clock: clock,
                tuning: .init(device.tuning))
        }
        let share = try FrameShare(workers, parameters, whole: piece, from: start, clock: clock)
        let wanted = Double(start.pixelCount * piece.samples.count)
        var outcome: FrameShare.Outcome?
        try sitting.watch { () throws(Failure) in
            outcome = try share.run(
                advance: { fraction, frame throws(Failure) in
                    // Of a piece under way nobody knows how soon its tiles end.
                    let done =
                        parameters.noise == nil ? Int(fraction * wanted) : frame.sampleCount
                    return sitting.advance(frame, done: done, fraction: fraction)
                },
                lost: { label, failure in
                    console.endProgress()
                    console.warn("\(label) is lost, the others do its work: \(failure)")
                })
        }
        guard let outcome else { throw Failure(.device, "nobody computed anything") }
        return outcome
    }

    /// Layers of the whole frame, by a device that lasted: they are a small part of the work.
    private func firstHits(
        _ names: SceneNames, _ blob: RenderBlob, _ devices: [OpenCLDevice],
        _ outcome: FrameShare.Outcome
    ) throws(Failure) -> FirstHits {
        let lasting = zip(devices, outcome.shares).filter { $1.failure == nil }
        let fastest = lasting.max { $0.1.fraction < $1.1.fraction }?.0 ?? devices[0]
        let run = try RenderRun(
            blob, on: fastest, clock: clock,
            tuning: .init(fastest.tuning))
        return try run.firstHits(names, samples: parameters.samples) { _ throws(Failure) in }
    }
}

/// The devices of a shared render, each for a thread of its own.
struct SharedDevices {
    private let command: RenderCommand
    private let console: Console

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func open() throws(Failure) -> [OpenCLDevice] {
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
}

/// What a shared render says at its end.
struct SharedReport: FrameReport {
    private let parameters: RenderParameters
    private let piece: RenderPiece
    private var shares: [FrameShare.Share] = []
    private var spread = 0.0
    /// Samples of all pixels that this sitting traced.
    private var samplesTraced = 0
    private var samplesMean = 0.0
    /// Its number, where frames were asked for.
    var frame: Int?
    var kept: RenderSitting.Kept?
    var nanCount = 0
    var digest: Hash256?
    var image: String?
    var part: String?
    var load = 0.0
    var prepare = 0.0
    var compute = 0.0
    var digestSeconds = 0.0
    var write = 0.0

    init(parameters: RenderParameters, piece: RenderPiece) {
        self.parameters = parameters
        self.piece = piece
    }

    mutating func take(_ outcome: FrameShare.Outcome, from start: PartialFrame) {
        shares = outcome.shares
        spread = outcome.finishSpread
        samplesTraced = outcome.frame.sampleCount - start.sampleCount
        samplesMean = Double(outcome.frame.sampleCount) / Double(outcome.frame.pixelCount)
    }

    /// Samples inside the frame a second, as `rigor render` counts them, programs' compilation
    /// included: it goes on beside the work.
    private var samplesPerSecond: Double {
        Double(samplesTraced) / max(prepare + compute + digestSeconds + write, 1e-9)
    }

    var json: JSON {
        var members = self.members
        addWork(to: &members, noise: parameters.noise, samplesMean: samplesMean)
        return .object(members)
    }

    private var members: [JSON.Member] {
        let document: JSON = [
            "device": .string(shares.map(\.label).joined(separator: " + ")),
            "digest": .optional(digest, JSON.hash), "image": .optional(image, JSON.string),
            "part": .optional(part, JSON.string), "width": .int(parameters.width),
            "height": .int(parameters.height), "samples": .int(parameters.samples),
            "bounces": .int(parameters.bounces), "seed": .string(String(parameters.seed)),
            "nan_samples": .int(nanCount),
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
        guard case .object(let members) = document else { return [] }
        return members
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
        if let part { lines.append("part     \(part): \(piece.text(in: parameters))") }
        if let digest { lines.append("digest   \(digest)") }
        for share in shares {
            let end = share.finishedSeconds.map { ", finished at \(text($0)) s" } ?? ""
            let lost = share.failure.map { ", lost: \($0)" } ?? ""
            lines.append(
                "share    \(Units.plain(share.fraction * 100, 1)) % on \(share.label), busy "
                    + "\(text(share.busySeconds)) s\(end)\(lost)")
        }
        if shares.count > 1, kept == nil {
            lines.append("finish   \(Units.plain(spread * 100, 1)) % apart")
        }
        lines.append(
            """
            seconds  load \(text(load)), prepare \(text(prepare)), compute \(text(compute)), \
            digest \(text(digestSeconds)), write \(text(write))
            """)
        lines.append("rate     \(Units.significant(samplesPerSecond / 1e6)) Msamples/s")
        if nanCount > 0 { lines.append("NaN      \(nanCount) samples, counted as black") }
        if parameters.noise != nil {
            let mean = Units.plain(samplesMean, 1)
            lines.append("samples  \(mean) a pixel on average, of \(parameters.samples)")
        }
        if let kept { lines.append(kept.line) }
        return lines
    }
}
