import ArgumentParser
internal import CLinux

/// The program: a list of commands, and nothing else. What each does is in `Commands/`.
@main
struct Rigor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rigor",
        abstract: "Turn a GPU rig into a provider on a compute market.",
        discussion: """
            EXAMPLES
              rigor doctor                      what keeps this machine from earning
              rigor demo --home demo            a market, two workers, paid results
              rigor verify receipt.json         does it hold against the ledger?
              rigor render scene.glb -o picture.png
              rigor infer model.onnx --input x=x.npy --json
              rigor train --example digits      a small network, the same bits everywhere
              rigor serve model.onnx            Open Inference Protocol v2 on port 8000
              rigor --generate-completion-script zsh > ~/.zfunc/_rigor

            Exit codes: 0 done, 1 failed, 64 wrong command line, 75 interrupted and \
            kept. With --json a command prints one JSON document, which after a failure is \
            {"error": {"code", "message"}}. \
            Completions are made for bash, zsh and fish.
            """,
        version: "0.1.0",
        subcommands: [
            DemoCommand.self, VerifyCommand.self, ProbeCommand.self, DoctorCommand.self,
            CertifyCommand.self, BenchCommand.self, RenderCommand.self, MergeCommand.self,
            QuoteCommand.self, DisputeCommand.self, InferCommand.self, TrainCommand.self,
            ServeCommand.self,
            OnnxTestCommand.self, ProbeDevicesCommand.self, HostCommand.self, PoolCommand.self,
            AgentCommand.self,
        ])

    static func main() async {
        // A driver's compiler asks for many small pieces on a thread of its own.
        rigor_share_heap()
        StandardStreams.fill()
        SearchPath.fill()
        DriverCache.fill()
        do {
            try checkHelp(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(error)
        }
    }
}
