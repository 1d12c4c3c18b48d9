import Core
import Foundation
import Synchronization

/// What ctrl-C, or the system that shuts down, asks of work that keeps what it has.
enum Interruption {
    /// The signal that asked; 0 where none did.
    private static let asked = Atomic<Int32>(0)
    /// When, in milliseconds.
    private static let askedMilliseconds = Atomic<Int>(0)
    private static let isWatching = Atomic<Bool>(false)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Whether to stop soon.
    static var isAsked: Bool { asked.load(ordering: .relaxed) != 0 }

    /// Exit code of a command that was interrupted and can be gone on with: `EX_TEMPFAIL`.
    static let exitCode: Int32 = 75

    /// Takes the signals while `work` runs; a second one ends the process, as ever, but for one
    /// that follows at once: a terminal and a wrapper may both pass on the same ctrl-C. One that
    /// the process was started to ignore, as `nohup` has it, stays ignored. Within work that is
    /// watched already this changes nothing.
    static func watched<T, E: Error>(_ work: () throws(E) -> T) throws(E) -> T {
        guard !isWatching.exchange(true, ordering: .relaxed) else { return try work() }
        defer { isWatching.store(false, ordering: .relaxed) }
        // Made before a handler may ask for it.
        asked.store(0, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { Interruption.take($0) }
        action.sa_flags = SA_RESTART
        var former = signals.map { _ in sigaction() }
        for (index, signal) in signals.enumerated() {
            sigaction(signal, &action, &former[index])
            if isIgnored(former[index]) { sigaction(signal, &former[index], nil) }
        }
        unblock()
        defer {
            for (index, signal) in signals.enumerated() { sigaction(signal, &former[index], nil) }
        }
        return try work()
    }

    /// Who starts a process from a thread that blocks signals, as thread pools do, hands this on.
    private static func unblock() {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static let echoMilliseconds = 300

    /// In a signal's handler: nothing but atomics and calls that are safe there.
    private static func take(_ number: Int32) {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        guard asked.load(ordering: .relaxed) != 0 else {
            askedMilliseconds.store(now, ordering: .relaxed)
            asked.store(number, ordering: .relaxed)
            return
        }
        guard now - askedMilliseconds.load(ordering: .relaxed) > echoMilliseconds else { return }
        signal(number, SIG_DFL)
        raise(number)
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
