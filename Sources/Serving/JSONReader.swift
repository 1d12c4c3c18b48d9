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
        case number(JSONNumber)
        /// One that JSON has no spelling for.
        case special(Float)
        case bool(Bool)
        case string
    }

    /// How far the elements of an array, flat or nested, are read.
    struct Elements {
        fileprivate var open = 0
        fileprivate var mayClose = false
        fileprivate var wantsValue = true
        /// Whether there are arrays in it.
        fileprivate(set) var isNested = false
    }

    private static let depthMax = 16
    private static let valuesMax = 20_000
    private static let textBytesMax = 1 << 16

    private let bytes: UnsafeBufferPointer<UInt8>
    private let end: Int
    private var at: Int
    private var depth = 0
    private var values = 0

    /// - Parameters:
    ///   - bytes: valid as long as the reader.
    ///   - range: where the document, or a span of it, lies.
    init(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        precondition(bytes.indices.contains(range), "a range of the bytes")
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    /// - Throws: ``Failure`` naming the byte where the text stops being JSON.
    static func document(_ bytes: Bytes, _ range: Range<Int>) throws(Failure) -> JSONValue {
        try bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(Failure) in
                var reader = JSONReader(bytes, range)
                let value = try reader.value()
                reader.skipSpace()
                guard reader.at == reader.end else { throw reader.expected("the end of the JSON") }
                return value
            }
        }.get()
    }

    private func expected(_ what: String) -> Failure {
        Failure(.malformed, "JSON: byte \(at): \(what) expected")
    }

    private var byte: UInt8? { at < end ? bytes[at] : nil }

    private mutating func skipSpace() {
        while at < end {
            switch bytes[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at += 1
            default: return
            }
        }
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
            case .number(let number):
                if let value = number.integer(Int.self, in: bytes) { return .int(value) }
                guard let value = number.double(in: bytes), value.isFinite else {
                    at = number.text.lowerBound
                    throw expected("a number that FP64 holds")
                }
                return .number(value)
            case .special(let value): return .number(Double(value))
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
                var elements = Elements()
                while try next(&elements) != nil {}
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

    /// The next of an array's scalars, flat or nested; nil behind the last.
    mutating func next(_ elements: inout Elements) throws(Failure) -> Scalar? {
        repeat {
            skipSpace()
            switch byte {
            case UInt8(ascii: ",") where !elements.wantsValue:
                at += 1
                (elements.mayClose, elements.wantsValue) = (false, true)
            case UInt8(ascii: "[") where elements.wantsValue:
                elements.open += 1
                guard elements.open <= Self.depthMax else {
                    throw Failure(.limit, "JSON: byte \(at): deeper than \(Self.depthMax)")
                }
                at += 1
                if elements.open > 1 { elements.isNested = true }
                elements.mayClose = true
            case UInt8(ascii: "]") where elements.mayClose:
                elements.open -= 1
                at += 1
                (elements.mayClose, elements.wantsValue) = (true, false)
            case .some where elements.wantsValue:
                (elements.mayClose, elements.wantsValue) = (true, false)
                return try scalar()
            default: throw expected(elements.wantsValue ? "an element" : "\",\" or \"]\"")
            }
        } while elements.open > 0
        return nil
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
        case UInt8(ascii: "N"): if takeWord("NaN") { return .special(.nan) }
        case UInt8(ascii: "I"): if takeWord("Infinity") { return .special(.infinity) }
        case UInt8(ascii: "-"):
            if takeWord("-Infinity") { return .special(-.infinity) }
            return .number(try number())
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number(try number())
        default: break
        }
        throw expected("a value")
    }

    /// Reads digits behind those of `value`, and counts them; what is beyond 64 bits is lost.
    private mutating func digits(_ value: inout UInt64) -> Int {
        let first = at
        while at < end {
            let digit = bytes[at] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt64(digit)
            at += 1
        }
        return at - first
    }

    private mutating func number() throws(Failure) -> JSONNumber {
        let first = at
        let isNegative = take("-")
        let start = at
        var value: UInt64 = 0
        let wholeCount = digits(&value)
        guard wholeCount > 0, wholeCount == 1 || bytes[start] != UInt8(ascii: "0") else {
            throw expected("a number without leading zeros")
        }
        var isWhole = true
        var fractionCount = 0
        if take(".") {
            isWhole = false
            fractionCount = digits(&value)
            guard fractionCount > 0 else { throw expected("a digit") }
        }
        var exponent = 0
        if take("e") || take("E") {
            isWhole = false
            let isBelow = take("-")
            if !isBelow { _ = take("+") }
            let place = at
            var power: UInt64 = 0
            guard digits(&power) > 0 else { throw expected("a digit") }
            // Longer ones are read from the text, if at all.
            exponent = at - place < 10 ? Int(power) : Int(Int32.max)
            if isBelow { exponent = -exponent }
        }
        return JSONNumber(
            text: first..<at, digits: value, digitCount: wholeCount + fractionCount,
            exponent: exponent - fractionCount, isNegative: isNegative, isWhole: isWhole)
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
