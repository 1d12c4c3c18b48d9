public import Core

/// A tile's samples, summed in fixed point: the leaf of a render.
///
/// Sums of two ranges of samples add up exactly, in any order, so a pixel's bits depend neither on
/// batches nor on who computed which range.
public struct TileSums: Hashable, Sendable {
    /// Pixels along a tile's side; tiles at the right and bottom edge are clipped.
    public static let side = 32
    /// Sums count in units of 2⁻²⁰.
    public static let unitsPerOne = 1 << 20

    /// Number of the tile in its frame, row by row.
    public var tile: Int
    public var width: Int
    public var height: Int
    public var sampleCount: Int
    /// Samples of which a channel was not a number and counted as zero.
    public var nanCount: Int
    /// Red, green and blue of each pixel, row by row from the top.
    public var sums: [Int64]

    /// 32-bit width, height, samples and NaN samples, then the 64-bit sums; all little-endian.
    public var bytes: Bytes {
        var bytes = Bytes()
        bytes.reserveCapacity(16 + sums.count * 8)
        for value in [width, height, sampleCount, nanCount] {
            bytes += UInt32(clamping: value).littleEndianBytes
        }
        sums.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return bytes
    }

    public var leafName: String { "tile/\(tile)" }

    package init(
        tile: Int, width: Int, height: Int, sampleCount: Int, nanCount: Int, sums: [Int64]
    ) {
        self.tile = tile
        self.width = width
        self.height = height
        self.sampleCount = sampleCount
        self.nanCount = nanCount
        self.sums = sums
    }

    /// Reads a leaf back.
    ///
    /// - Throws: ``Failure`` with code `malformed` when name or size are not a tile's.
    public init(_ leaf: Leaf) throws(Failure) {
        let parts = leaf.name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "tile", let tile = Int(parts[1]), tile >= 0,
            leaf.bytes.count >= 16
        else { throw Failure(.malformed, "leaf \(leaf.name): a tile expected") }
        let header = leaf.bytes.withUnsafeBytes { bytes in
            (0..<4).map { Int(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
        let sides = 1...Self.side
        guard sides.contains(header[0]), sides.contains(header[1]),
            leaf.bytes.count == 16 + 24 * header[0] * header[1]
        else { throw Failure(.malformed, "leaf \(leaf.name): size and header disagree") }
        let pixels = header[0] * header[1]
        guard header[2] <= RenderParameters.samplesMax, header[3] <= pixels * header[2] else {
            throw Failure(
                .malformed,
                "leaf \(leaf.name): \(header[2]) samples a pixel, \(header[3]) not numbers: "
                    + "at most \(RenderParameters.samplesMax), and no more than samples, expected")
        }
        let sums = leaf.bytes.withUnsafeBytes { bytes in
            (0..<3 * header[0] * header[1]).map {
                bytes.loadUnaligned(fromByteOffset: 16 + 8 * $0, as: Int64.self)
            }
        }
        // What samples are kept to (docs/formats.md 1.6) bounds their sums.
        let possible = 0...Int64(header[2]) * (1 << 47 - 1)
        guard sums.allSatisfy(possible.contains) else {
            throw Failure(
                .malformed, "leaf \(leaf.name): a sum that no \(header[2]) samples have")
        }
        self.init(
            tile: tile, width: header[0], height: header[1], sampleCount: header[2],
            nanCount: header[3], sums: sums)
    }

    /// Adds another range of samples of the same tile.
    ///
    /// - Throws: ``Failure`` when it is another tile, or there would be more than 2¹⁶ samples.
    public mutating func add(_ other: TileSums) throws(Failure) {
        guard tile == other.tile, width == other.width, height == other.height else {
            throw Failure(.malformed, "\(leafName): cannot add \(other.leafName)")
        }
        guard sampleCount + other.sampleCount <= RenderParameters.samplesMax else {
            throw Failure(.limit, "\(leafName): more than \(RenderParameters.samplesMax) samples")
        }
        sampleCount += other.sampleCount
        nanCount += other.nanCount
        for index in sums.indices { sums[index] &+= other.sums[index] }
    }
}
