public import Core

/// What a request order's `params` say: which task specification the deal is about.
///
/// The text is JSON in the hub's own form, `{"iexec_args":"0x…"}`, so that a receipt can be held
/// against the order that the requester signed.
public struct RequestParameters: Hashable, Sendable {
    /// keccak256 of the specification's canonical bytes.
    public var taskSpec: Hash256

    public init(taskSpec: Hash256) { self.taskSpec = taskSpec }

    /// The one text for these parameters.
    public var text: String { Self.head + taskSpec.description + Self.tail }

    /// Reads ``text`` back.
    ///
    /// - Throws: ``Failure`` (unsupported) for any other text.
    public init(_ text: String) throws(Failure) {
        guard text.hasPrefix(Self.head), text.hasSuffix(Self.tail),
            let hash = Hash256(hex: text.dropFirst(Self.head.count).dropLast(Self.tail.count)),
            Self(taskSpec: hash).text == text
        else {
            throw Failure(
                .unsupported,
                "params: \(Self.head)0x…\(Self.tail) with a task specification's "
                    + "hash expected")
        }
        taskSpec = hash
    }

    private static let head = #"{"iexec_args":""#
    private static let tail = #""}"#
}
