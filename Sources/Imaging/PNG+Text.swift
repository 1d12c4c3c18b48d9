public import Core

extension PNG {
    /// A file with a tEXt chunk before its last one.
    ///
    /// - Precondition: `keyword` has 1 to 79 characters, and both are ASCII.
    public static func adding(_ text: String, as keyword: String, to png: Bytes) -> Bytes {
        precondition((1...79).contains(keyword.utf8.count), "a keyword of 1 to 79 characters")
        let content = Bytes("tEXt".utf8) + Bytes(keyword.utf8) + [0] + Bytes(text.utf8)
        // IEND has no content: 12 bytes.
        var file = Bytes(png.dropLast(12))
        file += UInt32(content.count - 4).bigEndianBytes
        file += content
        file += checksum(content).bigEndianBytes
        return file + png.suffix(12)
    }

    /// What the first tEXt chunk of that keyword says; nil where there is none.
    public static func text(_ keyword: String, in png: Bytes) -> String? {
        chunk(keyword, in: png).flatMap { chunk in
            String(
                validating: png[chunk].dropFirst(9 + keyword.utf8.count).dropLast(4),
                as: UTF8.self)
        }
    }

    /// Where the first tEXt chunk of that keyword lies.
    private static func chunk(_ keyword: String, in png: Bytes) -> Range<Int>? {
        let head = Bytes("tEXt\(keyword)\0".utf8)
        var offset = 8
        while png.count - offset >= 12 {
            let length = png[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= png.count - offset - 12 else { return nil }
            let next = offset + 12 + length
            if png[offset + 4..<next - 4].starts(with: head) { return offset..<next }
            offset = next
        }
        return nil
    }

    /// A file without the first tEXt chunk of that keyword: what ``adding(_:as:to:)`` was given.
    public static func removing(_ keyword: String, from png: Bytes) -> Bytes {
        guard let chunk = chunk(keyword, in: png) else { return png }
        return Bytes(png[..<chunk.lowerBound]) + png[chunk.upperBound...]
    }

    /// CRC-32 as chunks have it.
    private static func checksum(_ bytes: Bytes) -> UInt32 {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
