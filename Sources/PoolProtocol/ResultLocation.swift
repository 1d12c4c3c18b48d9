public import Core

/// What a pool writes into the market's `results` when it finalizes: which artifact holds the
/// leaves.
public struct ResultLocation: Hashable, Sendable {
    public var leaves: TaskSpec.ContentID

    public init(leaves: TaskSpec.ContentID) { self.leaves = leaves }

    /// `sha256:<64 digits>/<bytes>`.
    public var text: String { "sha256:\(leaves.sha256.bytes.hex)/\(leaves.byteCount)" }

    /// - Throws: ``Failure`` when `results` are no such text.
    public init(results: Bytes) throws(Failure) {
        let text = String(decoding: results, as: UTF8.self)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("sha256:"),
            let hash = Hash256(hex: parts[0].dropFirst(7)), let count = Int(parts[1]), count >= 0
        else {
            throw Failure(.malformed, "task's results: sha256:<digits>/<bytes> expected")
        }
        leaves = TaskSpec.ContentID(sha256: hash, byteCount: count)
    }
}
