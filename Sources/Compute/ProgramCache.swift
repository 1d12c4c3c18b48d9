package import Core
internal import Digest
internal import Foundation

/// Compiled programs on disk, one folder a driver, one file a program.
///
/// A file is `magic ‖ key ‖ SHA-256 of the payload ‖ payload`; one that does not check out counts
/// as absent. Files appear by renaming, so readers and other processes see whole ones or none.
package struct ProgramCache: Sendable {
    private let folder: URL
    private let bytesMax: Int

    /// Changes with this layout and with what goes into a key.
    package static let formatVersion = 1
    private static let magic = Bytes("RIGORCL\(formatVersion)".utf8)
    private static let headerBytes = magic.count + 2 * Hash256.byteCount

    /// - Parameter driver: platform name and version, which name the folder.
    package init(folder: String, driver: String, bytesMax: Int) {
        let plain = driver.prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let mark = SHA256.hash(Bytes(driver.utf8)).bytes.prefix(4).hex
        self.folder = URL(fileURLWithPath: folder, isDirectory: true)
            .appendingPathComponent("\(String(plain))-\(mark)", isDirectory: true)
        self.bytesMax = bytesMax
    }

    /// SHA-256 over the format version and each part behind its length.
    package static func key(_ parts: [String]) -> Hash256 {
        var hasher = SHA256.Hasher()
        for part in ["\(formatVersion)"] + parts {
            let bytes = Bytes(part.utf8)
            hasher.update(UInt64(bytes.count).littleEndianBytes)
            hasher.update(bytes)
        }
        return hasher.finalize()
    }

    private func file(_ key: Hash256) -> URL {
        folder.appendingPathComponent(key.bytes.hex + ".program")
    }

    /// The stored binary; nil when there is none or it is damaged, which removes it.
    package func load(_ key: Hash256) -> Bytes? {
        let file = file(key)
        guard !killedSomebody(key) else {
            remove(key)
            return nil
        }
        guard let data = try? Data(contentsOf: file) else { return nil }
        let bytes = Bytes(data)
        let header = Self.headerBytes
        guard bytes.count > header, bytes.starts(with: Self.magic),
            bytes[Self.magic.count...].starts(with: key.bytes),
            SHA256.hash(bytes[header...]).bytes == Bytes(bytes[(header - 32)..<header])
        else {
            remove(key)
            return nil
        }
        // Used now: the least recently used go first when room is made.
        _ = utimensat(AT_FDCWD, file.path, nil, 0)
        return Bytes(bytes[header...])
    }

    // MARK: - Trials

    /// Notes that this process hands a binary to the driver. Some drivers abort the process on a
    /// binary they do not like; the note then outlives it, and the next process takes the binary
    /// away instead of dying of it too.
    package func beginTrial(_ key: Hash256) {
        _ = FileManager.default.createFile(atPath: trial(key, getpid()).path, contents: nil)
    }

    /// The driver came back, whatever it said.
    package func endTrial(_ key: Hash256) {
        try? FileManager.default.removeItem(at: trial(key, getpid()))
    }

    private func trial(_ key: Hash256, _ process: pid_t) -> URL {
        folder.appendingPathComponent("\(key.bytes.hex).\(process).trial")
    }

    /// True when a process died while a driver looked at this binary; forgets it then.
    private func killedSomebody(_ key: Hash256) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var hasKilled = false
        for name in names where name.hasPrefix(key.bytes.hex) && name.hasSuffix(".trial") {
            let process = name.split(separator: ".").dropFirst().first.flatMap { pid_t($0) } ?? 0
            guard process != getpid(), kill(process, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            hasKilled = true
        }
        return hasKilled
    }

    package func remove(_ key: Hash256) { try? FileManager.default.removeItem(at: file(key)) }

    /// Keeps a binary: written beside its place, flushed to disk, then renamed over it.
    package func store(_ binary: Bytes, _ key: Hash256) {
        guard binary.count <= bytesMax / 4 else { return }
        let manager = FileManager.default
        do {
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
            let temporary = folder.appendingPathComponent("\(UUID().uuidString).new")
            defer { try? manager.removeItem(at: temporary) }
            guard manager.createFile(atPath: temporary.path, contents: nil) else { return }
            let handle = try FileHandle(forWritingTo: temporary)
            let head = Self.magic + key.bytes + SHA256.hash(binary).bytes
            try handle.write(contentsOf: Data(head + binary))
            try handle.synchronize()
            try handle.close()
            guard rename(temporary.path, file(key).path) == 0 else { return }
        } catch { return }
        makeRoom()
    }

    /// Removes the least recently used files until the folder is within bounds, and what a killed
    /// process left half-written an hour ago or longer.
    private func makeRoom() {
        let keys: [URLResourceKey] = [.contentModificationDateKey, .fileSizeKey]
        let manager = FileManager.default
        let files =
            (try? manager.contentsOfDirectory(at: folder, includingPropertiesForKeys: keys)) ?? []
        var entries: [(url: URL, used: Date, byteCount: Int)] = files.map {
            let values = try? $0.resourceValues(forKeys: Set(keys))
            return ($0, values?.contentModificationDate ?? .distantPast, values?.fileSize ?? 0)
        }
        entries.sort { $0.used < $1.used }
        let newest = entries.last?.used ?? .distantPast
        var total = entries.reduce(0) { $0 + $1.byteCount }
        for entry in entries {
            let isStale =
                entry.url.pathExtension == "new" && newest.timeIntervalSince(entry.used) > 3600
            guard isStale || (total > bytesMax && entry.url.pathExtension != "new") else {
                continue
            }
            try? manager.removeItem(at: entry.url)
            total -= entry.byteCount
        }
    }
}
