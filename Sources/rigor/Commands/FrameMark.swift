import Core
import Digest
import Foundation
import Imaging

/// What the picture of a whole frame says of itself, so that a later sitting knows it again:
/// docs/formats.md 5.6. Its last word is a hash of the file, so that a picture that was changed
/// since does not pass for the one that was rendered.
enum FrameMark {
    private static let name = "rigor"
    private static let blank = String(repeating: "0", count: 2 * Hash256.byteCount)

    /// A PNG with `mark` in it.
    static func adding(_ mark: String, toPNG file: Bytes) -> Bytes {
        PNG.adding("\(mark) \(SHA256.hash(file).bytes.hex)", as: name, to: file)
    }

    /// An EXR with `mark` in it.
    ///
    /// - Parameter encode: the file with these attributes.
    static func adding(
        _ mark: String, toEXR encode: ([String: String]) throws(Failure) -> Bytes
    ) throws(Failure) -> Bytes {
        let open = "\(mark) \(blank)"
        let file = try encode([name: open])
        return replacing(open, with: "\(mark) \(SHA256.hash(file).bytes.hex)", in: file)
    }

    /// The words of a picture's mark but the last; nil where it has none, and no words where that
    /// last one is not of this file.
    static func words(in file: Bytes) -> [String]? {
        let isPNG = file.starts(with: [0x89, 0x50, 0x4e, 0x47])
        guard let text = isPNG ? PNG.text(name, in: file) : EXR.text(name, in: file) else {
            return nil
        }
        let words = text.split(separator: " ").map(String.init)
        guard let seal = words.last, words.count == 3 else { return nil }
        let open = words.dropLast().joined(separator: " ") + " " + blank
        let sealed =
            isPNG ? PNG.removing(name, from: file) : replacing(text, with: open, in: file)
        return SHA256.hash(sealed).bytes.hex == seal ? Array(words.dropLast()) : []
    }

    /// The first place where a text stands, with another one of as many bytes in it.
    private static func replacing(_ text: String, with other: String, in file: Bytes) -> Bytes {
        var data = Data(file)
        guard let range = data.range(of: Data(text.utf8)) else { return file }
        data.replaceSubrange(range, with: Data(other.utf8))
        return Bytes(data)
    }
}
