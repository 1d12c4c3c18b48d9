internal import Core
internal import Foundation

/// A glTF URI: either bytes in the text itself or a path beside the scene file (glTF 2.0 §2.8).
enum SceneURI {
    case data(Bytes)
    /// Relative to the scene file's folder, percent-decoded, `.` and inner `..` resolved.
    case path(String)

    /// - Throws: ``Failure`` for other schemes, absolute paths and anything leaving the folder.
    init(_ text: String) throws(Failure) {
        if text.utf8.starts(with: "data:".utf8) {
            self = .data(try Self.dataURI(text))
            return
        }
        if let colon = text.firstIndex(of: ":"),
            text[..<colon].allSatisfy({ $0.isLetter || $0.isNumber || "+-.".contains($0) })
        {
            throw Failure(
                .unsupported, "uri \"\(Self.shown(text))\": a relative path or data: expected")
        }
        self = .path(try Self.relativePath(text))
    }

    private static func relativePath(_ text: String) throws(Failure) -> String {
        guard let decoded = text.removingPercentEncoding else {
            throw Failure(.malformed, "uri \"\(shown(text))\": bad percent-encoding")
        }
        var kept: [Substring] = []
        for component in decoded.split(separator: "/", omittingEmptySubsequences: false) {
            switch component {
            case ".": continue
            case "..":
                guard kept.popLast() != nil else { throw outside(text) }
            default: kept.append(component)
            }
        }
        let path = kept.joined(separator: "/")
        guard SceneFiles.isConfined(path), !path.contains("\\") else { throw outside(text) }
        return path
    }

    private static func outside(_ text: String) -> Failure {
        Failure(.untrusted, "uri \"\(shown(text))\": a path inside the scene's folder expected")
    }

    /// `data:[media type][;base64],…` as RFC 2397 writes it.
    private static func dataURI(_ text: String) throws(Failure) -> Bytes {
        guard let comma = text.utf8.firstIndex(of: UInt8(ascii: ",")) else {
            throw Failure(.malformed, "uri \"\(shown(text))\": a comma expected")
        }
        let payload = String(text[text.utf8.index(after: comma)...])
        if text[..<comma].hasSuffix(";base64") {
            guard let data = Data(base64Encoded: padded(payload)) else {
                throw Failure(.malformed, "uri \"\(shown(text))\": base64 expected")
            }
            return Bytes(data)
        }
        guard let decoded = payload.removingPercentEncoding else {
            throw Failure(.malformed, "uri \"\(shown(text))\": bad percent-encoding")
        }
        return Bytes(decoded.utf8)
    }

    /// Padding is often left out in URIs.
    private static func padded(_ payload: String) -> String {
        let missing = (4 - payload.utf8.count % 4) % 4
        return missing == 3 ? payload : payload + String(repeating: "=", count: missing)
    }

    /// Enough of a URI to know it by: data URIs are megabytes long.
    private static func shown(_ text: String) -> String {
        let printable = text.prefix(60).map { $0.isASCII && !$0.isNewline ? $0 : "?" }
        return String(printable) + (text.utf8.count > 60 ? "…" : "")
    }
}
