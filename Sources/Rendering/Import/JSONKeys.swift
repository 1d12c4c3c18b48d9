internal import Core
internal import Foundation

/// Finds names that an object has twice. Readers disagree on which of them counts, and glTF 2.0
/// (2.7) forbids them.
struct JSONKeys {
    private let json: Bytes
    private var at = 0

    private init(_ json: Bytes) { self.json = json }

    /// The first name that comes a second time in its object; nil when none does.
    ///
    /// - Precondition: `json` is sound JSON in UTF-8: a parser has taken it.
    static func repeated(in json: Bytes) -> String? {
        var reader = JSONKeys(json)
        return reader.repeated()
    }

    private mutating func repeated() -> String? {
        /// Names of the objects that are open; nil for a list.
        var open: [Set<String>?] = []
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "{"): open.append([])
            case UInt8(ascii: "["): open.append(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "\""):
                let text = string()
                // In place: a copy for each name would be quadratic in an object's names.
                guard isBeforeColon, let isNew = open[open.count - 1]?.insert(text).inserted
                else { continue }
                guard isNew else { return text }
                continue
            default: break
            }
            at += 1
        }
        return nil
    }

    /// The text in quotes that begins here; stands behind it afterwards.
    private mutating func string() -> String {
        let start = at
        var isEscaped = false
        at += 1
        while at < json.count, json[at] != UInt8(ascii: "\"") {
            if json[at] == UInt8(ascii: "\\") {
                isEscaped = true
                at += 1
            }
            at += 1
        }
        at = min(at + 1, json.count)
        let raw = json[start..<at]
        // `"\u0061"` is the name `a`.
        if isEscaped, let text = try? JSONDecoder().decode(String.self, from: Data(raw)) {
            return text
        }
        return String(decoding: raw.dropFirst().dropLast(), as: UTF8.self)
    }

    private var isBeforeColon: Bool {
        json[at...].first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: ":")
    }
}
