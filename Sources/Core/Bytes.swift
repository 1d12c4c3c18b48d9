/// Raw bytes, as they lie on disk and on the wire.
public typealias Bytes = [UInt8]

extension Sequence<UInt8> {
    /// Lower-case hexadecimal without a prefix.
    public var hex: String {
        var text = ""
        for byte in self {
            text.append(Hex.digits[Int(byte >> 4)])
            text.append(Hex.digits[Int(byte & 15)])
        }
        return text
    }

    /// Lower-case hexadecimal behind `0x`, the form of every hash and address that people see.
    public var hex0x: String { "0x" + hex }
}

/// Reading hexadecimal text.
public enum Hex {
    static let digits = Array("0123456789abcdef")

    /// The bytes that `text` spells, with or without `0x`; nil when it is not whole hexadecimal.
    public static func decode(_ text: some StringProtocol) -> Bytes? {
        var source = Array(text.utf8)
        if source.starts(with: Array("0x".utf8)) { source.removeFirst(2) }
        guard source.count % 2 == 0 else { return nil }
        var bytes = Bytes()
        bytes.reserveCapacity(source.count / 2)
        for index in stride(from: 0, to: source.count, by: 2) {
            guard let high = nibble(source[index]), let low = nibble(source[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x61...0x66: character - 0x61 + 10
        case 0x41...0x46: character - 0x41 + 10
        default: nil
        }
    }
}

extension FixedWidthInteger {
    /// The value's bytes, least significant first.
    public var littleEndianBytes: Bytes {
        withUnsafeBytes(of: littleEndian) { Bytes($0) }
    }

    /// The value's bytes, most significant first.
    public var bigEndianBytes: Bytes {
        withUnsafeBytes(of: bigEndian) { Bytes($0) }
    }
}
