public import Core
internal import Examples

/// The example inputs, which are in the program so that it needs no folder beside it.
public enum ShippedExamples {
    /// The file at `path` below `Examples/`.
    ///
    /// - Throws: ``Failure`` `missing` when none is shipped under that path.
    public static func bytes(_ path: String) throws(Failure) -> Bytes {
        guard let bytes = all[path] else {
            throw Failure(.missing, "\(path): not among the shipped inputs")
        }
        return bytes
    }

    /// Every file's path below `Examples/`.
    public static var paths: [String] { all.keys.sorted() }

    private static let all: [String: Bytes] = {
        var count = 0
        guard let files = rigor_example_files(&count) else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: UnsafeBufferPointer(start: files, count: count).map { file in
                (
                    String(cString: file.path),
                    Bytes(UnsafeRawBufferPointer(start: file.bytes, count: file.byte_count))
                )
            })
    }()
}
