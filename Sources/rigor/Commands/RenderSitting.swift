import Core
import Files
import Foundation
import Rendering

/// One sitting of a render: says how far it is, shows and keeps what is done, and stops when it is
/// asked to.
final class RenderSitting {
    /// Where an interrupted render was kept.
    struct Kept {
        var path: String
        /// Which part of it is done.
        var fraction: Double
        /// Another file that an earlier sitting left, and that has more.
        var further: String?

        var line: String {
            let percent = Units.plain(100 * fraction, 1)
            let hint = further.map { "\($0), which is further" } ?? "it"
            return "kept     \(percent) % in \(path): --resume goes on with \(hint)"
        }
    }

    private let options: SittingOptions
    /// What it is kept beside; nil where nothing can be kept.
    private let place: String?
    private let parameters: RenderParameters
    private let piece: RenderPiece
    private let hasFrames: Bool
    private let blob: RenderBlob
    private let console: Console
    private let isSilent: Bool
    private let clock = SystemClock()
    private let previews: PreviewWriter
    private var keeper: FrameKeeper?
    /// Where this sitting keeps what is done.
    private var path: String?
    /// The file that it has there, or goes on with.
    private var file: FileBytes.Identity?
    /// Whether a picture lies there that is not of this render, as far as one knows.
    private(set) var hasEarlierPicture = false
    /// What an earlier sitting of this render left, which this one does not go on with.
    private var earlier: (path: String, sampleCount: Int)?
    private var canCheckpoint = true
    private var pixelCount = 0
    private var began = 0.0
    private var doneBefore = 0
    private var lastPreview = 0.0
    private var lastCheckpoint = 0.0

    private(set) var kept: Kept?

    /// - Parameters:
    ///   - piece: what is rendered; by default the whole frame.
    ///   - place: what it is kept beside; nil where it is not.
    init(
        _ command: RenderCommand, _ blob: RenderBlob, _ console: Console,
        piece: RenderPiece? = nil, place: String?
    ) {
        options = command.sitting
        parameters = command.scene.parameters
        self.piece = piece ?? RenderPiece(wholeOf: parameters)
        self.place = place
        hasFrames = command.moment.frames != nil
        self.blob = blob
        self.console = console
        isSilent = command.format.json
        previews = PreviewWriter(command.picture, console)
    }

    private var samplesPerPixel: Int { piece.samples.count }
    private var samplesWanted: Int { pixelCount * samplesPerPixel }

    /// The frame to begin with, or to go on with.
    func begin() throws(Failure) -> PartialFrame {
        var frame = try PartialFrame(parameters, of: piece)
        pixelCount = frame.pixelCount
        if let place { frame = try goOn(beside: place) ?? frame }
        doneBefore = frame.sampleCount
        hasEarlierPicture =
            file == nil && place.map { FileManager.default.fileExists(atPath: $0) } ?? false
        return frame
    }

    /// What an earlier sitting left; nil where this one begins anew.
    private func goOn(beside place: String) throws(Failure) -> PartialFrame? {
        let files = FrameKeeper.files(beside: place)
        if options.resume, !files.isEmpty {
            do throws(Failure) {
                let found = try keeper(place).loadFurthest(samples: samplesPerPixel)
                path = found.path
                file = found.identity
                return found.frame
            } catch {
                // Of many frames each is rendered that is not done.
                guard hasFrames else { throw error }
                console.note("\(error.message): rendered anew")
            }
        }
        if options.resume, files.isEmpty, !hasFrames {
            console.note("nothing is kept beside \(place): rendered from the beginning")
        }
        for file in files { try tell(file, place) }
        let free = FrameKeeper.freePath(beside: place)
        path = free
        if !files.isEmpty { console.note("this one begins anew, and is kept in \(free)") }
        return nil
    }

    /// Says what an earlier sitting left, which this one does not go on with.
    private func tell(_ file: String, _ place: String) throws(Failure) {
        switch try owner(of: file, place) {
        case .other: console.note("\(file): of another render that was interrupted: it stays")
        case .longer: console.note("\(file): of this render with a larger --spp: it stays")
        case .same(let samples):
            if earlier.map({ $0.sampleCount < samples }) ?? true { earlier = (file, samples) }
            console.note("\(file): this render was interrupted: --resume would go on with it")
        }
    }

    /// Whose a kept file is.
    private enum Owner {
        /// This render's, with so many samples of all pixels.
        case same(Int)
        /// This render's, with more samples a pixel than it asks for now.
        case longer
        case other
    }

    private func owner(of file: String, _ place: String) throws(Failure) -> Owner {
        let keeper = try keeper(place)
        if let frame = try? keeper.load(file, samples: samplesPerPixel) {
            return .same(frame.sampleCount)
        }
        let all = RenderParameters.samplesMax
        return (try? keeper.load(file, samples: all)) == nil ? .other : .longer
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
        if place == nil { try work() } else { try Interruption.watched(work) }
    }

    /// Between two slices: whether to go on.
    ///
    /// - Parameters:
    ///   - done: samples of all pixels.
    ///   - fraction: the part that is done, where samples alone do not tell.
    func advance(_ frame: PartialFrame, done: Int, fraction: Double? = nil) -> Bool {
        let now = clock.monotonicSeconds
        if !isSilent {
            say(done, fraction ?? Double(done) / Double(samplesWanted), now - began)
        }
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
        guard frame.sampleCount > 0, let path = try keep(frame) else {
            throw Failure(.interrupted, "interrupted in the middle of a picture")
        }
        kept = Kept(path: path, fraction: Double(frame.sampleCount) / Double(samplesWanted))
        if let earlier, earlier.sampleCount > frame.sampleCount { kept?.further = earlier.path }
    }

    /// Clears up after the picture was written: what this sitting kept, and what earlier ones kept
    /// of this render with no more samples than it has now.
    func end() {
        guard kept == nil, let place else { return }
        if let path, let file, file == FileBytes.Identity(of: path) {
            try? FileManager.default.removeItem(atPath: path)
        }
        for file in FrameKeeper.files(beside: place) {
            switch try? owner(of: file, place) {
            case .same: try? FileManager.default.removeItem(atPath: file)
            case .longer:
                console.warn(
                    "\(file): still there, with more samples a pixel than \(place) has now; remove "
                        + "it if nobody goes on with it")
            case .other, nil:
                console.warn(
                    "\(file): still there, of another render than \(place) is now; remove it if "
                        + "nobody goes on with that one")
            }
        }
    }

    private func say(_ done: Int, _ fraction: Double, _ seconds: Double) {
        let rate = Double(done - doneBefore) / max(seconds, 1e-9)
        let before = Double(doneBefore) / Double(samplesWanted)
        let left = seconds * (1 - fraction) / max(fraction - before, 1e-9)
        console.progress(
            """
            rendering \(Int(100 * fraction)) %  \
            \(Units.significant(rate / 1e6)) Msamples/s  \
            \(parameters.noise == nil ? "" : "at most ")\(Units.duration(left)) left
            """)
    }

    /// - Returns: where the frame was kept; nil where there is nothing beside which it could be.
    private func keep(_ frame: PartialFrame) throws(Failure) -> String? {
        guard let place, var path else { return nil }
        while true {
            if let kept = try keeper(place).save(frame, to: path, inPlaceOf: file) {
                file = kept
                self.path = path
                return path
            }
            // Another render of the same name runs beside this one.
            path = FrameKeeper.freePath(beside: place)
            file = nil
        }
    }

    /// Writes what was rendered. Where that fails, the samples are not lost: they are kept.
    ///
    /// - Throws: ``Failure`` of `write`, with where the samples are. Where they were kept already
    ///   it is a warning.
    func write(
        _ frame: PartialFrame, _ write: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) { try write() } catch {
            guard kept == nil else { return console.warn(error.message) }
            let path: String?
            do throws(Failure) { path = try keep(frame) } catch let second {
                throw Failure(error.code, "\(error.message); nor can it be kept: \(second.message)")
            }
            guard let path else { throw error }
            throw Failure(
                error.code,
                "\(error.message); all samples are kept in \(path): --resume writes the picture")
        }
    }

    /// Made when first needed: hashing program and scene takes a moment, which short renders are
    /// spared.
    private func keeper(_ place: String) throws(Failure) -> FrameKeeper {
        if let keeper { return keeper }
        let isWhole =
            piece.tiles.count == parameters.tileCount && piece.samples.lowerBound == 0
        let made = try FrameKeeper(
            beside: place, blob: blob, noise: parameters.noise, piece: isWhole ? nil : piece)
        keeper = made
        return made
    }
}
