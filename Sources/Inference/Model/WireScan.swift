internal import Core

/// Counts a model's messages on the wire before they are decoded: an empty message takes two bytes
/// in a file and hundreds in memory.
struct WireScan {
    static let nodesMax = 1 << 16
    static let tensorsMax = 1 << 17
    static let attributesMax = 1 << 19
    static let namesMax = 1 << 19
    static let graphsMax = 1 << 12
    /// How deep messages may nest; a graph inside a node's attribute is three deeper than its own.
    static let depthMax = 64

    private var nodes = 0
    private var tensors = 0
    private var attributes = 0
    private var names = 0
    private var graphs = 0
    private var depth = 0

    /// - Throws: ``Failure`` when the bytes are no protocol buffer or have too many messages.
    static func check(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var scan = WireScan()
        try scan.walk(bytes, 0..<bytes.count) { scan, field, range throws(Failure) in
            switch field {
            case 7: try scan.graph(bytes, range)
            case 8: scan.names += 1
            case 25: try scan.function(bytes, range)
            default: break
            }
        }
    }

    private mutating func graph(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        graphs += 1
        depth += 3
        defer { depth -= 3 }
        guard depth < Self.depthMax else {
            throw Failure(.limit, "graphs in graphs: at most \(Self.depthMax / 3) deep expected")
        }
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
                try scan.attribute(bytes, range)
            case 1, 2: scan.names += 1
            default: break
            }
        }
    }

    private mutating func attribute(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        try walk(bytes, range) { scan, field, range throws(Failure) in
            switch field {
            case 5, 10, 22: scan.tensors += 1
            case 6, 11: try scan.graph(bytes, range)
            case 9: scan.names += 1
            default: break
            }
        }
    }

    private mutating func function(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        graphs += 1
        try walk(bytes, range) { scan, field, range throws(Failure) in
            switch field {
            case 7:
                scan.nodes += 1
                try scan.node(bytes, range)
            case 4, 5, 6, 9: scan.names += 1
            case 11:
                scan.attributes += 1
                try scan.attribute(bytes, range)
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
            attributes <= Self.attributesMax, names <= Self.namesMax, graphs <= Self.graphsMax
        else {
            throw Failure(
                .limit,
                "too many messages; at most \(Self.nodesMax) nodes, \(Self.tensorsMax) tensors, "
                    + "\(Self.attributesMax) attributes, \(Self.namesMax) names and "
                    + "\(Self.graphsMax) graphs expected")
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
