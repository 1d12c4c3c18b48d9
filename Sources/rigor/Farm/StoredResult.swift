internal import Contribution
internal import Core
internal import Foundation
internal import Ledger
internal import Rendering

/// A result on disk: a leaf file, a part of a picture, or the leaves of a receipt's task.
struct StoredResult {
    let path: String
    /// In order, without a part's head.
    let leaves: [Leaf]
    /// Nil where it is no part file.
    let part: RenderPart?
    let frame: Int
    /// The frame's size and samples; nil for a leaf file, which does not say.
    let grid: RenderParameters?

    init(_ path: String) throws(Failure) {
        self.path = path
        if path.lowercased().hasSuffix(".json") {
            let signed = try ReceiptFile.read(path)
            let folder = MarketPlaces(receipt: path)
            let hub = try VerifyCommand.openLedger(folder.ledger).hub()
            let task = try SettledTask(signed.receipt, in: hub, pool: folder.pool)
            leaves = try task.leaves()
            part = nil
            frame = task.spec.parts[task.part].frame
            grid = try? RenderParameters(task.spec)
            return
        }
        let all = try PartFile.leaves(path)
        guard RenderPart.isPart(all) else {
            leaves = all
            (part, frame, grid) = (nil, 0, nil)
            return
        }
        do throws(Failure) {
            let part = try RenderPart(leaves: all)
            self.part = part
            frame = part.job.frame
            grid = part.job.parameters
        } catch {
            throw error.at(path)
        }
        // The tiles alone, without what goes before and behind them.
        leaves = Array(all.dropFirst().dropLast())
    }
}

/// Where a market keeps what a receipt speaks of, seen from the receipt's file.
struct MarketPlaces {
    let ledger: String
    var pool: String { Self.pool(beside: ledger) }

    /// The ledger beside the folder that the receipt is in.
    init(receipt: String) {
        ledger =
            URL(fileURLWithPath: receipt).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("ledger.sqlite").path
    }

    static func pool(beside ledger: String) -> String {
        URL(fileURLWithPath: ledger).deletingLastPathComponent().appendingPathComponent("pool").path
    }
}

/// Two stored results side by side.
struct ResultComparison {
    let first: StoredResult
    let second: StoredResult

    /// - Throws: ``Failure`` where they are of different work.
    func finding() throws(Failure) -> DisputeFinding {
        if let own = first.part, let other = second.part {
            if let difference = own.job.difference(from: other.job) {
                throw Failure(
                    .refused, "\(first.path): of another job than \(second.path): \(difference)")
            }
            guard own.piece.samples == other.piece.samples else {
                throw Failure(
                    .refused,
                    "\(first.path) has \(own.piece), \(second.path) has \(other.piece): the same "
                        + "samples expected")
            }
        }
        let others = Dictionary(second.leaves.map { ($0.name, $0.bytes) }) { first, _ in first }
        let common = first.leaves.filter { others[$0.name] != nil }
        guard !common.isEmpty else {
            throw Failure(.refused, "\(first.path) and \(second.path) have no leaf in common")
        }
        var finding = DisputeFinding(
            names: [first.path, second.path], frame: first.frame, leafCount: common.count)
        finding.missing = first.leaves.count + second.leaves.count - 2 * common.count
        let different = common.filter { others[$0.name] != $0.bytes }
        finding.differingLeaves = different.count
        if let leaf = different.first, let other = others[leaf.name] {
            finding.leaf = leaf.name
            try finding.look(into: leaf, other, grid: first.grid ?? second.grid)
            if finding.sampleCounts != nil {
                finding.note =
                    "sums of other samples do not compare: `rigor dispute devices` computes them"
            }
        }
        return finding
    }
}
