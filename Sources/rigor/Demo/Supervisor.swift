internal import Core
internal import Foundation
internal import HostProtocol

/// Keeps child processes alive: one that ends is started again, a bounded number of times.
final class Supervisor {
    private struct Kept {
        let command: ChildProcess.Command
        var process: ChildProcess
        var restarts = 0
        /// Times that it ended by itself, saying why.
        var failures = 0
    }

    private var kept: [Kept] = []
    private let note: (String) -> Void
    /// A child that is killed more often than this has a fault that restarts do not mend.
    private static let restartsMax = 50
    /// One that fails more often, by its own account, has met something that will not pass.
    private static let failuresMax = 5
    private static let logBytesMax = 64 << 20

    init(note: @escaping (String) -> Void) { self.note = note }

    func start(_ command: ChildProcess.Command) throws(Failure) {
        kept.append(
            Kept(
                command: command,
                process: try ChildProcess.start(command, hasChannel: false)))
    }

    /// Starts again what has ended.
    ///
    /// - Throws: ``Failure`` when one has ended too often, with what it said last.
    func tend() throws(Failure) {
        for index in kept.indices where !kept[index].process.isRunning {
            let command = kept[index].command
            let end = kept[index].process.exitDiagnosis ?? "ended"
            kept[index].restarts += 1
            if kept[index].process.hasFailed == true { kept[index].failures += 1 }
            let (restarts, failures) = (kept[index].restarts, kept[index].failures)
            guard restarts <= Self.restartsMax, failures <= Self.failuresMax else {
                let why = Self.lastError(command.logPath) ?? "its log: \(command.logPath)"
                throw Failure(.io, "\(command.name): \(end), \(restarts) times: \(why)")
            }
            note("\(command.name): \(end); starting it again")
            kept[index].process = try ChildProcess.start(command, hasChannel: false)
        }
    }

    /// What a failed command said at its end; on a full disk it may not have been able to.
    private static func lastError(_ log: String) -> String? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: log)
        if let free = attributes?[.systemFreeSize] as? NSNumber, free.intValue < 1 << 16 {
            return "no space is left where \(log) is"
        }
        let mark = "error: "
        guard let bytes = try? FileHash.contents(path: log, bytesMax: logBytesMax),
            let last = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last,
            last.hasPrefix(mark)
        else { return nil }
        return String(last.dropFirst(mark.count))
    }

    func stop() {
        for child in kept { child.process.kill() }
        kept = []
    }
}
