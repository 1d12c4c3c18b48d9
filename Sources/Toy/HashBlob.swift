internal import Core

/// What the device gets: every chunk as SHA-256 blocks with their padding, and where each begins.
///
/// Little-endian: magic (8 bytes), chunk count, rounds, block count, 0 (4 bytes each); then for
/// each chunk its first block and number of blocks; then the blocks, 64 bytes each.
struct HashBlob {
    struct Span {
        var first: UInt32
        var count: UInt32
    }

    var rounds: Int
    var spans: [Span] = []
    var words: [UInt32] = []

    private static let magic = Bytes("RIGORHS1".utf8)
    private static let headBytes = 24
    private static let blockBytes = 64

    init(content: Bytes, chunkBytes: Int, rounds: Int) {
        self.rounds = rounds
        // An empty file is one empty chunk: a task has at least one leaf.
        let starts = stride(from: 0, to: max(content.count, 1), by: chunkBytes)
        for start in starts {
            let chunk = content[start..<min(start + chunkBytes, content.count)]
            let padding = (119 - chunk.count % Self.blockBytes) % Self.blockBytes
            var padded = Bytes(chunk) + [0x80]
            padded += Bytes(repeating: 0, count: padding)
            padded += UInt64(chunk.count * 8).bigEndianBytes
            spans.append(
                Span(
                    first: UInt32(words.count / 16),
                    count: UInt32(padded.count / Self.blockBytes)))
            words += Self.words(padded)
        }
    }

    var encoded: Bytes {
        var out = Self.magic
        for value in [UInt32(spans.count), UInt32(rounds), UInt32(words.count / 16), 0] {
            out += value.littleEndianBytes
        }
        for span in spans { out += span.first.littleEndianBytes + span.count.littleEndianBytes }
        out.reserveCapacity(out.count + words.count * 4)
        for word in words { out += word.littleEndianBytes }
        return out
    }

    /// - Throws: ``Failure`` when a count does not fit the bytes, or a span leaves the blocks: the
    ///   kernel trusts both.
    init(decoding bytes: Bytes) throws(Failure) {
        guard bytes.count >= Self.headBytes, bytes.starts(with: Self.magic) else {
            throw Failure(.malformed, "hash blob: its magic expected")
        }
        let head = Self.words(bytes[8..<Self.headBytes])
        let (chunks, blocks) = (Int(head[0]), Int(head[2]))
        rounds = Int(head[1])
        guard chunks > 0, blocks > 0, head[3] == 0,
            bytes.count == Self.headBytes + chunks * 8 + blocks * Self.blockBytes
        else {
            throw Failure(
                .malformed,
                "hash blob: \(chunks) chunks and \(blocks) blocks in "
                    + "\(bytes.count) bytes")
        }
        let table = Self.words(bytes[Self.headBytes..<Self.headBytes + chunks * 8])
        for chunk in 0..<chunks {
            let span = Span(first: table[2 * chunk], count: table[2 * chunk + 1])
            guard span.count > 0, Int(span.first) + Int(span.count) <= blocks else {
                throw Failure(
                    .malformed,
                    "hash blob: chunk \(chunk): blocks \(span.first) + "
                        + "\(span.count) of \(blocks)")
            }
            spans.append(span)
        }
        words = Self.words(bytes[(Self.headBytes + chunks * 8)...])
    }

    /// Little-endian words as they lie, whatever the machine's order.
    private static func words(_ bytes: some RandomAccessCollection<UInt8>) -> [UInt32] {
        let raw = Bytes(bytes)
        return raw.withUnsafeBytes { source in
            (0..<raw.count / 4).map {
                UInt32(littleEndian: source.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
            }
        }
    }
}
