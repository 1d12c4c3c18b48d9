import ArgumentParser
import Core
import Foundation
import Profiling

/// Options every command takes.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print one JSON document on standard output, and nothing else there.")
    var json = false
}

/// Options of commands that compute.
struct DeviceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The device: an index, part of a name or platform, cpu, gpu or all.",
            valueName: "selector"))
    var device: String?
}

/// Options of commands that keep data.
struct HomeOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Folder for data; by default $RIGOR_HOME, else ~/.rigor.", valueName: "dir")
    )
    var home: String?

    /// The folder, absolute.
    var folder: URL {
        let environment = ProcessInfo.processInfo.environment
        if let path = home ?? environment["RIGOR_HOME"] {
            return URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
        }
        return URL(fileURLWithPath: NSHomeDirectory(), isDirectory: true)
            .appendingPathComponent(".rigor", isDirectory: true)
    }
}

extension HomeOptions {
    /// What `rigor certify` found out, for every command that asks.
    var certificates: CertificateStore {
        CertificateStore(folder: folder.appendingPathComponent("certificates").path)
    }
}

/// Standard output and error for people: colour and progress only on a terminal.
struct Console: Sendable {
    /// Whether standard error is a terminal that wants colour (https://no-color.org).
    let isRich: Bool

    init() {
        let environment = ProcessInfo.processInfo.environment
        let wantsColor = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        isRich = isatty(STDERR_FILENO) == 1 && wantsColor
    }

    /// A line of result, on standard output.
    func say(_ line: String) { out(line + "\n") }

    /// A line about the work, on standard error: a log on a full disk must not end the work.
    func note(_ line: String) { err(line + "\n") }

    /// The one document of `--json`.
    func write(_ document: JSON) { out(document.text) }

    /// Results that nobody gets are a failure.
    private func out(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            fail(Failure(.storage, "standard output: cannot be written"))
            exit(1)
        }
    }

    private func err(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Why a command failed.
    func fail(_ failure: Failure) { note(paint("error: ", "31") + failure.message) }

    func warn(_ line: String) { note(paint("warning: ", "33") + line) }

    /// A progress line that replaces itself; silent when standard error is no terminal.
    func progress(_ line: String) {
        guard isRich else { return }
        err("\r\u{1b}[2K\(line)")
    }

    /// Ends a progress line.
    func endProgress() {
        guard isRich else { return }
        err("\r\u{1b}[2K")
    }

    private func paint(_ text: String, _ code: String) -> String {
        isRich ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
