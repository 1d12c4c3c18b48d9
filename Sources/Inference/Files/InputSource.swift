public import Core
internal import Files
internal import Foundation

/// Where one array or picture for an input lies.
public enum InputSource: Hashable, Sendable {
    case file(String)
    /// An array in an `.npz` archive, by its name there.
    case member(archive: String, name: String)

    /// The file on disk.
    public var path: String {
        switch self {
        case .file(let path), .member(let path, _): path
        }
    }

    /// How messages call it.
    public var label: String {
        switch self {
        case .file(let path): path
        case .member(let path, let name): "\(path): \(name.printable)"
        }
    }

    /// Its name, without folders and ending.
    public var stem: String {
        let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        if case .member(_, let member) = self { return "\(name)-\(Self.plain(member))" }
        return name
    }

    static let fileBytesMax = 1 << 31 - 1
    /// What is taken from a folder.
    public static let endings = ["npy", "png", "jpg", "jpeg"]

    /// - Parameter check: sees the first bytes, and how many there are, before an archive's member
    ///   is unpacked.
    /// - Throws: ``Failure`` when it cannot be read, or is larger than 2 GiB.
    public func bytes(
        checking check: (Bytes, Int) throws(Failure) -> Void = { _, _ in }
    ) throws(Failure) -> Bytes {
        switch self {
        case .file(let path):
            let data = try FileBytes.read(path, byteCountMax: Self.fileBytesMax)
            try HostRoom.check(data.count, for: path)
            let bytes = Bytes(data)
            try check(bytes, bytes.count)
            return bytes
        case .member(let path, let name):
            return try Archive.Reader(path).bytes(
                name, byteCountMax: Self.fileBytesMax, checking: check)
        }
    }

    /// What a path stands for: a file; of a folder, its arrays and pictures in order of their
    /// names' bytes; of an archive, the array with the input's name, or the only one.
    ///
    /// - Throws: ``Failure`` naming the path, and what is there.
    public static func list(_ path: String, for input: String) throws(Failure) -> [InputSource] {
        if isFolder(path) { return try folder(path) }
        guard isArchive(path) else { return [.file(path)] }
        let members = try Archive.Reader(path).names
        if let own = members.first(where: { plain($0) == input }) {
            return [.member(archive: path, name: own)]
        }
        guard let only = members.first, members.count == 1 else {
            let all = members.map { plain($0).printable }.joined(separator: ", ")
            throw Failure(
                .missing, "\(path): no array \"\(input.printable)\"; it has \(all)")
        }
        return [.member(archive: path, name: only)]
    }

    /// The arrays of an archive that bear the names of inputs.
    ///
    /// - Throws: ``Failure`` when it is no archive, or none of its arrays has such a name.
    public static func arrays(
        in archive: String, for inputs: [String]
    ) throws(Failure) -> [(input: String, source: InputSource)] {
        let members = try Archive.Reader(archive).names
        let found = inputs.compactMap { input in
            members.first { plain($0) == input }.map {
                (input: input, source: InputSource.member(archive: archive, name: $0))
            }
        }
        guard !found.isEmpty else {
            let all = members.map { plain($0).printable }.joined(separator: ", ")
            let wanted = inputs.map(\.printable).joined(separator: ", ")
            throw Failure(
                .missing, "\(archive): arrays \(all); one named as an input expected: \(wanted)")
        }
        return found
    }

    public static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    /// By its ending, as NumPy itself names them.
    public static func isArchive(_ path: String) -> Bool { path.lowercased().hasSuffix(".npz") }

    private static func folder(_ path: String) throws(Failure) -> [InputSource] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw Failure(.io, "\(path): \(systemMessage(error))")
        }
        let taken = names.filter { name in
            !name.hasPrefix(".")
                && endings.contains((name as NSString).pathExtension.lowercased())
                && !isFolder("\(path)/\(name)")
        }
        guard !taken.isEmpty else {
            let kinds = endings.map { ".\($0)" }.joined(separator: ", ")
            throw Failure(.missing, "\(path): a folder without files ending in \(kinds)")
        }
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return taken.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { .file("\(base)/\($0)") }
    }

    /// NumPy's archives hold `NAME.npy` for the array NAME.
    private static func plain(_ member: String) -> String {
        member.hasSuffix(".npy") ? String(member.dropLast(4)) : member
    }
}
