public import Core

/// One thing that a diagnosis found, and the command that mends it.
public struct Finding: Hashable, Codable, Sendable {
    public enum Severity: String, Hashable, Codable, Sendable, Comparable {
        /// Good to know; nothing to do.
        case note
        /// Earns less than it could.
        case hinders
        /// Keeps this machine from earning at all.
        case blocks

        private var rank: Int {
            switch self {
            case .note: 0
            case .hinders: 1
            case .blocks: 2
            }
        }

        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    }

    /// Which check found it: `drivers`, `memory`.
    public var check: String
    public var severity: Severity
    /// One line: what is wrong, and what was expected.
    public var message: String
    /// A command to type, or nil where none mends it.
    public var remedy: String?

    public init(_ check: String, _ severity: Severity, _ message: String, remedy: String? = nil) {
        self.check = check
        self.severity = severity
        self.message = message
        self.remedy = remedy
    }

    var json: JSON {
        [
            "check": .string(check), "severity": .string(severity.rawValue),
            "message": .string(message), "remedy": .optional(remedy, JSON.string),
        ]
    }
}

/// What all checks found on one machine.
public struct Diagnosis: Hashable, Sendable {
    /// Worst first; in the order of the checks among equals.
    public let findings: [Finding]
    /// Names of all checks, in order.
    public let checks: [String]
    /// Why a check could not look, in a word or two, by its name.
    public let unknown: [String: String]

    public init(_ facts: Facts) {
        let found = Doctor.checks.flatMap { $0.run(facts) }
        findings = [Finding.Severity.blocks, .hinders, .note].flatMap { severity in
            found.filter { $0.severity == severity }
        }
        checks = Doctor.checks.map(\.name)
        var unknown: [String: String] = [:]
        for check in Doctor.checks where !found.contains(where: { $0.check == check.name }) {
            unknown[check.name] = check.unknown(facts)
        }
        self.unknown = unknown
    }

    /// Checks that looked and found nothing.
    public var fine: [String] {
        checks.filter { name in
            unknown[name] == nil && !findings.contains { $0.check == name }
        }
    }

    /// False when something keeps this machine from earning.
    public var canEarn: Bool { !findings.contains { $0.severity == .blocks } }

    /// The document of `rigor doctor --json`.
    public var json: JSON {
        [
            "can_earn": .bool(canEarn),
            "checks": .array(
                checks.map { name in
                    let worst = findings.filter { $0.check == name }.map(\.severity).max()
                    return [
                        "check": .string(name),
                        "state": .string(
                            worst?.rawValue ?? (unknown[name] == nil ? "fine" : "unknown")),
                        "reason": .optional(unknown[name], JSON.string),
                    ]
                }),
            "findings": .array(findings.map(\.json)),
        ]
    }
}
