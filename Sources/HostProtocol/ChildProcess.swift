internal import CLinux
public import Core
internal import Files
internal import Foundation
internal import Glibc
internal import Synchronization

/// A child process that dies with this one: its standard input and output may be a
/// ``FrameChannel``, its standard error goes to a file.
public final class ChildProcess: Sendable {
    /// What to start, and how.
    public struct Command: Hashable, Sendable {
        /// The child, as failures call it: `device host`.
        public var name: String
        public var executable: String
        public var arguments: [String]
        /// The whole environment of the child.
        public var environment: [String: String]
        /// A file its standard error is appended to.
        public var logPath: String

        public init(
            name: String, executable: String, arguments: [String],
            environment: [String: String], logPath: String
        ) {
            self.name = name
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
            self.logPath = logPath
        }
    }

    public let command: Command
    public let processID: Int32
    /// Talks to the child's standard input and output; nil when it was started without.
    public let channel: FrameChannel?
    private let exitStatus = Mutex<Int32?>(nil)

    private init(command: Command, processID: Int32, channel: FrameChannel?) {
        self.command = command
        self.processID = processID
        self.channel = channel
    }

    deinit { kill() }

    /// Starts `command`.
    ///
    /// - Parameter hasChannel: whether to talk over its standard input and output; otherwise those
    ///   are `/dev/null` and the log.
    /// - Throws: ``Failure`` naming what could not be opened or started.
    public static func start(
        _ command: Command, hasChannel: Bool
    ) throws(Failure) -> ChildProcess {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        if hasChannel {
            guard rigor_pipe(&toChild) == 0, rigor_pipe(&fromChild) == 0 else {
                throw Failure(.io, "\(command.name): no pipe: \(systemMessage(errno))")
            }
        }
        defer {
            for descriptor in [toChild[0], fromChild[1]] where descriptor >= 0 {
                _ = Glibc.close(descriptor)
            }
        }
        let channel =
            hasChannel
            ? FrameChannel(input: fromChild[0], output: toChild[1], name: command.name) : nil
        let (input, output) = (toChild[0], fromChild[1])
        let result = Spawner.shared.perform {
            Result { () throws(Failure) in
                try spawn(command, input: input, output: output)
            }
        }
        return ChildProcess(
            command: command, processID: try result.get(), channel: channel)
    }

    private static func spawn(
        _ command: Command, input: Int32, output: Int32
    ) throws(Failure) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if input >= 0 {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(
            &actions, 2, command.logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, output >= 0 ? output : 2, 1)
        // A child holds what it was given and nothing else: no database, no socket, no key file.
        _ = rigor_close_from(&actions, 3)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var arguments = ([command.executable] + command.arguments).map { strdup($0) } + [nil]
        var environment =
            command.environment.sorted { $0.key < $1.key }
            .map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var processID: pid_t = 0
        let status = posix_spawn(
            &processID, command.executable, &actions, &attributes, &arguments, &environment)
        guard status == 0 else {
            throw Failure(
                .io,
                "\(command.name): could not start \(command.executable): "
                    + systemMessage(status))
        }
        return processID
    }

    // MARK: End

    /// Whether the child still runs; reaps it when it does not.
    public var isRunning: Bool { reap() == nil }

    /// Kills the child if it still runs, reaps it, closes the channel.
    public func kill() {
        _ = reap(killing: true)
        channel?.close()
    }

    /// Whether the child ended by itself and said that it failed; nil while it runs.
    public var hasFailed: Bool? {
        reap().map { $0 & 0x7f == 0 && $0 != 0 }
    }

    /// How the child ended, for people: `exit status 3`, `killed by signal 9`; nil while it runs.
    public var exitDiagnosis: String? {
        guard let status = reap() else { return nil }
        let signal = status & 0x7f
        return signal == 0
            ? "exit status \((status >> 8) & 0xff)"
            : "killed by signal \(signal) (\(String(cString: strsignal(signal))))"
    }

    /// The same of a child that has closed its channel: it ends a moment after.
    func exitDiagnosis(withinSeconds secondsMax: Double) -> String? {
        let deadline = Deadline(secondsMax: secondsMax)
        while exitDiagnosis == nil, deadline.millisecondsLeft > 0 { usleep(2000) }
        return exitDiagnosis
    }

    /// In a child: has the kernel kill it when its parent dies, and ends it when that has happened
    /// already.
    ///
    /// - Returns: whether the kernel agreed.
    public static func dieWithParent(processID: Int) -> Bool {
        let isHeld = rigor_die_with_parent() == 0
        if Int(getppid()) != processID { _exit(0) }
        return isHeld
    }

    /// How the child ended; nil while it runs, which it does no more after `killing`. A child is
    /// killed in the lock that it is reaped in, since its number may be another process's after.
    private func reap(killing: Bool = false) -> Int32? {
        exitStatus.withLock { known in
            known = known ?? wait(WNOHANG)
            if known == nil, killing {
                _ = Glibc.kill(processID, SIGKILL)
                known = wait(0)
            }
            return known
        }
    }

    private func wait(_ options: Int32) -> Int32? {
        var status: Int32 = 0
        var reaped: pid_t
        repeat {
            reaped = waitpid(processID, &status, options)
        } while reaped < 0 && errno == EINTR
        return reaped == processID ? status : reaped < 0 ? 0 : nil
    }
}

/// One thread that lives as long as the process and starts all children: Linux sends the signal of
/// a parent's death when the parent's *thread* ends, and pools end idle threads.
private final class Spawner: Sendable {
    static let shared = Spawner()

    private let waiting = Mutex<[@Sendable () -> Void]>([])
    private let signal = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                signal.wait()
                waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }?()
            }
        }
        thread.name = "spawner"
        thread.start()
    }

    func perform<T: Sendable>(_ body: @escaping @Sendable () -> T) -> T {
        let done = DispatchSemaphore(value: 0)
        let box = ResultBox<T>()
        waiting.withLock {
            $0.append {
                box.value.withLock { $0 = body() }
                done.signal()
            }
        }
        signal.signal()
        done.wait()
        guard let value = box.value.withLock({ $0 }) else { preconditionFailure("body ran") }
        return value
    }

    private final class ResultBox<T: Sendable>: Sendable {
        let value = Mutex<T?>(nil)
    }
}
