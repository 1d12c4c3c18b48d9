internal import Core

/// A value of a request's JSON.
enum JSONValue {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    case int(Int)
    case number(Double)
    case bool(Bool)
    case null
    /// An array named `data`: its syntax is checked, its elements are read once their type is
    /// known.
    case span(Range<Int>)

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
}

/// Reads a stranger's JSON in bounded memory: what holds many values is left where it lies.
struct JSONReader {
    /// An element of a tensor.
    enum Scalar {
        case int(Int64)
        /// Beyond what `int` holds.
        case unsigned(UInt64)
        case number(Double)
        case bool(Bool)
        case string
    }

    private static let depthMax = 16
    private static let valuesMax = 20_000
    private static let textBytesMax = 1 << 16

    private let bytes: Bytes
    private let end: Int
    private var at: Int
    private var depth = 0
    private var values = 0

    /// - Parameter range: where the document, or a span of it, lies.
    init(_ bytes: Bytes, _ range: Range<Int>) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    /// - Throws: ``Failure`` naming the byte where the text stops being JSON.
    static func document(_ bytes: Bytes, _ range: Range<Int>) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes, range)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.at == reader.end else { throw reader.expected("the end of the JSON") }
        return value
    }

    private func expected(_ what: String) -> Failure {
        Failure(.malformed, "JSON: byte \(at): \(what) expected")
    }

    private var byte: UInt8? { at < end ? bytes[at] : nil }

    private mutating func skipSpace() {
        while at < end, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte, UInt32(byte) == character.value else { return false }
        at += 1
        return true
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> JSONValue {
        values += 1
        guard values <= Self.valuesMax else {
            throw Failure(.limit, "JSON: more than \(Self.valuesMax) values besides data")
        }
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"):
            return try nested { (reader) throws(Failure) in
                try reader.object()
            }
        case UInt8(ascii: "["):
            return try nested { (reader) throws(Failure) in
                try reader.array()
            }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "n"):
            guard takeWord("null") else { throw expected("a value") }
            return .null
        default:
            switch try scalar() {
            case .int(let value): return .int(Int(value))
            case .unsigned(let value): return .number(Double(value))
            case .number(let value): return .number(value)
            case .bool(let value): return .bool(value)
            case .string: return .null
            }
        }
    }

    private mutating func nested(
        _ read: (inout JSONReader) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONValue {
        depth += 1
        guard depth <= Self.depthMax else {
            throw Failure(.limit, "JSON: byte \(at): deeper than \(Self.depthMax)")
        }
        defer { depth -= 1 }
        at += 1
        return try read(&self)
    }

    private mutating func object() throws(Failure) -> JSONValue {
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw expected("a name in quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw expected("\":\"") }
            skipSpace()
            let member: JSONValue
            if key == "data", byte == UInt8(ascii: "[") {
                let first = at
                try elements { (_) throws(Failure) in }
                member = .span(first..<at)
            } else {
                member = try value()
            }
            guard members.updateValue(member, forKey: key) == nil else {
                throw Failure(.malformed, "JSON: \"\(key.printable)\" is given twice")
            }
            skipSpace()
        } while take(",")
        guard take("}") else { throw expected("\",\" or \"}\"") }
        return .object(members)
    }

    private mutating func array() throws(Failure) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value())
            skipSpace()
        } while take(",")
        guard take("]") else { throw expected("\",\" or \"]\"") }
        return .array(elements)
    }

    // MARK: Data

    /// Reads an array of scalars, flat or nested.
    mutating func elements(_ take: (Scalar) throws(Failure) -> Void) throws(Failure) {
        var open = 0
        var mayClose = false
        var wantsValue = true
        repeat {
            skipSpace()
            switch byte {
            case UInt8(ascii: "[") where wantsValue:
                open += 1
                guard open <= Self.depthMax else {
                    throw Failure(.limit, "JSON: byte \(at): deeper than \(Self.depthMax)")
                }
                at += 1
                mayClose = true
            case UInt8(ascii: "]") where mayClose:
                open -= 1
                at += 1
                (mayClose, wantsValue) = (true, false)
            case UInt8(ascii: ",") where !wantsValue:
                at += 1
                (mayClose, wantsValue) = (false, true)
            case .some where wantsValue:
                try take(try scalar())
                (mayClose, wantsValue) = (true, false)
            default: throw expected(wantsValue ? "an element" : "\",\" or \"]\"")
            }
        } while open > 0
    }

    // MARK: Scalars

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard end - at >= count,
            (0..<count).allSatisfy({ bytes[at + $0] == word.utf8Start[$0] })
        else { return false }
        at += count
        return true
    }

    private mutating func scalar() throws(Failure) -> Scalar {
        switch byte {
        case UInt8(ascii: "\""):
            _ = try string()
            return .string
        case UInt8(ascii: "t"): if takeWord("true") { return .bool(true) }
        case UInt8(ascii: "f"): if takeWord("false") { return .bool(false) }
        // Not JSON, but what Python and others write for numbers that JSON has not.
        case UInt8(ascii: "N"): if takeWord("NaN") { return .number(.nan) }
        case UInt8(ascii: "I"): if takeWord("Infinity") { return .number(.infinity) }
        case UInt8(ascii: "-"):
            if takeWord("-Infinity") { return .number(-.infinity) }
            return try number()
        case .some(let digit) where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit):
            return try number()
        default: break
        }
        throw expected("a value")
    }

    private mutating func digits() -> Int {
        let first = at
        while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        return at - first
    }

    private mutating func number() throws(Failure) -> Scalar {
        let first = at
        let isNegative = take("-")
        let start = at
        let count = digits()
        guard count > 0, count == 1 || bytes[start] != UInt8(ascii: "0") else {
            throw expected("a number without leading zeros")
        }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard digits() > 0 else { throw expected("a digit") }
        }
        if take("e") || take("E") {
            isWhole = false
            _ = take("+") || take("-")
            guard digits() > 0 else { throw expected("a digit") }
        }
        if isWhole, let value = whole(start..<at, isNegative) { return value }
        guard at - first <= 400,
            let value = Double(String(decoding: bytes[first..<at], as: UTF8.self)),
            value.isFinite
        else {
            at = first
            throw expected("a number that FP64 holds")
        }
        return .number(value)
    }

    private func whole(_ range: Range<Int>, _ isNegative: Bool) -> Scalar? {
        guard range.count <= 20 else { return nil }
        var magnitude: UInt64 = 0
        for byte in bytes[range] {
            let (product, isOver) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isBeyond) = product.addingReportingOverflow(UInt64(byte & 15))
            if isOver || isBeyond { return nil }
            magnitude = sum
        }
        if isNegative {
            // -0 is a float's.
            if magnitude == 0 { return .number(-0.0) }
            return magnitude <= 1 << 63 ? .int(Int64(truncatingIfNeeded: 0 &- magnitude)) : nil
        }
        return Int64(exactly: magnitude).map(Scalar.int) ?? .unsigned(magnitude)
    }

    // MARK: Text

    private mutating func string() throws(Failure) -> String {
        at += 1
        var text = Bytes()
        while let byte {
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: text, as: UTF8.self) else {
                    throw expected("text in UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw expected("no control character in text")
            default: text.append(byte)
            }
            guard text.count <= Self.textBytesMax else {
                throw Failure(.limit, "JSON: text of more than \(Self.textBytesMax) bytes")
            }
        }
        throw expected("the end of a text")
    }

    private mutating func escape() throws(Failure) -> Bytes {
        guard let byte else { throw expected("an escape") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            var code = UInt32(try unit())
            if (0xd800..<0xdc00).contains(code) {
                guard takeWord("\\u") else { throw expected("a low surrogate") }
                let low = UInt32(try unit())
                guard (0xdc00..<0xe000).contains(low) else { throw expected("a low surrogate") }
                code = 0x1_0000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw expected("a character") }
            return Bytes(String(Character(scalar)).utf8)
        default: throw expected("an escape")
        }
    }

    private mutating func unit() throws(Failure) -> UInt16 {
        guard end - at >= 4,
            let text = String(validating: bytes[at..<(at + 4)], as: UTF8.self),
            text.allSatisfy(\.isHexDigit), let value = UInt16(text, radix: 16)
        else { throw expected("four hexadecimal digits") }
        at += 4
        return value
    }
}
