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
        report.frame = command.moment.frames == nil ? nil : self.frame
        let scene = try timed(&report.load) { () throws(Failure) in
            try work.load(frame: self.frame)
        }
        try Interruption.check(after: "the scene was loaded")
        if !command.format.json { work.warn(of: scene, console) }
        report.triangles = scene.drawnTriangleCount
        let blob = try timed(&report.prepare) { () throws(Failure) in
            try work.blob(of: scene, frame: self.frame)
        }
        try Interruption.check(after: "the scene was prepared")
        let names = command.picture.aov.isEmpty ? nil : SceneNames(scene)
        let sitting = RenderSitting(
            command, blob, console, place: isAlone ? command.picture.output : nil)
        let (frame, hits) = try compute(blob, names, on: device, sitting, &report)
        report.kernels = device.kernelTimes
        report.kept = sitting.kept
        report.samplesMean =
            Double(frame.sampleCount) / Double(parameters.width * parameters.height)
        if sitting.kept == nil {
            report.digest = timed(&report.digestSeconds) {
                TileSums.tree(over: frame.tiles).root
            }
        }
        try timed(&report.write) { () throws(Failure) in
            let picture = Picture(frame)
            report.nanCount = picture.nanCount
            // Of a render that is not whole, over a picture that may be.
            guard sitting.kept == nil || !sitting.hasEarlierPicture else { return }
            try sitting.write(frame) { () throws(Failure) in
                try command.picture.write(
                    picture, hits, mark: try work.mark(frame: self.frame, report.digest))
                report.image = command.picture.output
            }
        }
        sitting.end()
        return report
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
