/// A value in deterministic CBOR (RFC 8949 §4.2): one value has exactly one encoding.
///
/// The subset is what task specifications and host messages need: integers, byte and text strings,
/// arrays, maps with text keys, booleans, null. No floats, no tags: decimals travel as text.
public enum CBOR: Hashable, Sendable {
    case unsigned(UInt64)
    /// Stands for −1 − n.
    case negative(UInt64)
    case bytes(Bytes)
    case text(String)
    case array([CBOR])
    case map([String: CBOR])
    case bool(Bool)
    case null

    public init(_ value: Int) {
        self = value >= 0 ? .unsigned(UInt64(value)) : .negative(UInt64(bitPattern: Int64(~value)))
    }
}

// MARK: - Reading values

extension CBOR {
    /// The integer, when it is one and fits.
    public var int: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .negative(let value): Int(exactly: value).map { ~$0 }
        default: nil
        }
    }
    public var unsigned: UInt64? { if case .unsigned(let value) = self { value } else { nil } }
    public var text: String? { if case .text(let value) = self { value } else { nil } }
    public var bytes: Bytes? { if case .bytes(let value) = self { value } else { nil } }
    public var array: [CBOR]? { if case .array(let value) = self { value } else { nil } }
    public var map: [String: CBOR]? { if case .map(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// A map's value; nil when this is no map or lacks the key.
    public subscript(key: String) -> CBOR? { map?[key] }
}

// MARK: - Encoding

extension CBOR {
    /// The one deterministic encoding: shortest heads, definite lengths, map keys in the bytewise
    /// order of their encodings.
    public var encoded: Bytes {
        var out = Bytes()
        encode(into: &out)
        return out
    }

    private func encode(into out: inout Bytes) {
        switch self {
        case .unsigned(let value): Self.head(0, value, into: &out)
        case .negative(let value): Self.head(1, value, into: &out)
        case .bytes(let value):
            Self.head(2, UInt64(value.count), into: &out)
            out += value
        case .text(let value):
            Self.head(3, UInt64(value.utf8.count), into: &out)
            out += Bytes(value.utf8)
        case .array(let values):
            Self.head(4, UInt64(values.count), into: &out)
            for value in values { value.encode(into: &out) }
        case .map(let pairs):
            Self.head(5, UInt64(pairs.count), into: &out)
            let keyed = pairs.map { (key: CBOR.text($0.key).encoded, value: $0.value) }
            for pair in keyed.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                out += pair.key
                pair.value.encode(into: &out)
            }
        case .bool(let value): out.append(value ? 0xf5 : 0xf4)
        case .null: out.append(0xf6)
        }
    }

    private static func head(_ major: UInt8, _ value: UInt64, into out: inout Bytes) {
        let top = major << 5
        switch value {
        case 0..<24: out.append(top | UInt8(value))
        case ..<0x100: out += [top | 24, UInt8(value)]
        case ..<0x1_0000: out += [top | 25] + UInt16(value).bigEndianBytes
        case ..<0x1_0000_0000: out += [top | 26] + UInt32(value).bigEndianBytes
        default: out += [top | 27] + value.bigEndianBytes
        }
    }
}
