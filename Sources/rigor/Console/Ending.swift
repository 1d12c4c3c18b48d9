import ArgumentParser
import Core
import Foundation

extension Rigor {
    /// Ends the process after `error`. A failure is one line and exit code 1, a wrong command line
    /// one line with a hint and exit code 64; with `--json` both are a document too.
    static func end(_ error: any Error) -> Never {
        let console = Console()
        let arguments = Array(CommandLine.arguments.dropFirst())
        // Asked of the words themselves: the parser may not have come that far.
        let asJSON = arguments.prefix { $0 != "--" }.contains("--json")
        if let failure = error as? Failure {
            let isUsage = failure.code == .usage
            console.fail(
                code: failure.code.rawValue, failure.message,
                hint: isUsage ? hint(for: arguments) : nil, asJSON: asJSON)
            Foundation.exit((isUsage ? ExitCode.validationFailure : .failure).rawValue)
        }
        let code = exitCode(for: error)
        let message = message(for: error)
        switch code {
        case .success:
            // Help, the version, a script for a shell.
            console.print(raw: message)
        case .validationFailure:
            console.fail(code: "usage", message, hint: hint(for: arguments), asJSON: asJSON)
        default:
            // A command that has said everything throws the bare exit code.
            if !message.isEmpty {
                console.fail(code: "failed", message, asJSON: asJSON)
            }
        }
        Foundation.exit(code.rawValue)
    }

    /// Refuses help on a command that is not there; the parser would show its own.
    static func checkHelp(_ arguments: [String]) throws {
        guard arguments.first == "help" else { return }
        var commands = configuration.subcommands
        for argument in arguments.dropFirst() where !argument.hasPrefix("-") {
            let command = commands.first { $0.configuration.commandName == argument }
            guard let command else {
                let shown = commands.map { $0.configuration }.filter { $0.shouldDisplay }
                let names = shown.compactMap { $0.commandName }.joined(separator: ", ")
                throw ValidationError("no command '\(argument)'; expected one of \(names)")
            }
            commands = command.configuration.subcommands
        }
    }

    private static func hint(for arguments: [String]) -> String {
        "see: \(named(in: arguments)) --help"
    }

    /// The command that the arguments name, such as `rigor render`.
    private static func named(in arguments: [String]) -> String {
        var words = ["rigor"]
        var commands = configuration.subcommands
        for argument in arguments where !argument.hasPrefix("-") {
            let command = commands.first { $0.configuration.commandName == argument }
            guard let command else { break }
            words.append(argument)
            commands = command.configuration.subcommands
        }
        return words.joined(separator: " ")
    }
}
