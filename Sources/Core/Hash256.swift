/// A 256-bit hash: SHA-256 of content, Keccak-256 of what a chain sees.
public struct Hash256: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Exactly 32 bytes.
    public let bytes: Bytes

    public static let byteCount = 32
    public static let zero = Hash256(unchecked: Bytes(repeating: 0, count: byteCount))

    /// nil unless there are exactly 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Bytes(bytes)
    }

    /// nil unless `hex` spells exactly 32 bytes, with or without `0x`.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    private init(unchecked bytes: Bytes) { self.bytes = bytes }

    /// `0x` and 64 digits.
    public var description: String { bytes.hex0x }

    /// Lexicographic, as the big-endian integers compare.
    public static func < (left: Hash256, right: Hash256) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// A 160-bit Ethereum account address.
public struct Address: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Exactly 20 bytes.
    public let bytes: Bytes

    public static let byteCount = 20
    public static let zero = Address(unchecked: Bytes(repeating: 0, count: byteCount))

    /// nil unless there are exactly 20 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Bytes(bytes)
    }

    /// nil unless `hex` spells exactly 20 bytes, with or without `0x`. Letter case is not checked.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    private init(unchecked bytes: Bytes) { self.bytes = bytes }

    /// `0x` and 40 lower-case digits.
    public var description: String { bytes.hex0x }

    /// Lexicographic, as the big-endian integers compare.
    public static func < (left: Address, right: Address) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
