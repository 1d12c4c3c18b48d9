/// Words that say more about a desk than about the project.
enum WordRules {
    /// Folders of one person's machine. Put together here, so that this file passes its own rule.
    static let folders = ["home", "root", "Users", "work", "mnt"].map { "/" + $0 + "/" }

    static let unfinished: Set<String> = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]

    static func findings(path: String, text: String) -> [Finding] {
        var findings: [Finding] = []
        for (offset, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            for message in messages(line) {
                findings.append(Finding(path: path, line: offset + 1, message: message))
            }
        }
        return findings
    }

    private static func messages(_ line: Substring) -> [String] {
        var messages: [String] = []
        for folder in folders {
            guard let range = line.firstRange(of: folder) else { continue }
            let before = line[..<range.lowerBound].last
            // `Kernels/work/`, `$HOME/work/` and `://root/` are no places on a disk.
            let isAbsolute = before.map { !($0.isLetter || $0.isNumber || "/.}$-_".contains($0)) }
            if isAbsolute ?? true { messages.append("\(folder): a place on one machine") }
        }
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        for word in words where unfinished.contains(String(word)) {
            messages.append("\(word): finish it, or say in plain words what is missing")
        }
        for marker in ["is" + "sue #", "is" + "sues/"] where line.lowercased().contains(marker) {
            messages.append("\(marker): say what was wrong, numbers mean nothing to a reader")
        }
        return messages
    }
}
