internal import Compute
internal import Core
internal import Foundation
internal import Rendering

/// `rigor dispute devices`: a picture's tiles on a device, against another one or a stored result.
struct DeviceDispute {
    private let command: DisputeDevicesCommand
    private let console: Console
    private let clock = SystemClock()
    /// Tiles computed at a time before they are compared.
    private static let tilesAtOnce = 64

    init(_ command: DisputeDevicesCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func run() throws(Failure) -> DisputeFinding {
        let own = try device(command.render.device)
        let isStored = FileManager.default.fileExists(atPath: command.against)
        if isStored, command.render.moment.numbers.count > 1 {
            throw Failure(
                .usage, "--frames: one frame expected, such as 7: \(command.against) has no more")
        }
        var selection = command.render.device
        selection.device = command.against
        let other = isStored ? nil : try device(selection)
        let work = FrameWork(command.render)
        defer { console.endProgress() }
        var finding = DisputeFinding(names: [], frame: 0, leafCount: 0)
        for frame in command.render.moment.numbers {
            let before = finding.leafCount
            let blob = try work.blob(of: try work.load(frame: frame), frame: frame)
            let run = try RenderRun(blob, on: own, clock: clock)
            if let other {
                let otherRun = try RenderRun(blob, on: other, clock: clock)
                finding = try compare(run, own, otherRun, other, frame)
            } else {
                finding = try compare(run, own, blob, work, frame)
            }
            finding.leafCount += before
            if !finding.isSame { break }
        }
        return finding
    }

    private func device(_ options: DeviceOptions) throws(Failure) -> OpenCLDevice {
        let devices = try options.open(home: command.render.home.given)
        guard devices.count == 1 else {
            throw Failure(
                .usage,
                "\(options.device ?? ""): one device expected, \(devices.count) match")
        }
        return devices[0]
    }

    private func render(_ run: RenderRun, _ piece: RenderPiece) throws(Failure) -> [TileSums] {
        var tiles: [TileSums] = []
        try run.render(piece, of: parameters) { (tile: TileSums) in tiles.append(tile) }
        return tiles
    }

    private var parameters: RenderParameters { command.render.scene.parameters }

    /// Pieces of some tiles each.
    private func steps(_ piece: RenderPiece) -> [RenderPiece] {
        stride(from: piece.tiles.lowerBound, to: piece.tiles.upperBound, by: Self.tilesAtOnce).map {
            RenderPiece(
                tiles: $0..<min($0 + Self.tilesAtOnce, piece.tiles.upperBound),
                samples: piece.samples)
        }
    }

    private func progress(_ step: RenderPiece, _ whole: RenderPiece) {
        console.progress("comparing \(step.tiles.lowerBound) of \(whole.tiles.count) tiles")
    }

    // MARK: Two devices

    private func compare(
        _ run: RenderRun, _ own: OpenCLDevice, _ otherRun: RenderRun, _ other: OpenCLDevice,
        _ frame: Int
    ) throws(Failure) -> DisputeFinding {
        let whole = try command.render.sharing.piece(of: parameters)
        let labels = [own.description.label, other.description.label]
        var finding = DisputeFinding(names: labels, frame: frame, leafCount: 0)
        for step in steps(whole) {
            progress(step, whole)
            let pair = zip(try render(run, step), try render(otherRun, step))
            finding.leafCount += step.tiles.count
            let different = pair.filter { $0 != $1 }
            guard let (first, second) = different.first else { continue }
            finding.differingLeaves = different.count
            try finding.look(into: first, second, grid: parameters)
            console.progress("tile \(first.tile): by sample and bounce")
            try narrow(&finding, tile: first.tile, whole.samples, run, otherRun)
            return finding
        }
        return finding
    }

    /// To sample and bounce.
    private func narrow(
        _ finding: inout DisputeFinding, tile: Int, _ samples: Range<Int>, _ run: RenderRun,
        _ otherRun: RenderRun
    ) throws(Failure) {
        guard
            let found = try Dispute.narrow(
                tile: tile, samples: samples, of: parameters, run, otherRun)
        else {
            finding.note = "they agree when asked again: one of them is flaky"
            return
        }
        finding.take(found)
        if found.pixel == nil {
            finding.note = "the samples that both took agree: where the tile ends does not"
        } else if found.sample == nil {
            finding.note = "no sample alone differs when asked again"
        } else if found.difference == nil {
            finding.note = "the paths agree at every bounce: their sums do not"
        }
    }

    // MARK: A stored result

    private func compare(
        _ run: RenderRun, _ own: OpenCLDevice, _ blob: RenderBlob, _ work: FrameWork,
        _ frame: Int
    ) throws(Failure) -> DisputeFinding {
        let stored = try StoredResult(command.against)
        try checkIsSameJob(stored, work.job(blob, frame: frame))
        var tiles: [Int: TileSums] = [:]
        for leaf in stored.leaves {
            let sums = try TileSums(leaf)
            tiles[sums.tile] = sums
        }
        let numbers = tiles.keys.sorted()
        guard let first = numbers.first, let last = numbers.last else {
            throw Failure(.malformed, "\(command.against): no leaf")
        }
        guard last < parameters.tileCount else {
            throw Failure(
                .refused,
                "\(command.against): has tile \(last), the picture has "
                    + "\(parameters.tileCount) tiles: give its --size")
        }
        let samples = stored.part?.piece.samples ?? 0..<parameters.samples
        let whole = RenderPiece(tiles: first..<last + 1, samples: samples)
        var finding = DisputeFinding(
            names: [own.description.label, command.against], frame: frame, leafCount: 0)
        for step in steps(whole) {
            progress(step, whole)
            for sums in try render(run, step) {
                guard let other = tiles[sums.tile] else { continue }
                finding.leafCount += 1
                guard sums != other else { continue }
                finding.differingLeaves += 1
                guard finding.leaf == nil else { continue }
                try finding.look(into: sums, other, grid: parameters)
                finding.note = "a stored sum tells no sample: name a second device in --against"
                if finding.sampleCounts != nil { try lookAgain(&finding, other, run) }
            }
            if finding.leaf != nil { break }
        }
        return finding
    }

    /// A tile that ended with other samples than its noise says: the pixel, by as many samples.
    private func lookAgain(
        _ finding: inout DisputeFinding, _ other: TileSums, _ run: RenderRun
    ) throws(Failure) {
        var plain = parameters
        plain.noise = nil
        let piece = RenderPiece(tiles: other.tile..<other.tile + 1, samples: 0..<other.sampleCount)
        var own: [TileSums] = []
        try run.render(piece, of: plain) { (tile: TileSums) in own.append(tile) }
        guard own != [other] else {
            finding.note = "the sums of its samples are right: where the tile ends is not"
            return
        }
        let counts = finding.sampleCounts
        try finding.look(into: own[0], other, grid: parameters)
        finding.sampleCounts = counts
    }

    /// Sums of another picture differ everywhere, and nobody has lied.
    private func checkIsSameJob(
        _ stored: StoredResult, _ job: RenderPart.Job
    ) throws(Failure) {
        var difference: String?
        if let part = stored.part {
            difference = part.job.difference(from: job)
        } else if let grid = stored.grid {
            difference = grid.difference(from: parameters)
        }
        guard let difference else { return }
        throw Failure(
            .refused,
            "\(command.against): of another job than these options say: \(difference)")
    }
}
