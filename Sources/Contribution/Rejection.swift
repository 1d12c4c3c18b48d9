public import Core

/// Why the hub refused a call. A refused call has changed nothing.
public struct Rejection: Error, Hashable, Sendable, CustomStringConvertible {
    /// A stable name for the rule that refused. Machines decide by it.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        init(_ rawValue: String) { self.rawValue = rawValue }
    }

    public let code: Code
    /// One line for people.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(message) (\(code.rawValue))" }

    /// The same as a ``Failure`` whose code is the rejection's.
    public var failure: Failure {
        Failure(Failure.Code(rawValue: code.rawValue), description)
    }
}

extension Rejection.Code {
    // Orders

    /// The hub's own numbers for what does not match, 0x00 to 0x60.
    public static func matchOrders(_ number: UInt8) -> Self {
        Self("iExecV5-matchOrders-\([number].hex0x)")
    }

    // Money
    public static let balance = Self("escrow-balance")
    public static let overflow = Self("overflow")
    public static let supply = Self("supply-max")

    // Registries
    public static let notOwner = Self("not-owner")
    public static let unknown = Self("unknown")
    public static let exists = Self("exists")
    public static let limit = Self("limit")

    // Tasks
    public static let dealUnknown = Self("deal-unknown")
    public static let indexRange = Self("index-out-of-range")
    public static let taskExists = Self("task-exists")
    public static let taskUnknown = Self("task-unknown")
    public static let notActive = Self("task-not-active")
    public static let notRevealing = Self("task-not-revealing")
    public static let notOpen = Self("task-not-open")
    public static let contributionDeadline = Self("contribution-deadline-passed")
    public static let revealDeadline = Self("reveal-deadline-passed")
    public static let finalDeadline = Self("final-deadline-passed")
    public static let finalDeadlineAhead = Self("final-deadline-ahead")
    public static let contributedBefore = Self("contributed-before")
    public static let notContributed = Self("not-contributed")
    public static let enclaveMissing = Self("enclave-missing")
    public static let authorization = Self("authorization-invalid")
    public static let enclaveSignature = Self("enclave-signature-invalid")
    public static let notConsensus = Self("hash-not-consensus")
    public static let digest = Self("digest-not-of-hash")
    public static let seal = Self("digest-not-of-seal")
    public static let notScheduler = Self("not-scheduler")
    public static let revealsAhead = Self("reveals-ahead")
    public static let revealed = Self("revealed")
    public static let callback = Self("callback-not-of-digest")
    public static let trust = Self("trust-not-one")
    public static let contributors = Self("contributors-present")
}
