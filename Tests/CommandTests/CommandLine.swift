import Foundation
import Glibc
import ProgramTestKit
import Testing

/// Runs the built program as a user would, in a folder of its own.
final class CommandLineRun {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// What went wrong, where it is said in one line.
        var line: String { errors.split(separator: "\n").first.map(String.init) ?? "" }

        /// The one document on standard output.
        func document() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            return try #require(value as? [String: Any])
        }
    }

    let folder: String
    private static let secondsMax = 60.0

    init() throws {
        folder = NSTemporaryDirectory() + "/command-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func example(_ path: String) throws -> String {
        var place = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { place.deleteLastPathComponent() }
        return place.appendingPathComponent("Examples/\(path)").path
    }

    /// A small model of the serving tests.
    static func served(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        return tests.appendingPathComponent("ServingTests/Fixtures/\(name).onnx").path
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    /// - Parameter environment: beside this process's own; nil takes a variable away.
    func run(_ arguments: [String], environment: [String: String?] = [:]) throws -> Result {
        try shell("exec \"$RIGOR\" \"$@\"", arguments, environment: environment)
    }

    /// Runs a line of shell in the folder, with the program as `$RIGOR`.
    func shell(
        _ line: String, _ arguments: [String] = [], environment: [String: String?] = [:]
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line, "bash"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var all = ProcessInfo.processInfo.environment
        all["RIGOR"] = try BuiltProgram.path()
        all["RIGOR_HOME"] = path("home")
        for (name, value) in environment { all[name] = value }
        process.environment = all
        // Files, not pipes: nothing to drain, and what hangs can be ended.
        let (output, errors) = (path("stdout"), path("stderr"))
        for file in [output, errors] { try write((file as NSString).lastPathComponent, []) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        let deadline = ProcessInfo.processInfo.systemUptime + Self.secondsMax
        while process.isRunning, ProcessInfo.processInfo.systemUptime < deadline { usleep(5000) }
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            Issue.record("hangs: \(line) \(arguments)")
        }
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    /// A command line that is refused: exit code 64, one line and one hint, nothing else.
    func expectUsage(
        _ arguments: [String], _ pieces: String..., location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try run(arguments)
        let lines = result.errors.split(separator: "\n")
        #expect(result.status == 64, "\(arguments): \(result.errors)", sourceLocation: location)
        #expect(result.output.isEmpty, sourceLocation: location)
        #expect(lines.count == 2, "\(result.errors)", sourceLocation: location)
        #expect(result.line.hasPrefix("error: "), "\(result.line)", sourceLocation: location)
        #expect(lines.last?.hasPrefix("see: rigor") == true, sourceLocation: location)
        for piece in pieces {
            #expect(
                result.line.contains(piece), "\(result.line): \(piece)", sourceLocation: location)
        }
    }

    /// A command that fails: exit code 1 and one line.
    @discardableResult
    func expectFailure(
        _ arguments: [String], environment: [String: String?] = [:], _ pieces: String...,
        location: SourceLocation = #_sourceLocation
    ) throws -> Result {
        let result = try run(arguments, environment: environment)
        #expect(result.status == 1, "\(arguments): \(result.errors)", sourceLocation: location)
        #expect(result.output.isEmpty, sourceLocation: location)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(result.errors)", sourceLocation: location)
        #expect(result.line.hasPrefix("error: "), "\(result.line)", sourceLocation: location)
        for piece in pieces {
            #expect(
                result.line.contains(piece), "\(result.line): \(piece)", sourceLocation: location)
        }
        return result
    }
}
