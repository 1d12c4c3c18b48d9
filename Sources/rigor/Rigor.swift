import ArgumentParser

/// The program: a list of commands, and nothing else. What each does is in `Commands/`.
@main
struct Rigor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rigor",
        abstract: "Turn a GPU rig into a provider on a compute market.",
        version: "0.1.0",
        subcommands: [])
}
