public import Core
internal import Digest

/// A frame on disk while it is not whole, to be gone on with later: docs/formats.md 5.6.
public struct KeptFrame: Hashable, Sendable {
    /// What a frame belongs to. Sums from anything else must not be added to it.
    public struct Origin: Hashable, Sendable {
        /// The program: another version may trace other paths.
        public var program: Hash256
        /// SHA-256 of the blob, which is the scene and every parameter that moves a sample, and of
        /// the noise target and the piece, if there is one.
        public var work: Hash256
        var noise: NoiseTarget?
        /// Nil for all of them.
        var tiles: Range<Int>?
        /// Whether samples are dealt to the steps of a shutter, by how many there are.
        private(set) var isShutterOpen = false

        /// - Parameter piece: what of the frame is rendered; nil for all. Where its samples end may
        ///   move from sitting to sitting.
        public init(
            program: Hash256, blob: RenderBlob, noise: NoiseTarget? = nil,
            piece: RenderPiece? = nil
        ) {
            self.program = program
            self.noise = noise
            tiles = piece?.tiles
            isShutterOpen = blob.stepCount > 1
            var hasher = SHA256.Hasher()
            for step in blob.steps { step.words.withUnsafeBytes { hasher.update($0) } }
            if let noise { hasher.update(Bytes("\(noise.level) \(noise.samplesMin)".utf8)) }
            if let piece {
                let (tiles, first) = (piece.tiles, piece.samples.lowerBound)
                let words = "tiles \(tiles.lowerBound) \(tiles.upperBound) samples \(first)"
                hasher.update(Bytes(words.utf8))
            }
            work = hasher.finalize()
        }
    }

    public var origin: Origin
    public var frame: PartialFrame

    public init(_ frame: PartialFrame, origin: Origin) {
        self.frame = frame
        self.origin = origin
    }

    private static let magic = Bytes("RIGORRS1".utf8)

    private static let headCount = magic.count + 2 * Hash256.byteCount + 8

    /// The file, piece by piece: a header, every tile, and SHA-256 of all before.
    public var pieces: [Bytes] {
        var pieces = [
            Self.magic + origin.program.bytes + origin.work.bytes
                + UInt32(frame.width).littleEndianBytes + UInt32(frame.height).littleEndianBytes
        ]
        pieces += frame.tiles.indices.map { index in
            let tile = frame.tiles[index].bytes
            return frame.noise == nil ? tile : tile + Self.bytes(of: frame.decisions[index])
        }
        var hasher = SHA256.Hasher()
        for piece in pieces { hasher.update(piece) }
        return pieces + [hasher.finalize().bytes]
    }

    /// Reads a file back.
    ///
    /// - Throws: ``Failure`` when it is damaged or belongs to another `origin`.
    public init(_ bytes: some Collection<UInt8>, expecting origin: Origin) throws(Failure) {
        let bytes = Bytes(bytes)
        guard bytes.starts(with: Self.magic) else {
            throw Failure(.malformed, "no interrupted render is in it")
        }
        let content = bytes.dropLast(Hash256.byteCount)
        guard content.count >= Self.headCount,
            SHA256.hash(content).bytes.elementsEqual(bytes.suffix(Hash256.byteCount))
        else { throw Failure(.malformed, "damaged: its checksum does not hold") }
        let hashes = content.dropFirst(Self.magic.count)
        guard origin.program.bytes.elementsEqual(hashes.prefix(Hash256.byteCount)) else {
            throw Failure(.refused, "made by another version of this program")
        }
        let rest = hashes.dropFirst(Hash256.byteCount)
        guard origin.work.bytes.elementsEqual(rest.prefix(Hash256.byteCount)) else {
            let why = origin.isShutterOpen ? "; with --shutter, --spp is one and may not grow" : ""
            throw Failure(.refused, "of another scene, or with other parameters" + why)
        }
        self.origin = origin
        frame = try Self.frame(rest.dropFirst(Hash256.byteCount), origin)
    }

    /// Whether the tile is done, whether there are sums, and these.
    private static func bytes(of decision: PartialFrame.Decision) -> Bytes {
        [decision.isDone ? 1 : 0, decision.sums.isEmpty ? 0 : 1]
            + decision.sums.withUnsafeBytes { Bytes($0) }
    }

    private static func frame(
        _ bytes: ArraySlice<UInt8>, _ origin: Origin
    ) throws(Failure) -> PartialFrame {
        var rest = bytes
        func word(_ index: Int) -> Int {
            rest.dropFirst(4 * index).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        var frame = try PartialFrame(
            width: word(0), height: word(1), noise: origin.noise, tiles: origin.tiles)
        rest = rest.dropFirst(8)
        for tile in frame.tiles {
            let sumCount = rest.count >= 16 && word(2) > 0 ? 3 * tile.width * tile.height : 0
            let count = 16 + 8 * sumCount
            guard rest.count >= count, word(0) == tile.width, word(1) == tile.height,
                word(2) <= RenderParameters.samplesMax
            else { throw Failure(.malformed, "\(tile.leafName): another size expected") }
            var sums = tile
            if sumCount > 0 {
                sums = try TileSums(
                    Leaf(index: tile.tile, name: tile.leafName, bytes: Bytes(rest.prefix(count))))
            }
            rest = rest.dropFirst(count)
            let decision = origin.noise == nil ? nil : try Self.decision(&rest, of: tile)
            frame.restore(sums, decision)
        }
        guard rest.isEmpty else { throw Failure(.malformed, "bytes after the last tile") }
        return frame
    }

    private static func decision(
        _ rest: inout ArraySlice<UInt8>, of tile: TileSums
    ) throws(Failure) -> PartialFrame.Decision {
        let flags = Array(rest.prefix(2))
        let sumCount = flags.last == 1 ? 3 * tile.width * tile.height : 0
        guard flags.count == 2, flags.allSatisfy({ $0 <= 1 }), rest.count >= 2 + 8 * sumCount else {
            throw Failure(.malformed, "\(tile.leafName): what was decided of it expected")
        }
        let sums = rest.dropFirst(2).prefix(8 * sumCount).withUnsafeBytes { bytes in
            (0..<sumCount).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
        }
        rest = rest.dropFirst(2 + 8 * sumCount)
        return .init(isDone: flags[0] == 1, sums: sums)
    }
}
