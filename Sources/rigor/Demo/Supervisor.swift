internal import Core
internal import Foundation
internal import HostProtocol

/// Keeps child processes alive: one that ends is started again, a bounded number of times.
final class Supervisor {
    private struct Kept {
        let command: ChildProcess.Command
        var process: ChildProcess
        var restarts = 0
    }

    private var kept: [Kept] = []
    private let restartsMax: Int
    private let note: (String) -> Void

    init(restartsMax: Int, note: @escaping (String) -> Void) {
        self.restartsMax = restartsMax
        self.note = note
    }

    func start(_ command: ChildProcess.Command) throws(Failure) {
        kept.append(
            Kept(
                command: command,
                process: try ChildProcess.start(command, hasChannel: false)))
    }

    /// Starts again what has ended.
    ///
    /// - Throws: ``Failure`` when one has ended too often, naming its log.
    func tend() throws(Failure) {
        for index in kept.indices where !kept[index].process.isRunning {
            let command = kept[index].command
            let end = kept[index].process.exitDiagnosis ?? "ended"
            kept[index].restarts += 1
            guard kept[index].restarts <= restartsMax else {
                throw Failure(
                    .io,
                    "\(command.name): \(end), for the \(kept[index].restarts)th time; its log "
                        + "\(command.logPath) ends: \(Self.lastLine(command.logPath))")
            }
            note("\(command.name): \(end); starting it again")
            kept[index].process = try ChildProcess.start(command, hasChannel: false)
        }
    }

    private static func lastLine(_ path: String) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "(empty)"
    }

    func stop() {
        for child in kept { child.process.kill() }
        kept = []
    }
}
