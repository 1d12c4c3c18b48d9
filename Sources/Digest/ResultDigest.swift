public import Core

/// What a worker commits to: the bytes R and their Keccak-256.
///
/// R = abi.encode(bytes32 appVersion, bytes32 keccak256(taskSpec), uint256 leafCount,
/// bytes32 merkleRoot). A callback deal returns R itself, so the digest equals
/// keccak256(resultsCallback).
public struct ResultDigest: Hashable, Sendable {
    /// Content hash of the executable that defines the app version.
    public let appVersion: Hash256
    public let taskSpec: Hash256
    public let leafCount: Int
    public let merkleRoot: Hash256

    public init(appVersion: Hash256, taskSpec: Hash256, leafCount: Int, merkleRoot: Hash256) {
        self.appVersion = appVersion
        self.taskSpec = taskSpec
        self.leafCount = leafCount
        self.merkleRoot = merkleRoot
    }

    public init(appVersion: Hash256, spec: TaskSpec, tree: MerkleTree) {
        self.init(
            appVersion: appVersion, taskSpec: Keccak256.hash(spec.canonical),
            leafCount: tree.leafCount, merkleRoot: tree.root)
    }

    /// R, 128 bytes.
    public var encoded: Bytes {
        let count = Bytes(repeating: 0, count: 24) + UInt64(leafCount).bigEndianBytes
        return appVersion.bytes + taskSpec.bytes + count + merkleRoot.bytes
    }

    /// keccak256(R).
    public var hash: Hash256 { Keccak256.hash(encoded) }
}
