import ArgumentParser
import Compute
import Core
import Foundation
import Profiling

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure each device: launches, memory, arithmetic, matrix products, rays.",
        discussion: """
            Needs no wallet. Figures are medians of several runs after a warm-up; sizes follow the \
            device's speed. Beside each stands the hash of a small fixed workload through the same \
            kernels: it is the same on every device that computes exactly.

            EXAMPLES
              rigor bench --quick
              rigor bench --quick --device gpu --json
              rigor bench --scene helmet.gltf --device cpu
            """)

    @Flag(name: .long, help: "The short suite: some seconds a device. It is the only one so far.")
    var quick = false

    @OptionGroup var sceneOptions: SceneBenchOptions
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        let opener = try DeviceOptions.opener(home: home.given)
        let opened = try opener.open(DeviceSelector(devices.device ?? "all"))
        if sceneOptions.isWanted {
            return try sceneOptions.run(on: opened, console, isJSON: output.json)
        }
        let clock = SystemClock()
        var results: [(device: DeviceDescription, metrics: [Metric], seconds: Double)] = []
        for device in opened {
            let start = clock.monotonicSeconds
            let label = device.description.label
            let metrics = BenchSuite.quick.run(on: Stopwatch(on: device, clock: clock)) {
                console.progress("\($0) (\(label))")
            }
            console.endProgress()
            let seconds = clock.monotonicSeconds - start
            results.append((device.description, metrics, seconds))
            if !output.json {
                let known = opener.figures(for: device.description)
                Self.lines(label, metrics, known: known).forEach(console.say)
            }
        }
        let differing = BenchComparison.differing(results.map(\.metrics))
        if output.json {
            console.write(Self.document(results, differing))
        } else if results.count > 1 {
            console.say(
                differing.isEmpty
                    ? "all devices computed the same bits"
                    : "devices differ in: \(differing.joined(separator: ", "))")
        }
        if results.contains(where: { $0.metrics.contains { $0.status == .error } }) {
            throw ExitCode.failure
        }
    }

    /// - Parameter known: figures that a profile has of this device, by name.
    private static func lines(
        _ label: String, _ metrics: [Metric], known: [String: Double]
    ) -> [String] {
        var table = TextTable(["figure", "median", "unit", "spread", "runs", "hash", "profile"])
        for metric in metrics {
            guard let median = metric.median, metric.status == .ok else {
                table.add([
                    metric.name, metric.status.rawValue, "", "", "", metric.reason ?? "", "",
                ])
                continue
            }
            let spread = (metric.medianDeviation ?? 0) / median * 100
            table.add([
                metric.name, Units.significant(median), metric.unit,
                "±\(Units.decimal(spread, 1)) %", String(metric.samples.count),
                metric.resultHash.map { String($0.description.prefix(14)) } ?? "-",
                known[metric.name].map(Units.significant) ?? "",
            ])
        }
        return [label] + table.lines.map { "  " + $0 } + [""]
    }

    private static func document(
        _ results: [(device: DeviceDescription, metrics: [Metric], seconds: Double)],
        _ differing: [String]
    ) -> JSON {
        [
            "suite": "quick",
            "kernels": .hash(KernelFiles.hash),
            "devices": .array(
                results.map { result in
                    [
                        "device": .string(result.device.label),
                        "driver": .string(result.device.driverVersion),
                        "seconds": .seconds(result.seconds),
                        "metrics": .array(result.metrics.map(\.json)),
                    ]
                }),
            "same_bits": .bool(differing.isEmpty),
            "differing": .array(differing.map(JSON.string)),
        ]
    }
}
