import ArgumentParser
import Core
import Foundation
import Hardware

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Name what keeps this machine from earning, and the command that mends it.",
        discussion: """
            A check either finds something, is fine, or is unknown: there was nothing to look at.
            Exit code 0 when nothing keeps the machine from earning, 1 when something does.

            EXAMPLES
              rigor doctor
              rigor doctor --json | jq -r '.findings[].remedy'
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        let diagnosis = Diagnosis(try facts())
        if output.json {
            console.write(diagnosis.json)
        } else {
            for line in Self.lines(diagnosis) { console.say(line) }
        }
        if !diagnosis.canEarn { throw ExitCode.failure }
    }

    private func facts() throws(Failure) -> Facts {
        let reader = MachineReader(certificates: home.certificates)
        return Facts(
            inventory: try reader.read(),
            drivers: DriverEnumeration.installed(reader.root, environment: reader.environment),
            vendorPlace: DriverEnumeration.vendorPlace(
                reader.root, environment: reader.environment),
            rusticlEnable: reader.environment["RUSTICL_ENABLE"], userName: NSUserName(),
            nodes: Facts.DeviceNode.all(reader.root), home: Facts.Folder(path: home.folder.path),
            clock: Facts.ClockState(
                nowSeconds: reader.clock.nowSeconds, isSynchronized: SystemClock.isSynchronized),
            frequency: Facts.Frequency(reading: reader.root))
    }

    private static func lines(_ diagnosis: Diagnosis) -> [String] {
        var lines: [String] = []
        for finding in diagnosis.findings {
            let word = finding.severity.rawValue
            let indent = String(repeating: " ", count: 9 - word.count)
            lines.append("\(word)\(indent)\(finding.message)")
            if let remedy = finding.remedy { lines.append("         mend: \(remedy)") }
        }
        let unknown = diagnosis.checks.compactMap { name in
            diagnosis.unknown[name].map { "\(name) (\($0))" }
        }
        for (word, names) in [("fine     ", diagnosis.fine), ("unknown  ", unknown)]
        where !names.isEmpty {
            lines.append(word + names.joined(separator: ", "))
        }
        return lines + [
            "",
            diagnosis.canEarn
                ? "nothing keeps this machine from earning"
                : "this machine cannot earn until what blocks it is mended",
        ]
    }
}
