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
        do throws(Failure) {
            try scan.walk(bytes, 0..<bytes.count) { scan, field, range throws(Failure) in
                if field == 7 { try scan.graph(bytes, range) }
                if field == 8 { scan.names += 1 }
            }
        } catch {
            throw error == Wire.broken ? error.at("not an ONNX model") : error
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
        try Wire.walk(bytes, range) { field, range throws(Failure) in
            try visit(&self, field, range)
            try checkCounts()
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
}
