extension CBOR {
    /// Values may nest this deep: far more than any message needs, far less than a stack holds.
    public static let depthMax = 32

    /// Decodes bytes that must be exactly one value in its deterministic encoding.
    ///
    /// - Throws: ``Failure`` naming the byte offset, for anything cut short, left over, nested too
    ///   deep, not deterministic (long heads, unordered or repeated keys) or outside the subset.
    public init(decoding bytes: Bytes) throws(Failure) {
        var reader = Reader(bytes: bytes)
        let value = try reader.value(depth: 0)
        guard reader.offset == bytes.count else {
            throw reader.failure("\(bytes.count - reader.offset) bytes after the value")
        }
        self = value
    }

    private struct Reader {
        let bytes: Bytes
        var offset = 0

        func failure(_ what: String) -> Failure {
            Failure(.malformed, "CBOR byte \(offset): \(what)")
        }

        mutating func take(_ count: UInt64) throws(Failure) -> ArraySlice<UInt8> {
            guard count <= UInt64(bytes.count - offset) else {
                throw failure("\(count) more bytes expected, \(bytes.count - offset) left")
            }
            defer { offset += Int(count) }
            return bytes[offset..<offset + Int(count)]
        }

        mutating func value(depth: Int) throws(Failure) -> CBOR {
            guard depth < CBOR.depthMax else { throw failure("nested over \(CBOR.depthMax) deep") }
            let start = try take(1).first ?? 0
            switch start {
            case 0xf4: return .bool(false)
            case 0xf5: return .bool(true)
            case 0xf6: return .null
            default: break
            }
            let argument = try argument(start & 31)
            switch start >> 5 {
            case 0: return .unsigned(argument)
            case 1: return .negative(argument)
            case 2: return .bytes(Bytes(try take(argument)))
            case 3: return .text(try text(argument))
            case 4:
                guard argument <= UInt64(bytes.count - offset) else {
                    throw failure("an array of \(argument) items in \(bytes.count - offset) bytes")
                }
                var items: [CBOR] = []
                for _ in 0..<argument { items.append(try value(depth: depth + 1)) }
                return .array(items)
            case 5: return .map(try pairs(argument, depth: depth))
            default: throw failure("a value of a kind not used here (head \([start].hex0x))")
            }
        }

        private mutating func argument(_ low: UInt8) throws(Failure) -> UInt64 {
            guard low >= 24 else { return UInt64(low) }
            guard low <= 27 else { throw failure("a definite length expected") }
            let width = UInt64(1) << (low - 24)
            let value = try take(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let least: UInt64 = width == 1 ? 24 : 1 << (width * 4)
            guard value >= least else { throw failure("\(value) is not in its shortest form") }
            return value
        }

        private mutating func text(_ count: UInt64) throws(Failure) -> String {
            let raw = try take(count)
            guard let text = String(validating: raw, as: UTF8.self) else {
                throw failure("text that is not UTF-8")
            }
            return text
        }

        private mutating func pairs(_ count: UInt64, depth: Int) throws(Failure) -> [String: CBOR] {
            var pairs: [String: CBOR] = [:]
            var last: ArraySlice<UInt8>?
            for _ in 0..<count {
                let start = offset
                guard case .text(let key) = try value(depth: depth + 1) else {
                    throw failure("a map key must be text")
                }
                let encoding = bytes[start..<offset]
                if let last, !last.lexicographicallyPrecedes(encoding) {
                    throw failure("map key \"\(key)\" is repeated or out of order")
                }
                last = encoding
                // Swift strings compare by canonical equivalence; two byte-different keys may be
                // equal, and then the map could not be encoded back.
                guard pairs.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
                    throw failure("map keys equal \"\(key)\" in Unicode's sense")
                }
            }
            return pairs
        }
    }
}
