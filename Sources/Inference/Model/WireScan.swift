internal import Core

/// Counts a model's messages on the wire before they are decoded: an empty message takes two bytes
/// in a file and hundreds in memory.
struct WireScan {
    static let nodesMax = 1 << 16
    static let tensorsMax = 1 << 17
    static let attributesMax = 1 << 19
    static let namesMax = 1 << 19

    private var nodes = 0
    private var tensors = 0
    private var attributes = 0
    private var names = 0

    /// - Throws: ``Failure`` when the bytes are no protocol buffer or have too many messages.
    static func check(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var scan = WireScan()
        try scan.walk(bytes, 0..<bytes.count) { scan, field, range throws(Failure) in
            if field == 7 { try scan.graph(bytes, range) }
            if field == 8 { scan.names += 1 }
        }
    }

    private mutating func graph(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        try walk(bytes, range) { scan, field, range throws(Failure) in
            switch field {
            case 1:
                scan.nodes += 1
                try scan.node(bytes, range)
            case 5, 15: scan.tensors += 1
            case 11, 12, 13: scan.names += 1
            default: break
            }
        }
    }

    private mutating func node(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        try walk(bytes, range) { scan, field, range throws(Failure) in
            switch field {
            case 5:
                scan.attributes += 1
                try scan.walk(bytes, range) { scan, field, _ throws(Failure) in
                    if field == 5 || field == 10 { scan.tensors += 1 }
                    if field == 9 { scan.names += 1 }
                }
            case 1, 2: scan.names += 1
            default: break
            }
        }
    }

    /// Calls `visit` for each length-delimited field of the message in `range`.
    private mutating func walk(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>,
        visit: (inout WireScan, Int, Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var position = range.lowerBound
        while position < range.upperBound {
            let key = try Self.varint(bytes, &position, range.upperBound)
            switch key & 7 {
            case 0: _ = try Self.varint(bytes, &position, range.upperBound)
            case 1: position += 8
            case 5: position += 4
            case 2:
                let length = try Self.varint(bytes, &position, range.upperBound)
                guard length <= UInt64(range.upperBound - position) else { throw Self.broken }
                let end = position + Int(length)
                try visit(&self, Int(truncatingIfNeeded: key >> 3), position..<end)
                try checkCounts()
                position = end
            default: throw Self.broken
            }
            guard position <= range.upperBound else { throw Self.broken }
        }
    }

    private func checkCounts() throws(Failure) {
        guard nodes <= Self.nodesMax, tensors <= Self.tensorsMax,
            attributes <= Self.attributesMax, names <= Self.namesMax
        else {
            throw Failure(
                .limit,
                "too many messages; at most \(Self.nodesMax) nodes, \(Self.tensorsMax) tensors, "
                    + "\(Self.attributesMax) attributes and \(Self.namesMax) names expected")
        }
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

    private static let broken = Failure(
        .malformed, "not an ONNX model: truncated or damaged; a protocol buffer expected")
}
