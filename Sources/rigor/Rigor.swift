import ArgumentParser
import Core

/// The program: a list of commands, and nothing else. What each does is in `Commands/`.
@main
struct Rigor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rigor",
        abstract: "Turn a GPU rig into a provider on a compute market.",
        version: "0.1.0",
        subcommands: [
            DemoCommand.self, VerifyCommand.self, ProbeCommand.self, DoctorCommand.self,
            CertifyCommand.self, BenchCommand.self, RenderCommand.self, InferCommand.self,
            ProbeDevicesCommand.self, HostCommand.self, PoolCommand.self, AgentCommand.self,
        ])

    /// Failures are one line and exit code 1; what the parser refuses is exit code 64.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Console().fail(failure)
            exit(withError: ExitCode.failure)
        } catch {
            exit(withError: error)
        }
    }
}
