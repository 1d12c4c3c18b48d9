internal import Core
internal import Rendering

/// Where two results part, as far as it is known.
struct DisputeFinding {
    /// What the two are called.
    let names: [String]
    var frame: Int
    /// Leaves that were compared.
    var leafCount: Int
    var differingLeaves = 0
    /// Leaves that only one of them has.
    var missing = 0
    var leaf: String?
    var tile: Int?
    /// In the frame, or in the tile where the frame's size is not known.
    var place: (x: Int, y: Int)?
    var isPlaceInFrame = true
    var pixel: Dispute.Pixel?
    /// Pixels of that tile that differ.
    var pixelCount: Int?
    /// Samples a pixel of that tile, where these differ: with a noise target it ended elsewhere.
    var sampleCounts: (own: Int, other: Int)?
    /// The first byte that differs, in leaves that are no tiles.
    var byte: Int?
    var sample: Int?
    var difference: PathTrace.Difference?
    /// Whether each device gave the same sums twice.
    var repeats: [Bool] = []
    /// Why it goes no further.
    var note: String?

    init(names: [String], frame: Int, leafCount: Int) {
        self.names = names
        self.frame = frame
        self.leafCount = leafCount
    }

    var isSame: Bool { differingLeaves == 0 && missing == 0 }

    /// Finds the pixel, or in other leaves the byte.
    mutating func look(
        into own: Leaf, _ other: Bytes, grid: RenderParameters?
    ) throws(Failure) {
        guard own.name.hasPrefix("tile/") else {
            byte =
                zip(own.bytes, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                ?? min(own.bytes.count, other.count)
            return
        }
        let sums = try TileSums(own)
        try look(
            into: sums, try TileSums(Leaf(index: own.index, name: own.name, bytes: other)),
            grid: grid)
    }

    mutating func look(
        into own: TileSums, _ other: TileSums, grid: RenderParameters?
    ) throws(Failure) {
        leaf = own.leafName
        tile = own.tile
        pixel = try Dispute.pixel(own, other)
        if own.sampleCount == other.sampleCount {
            pixelCount = Dispute.pixelCount(own, other)
        } else {
            sampleCounts = (own.sampleCount, other.sampleCount)
        }
        isPlaceInFrame = grid != nil
        place = pixel.map { pixel in
            guard let grid else { return (pixel.x, pixel.y) }
            return (
                own.tile % grid.tilesWide * TileSums.side + pixel.x,
                own.tile / grid.tilesWide * TileSums.side + pixel.y
            )
        }
    }

    mutating func take(_ found: Dispute.Finding) {
        pixel = found.pixel
        place = found.pixel.map { _ in (found.x, found.y) }
        isPlaceInFrame = true
        sample = found.sample
        difference = found.difference
        repeats = found.repeats
    }

    // MARK: Text

    var lines: [String] {
        guard !isSame else { return ["the same: \(Units.count(leafCount, "leaf", "leaves"))"] }
        var lines: [String] = []
        if missing > 0 {
            lines.append("missing  \(Units.count(missing, "leaf", "leaves")) in one of the two")
        }
        guard differingLeaves > 0 else { return lines }
        lines.append(
            "leaf     \(leaf ?? "none"), of \(differingLeaves) that differ among \(leafCount)")
        if let byte { lines.append("byte     \(byte)") }
        if let sampleCounts {
            lines.append("samples  \(sampleCounts.own), \(sampleCounts.other) a pixel of the tile")
        }
        if let pixel, let place {
            let inside = isPlaceInFrame ? "of frame \(frame)" : "of the tile"
            let others = (pixelCount ?? 0) > 1 ? ", of \(pixelCount ?? 0) in this tile" : ""
            lines.append("pixel    \(place.x), \(place.y) \(inside)\(others)")
            lines.append("channel  \(pixel.channel): \(pixel.own), \(pixel.other)")
        }
        if let sample { lines.append("sample   \(sample)") }
        if let difference {
            lines.append("bounce   \(difference.bounce.map { "\($0)" } ?? "before the first")")
            lines.append(
                "field    \(difference.field): \(Self.word(difference.own)), "
                    + Self.word(difference.other))
        }
        for (name, repeats) in zip(names, repeats) where !repeats {
            lines.append("flaky    \(name): other sums when asked again")
        }
        if let note { lines.append("note     \(note)") }
        return lines
    }

    /// A word as bits and as the number it may be.
    private static func word(_ word: UInt32) -> String {
        "0x" + word.bigEndianBytes.hex + " (\(Float(bitPattern: word)))"
    }

    // MARK: JSON

    var json: JSON {
        [
            "same": .bool(isSame), "results": .array(names.map { .string($0) }),
            "leaves": .int(leafCount), "differing_leaves": .int(differingLeaves),
            "missing_leaves": .int(missing), "frame": .int(frame),
            "leaf": .optional(leaf, JSON.string), "tile": .optional(tile, JSON.int),
            "pixel": .optional(place) { [.int($0.x), .int($0.y)] },
            "pixel_in": place == nil ? .null : .string(isPlaceInFrame ? "frame" : "tile"),
            "differing_pixels": .optional(pixelCount, JSON.int),
            "sample_counts": .optional(sampleCounts) { [.int($0.own), .int($0.other)] },
            "channel": .optional(pixel?.channel, JSON.string),
            "sums": .optional(pixel) {
                [.string(String($0.own)), .string(String($0.other))]
            },
            "byte": .optional(byte, JSON.int), "sample": .optional(sample, JSON.int),
            "bounce": .optional(difference?.bounce, JSON.int),
            "field": .optional(difference?.field, JSON.string),
            "words": .optional(difference) {
                [
                    .string("0x" + $0.own.bigEndianBytes.hex),
                    .string("0x" + $0.other.bigEndianBytes.hex),
                ]
            },
            "repeats": .array(repeats.map { .bool($0) }), "note": .optional(note, JSON.string),
        ]
    }
}
