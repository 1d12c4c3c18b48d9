package import Core
package import Ethereum

extension CBOR {
    package init(_ value: Address) { self = .bytes(value.bytes) }
    package init(_ value: Hash256) { self = .bytes(value.bytes) }
    /// Big-endian bytes without leading zeros: one number, one encoding.
    package init(_ value: UInt256) { self = .bytes(value.shortBytes) }
    package init<T>(_ value: T?, _ make: (T) -> CBOR) { self = value.map(make) ?? .null }
}

/// Reads a record, a CBOR array, position by position; every mismatch is one ``Failure``.
package struct RecordReader {
    private let values: [CBOR]
    private let name: String
    private var position = 0

    /// - Throws: ``Failure`` (malformed) when `cbor` is no array.
    package init(_ cbor: CBOR, _ name: String) throws(Failure) {
        guard let values = cbor.array else {
            throw Failure(.malformed, "\(name): an array expected")
        }
        self.values = values
        self.name = name
    }

    package mutating func next() throws(Failure) -> CBOR {
        guard position < values.count else {
            throw Failure(.malformed, "\(name): more than \(values.count) fields expected")
        }
        defer { position += 1 }
        return values[position]
    }

    package mutating func address() throws(Failure) -> Address {
        try value("20 bytes") { $0.bytes.flatMap { Address($0) } }
    }
    package mutating func hash() throws(Failure) -> Hash256 {
        try value("32 bytes") { $0.bytes.flatMap { Hash256($0) } }
    }
    package mutating func uint() throws(Failure) -> UInt256 {
        try value("an integer of at most 32 bytes without leading zeros") {
            guard let bytes = $0.bytes, bytes.first != 0 else { return nil }
            return UInt256(bytes: bytes)
        }
    }
    package mutating func int() throws(Failure) -> Int { try value("an integer") { $0.int } }
    /// A count or a time: not negative.
    package mutating func count() throws(Failure) -> Int {
        try value("a count") { $0.int.flatMap { $0 >= 0 ? $0 : nil } }
    }
    package mutating func bool() throws(Failure) -> Bool { try value("a boolean") { $0.bool } }
    package mutating func text() throws(Failure) -> String { try value("text") { $0.text } }
    package mutating func bytes() throws(Failure) -> Bytes { try value("bytes") { $0.bytes } }
    package mutating func choice<T: RawRepresentable<String>>(_: T.Type) throws(Failure) -> T {
        try value("a \(T.self)") { $0.text.flatMap { T(rawValue: $0) } }
    }
    package mutating func optional<T>(
        _ read: (inout RecordReader) throws(Failure) -> T
    ) throws(Failure) -> T? {
        guard position < values.count, values[position] == .null else { return try read(&self) }
        position += 1
        return nil
    }
    package mutating func list<T>(
        _ make: (CBOR) throws(Failure) -> T
    ) throws(Failure) -> [T] {
        var out: [T] = []
        for item in try value("an array", { $0.array }) { out.append(try make(item)) }
        return out
    }

    /// - Throws: ``Failure`` when fields are left.
    package func end() throws(Failure) {
        guard position == values.count else {
            throw Failure(.malformed, "\(name): \(position) fields expected, found \(values.count)")
        }
    }

    private mutating func value<T>(
        _ expected: String, _ read: (CBOR) -> T?
    ) throws(Failure) -> T {
        guard let value = read(try next()) else {
            throw Failure(.malformed, "\(name): field \(position): \(expected) expected")
        }
        return value
    }
}

/// A value that has one encoding as CBOR.
package protocol Record {
    var cbor: CBOR { get }
    init(_ cbor: CBOR) throws(Failure)
}
