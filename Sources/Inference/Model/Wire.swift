internal import Core
internal import Foundation

/// Protocol buffers as they lie on the wire, without a schema.
enum Wire {
    static let broken = Failure(
        .malformed, "truncated or damaged; a protocol buffer expected")

    /// A field of a message.
    struct Field {
        var number: Int
        /// With what comes before its value.
        var whole: Range<Int>
        /// nil where the value is no message, string or bytes.
        var content: Range<Int>?
    }

    /// Calls `visit` with the number and the place of each length-delimited field of the message in
    /// `range`; other fields are passed over.
    static func walk(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>,
        visit: (Int, Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var position = range.lowerBound
        while position < range.upperBound {
            let field = try field(bytes, &position, range.upperBound)
            if let content = field.content { try visit(field.number, content) }
        }
    }

    /// Takes fields out of the message in `range`.
    ///
    /// - Returns: what length-delimited fields of those numbers hold, by number and in order, and
    ///   the message without them.
    static func split(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, taking numbers: Int...
    ) throws(Failure) -> (taken: [Int: [Range<Int>]], rest: Data) {
        var taken: [Int: [Range<Int>]] = [:]
        var rest = Data()
        var position = range.lowerBound
        // The end of what was taken last.
        var end = position
        while position < range.upperBound {
            let field = try field(bytes, &position, range.upperBound)
            guard numbers.contains(field.number), let content = field.content else { continue }
            rest.append(contentsOf: bytes[end..<field.whole.lowerBound])
            end = position
            taken[field.number, default: []].append(content)
        }
        rest.append(contentsOf: bytes[end..<range.upperBound])
        return (taken, rest)
    }

    private static func field(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ end: Int
    ) throws(Failure) -> Field {
        let start = position
        let key = try varint(bytes, &position, end)
        var content: Range<Int>?
        switch key & 7 {
        case 0: _ = try varint(bytes, &position, end)
        case 1: position += 8
        case 5: position += 4
        case 2:
            let length = try varint(bytes, &position, end)
            guard length <= UInt64(end - position) else { throw broken }
            let first = position
            position += Int(length)
            content = first..<position
        default: throw broken
        }
        guard position <= end else { throw broken }
        return Field(
            number: Int(truncatingIfNeeded: key >> 3), whole: start..<position, content: content)
    }

    private static func varint(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ end: Int
    ) throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < end else { throw broken }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw broken
    }
}

/// The length-delimited fields of one message: messages in it, names, bytes.
struct WireMessage {
    private var fields: [Int: [Data]] = [:]

    /// - Throws: ``Failure`` when the bytes are no protocol buffer.
    init(_ data: Data) throws(Failure) {
        var places: [(number: Int, range: Range<Int>)] = []
        let walked: Result<Void, Failure> = data.withUnsafeBytes { bytes in
            Result { () throws(Failure) in
                try Wire.walk(bytes, 0..<bytes.count) { number, range in
                    places.append((number, range))
                }
            }
        }
        try walked.get()
        for (number, range) in places {
            let first = data.startIndex + range.lowerBound
            fields[number, default: []].append(data[first..<(first + range.count)])
        }
    }

    /// What a field holds, as often as it is there.
    subscript(number: Int) -> [Data] { fields[number] ?? [] }
}
