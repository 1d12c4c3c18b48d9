public import Core

/// Reads a message's fields: what is missing or of another type is a ``Failure`` that names the
/// message and the field.
public struct MessageFields: Sendable {
    private let map: [String: CBOR]
    /// The message, as failures call it.
    public let place: String

    public init(_ value: CBOR, place: String) throws(Failure) {
        guard let map = value.map else { throw Failure(.malformed, "\(place): a map expected") }
        self.map = map
        self.place = place
    }

    public var keys: [String] { map.keys.sorted() }

    /// The value under `key`; nil where it is absent or null.
    public func optional(_ key: String) -> CBOR? {
        guard let value = map[key], value != .null else { return nil }
        return value
    }

    public func value(_ key: String) throws(Failure) -> CBOR {
        try require(optional(key), key, "a value")
    }
    public func text(_ key: String) throws(Failure) -> String {
        try require(optional(key)?.text, key, "text")
    }
    public func bytes(_ key: String) throws(Failure) -> Bytes {
        try require(optional(key)?.bytes, key, "bytes")
    }
    public func array(_ key: String) throws(Failure) -> [CBOR] {
        try require(optional(key)?.array, key, "an array")
    }
    public func bool(_ key: String) throws(Failure) -> Bool {
        try require(optional(key)?.bool, key, "true or false")
    }
    public func hash(_ key: String) throws(Failure) -> Hash256 {
        try require(optional(key)?.bytes.flatMap { Hash256($0) }, key, "32 bytes")
    }
    public func address(_ key: String) throws(Failure) -> Address {
        try require(optional(key)?.bytes.flatMap { Address($0) }, key, "20 bytes")
    }
    /// A number that is not negative: counts, indices, sizes.
    public func count(_ key: String) throws(Failure) -> Int {
        try require(optional(key)?.int.flatMap { $0 >= 0 ? $0 : nil }, key, "a count")
    }
    /// Seconds travel as whole microseconds: messages have no floats.
    public func seconds(_ key: String) throws(Failure) -> Double {
        Double(try count(key)) / 1e6
    }
    /// A part of a whole, 0…1, which travels as parts per million.
    public func fraction(_ key: String) throws(Failure) -> Double {
        min(Double(try count(key)) / 1e6, 1)
    }

    private func require<T>(
        _ value: T?, _ key: String, _ expected: String
    ) throws(Failure) -> T {
        guard let value else {
            throw Failure(.malformed, "\(place): field \(key): \(expected) expected")
        }
        return value
    }
}

extension CBOR {
    /// Whole microseconds; what is not a length of time counts as zero.
    public static func seconds(_ seconds: Double) -> CBOR { millionths(seconds) }
    /// Parts per million.
    public static func fraction(_ fraction: Double) -> CBOR { millionths(min(fraction, 1)) }

    private static func millionths(_ value: Double) -> CBOR {
        // Rounded, so that what was read back is written alike.
        CBOR(value > 0 ? Int(min((value * 1e6).rounded(), 1e18)) : 0)
    }
}
