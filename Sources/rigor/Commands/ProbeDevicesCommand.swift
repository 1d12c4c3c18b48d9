import ArgumentParser
import Core
import Files
import Foundation
import Hardware

/// The child process that loads vendors' drivers and asks them, so that one that crashes takes
/// nothing else along. Answers go to a file: drivers print to standard output as they like.
struct ProbeDevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe-devices",
        abstract: "Ask OpenCL and sensor libraries, and write their answers to a file.",
        shouldDisplay: false)

    @Option(name: .long, help: "The file to write.")
    var output: String

    func run() throws {
        let answers = try JSONEncoder().encode(DriverAnswers.read())
        try FileBytes.write(Bytes(answers), to: output)
    }
}
