import ArgumentParser
import Core
import Foundation
import Hardware

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Show what this machine has: processors, memory, OpenCL devices, sensors.",
        discussion: """
            Vendors' drivers are loaded in a child process: one that crashes is named, and the rest
            is shown all the same.

            EXAMPLES
              rigor probe
              rigor probe --json | jq '.devices[].name'
              rigor probe --save rig.json     everything that was read, for a report
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Also write everything that was read to a file.", valueName: "file"))
    var save: String?

    func run() async throws {
        let console = Console()
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
        do {
            try encoder.encode(inventory).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Failure(.io, "\(path): cannot be written, expected a file in a writable folder")
        }
    }
}
