import Compute
import Core
import Digest
import Foundation
import Rendering

/// One picture on one device, and where its time goes.
struct RenderJob {
    private let command: RenderCommand
    private let work: FrameWork
    private let frame: Int
    private let console: Console
    private let clock = SystemClock()

    /// Whether this is the command's only device, so that what is done can be kept beside the
    /// picture.
    private let isAlone: Bool

    init(
        _ command: RenderCommand, _ work: FrameWork, _ frame: Int, _ console: Console,
        isAlone: Bool
    ) {
        self.command = command
        self.work = work
        self.frame = frame
        self.console = console
        self.isAlone = isAlone
    }

    func run(on device: OpenCLDevice) throws(Failure) -> RenderReport {
        let parameters = command.scene.parameters
        var report = RenderReport(device: device.description.label, parameters: parameters)
        report.image = command.picture.output
        report.frame = command.moment.frames == nil ? nil : self.frame
        let scene = try timed(&report.load) { () throws(Failure) in
            try work.load(frame: self.frame)
        }
        try Interruption.check(after: "the scene was loaded")
        if !command.format.json { warn(of: scene) }
        report.triangles = scene.drawnTriangleCount
        let blob = try timed(&report.prepare) { () throws(Failure) in
            try work.blob(of: scene, frame: self.frame)
        }
        try Interruption.check(after: "the scene was prepared")
        let names = command.picture.aov.isEmpty ? nil : SceneNames(scene)
        let sitting = RenderSitting(command, blob, console, isAlone: isAlone)
        let (frame, hits) = try compute(blob, names, on: device, sitting, &report)
        report.kernels = device.kernelTimes
        report.kept = sitting.kept
        report.samplesMean =
            Double(frame.sampleCount) / Double(parameters.width * parameters.height)
        if sitting.kept == nil {
            report.digest = timed(&report.digestSeconds) { Self.digest(of: frame) }
        }
        try timed(&report.write) { () throws(Failure) in
            let picture = Picture(frame)
            report.nanCount = picture.nanCount
            try command.picture.write(picture, hits, mark: try mark(report.digest))
        }
        sitting.end()
        return report
    }

    /// What the user should know of the scene, once for all frames.
    private func warn(of scene: Scene) {
        guard work.isFirstWarning() else { return }
        for line in scene.warnings { console.warn(line) }
        if command.moment.frames != nil, scene.isFramed(for: command.scene.parameters.camera) {
            console.warn("no camera: every frame is seen from where frame 0 as a whole is seen")
        }
    }

    /// What a whole frame of an animation says of itself, to be known again.
    private func mark(_ digest: Hash256?) throws(Failure) -> String? {
        guard command.moment.frames != nil, let digest else { return nil }
        return "\(try work.mark(frame: frame)) \(digest)"
    }

    /// The Merkle root over the tiles.
    private static func digest(of frame: PartialFrame) -> Hash256 {
        MerkleTree(
            leaves: frame.tiles.enumerated().map {
                Leaf(index: $0.offset, name: $0.element.leafName, bytes: $0.element.bytes)
            }
        ).root
    }

    private func compute(
        _ blob: RenderBlob, _ names: SceneNames?, on device: OpenCLDevice,
        _ sitting: RenderSitting, _ report: inout RenderReport
    ) throws(Failure) -> (PartialFrame, FirstHits?) {
        let samples = command.scene.parameters.samples
        // Before the programs are built: a file that is refused is refused at once.
        var frame = try sitting.begin()
        let before = frame.sampleCount
        let start = clock.monotonicSeconds
        let renderer = try RenderRun(
            blob, on: device, clock: clock,
            tuning: .init(device.tuning))
        report.compile = renderer.compileSeconds
        try sitting.watch { () throws(Failure) in
            try renderer.render(&frame, samples: samples) { frame, done throws(Failure) in
                sitting.advance(frame, done: done)
            }
        }
        report.samplesTraced = frame.sampleCount - before
        try sitting.pause(frame)
        var hits: FirstHits?
        if let names, sitting.kept == nil {
            hits = try renderer.firstHits(names, samples: samples) { _ throws(Failure) in }
        }
        report.compute = clock.monotonicSeconds - start - report.compile
        return (frame, hits)
    }

    private func timed<T, E: Error>(
        _ seconds: inout Double, _ work: () throws(E) -> T
    ) throws(E) -> T {
        let start = clock.monotonicSeconds
        defer { seconds += clock.monotonicSeconds - start }
        return try work()
    }
}
