public import Core
internal import Foundation

/// The agent's end of the conversation with one host: starts it, asks, and notices when it is gone.
///
/// One thread uses a link at a time, except for ``cancel()`` and ``stop()``.
public final class HostLink: Sendable {
    /// The two kinds of host; their names are the program's subcommands.
    public enum Kind: String, Sendable {
        case device, prepare
        var label: String { "\(rawValue) host" }
    }

    /// What the host said of itself.
    public let greeting: HostGreeting
    private let process: ChildProcess
    private let channel: FrameChannel

    /// A host that says nothing for so long is asked whether it lives.
    private static let silenceSecondsMax = 10.0
    private static let greetingSecondsMax = 30.0
    private static let endingSecondsMax = 0.5

    private init(process: ChildProcess, channel: FrameChannel, greeting: HostGreeting) {
        self.process = process
        self.channel = channel
        self.greeting = greeting
    }

    deinit { stop() }

    /// Starts a host and exchanges greetings.
    ///
    /// - Parameters:
    ///   - executable: the program that holds the host, whose SHA-256 is the app version.
    ///   - expected: what that SHA-256 has to be; nil takes any.
    ///   - cacheFolder: where a device host keeps compiled programs; nil takes the user's folder.
    ///   - logPath: where its standard error goes.
    /// - Throws: ``Failure`` when it does not start, speaks another version, or is another program.
    public static func start(
        _ kind: Kind, executable: String, expected: Hash256?, cacheFolder: String? = nil,
        logPath: String
    ) throws(Failure) -> HostLink {
        let command = ChildProcess.Command(
            name: kind.label, executable: executable,
            arguments: [
                "host", kind.rawValue, "--agent",
                "\(ProcessInfo.processInfo.processIdentifier)",
            ] + (cacheFolder.map { ["--cache", $0] } ?? []),
            environment: hostEnvironment(ProcessInfo.processInfo.environment), logPath: logPath)
        let process = try ChildProcess.start(command, hasChannel: true)
        guard let channel = process.channel else { preconditionFailure("started with a channel") }
        do throws(Failure) {
            try channel.send(
                HostRequest.hello(version: HostProtocol.version).cbor,
                secondsMax: greetingSecondsMax)
            guard let answer = try channel.receive(secondsMax: greetingSecondsMax),
                case .hello(let greeting) = try HostReply(answer)
            else { throw Failure(.io, "\(kind.label): a greeting expected") }
            guard greeting.version == HostProtocol.version else {
                throw Failure(
                    .unsupported,
                    "\(kind.label): speaks host protocol \(greeting.version), "
                        + "this agent \(HostProtocol.version)")
            }
            if let expected, greeting.binary != expected {
                throw Failure(
                    .untrusted,
                    "\(kind.label): runs program \(greeting.binary), "
                        + "\(expected) expected")
            }
            return HostLink(process: process, channel: channel, greeting: greeting)
        } catch {
            let end = diagnosis(of: process, after: error)
            process.kill()
            throw end.map { Failure(error.code, "\(error.message) (\($0); log: \(logPath))") }
                ?? error
        }
    }

    /// How a host ended that failed with `error`; only one that is gone is waited for.
    private static func diagnosis(of process: ChildProcess, after error: Failure) -> String? {
        process.exitDiagnosis(withinSeconds: error.code == .io ? endingSecondsMax : 0)
    }

    /// Which of `environment` a host gets: what finds programs, drivers and caches; no secrets.
    static func hostEnvironment(_ environment: [String: String]) -> [String: String] {
        let names: Set<String> = [
            "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
            "LD_LIBRARY_PATH",
            "RUSTICL_ENABLE", "RUSTICL_FEATURES", "RIGOR_CACHE",
        ]
        let prefixes = [
            "OCL_", "OPENCL_", "POCL_", "CUDA_", "NVIDIA_", "GPU_", "HSA_", "ROCR_", "MESA_",
            "LP_", "ZE_", "SYCL_", "CL_CONFIG_", "OCLGRIND_", "ONEAPI_",
        ]
        return environment.filter { entry in
            names.contains(entry.key) || prefixes.contains { entry.key.hasPrefix($0) }
        }
    }

    // MARK: Asking

    /// Sends `request` and waits for the answer that ends it.
    ///
    /// - Parameters:
    ///   - secondsMax: how long the whole request may take.
    ///   - event: gets `progress` and `leaf` messages as they come; what it throws ends the
    ///     conversation, and the host must then be stopped.
    /// - Returns: the final answer, never `failed`.
    /// - Throws: ``Failure``: what the host answered with, or `io`/`timeout` when it is gone or
    ///   silent; then ``isLost`` is true.
    public func ask(
        _ request: HostRequest, secondsMax: Double,
        event: (HostReply) throws(Failure) -> Void = { (_) throws(Failure) in }
    ) throws(Failure) -> HostReply {
        let reply: HostReply
        do throws(Failure) {
            try channel.send(request.cbor, secondsMax: Self.silenceSecondsMax)
            reply = try finalReply(secondsMax: secondsMax, event: event)
        } catch {
            let end = Self.diagnosis(of: process, after: error).map { " (\($0))" } ?? ""
            stop()
            throw Failure(error.code, error.message + end)
        }
        if case .failed(let failure) = reply { throw failure }
        return reply
    }

    private func finalReply(
        secondsMax: Double, event: (HostReply) throws(Failure) -> Void
    ) throws(Failure) -> HostReply {
        let deadline = Deadline(secondsMax: secondsMax)
        var isPinged = false
        while true {
            guard deadline.millisecondsLeft > 0 else {
                throw Failure(
                    .timeout, "\(process.command.name): not done within \(deadline.label) s")
            }
            let waitSeconds = min(
                Self.silenceSecondsMax, Double(deadline.millisecondsLeft) / 1000 + 0.01)
            let received: CBOR?
            do throws(Failure) {
                received = try channel.receive(secondsMax: waitSeconds)
            } catch {
                guard error.code == .timeout, !isPinged else { throw error }
                isPinged = true
                try channel.send(HostRequest.ping.cbor, secondsMax: Self.silenceSecondsMax)
                continue
            }
            guard let received else {
                throw Failure(.io, "\(process.command.name): ended in the middle of its work")
            }
            isPinged = false
            let reply = try HostReply(received)
            if reply.isFinal { return reply }
            try event(reply)
        }
    }

    /// Asks the host to stop its run at the next slice.
    public func cancel() {
        try? channel.send(HostRequest.cancel.cbor, secondsMax: 1)
    }

    /// Whether the host is gone.
    public var isLost: Bool { !process.isRunning }

    public var processID: Int32 { process.processID }

    /// Kills and reaps the host.
    public func stop() { process.kill() }
}
