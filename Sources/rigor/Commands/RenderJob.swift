import Compute
import Core
import Digest
import Foundation
import Rendering

/// One picture on one device, and where its time goes.
struct RenderJob {
    private let command: RenderCommand
    private let console: Console
    private let clock = SystemClock()

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func run(on device: OpenCLDevice) throws(Failure) -> RenderReport {
        let parameters = command.scene.parameters
        var report = RenderReport(device: device.description.label, parameters: parameters)
        report.image = command.picture.output
        let scene = try timed(&report.load) { () throws(Failure) in try command.scene.load() }
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
            try command.picture.write(picture)
        }
        return report
    }

    private func compute(
        _ blob: RenderBlob, on device: OpenCLDevice, _ report: inout RenderReport
    ) throws(Failure) -> [TileSums] {
        let parameters = command.scene.parameters
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
