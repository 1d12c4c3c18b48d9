import Core
import Foundation
import Rendering

/// One sitting of a render: says how far it is, shows and keeps what is done, and stops when it is
/// asked to.
final class RenderSitting {
    private let options: SittingOptions
    /// Where the picture goes; nil where nothing can be kept beside one.
    private let picture: String?
    private let samplesPerPixel: Int
    private let noise: NoiseTarget?
    private let blob: RenderBlob
    private let console: Console
    private let isSilent: Bool
    private let clock = SystemClock()
    private let previews: PreviewWriter
    private var keeper: FrameKeeper?
    /// Whether a file may lie there that the whole picture makes useless.
    private var hasFile = false
    /// Whether the file beside the picture is another render's.
    private var hasOthersFile = false
    private var canCheckpoint = true
    private var began = 0.0
    private var doneBefore = 0
    private var lastPreview = 0.0
    private var lastCheckpoint = 0.0

    /// Where an interrupted render was kept, and which part of it is done.
    private(set) var kept: (path: String, fraction: Double)?

    /// - Parameter isAlone: whether the command renders on this device alone.
    init(_ command: RenderCommand, _ blob: RenderBlob, _ console: Console, isAlone: Bool) {
        options = command.sitting
        picture = isAlone ? command.picture.output : nil
        samplesPerPixel = command.scene.parameters.samples
        noise = command.scene.parameters.noise
        self.blob = blob
        self.console = console
        isSilent = command.format.json
        previews = PreviewWriter(command.picture, console)
    }

    /// The frame to begin with, or to go on with.
    func begin() throws(Failure) -> PartialFrame {
        var frame = try PartialFrame(width: blob.width, height: blob.height, noise: noise)
        if let picture {
            let path = FrameKeeper.path(picture: picture)
            if options.resume {
                frame = try keeper(for: picture).load(samples: samplesPerPixel)
                hasFile = true
            } else if FileManager.default.fileExists(atPath: path) {
                try look(at: path, picture)
            }
        }
        doneBefore = frame.sampleCount
        return frame
    }

    /// Says what an earlier sitting left, which this one does not go on with.
    private func look(at path: String, _ picture: String) throws(Failure) {
        let keeper = try keeper(for: picture)
        hasFile = (try? keeper.load(samples: RenderParameters.samplesMax)) != nil
        hasOthersFile = !hasFile
        console.note(
            hasFile
                ? "\(path): this render was interrupted; --resume would go on with it"
                : "\(path): another render that was interrupted; what is kept of this one would "
                    + "take its place")
    }

    /// Runs the work. Where it can be kept, ctrl-C ends it between two slices.
    func watch(_ work: () throws(Failure) -> Void) throws(Failure) {
        began = clock.monotonicSeconds
        lastPreview = began
        lastCheckpoint = began
        defer {
            if !isSilent { console.endProgress() }
            previews.finish()
        }
        if picture == nil { try work() } else { try Interruption.watched(work) }
    }

    /// Between two slices: whether to go on.
    func advance(_ frame: PartialFrame, done: Int) -> Bool {
        let now = clock.monotonicSeconds
        if !isSilent { say(done, now - began) }
        if Interruption.isAsked { return false }
        if let seconds = options.preview, now - lastPreview >= Double(seconds) {
            lastPreview = now
            previews.write(frame)
        }
        let pause = Double(options.checkpoint)
        if canCheckpoint, pause > 0, now - lastCheckpoint >= pause {
            lastCheckpoint = now
            do { _ = try keep(frame) } catch {
                // The work itself is not lost by this.
                canCheckpoint = false
                console.warn(error.message)
            }
        }
        return true
    }

    /// Keeps a frame that is not whole; notes so in ``kept``.
    ///
    /// - Throws: ``Failure`` `interrupted` where it is not, and cannot be kept.
    func pause(_ frame: PartialFrame) throws(Failure) {
        guard !frame.isWhole(samples: samplesPerPixel) else { return }
        guard let path = try keep(frame) else {
            throw Failure(.interrupted, "interrupted in the middle of a picture")
        }
        kept = (path, Double(frame.sampleCount) / Double(samplesWanted))
    }

    /// Clears up after the picture was written.
    func end() {
        guard kept == nil else { return }
        if hasFile { keeper?.remove() }
        if hasOthersFile, let picture {
            console.warn(
                "\(FrameKeeper.path(picture: picture)): still there, of another render than the "
                    + "picture is now; remove it if nobody goes on with that one")
        }
    }

    private var samplesWanted: Int { blob.width * blob.height * samplesPerPixel }

    private func say(_ done: Int, _ seconds: Double) {
        let rate = Double(done - doneBefore) / max(seconds, 1e-9)
        let left = Double(samplesWanted - done) / max(rate, 1e-9)
        console.progress(
            """
            rendering \(100 * done / samplesWanted) %  \
            \(Units.significant(rate / 1e6)) Msamples/s  \
            \(noise == nil ? "" : "at most ")\(Units.duration(left)) left
            """)
    }

    /// - Returns: where the frame was kept; nil where there is no picture beside which it could be.
    private func keep(_ frame: PartialFrame) throws(Failure) -> String? {
        guard let picture else { return nil }
        let keeper = try keeper(for: picture)
        try keeper.save(frame)
        hasFile = true
        hasOthersFile = false
        return keeper.path
    }

    /// Made when first needed: hashing program and scene takes a moment, which short renders are
    /// spared.
    private func keeper(for picture: String) throws(Failure) -> FrameKeeper {
        if let keeper { return keeper }
        let made = try FrameKeeper(picture: picture, blob: blob, noise: noise)
        keeper = made
        return made
    }
}
