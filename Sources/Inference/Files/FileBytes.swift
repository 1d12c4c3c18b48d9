public import Core
public import Foundation

/// Reading and writing whole files with a limit and one line on failure.
public enum FileBytes {
    /// - Throws: ``Failure`` when the file cannot be read or is larger than `byteCountMax`.
    public static func read(_ path: String, byteCountMax: Int) throws(Failure) -> Data {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size] as? Int
        else { throw Failure(.io, "\(path): no such file") }
        guard attributes[.type] as? FileAttributeType != .typeDirectory else {
            throw Failure(.io, "\(path): a folder; a file expected")
        }
        guard size <= byteCountMax else {
            throw Failure(.limit, "\(path): \(size) bytes; at most \(byteCountMax) expected")
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw Failure(.io, "\(path): cannot be read")
        }
    }

    /// - Throws: ``Failure`` when the file cannot be written.
    public static func write(_ bytes: Bytes, to path: String) throws(Failure) {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        } catch {
            throw Failure(.io, "\(path): cannot be written")
        }
    }
}
