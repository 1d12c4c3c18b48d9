/// One thing that must hold for a receipt, or for the ledger that it is held against.
public struct Check: Hashable, Sendable {
    /// What was checked, such as `result digest`.
    public var name: String
    public var holds: Bool
    /// What was found, and what was expected where it does not hold.
    public var detail: String

    public init(name: String, holds: Bool, detail: String) {
        self.name = name
        self.holds = holds
        self.detail = detail
    }
}
