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
        let parameters = command.render.scene.parameters
        let own = try device(command.render.device)
        let blob = try command.render.blob(of: try command.render.load())
        let run = try RenderRun(blob, on: own, clock: clock)
        defer { console.endProgress() }
        if FileManager.default.fileExists(atPath: command.against) {
            return try compare(run, own, blob, parameters)
        }
        var selection = command.render.device
        selection.device = command.against
        let other = try device(selection)
        return try compare(
            run, own, try RenderRun(blob, on: other, clock: clock), other, parameters)
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
        try run.render(
            tiles: piece.tiles, samples: piece.samples,
            advance: { (_: Double) throws(Failure) in },
            finish: { (tile: TileSums) throws(Failure) in tiles.append(tile) })
        return tiles
    }

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
        _ parameters: RenderParameters
    ) throws(Failure) -> DisputeFinding {
        let whole = try command.render.sharing.piece(of: parameters)
        let labels = [own.description.label, other.description.label]
        var finding = DisputeFinding(names: labels, frame: 0, leafCount: 0)
        for step in steps(whole) {
            progress(step, whole)
            let pair = zip(try render(run, step), try render(otherRun, step))
            finding.leafCount += step.tiles.count
            let different = pair.filter { $0 != $1 }
            guard let (first, second) = different.first else { continue }
            finding.differingLeaves = different.count
            try finding.look(into: first, second, grid: parameters)
            console.progress("tile \(first.tile): by sample and bounce")
            guard
                let found = try Dispute.narrow(
                    tile: first.tile, samples: whole.samples, of: parameters, run, otherRun)
            else {
                finding.note = "they agree when asked again: one of them is flaky"
                return finding
            }
            finding.take(found)
            if found.sample == nil {
                finding.note = "no sample alone differs when asked again"
            } else if found.difference == nil {
                finding.note = "the paths agree at every bounce: their sums do not"
            }
            return finding
        }
        return finding
    }

    // MARK: A stored result

    private func compare(
        _ run: RenderRun, _ own: OpenCLDevice, _ blob: RenderBlob, _ parameters: RenderParameters
    ) throws(Failure) -> DisputeFinding {
        let stored = try StoredResult(command.against)
        try checkIsSameJob(stored, blob, parameters)
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
            names: [own.description.label, command.against], frame: stored.frame, leafCount: 0)
        for step in steps(whole) {
            progress(step, whole)
            for sums in try render(run, step) {
                guard let other = tiles[sums.tile] else { continue }
                finding.leafCount += 1
                guard sums != other else { continue }
                finding.differingLeaves += 1
                guard finding.leaf == nil else { continue }
                try finding.look(into: sums, other, grid: parameters)
            }
            if finding.leaf != nil { break }
        }
        if finding.leaf != nil {
            finding.note = "a stored sum tells no sample: name a second device in --against"
        }
        return finding
    }

    /// Sums of another picture differ everywhere, and nobody has lied.
    private func checkIsSameJob(
        _ stored: StoredResult, _ blob: RenderBlob, _ parameters: RenderParameters
    ) throws(Failure) {
        var difference: String?
        if let part = stored.part {
            difference = part.job.difference(
                from: command.render.scene.job(blob, at: command.render.moment))
        } else if let grid = stored.grid {
            difference = grid.difference(from: parameters)
        }
        guard let difference else { return }
        throw Failure(
            .refused,
            "\(command.against): of another job than these options say: \(difference)")
    }
}
