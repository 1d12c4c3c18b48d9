/// A breach of a rule, said so that the reader can mend it.
struct Finding: Hashable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// A rule's findings in many files, as the text of a failed test; empty when there are none.
func report(_ findings: [Finding]) -> String {
    findings.map(\.description).joined(separator: "\n")
}
