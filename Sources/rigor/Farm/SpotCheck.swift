internal import Compute
internal import Contribution
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import HostProtocol
internal import Rendering

/// Computes a few of a settled task's leaves again.
struct SpotCheck {
    let options: SpotOptions
    let count: Int
    let home: URL?
    let console: Console

    /// What came of it.
    struct Result {
        var seed: UInt64
        var device: String
        var checks: [Check]
        /// The app version is another program's.
        var isOtherProgram: Bool
    }

    /// Leaves that are computed together: a tile, or all outputs of an item.
    private struct Group {
        var name: String
        var part: TaskSpec.Part
        var leaves: [Leaf]
    }

    func run(_ task: SettledTask) throws(Failure) -> Result {
        let leaves =
            if let file = options.leaves { try PartFile.leaves(file) } else { try task.leaves() }
        guard !leaves.isEmpty else { throw Failure(.malformed, "the task's leaves: none there") }
        let tree = MerkleTree(leaves: leaves)
        var checks = [
            Check(
                name: "leaves", holds: tree.root == task.receipt.merkleRoot,
                detail: tree.root == task.receipt.merkleRoot
                    ? "\(tree.root)" : "root \(tree.root), expected \(task.receipt.merkleRoot)")
        ]
        let seed = options.seed ?? UInt64.random(in: 0 ... .max)
        let groups = try Self.groups(leaves, of: task.spec.parts[task.part])
        var generator = SplitMix64(seed: seed)
        let drawn = Array(groups.shuffled(using: &generator).prefix(count))
        let device = try openDevice()
        checks += try recompute(drawn, task, on: device)
        return Result(
            seed: seed, device: device.description.label, checks: checks,
            isOtherProgram: try Executable.current() != task.receipt.appVersion)
    }

    private func openDevice() throws(Failure) -> OpenCLDevice {
        let devices = try options.device.open(home: home)
        guard devices.count == 1 else {
            throw Failure(
                .usage,
                "--device \(options.device.device ?? ""): one device expected, "
                    + "\(devices.count) match")
        }
        return devices[0]
    }

    /// Leaves by tile, item or chunk: `tile/7`, `item/3/scores`, `chunk/0`.
    private static func groups(
        _ leaves: [Leaf], of part: TaskSpec.Part
    ) throws(Failure) -> [Group] {
        var groups: [Group] = []
        var places: [String: Int] = [:]
        for leaf in leaves {
            let words = leaf.name.split(separator: "/", omittingEmptySubsequences: false)
            guard words.count >= 2, let number = Int(words[1]), (0..<Int.max).contains(number)
            else { throw Failure(.unsupported, "leaf \(leaf.name): not one to compute alone") }
            let name = "\(words[0])/\(number)"
            if let place = places[name] {
                groups[place].leaves.append(leaf)
                continue
            }
            var own = part
            if words[0] == "tile" {
                own.tiles = number..<number + 1
            } else {
                own.items = number..<number + 1
            }
            places[name] = groups.count
            groups.append(Group(name: name, part: own, leaves: [leaf]))
        }
        return groups
    }

    /// Prepares the task and runs each group on its own.
    private func recompute(
        _ groups: [Group], _ task: SettledTask, on device: OpenCLDevice
    ) throws(Failure) -> [Check] {
        let folder = NSTemporaryDirectory() + "/rigor-spot-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Folder.make(folder)
        try task.layInputs(from: options.inputs, in: folder)
        let app = try Apps.all.named(task.spec.app, version: task.spec.appVersion)
        let blob = try app.prepare(
            task.spec, frame: try task.spec.part(task.part).frame, inputs: folder)
        var checks: [Check] = []
        defer { console.endProgress() }
        for (number, group) in groups.enumerated() {
            console.progress("\(group.name): \(number + 1) of \(groups.count)")
            var spec = task.spec
            spec.parts[task.part] = group.part
            let found = FoundLeaves()
            _ = try app.run(
                AppRun(
                    spec: spec, part: task.part, blob: blob, sliceSeconds: 0.05,
                    clock: SystemClock()),
                on: device, observer: found)
            checks.append(Self.check(group, found.leaves))
        }
        return checks
    }

    private static func check(_ group: Group, _ found: [Leaf]) -> Check {
        let bytes = Dictionary(found.map { ($0.name, $0.bytes) }) { first, _ in first }
        let different = group.leaves.filter { bytes[$0.name] != $0.bytes }.map(\.name)
        let isWhole = found.count == group.leaves.count
        let detail =
            different.isEmpty
            ? isWhole ? "the same bytes" : "\(found.count) leaves, expected \(group.leaves.count)"
            : "\(different.joined(separator: ", ")): other bytes than were settled"
        return Check(name: group.name, holds: different.isEmpty && isWhole, detail: detail)
    }
}

/// Collects what a run gives.
private final class FoundLeaves: AppObserver {
    var leaves: [Leaf] = []
    func advance(_ fraction: Double) throws(Failure) {}
    func leaf(_ leaf: Leaf) throws(Failure) { leaves.append(leaf) }
}
