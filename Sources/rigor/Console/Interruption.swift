import Foundation
import Synchronization

/// What ctrl-C, or the system that shuts down, asks of work that keeps what it has.
enum Interruption {
    private static let asked = Atomic<Bool>(false)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Whether to stop soon.
    static var isAsked: Bool { asked.load(ordering: .relaxed) }

    /// Exit code of a command that was interrupted and can be gone on with: `EX_TEMPFAIL`.
    static let exitCode: Int32 = 75

    /// Takes the signals while `work` runs; a second one ends the process, as ever. One that the
    /// process was started to ignore, as `nohup` has it, stays ignored.
    static func watched<T, E: Error>(_ work: () throws(E) -> T) throws(E) -> T {
        // Made before a handler may ask for it.
        asked.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            Interruption.asked.store(true, ordering: .relaxed)
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        var former = signals.map { _ in sigaction() }
        for (index, signal) in signals.enumerated() {
            sigaction(signal, &action, &former[index])
            if isIgnored(former[index]) { sigaction(signal, &former[index], nil) }
        }
        defer {
            for (index, signal) in signals.enumerated() { sigaction(signal, &former[index], nil) }
        }
        return try work()
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
