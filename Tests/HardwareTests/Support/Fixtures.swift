import Core
import Foundation
import Hardware

/// Files recorded on other machines, and folders made from them.
enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures", isDirectory: true)

    static func text(_ path: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    }

    static func machine(_ name: String) throws -> Machine {
        try Topology(.xml(text("topologies/\(name).xml"))).machine()
    }
}

/// A recorded part of /proc, /sys and /dev, laid out in a temporary folder that goes with it.
///
/// The recording is one text: `== path` begins a file, `== path -> target` is a symbolic link.
final class RecordedTree {
    private let folder: URL

    /// Runs `body` while the folder is there.
    func reading<T>(_ body: (SystemRoot) throws -> T) rethrows -> T {
        try withExtendedLifetime(self) { try body(SystemRoot(folder.path)) }
    }

    convenience init(named name: String) throws {
        try self.init(Fixtures.text("trees/\(name).tree"))
    }

    init(_ recording: String) throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rigor-tree-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for part in ("\n" + recording).components(separatedBy: "\n== ").dropFirst() {
            let end = part.firstIndex(of: "\n") ?? part.endIndex
            let content = end == part.endIndex ? "" : String(part[part.index(after: end)...])
            try add(String(part[..<end]), content)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func add(_ heading: String, _ content: String) throws {
        let names = heading.components(separatedBy: " -> ")
        let file = folder.appendingPathComponent(names[0])
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        if names.count == 2 {
            try FileManager.default.createSymbolicLink(
                atPath: file.path, withDestinationPath: names[1])
        } else {
            try Data((content + "\n").utf8).write(to: file)
        }
    }
}
