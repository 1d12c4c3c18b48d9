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
        do throws(Failure) {
            try scan.walk(bytes, 0..<bytes.count) { scan, field, range throws(Failure) in
                switch field {
                case 7: try scan.graph(bytes, range)
                case 8: scan.names += 1
                case 25: try scan.function(bytes, range)
                default: break
                }
            }
        } catch {
            throw error == Wire.broken ? error.at("not an ONNX model") : error
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
        try Wire.walk(bytes, range) { field, range throws(Failure) in
            try visit(&self, field, range)
            try checkCounts()
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
}
