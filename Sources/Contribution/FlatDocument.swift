internal import Core
internal import Ethereum

/// A JSON object of texts and whole numbers, read so strictly that two readers cannot see two
/// things in it: UTF-8, each key once, nothing nested, nothing behind it.
struct FlatDocument {
    private enum Value {
        case text(String)
        case number(Int)
    }

    private var values: [String: Value] = [:]
    private var unread: Set<String> = []

    /// - Throws: ``Failure`` naming the line or the key, and what was expected.
    init(_ bytes: Bytes) throws(Failure) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.malformed, "JSON in UTF-8 expected")
        }
        var reader = FlatReader(text.unicodeScalars)
        try reader.expect("{")
        var isFirst = true
        while !reader.take("}") {
            if !isFirst { try reader.expect(",") }
            isFirst = false
            guard let key = try reader.string() else { throw reader.failure("a key expected") }
            try reader.expect(":")
            guard unread.insert(key).inserted else {
                throw Failure(.malformed, "\(key.printable): a second time, once expected")
            }
            if let value = try reader.string() {
                values[key] = .text(value)
            } else if let value = reader.integer() {
                values[key] = .number(value)
            } else {
                throw Failure(.malformed, "\(key.printable): text or a whole number expected")
            }
        }
        guard reader.isAtEnd else { throw reader.failure("nothing behind the closing } expected") }
    }

    mutating func text(_ key: String) throws(Failure) -> String {
        guard case .text(let value) = try take(key) else {
            throw Failure(.malformed, "\(key): text in quotes expected")
        }
        return value
    }

    mutating func number(_ key: String) throws(Failure) -> Int {
        guard case .number(let value) = try take(key) else {
            throw Failure(.malformed, "\(key): a whole number without quotes expected")
        }
        return value
    }

    /// Whether there is such a key.
    func has(_ key: String) -> Bool { values[key] != nil }

    /// A whole number of any size: beyond 2⁵³ as text, which every number may be.
    mutating func amount(_ key: String) throws(Failure) -> UInt256 {
        switch try take(key) {
        case .number(let value) where value >= 0: return UInt256(UInt64(value))
        case .text(let text):
            if let value = UInt256(text) { return value }
        default: break
        }
        throw Failure(.malformed, "\(key): a whole number from 0 expected")
    }

    private mutating func take(_ key: String) throws(Failure) -> Value {
        guard let value = values[key] else { throw Failure(.malformed, "\(key) is missing") }
        unread.remove(key)
        return value
    }

    /// - Throws: ``Failure`` naming a key that nobody has asked for: who reads it elsewhere might
    ///   believe it.
    func finish() throws(Failure) {
        guard let key = unread.min() else { return }
        throw Failure(.malformed, "\(key.printable): not a key of this format")
    }
}

/// The tokens of a ``FlatDocument``.
private struct FlatReader {
    private var rest: Substring.UnicodeScalarView
    private var line = 1

    init(_ scalars: String.UnicodeScalarView) { rest = Substring(String(scalars)).unicodeScalars }

    func failure(_ message: String) -> Failure {
        Failure(.malformed, "line \(line): \(message)")
    }

    private mutating func skipSpace() {
        while let next = rest.first, [" ", "\t", "\r", "\n"].contains(next) {
            if next == "\n" { line += 1 }
            rest.removeFirst()
        }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return rest.isEmpty
        }
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    mutating func expect(_ scalar: Unicode.Scalar) throws(Failure) {
        guard take(scalar) else { throw failure("\(scalar) expected") }
    }

    /// A whole number that fits; nil when something else stands there.
    mutating func integer() -> Int? {
        skipSpace()
        let digits = rest.prefix { $0 == "-" || ("0"..."9").contains($0) }
        let text = String(digits)
        // As JSON writes it: no leading zero, no sign alone.
        guard let value = Int(text), String(value) == text else { return nil }
        rest.removeFirst(digits.count)
        guard let next = rest.first else { return value }
        return [".", "e", "E"].contains(next) ? nil : value
    }

    /// A string; nil when something else stands there.
    mutating func string() throws(Failure) -> String? {
        guard take("\"") else { return nil }
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(text)
            case "\\": text.append(try escaped())
            case "\u{0}"..<"\u{20}": throw failure("\\ before control characters expected")
            default: text.append(scalar)
            }
        }
        throw failure("a closing quote expected")
    }

    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "/": return "/"
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let first = try unit()
            guard UTF16.isLeadSurrogate(first) else {
                if let scalar = Unicode.Scalar(first) { return scalar }
                throw failure("\\u: half a pair of surrogates; both expected")
            }
            guard rest.popFirst() == "\\", rest.popFirst() == "u" else {
                throw failure("\\u: half a pair of surrogates; both expected")
            }
            let second = try unit()
            guard UTF16.isTrailSurrogate(second) else {
                throw failure("\\u: half a pair of surrogates; both expected")
            }
            return UTF16.decode(UTF16.EncodedScalar([first, second]))
        default: throw failure("a letter that JSON knows expected behind \\")
        }
    }

    private mutating func unit() throws(Failure) -> UInt16 {
        let digits = String(rest.prefix(4))
        guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit),
            let unit = UInt16(digits, radix: 16)
        else { throw failure("\\u: four hexadecimal digits expected") }
        rest.removeFirst(4)
        return unit
    }
}
