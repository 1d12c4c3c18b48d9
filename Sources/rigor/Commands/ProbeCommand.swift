import ArgumentParser
import Core
import Files
import Foundation
import Hardware

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Show what this machine has: processors, memory, OpenCL devices, sensors.",
        discussion: """
            Vendors' drivers are loaded in a child process: one that crashes is named, and the \
            rest is shown all the same.

            EXAMPLES
              rigor probe
              rigor probe --json | jq '.devices[].name'
              rigor probe --save rig.json     everything that was read, for a report
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Also write everything that was read to a file.", valueName: "file"),
        completion: .file(extensions: ["json"]), transform: Accepted.text("a file"))
    var save: String?

    func run() async throws {
        let console = Console()
        if let save { try FileBytes.checkWritable(save) }
        let inventory = try MachineReader(certificates: home.certificates).read()
        if let save { try Self.write(inventory, to: save) }
        if output.json {
            console.write(inventory.json)
        } else {
            for line in InventoryText.lines(inventory) { console.say(line) }
        }
    }

    private static func write(_ inventory: Inventory, to path: String) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let text = try? encoder.encode(inventory) else {
            throw Failure(.malformed, "\(path): the inventory holds a number that JSON has not")
        }
        try FileBytes.write(Bytes(text), to: path)
    }
}
