public import Core

/// The SHA-256 tree over a task's leaves. `docs/formats.md` fixes its bytes.
public struct MerkleTree: Hashable, Sendable {
    /// `levels[0]` are the leaf hashes; the last level is the root alone.
    public let levels: [[Hash256]]

    /// - Precondition: there is at least one leaf.
    public init(leafHashes: [Hash256]) {
        precondition(!leafHashes.isEmpty, "a task has at least one leaf")
        var levels = [leafHashes]
        var level = leafHashes
        while level.count > 1 {
            var above: [Hash256] = []
            for index in stride(from: 0, to: level.count - 1, by: 2) {
                above.append(Self.node(level[index], level[index + 1]))
            }
            if level.count % 2 == 1, let odd = level.last { above.append(odd) }
            levels.append(above)
            level = above
        }
        self.levels = levels
    }

    /// - Precondition: `leaves` are in order of index, from 0, without gaps.
    public init(leaves: [Leaf]) {
        precondition(leaves.enumerated().allSatisfy { $0.offset == $0.element.index })
        self.init(leafHashes: leaves.map(Self.leafHash))
    }

    public var root: Hash256 { levels[levels.count - 1][0] }
    public var leafCount: Int { levels[0].count }

    /// H(0x00 ‖ index (8 bytes, big-endian) ‖ name length (4 bytes, big-endian) ‖ name ‖ bytes).
    public static func leafHash(_ leaf: Leaf) -> Hash256 {
        var hasher = SHA256.Hasher()
        let name = Bytes(leaf.name.utf8)
        hasher.update([0x00] + UInt64(leaf.index).bigEndianBytes)
        hasher.update(UInt32(name.count).bigEndianBytes + name)
        hasher.update(leaf.bytes)
        return hasher.finalize()
    }

    /// H(0x01 ‖ left ‖ right).
    public static func node(_ left: Hash256, _ right: Hash256) -> Hash256 {
        SHA256.hash([0x01] + left.bytes + right.bytes)
    }
}
