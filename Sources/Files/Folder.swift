public import Core
internal import Glibc

/// Folders that a user names.
public enum Folder {
    /// Makes the folder and those above it; one that is there stays as it is.
    ///
    /// - Parameter isPrivate: whether it is its owner's alone; else as the user's files are.
    /// - Throws: ``Failure`` `storage` with the system's reason.
    public static func make(_ path: String, isPrivate: Bool = true) throws(Failure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? part : "/\(part)"
            guard mkdir(made, isPrivate ? 0o700 : 0o777) != 0 else { continue }
            let code = errno
            var status = stat()
            let isFolder = stat(made, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            guard isFolder else {
                let reason = code == EEXIST ? "a file; a folder expected" : systemMessage(code)
                throw Failure(.storage, "\(made): cannot be created: \(reason)")
            }
        }
    }
}
