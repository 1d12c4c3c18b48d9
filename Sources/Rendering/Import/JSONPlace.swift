internal import Core
internal import Foundation

/// Puts a decoding error's place and expectation into words.
enum JSONPlace {
    static func describe(_ error: DecodingError, in json: Bytes) -> String {
        switch error {
        case .typeMismatch(let type, let context):
            return "\(place(context.codingPath)): \(name(type)) expected"
        case .valueNotFound(let type, let context):
            return "\(place(context.codingPath)): \(name(type)) expected, null there"
        case .keyNotFound(let key, let context):
            return "\(place(context.codingPath + [key])): expected, not there"
        case .dataCorrupted: return describeDamage(json)
        @unknown default: return "JSON expected"
        }
    }

    /// The decoder says neither where text stops being JSON nor which number does not fit; a second
    /// look, taken on failure alone, does.
    static func describeDamage(_ json: Bytes) -> String {
        do {
            let root = try JSONSerialization.jsonObject(with: Data(json))
            let place = badNumber(root, "", false)
            return place.map { "\($0): a whole number expected" } ?? "a number is out of range"
        } catch {
            let text = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? ""
            if let place = hugeNumber(text, in: json) { return place }
            guard
                let range = text.range(
                    of: "line [0-9]+, column [0-9]+", options: .regularExpression)
            else {
                let reason = text.filter { $0.isASCII && !$0.isNewline }
                return reason.isEmpty ? "JSON expected" : "JSON expected: \(reason.prefix(120))"
            }
            return "JSON expected, not so at \(text[range])"
        }
    }

    /// A number beyond what 64 bits of floating point hold, and where it is; nil where `text` is of
    /// something else.
    private static func hugeNumber(_ text: String, in json: Bytes) -> String? {
        let words = text.split(separator: " ")
        guard words.count > 2, words[0] == "Number", text.contains("not representable"),
            let range = Data(json).range(of: Data(words[1].utf8))
        else { return nil }
        let before = json[..<range.lowerBound]
        let line = before.count { $0 == 0x0a } + 1
        let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return "line \(line), column \(range.lowerBound - start + 1): "
            + "\(SceneImporter.printable(String(words[1]))) is beyond what a number may be"
    }

    /// Fields that hold indices, counts and codes.
    private static let wholeFields: Set<String> = [
        "scene", "nodes", "children", "mesh", "camera", "skin", "light", "indices", "material",
        "mode", "bufferView", "byteOffset", "componentType", "count", "buffer", "byteLength",
        "byteStride", "index", "texCoord", "sampler", "source", "magFilter", "minFilter", "wrapS",
        "wrapT", "attributes", "targets", "joints", "inverseBindMatrices", "input", "output",
        "node",
    ]

    private static func badNumber(_ node: Any, _ place: String, _ isWhole: Bool) -> String? {
        if let object = node as? [String: Any] {
            for (key, value) in object.sorted(by: { $0.key < $1.key }) {
                let inner = place + (place.isEmpty ? "" : ".") + SceneImporter.printable(key)
                let whole =
                    wholeFields.contains(key) || place.hasSuffix("attributes")
                    || place.contains("targets[")
                if let found = badNumber(value, inner, whole) { return found }
            }
        } else if let list = node as? [Any] {
            for (index, value) in list.enumerated() {
                if let found = badNumber(value, "\(place)[\(index)]", isWhole) { return found }
            }
        } else if isWhole, let number = node as? NSNumber, Int(exactly: number.doubleValue) == nil {
            return place
        }
        return nil
    }

    private static func name(_ type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "integer"
        case is Double.Type: "number"
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        default: "\(type)".hasPrefix("Array") ? "list" : "object"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        var text = ""
        for key in path {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + SceneImporter.printable(key.stringValue)
            }
        }
        return text.isEmpty ? "document" : text
    }
}
