import ArgumentParser
import Compute
import Core
import Foundation
import Profiling
import Rendering

/// `rigor bench --scene`: the tree of a scene and rays through it.
struct SceneBenchOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Measure rays of a glTF scene and the building of its tree instead.",
            valueName: "file"))
    var scene: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --scene: pixels along each side of the picture. (default: 1024)", valueName: "n"),
        transform: Accepted.whole(8...4096))
    var side: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("With --scene: runs of each figure. (default: 5)", valueName: "n"),
        transform: Accepted.whole(1...100))
    var runs: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --scene: a folder to write rays, triangles and hits to, for other programs.",
            valueName: "folder"))
    var export: String?

    @Flag(name: .long, help: "With --scene: the tree alone.")
    var treeOnly = false

    var isWanted: Bool { scene != nil }

    func validate() throws {
        guard scene == nil else { return }
        let given = [
            ("--side", side != nil), ("--runs", runs != nil), ("--export", export != nil),
            ("--tree-only", treeOnly),
        ]
        for (name, isGiven) in given where isGiven {
            throw ValidationError("\(name): --scene FILE expected with it")
        }
    }

    func run(on devices: [OpenCLDevice], _ console: Console, isJSON: Bool) throws {
        guard let scene else { return }
        if let export { try Self.makeFolder(export) }
        let imported = try Scene(contentsOf: URL(fileURLWithPath: scene))
        let runs = runs ?? 5
        let bench = try SceneBench(imported, side: (side ?? 1024) / 8 * 8, clock: SystemClock())
        let trees = try bench.tree(runs: runs)
        var rays: [(device: String, figures: [SceneBench.Rays])] = []
        if treeOnly, let export { try bench.export(triangles: export) }
        for device in treeOnly ? [] : devices {
            rays.append(
                (
                    device.description.label,
                    try bench.rays(on: device, runs: runs, exportingTo: export)
                ))
        }
        if isJSON {
            console.write([
                "scene": .string(scene), "tree": Self.document(trees),
                "devices": .array(
                    rays.map {
                        [
                            "device": .string($0.device),
                            "rays": .array($0.figures.map(Self.document)),
                        ]
                    }),
            ])
        } else {
            Self.lines(trees, rays).forEach(console.say)
        }
    }

    /// Before anything is measured: what cannot be written is found at once.
    private static func makeFolder(_ path: String) throws(Failure) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.io, "--export \(path): a folder, or a place for one, expected")
        }
    }

    // MARK: Figures

    private static func document(_ trees: [SceneBench.Tree]) -> JSON {
        let seconds = median(trees.map(\.time.wallSeconds))
        return [
            "triangles": .int(trees.first?.triangles ?? 0),
            "bytes": .int(trees.first?.bytes ?? 0),
            "seconds": .seconds(seconds),
            "cpu_seconds": .seconds(median(trees.map(\.time.cpuSeconds))),
        ]
    }

    private static func document(_ rays: SceneBench.Rays) -> JSON {
        [
            "set": .string(rays.set), "kernel": .string(rays.kernel), "rays": .int(rays.count),
            "hits": .int(rays.hits),
            "seconds": .seconds(median(rays.times.map(\.wallSeconds))),
            "cpu_seconds": .seconds(median(rays.times.map(\.cpuSeconds))),
        ]
    }

    private static func lines(
        _ trees: [SceneBench.Tree], _ rays: [(device: String, figures: [SceneBench.Rays])]
    ) -> [String] {
        var lines: [String] = []
        if let tree = trees.first, tree.triangles > 0 {
            let count = Double(tree.triangles)
            let seconds = median(trees.map(\.time.wallSeconds))
            lines.append(
                """
                tree     \(tree.triangles) triangles in \(Units.plain(seconds, 3)) s: \
                \(Units.significant(count / seconds / 1e6)) Mtri/s, \
                \(Units.decimal(Double(tree.bytes) / count, 1)) bytes a triangle
                """)
        }
        for (device, figures) in rays {
            lines.append(device)
            var table = TextTable(["rays", "kernel", "count", "hits", "Mrays/s", "of CPU time"])
            for rays in figures {
                let count = Double(rays.count)
                // Rays a second were all threads busy all the time: kinder to a shared machine.
                let cpu = median(rays.times.map(\.cpuSeconds)) / Double(processors)
                table.add([
                    rays.set, rays.kernel, String(rays.count), String(rays.hits),
                    Units.significant(count / median(rays.times.map(\.wallSeconds)) / 1e6),
                    Units.significant(count / cpu / 1e6),
                ])
            }
            lines += table.lines.map { "  " + $0 }
        }
        return lines
    }

    private static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
