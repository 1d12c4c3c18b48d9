internal import Core
internal import Files
internal import Foundation

/// Files beside a model that hold the data of its tensors. What they are called is a stranger's
/// word, so none is read that does not lie in the model's folder, links followed.
final class ExternalFiles {
    private let folder: String
    private var mapped: [String: Data] = [:]

    init(folder: String) { self.folder = folder }

    /// Paths below the folder of the files read so far, sorted.
    var names: [String] { mapped.keys.sorted() }

    /// The data of one tensor.
    ///
    /// - Throws: ``Failure`` when the file is elsewhere, cannot be read, or is too short.
    func bytes(of message: Onnx_TensorProto, byteCount: Int) throws(Failure) -> Data {
        var location: String?
        var offset = 0
        var length: Int?
        for entry in message.externalData {
            switch entry.key {
            case "location": location = entry.value
            case "offset": offset = try Self.number(entry)
            case "length": length = try Self.number(entry)
            default: continue
            }
        }
        guard let location else { throw Failure(.malformed, "external data without a location") }
        let data = try file(location)
        guard length ?? byteCount == byteCount, offset <= data.count,
            byteCount <= data.count - offset
        else {
            throw Failure(
                .malformed,
                "\"\(location.printable)\": \(length ?? byteCount) bytes from \(offset) of "
                    + "\(data.count); \(byteCount) expected")
        }
        let start = data.startIndex + offset
        return data[start..<(start + byteCount)]
    }

    private static func number(_ entry: Onnx_StringStringEntryProto) throws(Failure) -> Int {
        guard let value = Int(entry.value), value >= 0 else {
            throw Failure(
                .malformed,
                "external data: \(entry.key) \"\(entry.value.printable)\"; a whole number expected")
        }
        return value
    }

    private func file(_ location: String) throws(Failure) -> Data {
        if let data = mapped[location] { return data }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        let path = "\(folder)/\(location)"
        let root = Self.resolved(folder)
        guard !parts.contains(".."), !location.hasPrefix("/"), !location.isEmpty,
            !location.utf8.contains(0), Self.resolved(path).hasPrefix(root + "/")
        else {
            throw Failure(
                .untrusted,
                "external data in \"\(location.printable)\"; a file in the model's folder expected")
        }
        guard mapped.count < 1024 else { throw Failure(.limit, "data in more than 1024 files") }
        let data = try FileBytes.read(path, byteCountMax: 1 << 40, named: location.printable)
        mapped[location] = data
        return data
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
}
