import ArgumentParser
import Compute
import Core
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

    init(_ command: RenderCommand, _ console: Console) {
        self.command = command
        self.console = console
        work = FrameWork(command)
    }

    private var isMoving: Bool { command.moment.frames != nil }

    func run() throws {
        let numbers = command.moment.numbers
        if let output = command.picture.output {
            let first = command.moment.path(output, frame: numbers.lowerBound)
            try FileBytes.checkWritable(first)
            try FileBytes.checkApart(
                first, from: [command.scene.scene] + [command.scene.env].compactMap(\.self))
        }
        let devices = try command.device.open(
            home: command.home.given, isProfiling: command.kernels)
        try command.sitting.check(devices: devices.count)
        let keepsOne = command.picture.output != nil && devices.count == 1
        if isMoving || keepsOne {
            try Interruption.watched { try render(numbers, on: devices) }
        } else {
            try render(numbers, on: devices)
        }
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
            let hint = command.picture.output == nil ? "" : "; --resume goes on with frame \(next)"
            console.note("\(doneCount) of \(numbers.count) frames are done\(hint)")
        }
        throw ExitCode(Interruption.exitCode)
    }

    /// Interrupted before anything was there to keep.
    private func endWithNothing(_ frame: Int, _ error: Failure) -> Never {
        let kept = output(frame).map(FrameKeeper.path(picture:))
        let isThere = kept.map(FileManager.default.fileExists(atPath:)) ?? false
        let left = isThere ? "\(kept ?? "") is as it was" : "nothing was there to keep"
        console.fail(
            code: error.code.rawValue, "\(error.message): \(left)", asJSON: command.format.json)
        Interruption.end()
    }

    private func output(_ frame: Int) -> String? {
        command.picture.output.map { command.moment.path($0, frame: frame) }
    }

    private func isKept(_ frame: Int) -> Bool {
        guard let output = output(frame) else { return false }
        return FileManager.default.fileExists(atPath: FrameKeeper.path(picture: output))
    }

    /// Whether an earlier sitting has done `frame`.
    private func skip(_ frame: Int) throws(Failure) -> Bool {
        guard isMoving, command.sitting.resume, let path = output(frame), !isKept(frame) else {
            return false
        }
        switch try work.done(frame, at: path) {
        case .whole(let digest):
            documents.append([
                "frame": .int(frame), "image": .string(path), "digest": .hash(digest),
                "skipped": true,
            ])
            doneCount += 1
            if !command.format.json {
                console.say("picture  \(path): done already")
                console.say("digest   \(digest)")
            }
            return true
        case .not(let why):
            console.note("\(path): \(why): rendered again")
        case .missing: break
        }
        return false
    }

    /// One frame on every device.
    private func render(_ frame: Int, on devices: [OpenCLDevice]) throws(Failure) {
        var command = command
        command.picture.output = output(frame)
        command.sitting.resume = command.sitting.resume && (!isMoving || isKept(frame))
        var reports: [RenderReport] = []
        for device in devices {
            let job = RenderJob(command, work, frame, console, isAlone: devices.count == 1)
            reports.append(try job.run(on: device))
        }
        documents.append(.perDevice(reports.map(\.json)))
        if !command.format.json {
            for report in reports { for line in report.lines { console.say(line) } }
        }
        guard Set(reports.map(\.digest)).count == 1 else {
            throw Failure(.untrusted, "the devices' pictures differ: run `rigor certify`")
        }
        if reports.contains(where: { $0.kept != nil }) { next = frame } else { doneCount += 1 }
    }
}
