internal import CLinux
public import Core
internal import Digest
internal import Foundation
internal import Glibc
internal import Synchronization

/// A host's end of the conversation, on its own standard input and output.
///
/// A thread of its own reads requests, so that pings and cancellation are served while a driver
/// computes, and so that the host ends at once when its agent is gone.
public final class HostSession: Sendable {
    /// How a host is held in.
    public struct Limits: Hashable, Sendable {
        /// The largest file it may write; nil for no limit.
        public var fileBytesMax: Int?
        /// Processor time, all threads together; nil for no limit.
        public var processorSecondsMax: Int?
        /// Memory of the process, without files mapped; nil where drivers map what they like.
        public var dataBytesMax: Int?

        public init(
            fileBytesMax: Int? = nil, processorSecondsMax: Int? = nil, dataBytesMax: Int? = nil
        ) {
            self.fileBytesMax = fileBytesMax
            self.processorSecondsMax = processorSecondsMax
            self.dataBytesMax = dataBytesMax
        }
    }

    private let channel: FrameChannel
    private let requests = Mutex<[HostRequest]>([])
    private let arrived = DispatchSemaphore(value: 0)
    private let isCancelled = Mutex(false)
    private let confinement: [String]
    private static let sendSecondsMax = 60.0

    /// Confines the process, takes over its standard input and output, and begins to listen.
    ///
    /// Call it first in the process.
    ///
    /// - Parameter agentProcessID: who started the host; when that process is gone already, the
    ///   host ends here.
    public init(limits: Limits, agentProcessID: Int) {
        confinement = Self.confine(limits, agentProcessID: agentProcessID)
        // Libraries print to descriptor 1; from here on that is the log.
        let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
        let input = fcntl(0, F_DUPFD_CLOEXEC, 3)
        _ = dup2(2, 1)
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if null >= 0 { _ = dup2(null, 0) }
        channel = FrameChannel(input: input, output: output, name: "agent")
        let thread = Thread { [self] in listen() }
        thread.name = "requests"
        thread.start()
    }

    /// A session on a channel, in a process that is not confined: for tests.
    public init(channel: FrameChannel) {
        self.channel = channel
        confinement = []
        Thread { [self] in listen() }.start()
    }

    // MARK: Requests

    /// The next request that is work; greetings, pings and cancellation are served within. nil when
    /// the agent has gone.
    public func next() -> HostRequest? {
        arrived.wait()
        return requests.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Whether the agent wants the present run to stop; starting a run resets it.
    public var isCancelRequested: Bool { isCancelled.withLock { $0 } }

    public func send(_ reply: HostReply) throws(Failure) {
        try channel.send(reply.cbor, secondsMax: Self.sendSecondsMax)
    }

    private func listen() {
        while true {
            do throws(Failure) {
                guard let value = try channel.receive(secondsMax: .greatestFiniteMagnitude) else {
                    break
                }
                try take(try HostRequest(value))
            } catch {
                guard error.code != .timeout else { continue }
                // A message that cannot be read leaves no way to know what it asked for.
                try? send(.failed(error))
                if error.code == .io { break }
            }
        }
        hangUp()
    }

    private func take(_ request: HostRequest) throws(Failure) {
        switch request {
        case .hello(let version):
            // Answers in its own version; whether that will do is the agent's to say.
            _ = version
            try send(.hello(greeting()))
        case .ping: try send(.pong)
        case .cancel: isCancelled.withLock { $0 = true }
        default:
            if case .run = request { isCancelled.withLock { $0 = false } }
            requests.withLock { $0.append(request) }
            arrived.signal()
        }
    }

    /// The agent is gone: nobody waits for the work in progress, and it may be a driver's loop.
    private func hangUp() {
        if confinement.isEmpty {
            isCancelled.withLock { $0 = true }
            arrived.signal()
        } else {
            _exit(0)
        }
    }

    private func greeting() throws(Failure) -> HostGreeting {
        HostGreeting(
            version: HostProtocol.version, binary: try Executable.current(),
            processID: Int(getpid()), confinement: confinement)
    }

    // MARK: Confinement

    private static func confine(_ limits: Limits, agentProcessID: Int) -> [String] {
        var held: [String] = []
        if ChildProcess.dieWithParent(processID: agentProcessID) {
            held.append("dies with its agent")
        }
        if rigor_drop_privileges() == 0 { held.append("no new privileges") }
        if rigor_forbid_network() == 0 { held.append("no network") }
        limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0)
        let resources: [(String, __rlimit_resource, Int?)] = [
            ("file size", RLIMIT_FSIZE, limits.fileBytesMax),
            ("processor time", RLIMIT_CPU, limits.processorSecondsMax),
            ("memory", RLIMIT_DATA, limits.dataBytesMax),
        ]
        for (name, resource, value) in resources {
            guard let value else { continue }
            if limit(__rlimit_resource_t(resource.rawValue), value) { held.append(name) }
        }
        return held
    }

    @discardableResult
    private static func limit(_ resource: __rlimit_resource_t, _ value: Int) -> Bool {
        var bound = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        return setrlimit(resource, &bound) == 0
    }
}

/// The program that runs.
public enum Executable {
    /// Path of this process's program.
    public static var path: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }

    /// SHA-256 of the running program: the app version of every app within it.
    public static func current() throws(Failure) -> Hash256 { try known.get() }

    private static let known: Result<Hash256, Failure> = Result { () throws(Failure) in
        try FileHash.sha256(path: "/proc/self/exe").sha256
    }
}
