/// A JSON document for standard output: keys keep the order they are given in.
///
/// Writing only, and without floats of its own: times and rates are decimal text that the caller
/// has rounded, so that one value always prints alike.
public enum JSON: Hashable, Sendable {
    case object([Member])
    case array([JSON])
    case string(String)
    case int(Int)
    /// A decimal number as it shall be printed, such as `0.125`.
    case decimal(String)
    case bool(Bool)
    case null

    /// One key and its value.
    public struct Member: Hashable, Sendable {
        public let key: String
        public let value: JSON
        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// Seconds, rounded to microseconds.
    public static func seconds(_ value: Double) -> JSON { number(value, decimals: 6) }

    /// A finite number with at most `decimals` digits behind the point; null when not finite.
    public static func number(_ value: Double, decimals: Int) -> JSON {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard let units = Int(exactly: scaled) else { return .null }
        let sign = value < 0 && units != 0 ? "-" : ""
        guard decimals > 0 else { return .decimal("\(sign)\(units)") }
        let unit = Int(scale)
        var fraction = String(units % unit)
        fraction = String(repeating: "0", count: decimals - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return .decimal("\(sign)\(units / unit)" + (fraction.isEmpty ? "" : ".\(fraction)"))
    }

    public static func hash(_ value: Hash256) -> JSON { .string(value.description) }
    public static func address(_ value: Address) -> JSON { .string(value.description) }
    public static func optional<T>(_ value: T?, _ make: (T) -> JSON) -> JSON {
        value.map(make) ?? .null
    }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
    ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSON {
    /// The document as text, two spaces a level, with a final newline.
    public var text: String {
        var out = ""
        write(into: &out, indent: "")
        return out + "\n"
    }

    /// The document on one line, without spaces.
    public var line: String {
        var out = ""
        write(into: &out, indent: nil)
        return out
    }

    /// - Parameter indent: of the line that it begins on; nil where all are one line.
    private func write(into out: inout String, indent: String?) {
        switch self {
        case .object(let members):
            Self.list("{", "}", members, into: &out, indent: indent) { member, out, inner in
                Self.quote(member.key, into: &out)
                out += inner == nil ? ":" : ": "
                member.value.write(into: &out, indent: inner)
            }
        case .array(let values):
            Self.list("[", "]", values, into: &out, indent: indent) { value, out, inner in
                value.write(into: &out, indent: inner)
            }
        case .string(let value): Self.quote(value, into: &out)
        case .int(let value): out += String(value)
        case .decimal(let value): out += value
        case .bool(let value): out += value ? "true" : "false"
        case .null: out += "null"
        }
    }

    private static func list<T>(
        _ open: String, _ close: String, _ items: [T], into out: inout String, indent: String?,
        item: (T, inout String, String?) -> Void
    ) {
        out += open
        let inner = indent.map { $0 + "  " }
        for (index, element) in items.enumerated() {
            if index > 0 { out += "," }
            if let inner { out += "\n" + inner }
            item(element, &out, inner)
        }
        if let indent, !items.isEmpty { out += "\n" + indent }
        out += close
    }

    private static func quote(_ text: String, into out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
