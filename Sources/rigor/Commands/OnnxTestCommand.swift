internal import ArgumentParser
internal import Compute
internal import Core
internal import Files
internal import Foundation
internal import Inference

/// `rigor onnx-test`: models with known outputs, run here.
struct OnnxTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "onnx-test",
        abstract: "Run ONNX models that have known outputs, and compare.",
        discussion: """
            A case is a folder with model.onnx and test_data_set_N/input_N.pb, output_N.pb, as in \
            onnx's back-end suite and the model zoo. It passes when its outputs have the expected \
            types and shapes, integers equal and other numbers within 0.001 of their magnitude \
            plus 1e-7 (tolerance.json beside the model may say otherwise); it is refused when \
            the model asks for what this version does not compute, is broken when a file of the \
            case is missing or cannot be read, and has failed otherwise. The exit code is 1 when \
            any has failed or is broken.

            EXAMPLES
              rigor onnx-test data/node
              rigor onnx-test data/node/test_abs --verbose
              rigor onnx-test data/node --list names.txt --device gpu --json
            """)

    @Argument(help: "Folders with cases in them or below.", completion: .directory)
    var folders: [String]
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Run only the cases that a file names, one a line, as they are printed.",
            valueName: "file"),
        completion: .file())
    var list: String?
    @Flag(name: .long, help: "Print each case as it ends, not only those that fail or are broken.")
    var verbose = false
    @OptionGroup var devices: DeviceOptions
    @OptionGroup var json: OutputOptions
    @OptionGroup var home: HomeOptions

    func run() async throws {
        let console = Console()
        let cases = try chosen()
        var documents: [JSON] = []
        var hasFailed = false
        for device in try devices.open(home: home.given) {
            let report = try judge(cases, on: device, console)
            documents.append(report.json)
            hasFailed = hasFailed || report.count("failed") + report.count("broken") > 0
            if !json.json { console.say(report.line) }
        }
        if json.json { console.write(.perDevice(documents)) }
        if hasFailed { throw ExitCode.failure }
    }

    private func chosen() throws(Failure) -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        for folder in folders { cases += try ConformanceCase.all(below: folder) }
        guard let list else { return cases }
        let text = try FileBytes.read(list, byteCountMax: 16 << 20)
        let lines = ClassLabels.parse(Bytes(text)).filter { !$0.isEmpty }
        let known = Dictionary(grouping: cases, by: \.name)
        var chosen: [ConformanceCase] = []
        for line in lines {
            guard let named = known[line] else {
                throw Failure(.malformed, "\(list): no case \"\(line)\" below the folders")
            }
            chosen += named
        }
        return chosen
    }

    private func judge(
        _ cases: [ConformanceCase], on device: any ComputeDevice, _ console: Console
    ) throws(Failure) -> Report {
        var report = Report(device: device.description.label)
        for (index, item) in cases.enumerated() {
            console.progress("\(index + 1) of \(cases.count): \(item.name)")
            let verdict = item.verdict(on: device)
            report.results.append((item.name, verdict))
            if !json.json, verbose || ["failed", "broken"].contains(verdict.name) {
                console.endProgress()
                console.say(Report.line(item.name, verdict))
            }
            if case .deviceFailed(let failure) = verdict {
                throw failure.at("\(item.name), \(index + 1) of \(cases.count)")
            }
        }
        console.endProgress()
        return report
    }
}

// MARK: - Report

extension OnnxTestCommand {
    struct Report {
        var device: String
        var results: [(name: String, verdict: ConformanceCase.Verdict)] = []

        func count(_ verdict: String) -> Int { results.count { $0.verdict.name == verdict } }

        var line: String {
            let broken = count("broken")
            return "\(count("passed")) passed, \(count("refused")) refused, "
                + "\(count("failed")) failed" + (broken > 0 ? ", \(broken) broken" : "")
                + " of \(results.count) on \(device)"
        }

        /// Names of one width, so that a list is easily read by eye and program.
        static func line(_ name: String, _ verdict: ConformanceCase.Verdict) -> String {
            let word = verdict.name.padding(toLength: 8, withPad: " ", startingAt: 0)
            let reason = verdict.reason.map {
                ": " + $0.split(whereSeparator: \.isNewline).joined(separator: " ")
            }
            return word + name + (reason ?? "")
        }

        var json: JSON {
            [
                "device": .string(device), "passed": .int(count("passed")),
                "refused": .int(count("refused")), "failed": .int(count("failed")),
                "broken": .int(count("broken")),
                "cases": .array(
                    results.map { result in
                        [
                            "name": .string(result.name), "verdict": .string(result.verdict.name),
                            "reason": .optional(result.verdict.reason) { .string($0) },
                        ]
                    }),
            ]
        }
    }
}
