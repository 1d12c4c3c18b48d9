import Core
import Files
import Foundation
import Synchronization

/// Standard output and error for people: colour and progress only on a terminal.
struct Console: Sendable {
    /// Whether standard error is a terminal that understands more than lines.
    let isTerminal: Bool
    /// Whether it also wants colour (https://no-color.org).
    let isColored: Bool

    /// Whether this process has written its one document of `--json`.
    private static let hasDocument = Mutex(false)
    private static let messageCharactersMax = 2000

    init() {
        let environment = ProcessInfo.processInfo.environment
        isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
        isColored = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
    }

    // MARK: Standard output

    /// A line of result. Names in it may come from strangers: nothing in it reaches the terminal
    /// but text.
    func say(_ line: String) {
        let lines = line.split(separator: "\n", omittingEmptySubsequences: false)
        put(lines.map { String($0).withoutControls }.joined(separator: "\n") + "\n")
    }

    /// Text as it is: help, and scripts for shells.
    func print(raw text: String) { put(text + "\n") }

    /// The one document of `--json`.
    func write(_ document: JSON) {
        Self.hasDocument.withLock { $0 = true }
        put(document.text)
    }

    /// Ends the process where the result cannot be delivered: it must not seem to have succeeded.
    private func put(_ text: String) {
        let status = FileBytes.writeAll(Bytes(text.utf8), to: STDOUT_FILENO)
        guard status != 0 else { return }
        // Who closes a pipe early, as `head` does, has what they wanted.
        if status != EPIPE {
            fail("standard output: cannot be written: \(String(cString: strerror(status)))")
        }
        exit(EXIT_FAILURE)
    }

    // MARK: Standard error

    /// A line about the work.
    func note(_ line: String) { tell(line.withoutControls + "\n") }

    func warn(_ line: String) { tell(paint("warning: ", "33") + line.withoutControls + "\n") }

    private func fail(_ message: String) {
        endProgress()
        tell(paint("error: ", "31") + message + "\n")
    }

    /// Why a command failed: one line, whatever it was made of; and one document where that was
    /// asked for and none was written.
    ///
    /// - Parameter hint: what to do about it, on a second line.
    func fail(code: String, _ message: String, hint: String? = nil, asJSON: Bool) {
        let lines = message.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let line = lines.joined(separator: " ").withoutControls
        let isLong = line.count > Self.messageCharactersMax
        let said = isLong ? String(line.prefix(Self.messageCharactersMax)) + "…" : line
        fail(said)
        if let hint { tell(hint + "\n") }
        if asJSON, !Self.hasDocument.withLock(\.self) {
            write(["error": ["code": .string(code), "message": .string(said)]])
        }
    }

    /// A progress line that replaces itself; silent when standard error is no terminal.
    func progress(_ line: @autoclosure () -> String) {
        guard isTerminal else { return }
        // A line that wraps could not be replaced.
        tell("\r\u{1b}[2K\(line().withoutControls.prefix(max(columns - 1, 1)))")
    }

    /// Ends a progress line.
    func endProgress() {
        guard isTerminal else { return }
        tell("\r\u{1b}[2K")
    }

    private var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private func tell(_ text: String) {
        // Who closed standard error does not want to hear.
        _ = FileBytes.writeAll(Bytes(text.utf8), to: STDERR_FILENO)
    }

    private func paint(_ text: String, _ code: String) -> String {
        isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}

/// The descriptors that a process starts with.
enum StandardStreams {
    /// Puts something in place of a stream that was closed: else the next file opened would take
    /// its number, and what is printed would go into a market's ledger.
    static func fill() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            // Read-only: writing there fails, as it should.
            _ = open("/dev/null", O_RDONLY)
        }
    }
}

enum SearchPath {
    /// Gives this process and its children the system's search path where there is none: drivers
    /// look for linkers along it, and PoCL ends the process that it finds none in.
    static func fill() {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        if path.isEmpty { setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1) }
    }
}

enum DriverCache {
    /// Gives this process and its children a folder for PoCL's compiled kernels where a user's home
    /// cannot be written: it has no device then.
    static func fill() {
        let environment = ProcessInfo.processInfo.environment
        guard environment["POCL_CACHE_DIR"] == nil else { return }
        let home = environment["HOME"].map { $0 + "/.cache" }
        guard !canWrite(below: environment["XDG_CACHE_HOME"] ?? home ?? "") else { return }
        let folder = "\(NSTemporaryDirectory())/rigor-pocl-\(getuid())"
        mkdir(folder, 0o700)
        // What is in it is run: nobody else may have put it there.
        var info = stat()
        guard lstat(folder, &info) == 0, info.st_uid == getuid(),
            info.st_mode & S_IFMT == S_IFDIR, info.st_mode & 0o077 == 0
        else { return }
        setenv("POCL_CACHE_DIR", folder, 1)
    }

    /// Whether the folder can be written, or made.
    private static func canWrite(below folder: String) -> Bool {
        var path = folder
        while !path.isEmpty, path != "/", access(path, F_OK) != 0 {
            path = (path as NSString).deletingLastPathComponent
        }
        return !path.isEmpty && access(path, W_OK | X_OK) == 0
    }
}

extension JSON {
    /// One device's document as it is; several under `devices`.
    static func perDevice(_ documents: [JSON]) -> JSON {
        documents.count == 1 ? documents[0] : ["devices": .array(documents)]
    }
}

extension String {
    /// As a shell takes it for one word.
    var shellQuoted: String {
        let isPlain =
            !isEmpty
            && unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic
                        || "0123456789_./-:,@%+=".contains(Character($0)))
            }
        return isPlain ? self : "'" + replacing("'", with: "'\\''") + "'"
    }
}
