import ArgumentParser
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
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "The device: an index, part of a name or platform, cpu, gpu or all.",
            valueName: "selector"),
        completion: .list(["cpu", "gpu", "all"]), transform: Accepted.device)
    var device: String?
}

/// Options of commands that keep data.
struct HomeOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Folder for data; by default $RIGOR_HOME, else ~/.rigor.", valueName: "dir"),
        completion: .directory, transform: Accepted.text("a folder"))
    var home: String?

    private static let variable = "RIGOR_HOME"

    private static var named: String? {
        let value = ProcessInfo.processInfo.environment[variable] ?? ""
        return value.isEmpty ? nil : value
    }

    /// The folder, absolute.
    var folder: URL {
        if let path = home ?? Self.named {
            return URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
        }
        return UserFolder.home.appendingPathComponent(".rigor", isDirectory: true)
    }

    /// The folder where the user names one: compiled programs are then kept there too.
    var given: URL? { home == nil && Self.named == nil ? nil : folder }

    func validate() throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder)
        guard exists, !isFolder.boolValue else { return }
        let place = home.map { "--home \($0)" } ?? "\(Self.variable) \(folder.path)"
        throw ValidationError("\(place): a file; a folder expected")
    }

    /// What `rigor certify` found out, for every command that asks.
    var certificates: CertificateStore {
        CertificateStore(folder: folder.appendingPathComponent("certificates").path)
    }
}

/// Where a user's own folders are.
enum UserFolder {
    /// `$HOME`, else what the system's list of users says.
    static var home: URL {
        let named = ProcessInfo.processInfo.environment["HOME"] ?? ""
        return URL(
            fileURLWithPath: named.hasPrefix("/") ? named : NSHomeDirectory(), isDirectory: true)
    }
}
