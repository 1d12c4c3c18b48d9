import Core
import Foundation
import Synchronization

/// What ctrl-C, or the system that shuts down, asks of work that keeps what it has.
enum Interruption {
    /// The signal that asked; 0 where none did.
    private static let asked = Atomic<Int32>(0)
    private static let isWatching = Atomic<Bool>(false)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Whether to stop soon.
    static var isAsked: Bool { asked.load(ordering: .relaxed) != 0 }

    /// Exit code of a command that was interrupted and can be gone on with: `EX_TEMPFAIL`.
    static let exitCode: Int32 = 75

    /// Takes the signals while `work` runs; a second one ends the process, as ever. One that the
    /// process was started to ignore, as `nohup` has it, stays ignored. Within work that is watched
    /// already this changes nothing.
    static func watched<T, E: Error>(_ work: () throws(E) -> T) throws(E) -> T {
        guard !isWatching.exchange(true, ordering: .relaxed) else { return try work() }
        defer { isWatching.store(false, ordering: .relaxed) }
        // Made before a handler may ask for it.
        asked.store(0, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = {
            Interruption.asked.store($0, ordering: .relaxed)
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

    /// Between two steps of work that is watched.
    ///
    /// - Parameter step: what was just done.
    /// - Throws: ``Failure`` `interrupted` where somebody has asked.
    static func check(after step: String) throws(Failure) {
        guard isWatching.load(ordering: .relaxed), isAsked else { return }
        throw Failure(.interrupted, "interrupted after \(step)")
    }

    /// Ends the process by the signal that asked, as it would have without us: nothing was kept.
    static func end() -> Never {
        let number = asked.load(ordering: .relaxed)
        signal(number, SIG_DFL)
        raise(number)
        exit(128 + number)
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
