/// The unit of the digest: a tile's sums or a named tensor, small enough to be run again alone.
public struct Leaf: Hashable, Sendable {
    /// Position in the task's tree, from 0.
    public var index: Int
    /// What the leaf holds: `tile/12`, `item/0/scores`.
    public var name: String
    /// Little-endian, in a layout the app version defines.
    public var bytes: Bytes

    public init(index: Int, name: String, bytes: Bytes) {
        self.index = index
        self.name = name
        self.bytes = bytes
    }
}

/// How far a device's arithmetic can be trusted, by measurement alone.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// IEEE binary32 with subnormals kept: may settle by hash.
    case exact
    /// Right except for subnormals: runs locally; never settles by hash.
    case exactNormal = "exact-normal"
    /// Wrong somewhere: runs locally, with a warning.
    case no
}
