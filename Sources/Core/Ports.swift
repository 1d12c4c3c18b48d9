/// Where time comes from. Nothing below the executable reads a clock of its own.
public protocol Clock: Sendable {
    /// Seconds since 1970-01-01 UTC, as a chain's block time counts them.
    var nowSeconds: Int { get }
    /// Seconds on a clock that never goes back, for measuring.
    var monotonicSeconds: Double { get }
}

/// Where unpredictable bytes come from: keys, salts, nonces. Seeded in simulations.
public protocol Entropy: Sendable {
    func bytes(_ count: Int) -> Bytes
}
