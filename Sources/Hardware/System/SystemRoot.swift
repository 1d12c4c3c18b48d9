import Foundation

/// A folder that stands for `/`: the real one, or a recorded tree in tests.
///
/// Files of /proc and /sys are small, and anything else is not read: each read stops at
/// `fileBytesMax`.
public struct SystemRoot: Hashable, Sendable {
    public let path: String

    /// The machine itself.
    public static let machine = SystemRoot("/")

    /// No file of /proc or /sys that is read here comes near it.
    public static let fileBytesMax = 1 << 20

    public init(_ path: String) {
        self.path = path.hasSuffix("/") ? path : path + "/"
    }

    /// The absolute path of a file below this root.
    public func location(_ file: String) -> String {
        path + (file.hasPrefix("/") ? String(file.dropFirst()) : file)
    }

    /// The file's text, or nil where it is not there or may not be read.
    public func text(_ file: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: location(file)) else { return nil }
        defer { try? handle.close() }
        var bytes = Data()
        // Files of /proc give what fits a page at a time, so one read is not enough.
        do {
            while let more = try handle.read(upToCount: Self.fileBytesMax - bytes.count),
                !more.isEmpty
            {
                bytes.append(more)
            }
        } catch {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The file's first line without white space around it, or nil where empty or unreadable.
    public func line(_ file: String) -> String? {
        guard let text = text(file) else { return nil }
        let line = text.prefix { $0 != "\n" }
        let trimmed = line.trimmingCharacters(in: .whitespaces)
        return trimmed.isEmpty ? nil : trimmed
    }

    /// The file's first line as an integer.
    public func integer(_ file: String) -> Int? { line(file).flatMap { Int($0) } }

    /// Names in a folder, sorted; none where there is no such folder.
    public func list(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: location(folder))) ?? []
        return names.sorted { Self.naturalOrder($0, $1) }
    }

    public func exists(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: location(file))
    }

    /// The last part of the path a symbolic link leads to: how sysfs names a device's parent.
    public func linkTarget(_ file: String) -> String? {
        let path = location(file)
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
            return nil
        }
        return target.split(separator: "/").last.map(String.init)
    }

    /// Shorter numbers first, so that `hwmon2` stands before `hwmon10`.
    private static func naturalOrder(_ left: String, _ right: String) -> Bool {
        left.count == right.count ? left < right : left.count < right.count
    }
}
