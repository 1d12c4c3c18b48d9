import ArgumentParser
import Compute
import Core
import Digest
import Files
import Foundation
import Rendering

/// The frames of `rigor render`, one after the other, from whatever state an earlier sitting left:
/// whole ones are skipped, an interrupted one is gone on with, and the rest is rendered.
final class RenderFrames {
    private let command: RenderCommand
    private let console: Console
    private let work: FrameWork
    private var documents: [JSON] = []
    private var doneCount = 0
    /// The frame with which to go on.
    private var next: Int?
    /// What is rendered of each.
    private var piece: RenderPiece

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
        work = FrameWork(command)
        piece = RenderPiece(wholeOf: command.scene.parameters)
    }

    private var isMoving: Bool { command.moment.frames != nil }
    private var isShared: Bool { command.sharing.isGiven }

    func run() throws {
        let numbers = command.moment.numbers
        piece = try command.sharing.piece(of: command.scene.parameters)
        try checkIsPicture()
        for output in outputs(numbers.lowerBound) {
            try FileBytes.checkWritable(output)
            try FileBytes.checkApart(
                output, from: [command.scene.scene] + [command.scene.env].compactMap(\.self))
        }
        let devices = try open()
        if !isShared { try command.sitting.check(devices: devices.count) }
        let keepsOne = place(numbers.lowerBound) != nil && (devices.count == 1 || isShared)
        if isMoving || keepsOne {
            try Interruption.watched { try render(numbers, on: devices) }
        } else {
            try render(numbers, on: devices)
        }
    }

    private func open() throws(Failure) -> [OpenCLDevice] {
        if isShared { return try SharedDevices(command, console).open() }
        return try command.device.open(home: command.home.given, isProfiling: command.kernels)
    }

    /// A picture is whole.
    private func checkIsPicture() throws(Failure) {
        let parameters = command.scene.parameters
        guard command.picture.output != nil, piece != RenderPiece(wholeOf: parameters) else {
            return
        }
        let what = piece.text(in: parameters)
        throw Failure(.usage, "-o: \(what) are no picture; `rigor merge` makes one of parts")
    }

    private func render(_ numbers: ClosedRange<Int>, on devices: [OpenCLDevice]) throws {
        for frame in numbers where next == nil {
            do throws(Failure) {
                try Interruption.check(after: "\(doneCount) frames")
                if try skip(frame) { continue }
                try render(frame, on: devices)
            } catch {
                guard error.code == .interrupted else { throw error }
                next = frame
                guard !documents.isEmpty else { endWithNothing(frame, error) }
            }
        }
        if command.format.json {
            console.write(isMoving ? ["frames": .array(documents)] : documents[0])
        }
        guard let next else { return }
        if isMoving {
            let hint = place(next) == nil ? "" : "; --resume goes on with frame \(next)"
            console.note("\(doneCount) of \(numbers.count) frames are done\(hint)")
        }
        throw ExitCode(Interruption.exitCode)
    }

    /// Interrupted before anything was there to keep.
    private func endWithNothing(_ frame: Int, _ error: Failure) -> Never {
        let kept = place(frame).flatMap { FrameKeeper.files(beside: $0).first }
        let left = kept.map { "\($0) is as it was" } ?? "nothing was there to keep"
        console.fail(
            code: error.code.rawValue, "\(error.message): \(left)", asJSON: command.format.json)
        Interruption.end()
    }

    private func output(_ frame: Int) -> String? {
        command.picture.output.map { command.moment.path($0, frame: frame) }
    }

    private func part(_ frame: Int) -> String? {
        command.sharing.part.map { command.moment.path($0, frame: frame) }
    }

    private func outputs(_ frame: Int) -> [String] {
        [output(frame), part(frame)].compactMap(\.self)
    }

    /// What an interrupted frame is kept beside.
    private func place(_ frame: Int) -> String? { outputs(frame).first }

    /// Whether an earlier sitting has done `frame`.
    private func skip(_ frame: Int) throws(Failure) -> Bool {
        guard isMoving, command.sitting.resume, place(frame) != nil else { return false }
        var digest: Hash256?
        var isDone = true
        if let path = output(frame) {
            switch try work.done(frame, at: path) {
            case .whole(let found): digest = found
            case .missing: isDone = false
            case .another:
                throw Failure(
                    .refused,
                    """
                    \(path): whole, but of other options or files, or of another version of this \
                    program: remove it, or leave out --resume to render over it
                    """)
            case .not(let why):
                isDone = false
                // What was interrupted is no surprise.
                if FrameKeeper.files(beside: path).isEmpty {
                    console.note("\(path): \(why): rendered again")
                }
            }
        }
        if isDone, let path = part(frame), try !work.isDone(piece, of: frame, at: path) {
            isDone = false
            if FileManager.default.fileExists(atPath: path) {
                console.note("\(path): not whole, or of another job")
            }
        }
        if isDone { sayDone(frame, digest) }
        return isDone
    }

    private func sayDone(_ frame: Int, _ digest: Hash256?) {
        documents.append([
            "frame": .int(frame), "image": .optional(output(frame), JSON.string),
            "part": .optional(part(frame), JSON.string),
            "digest": .optional(digest, JSON.hash), "skipped": true,
        ])
        doneCount += 1
        guard !command.format.json else { return }
        if let path = output(frame) { console.say("picture  \(path): done already") }
        if let path = part(frame) { console.say("part     \(path): done already") }
        if let digest { console.say("digest   \(digest)") }
    }

    /// One frame on every device.
    private func render(_ frame: Int, on devices: [OpenCLDevice]) throws(Failure) {
        var command = command
        command.picture.output = output(frame)
        command.sharing.part = part(frame)
        var reports: [any FrameReport] = []
        if isShared {
            let job = SharedRender(command, work, frame, piece, console)
            reports.append(try job.run(on: devices))
        }
        for device in devices where !isShared {
            let job = RenderJob(command, work, frame, console, isAlone: devices.count == 1)
            reports.append(try job.run(on: device))
        }
        documents.append(.perDevice(reports.map { $0.json }))
        if !command.format.json {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map { $0.digest }).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
        if reports.contains(where: { $0.kept != nil }) { next = frame } else { doneCount += 1 }
    }
}
