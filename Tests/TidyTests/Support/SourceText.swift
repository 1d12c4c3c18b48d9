/// A source file without comments and texts, as tokens.
///
/// Both languages of this repository share comments and quotes, so one reader serves: it also knows
/// Swift's nested comments, `"""` and `#"`.
struct SourceText {
    struct Token: Equatable {
        var text: String
        var line: Int
        /// White space stood before it.
        var isSpaced: Bool
    }

    let path: String
    let lines: [Substring]
    let tokens: [Token]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        tokens = Self.tokens(Self.blanked(Array(text.utf8)))
    }

    /// The folder below `Sources/` or `Tests/` that holds the file; empty elsewhere.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 && ["Sources", "Tests"].contains(parts[0]) ? String(parts[1]) : ""
    }

    /// The token at `index`, or an empty one past the ends.
    func text(_ index: Int) -> String { tokens.indices ~= index ? tokens[index].text : "" }

    /// The index of the bracket that closes the one at `open`; nil when it is left open.
    func closing(_ open: Int) -> Int? {
        let pairs = ["(": ")", "{": "}", "[": "]"]
        guard let close = pairs[text(open)] else { return nil }
        var depth = 0
        for index in open..<tokens.count {
            if tokens[index].text == text(open) { depth += 1 }
            if tokens[index].text == close { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    // MARK: - Reading

    /// The same bytes with comments and texts as spaces; line breaks stay.
    static func blanked(_ bytes: [UInt8]) -> [UInt8] {
        var blanker = Blanker(bytes: bytes)
        blanker.run()
        return blanker.out
    }

    private static func tokens(_ code: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var line = 1
        var index = 0
        var isSpaced = true
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
                true
            default: false
            }
        }
        while index < code.count {
            let start = index
            if code[index] == 10 { line += 1 }
            if code[index] <= 32 {
                isSpaced = true
                index += 1
                continue
            }
            while index < code.count, isWord(code[index]) { index += 1 }
            if index == start { index += 1 }
            let text = String(decoding: code[start..<index], as: UTF8.self)
            tokens.append(Token(text: text, line: line, isSpaced: isSpaced))
            isSpaced = false
        }
        return tokens
    }
}

/// Overwrites what is no code.
private struct Blanker {
    let bytes: [UInt8]
    var out: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        out = bytes
    }

    mutating func run() {
        while index < bytes.count {
            if starts("//") {
                while index < bytes.count, bytes[index] != 10 { blank(1) }
            } else if starts("/*") {
                blankComment()
            } else if starts("#\"") || starts("\"") {
                blankText()
            } else if starts("'\"'") {
                blank(3)
            } else {
                index += 1
            }
        }
    }

    private func starts(_ text: String) -> Bool { bytes[index...].starts(with: text.utf8) }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] != 10 { out[index] = 32 }
            index += 1
        }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < bytes.count
    }

    private mutating func blankText() {
        let pounds = starts("#") ? "#" : ""
        blank(pounds.utf8.count)
        let isLong = starts("\"\"\"")
        let close = (isLong ? "\"\"\"" : "\"") + pounds
        let escape = "\\" + pounds
        blank(isLong ? 3 : 1)
        while index < bytes.count, !starts(close) {
            // A line's end closes a short text that was left open.
            if !isLong, bytes[index] == 10 { return }
            blank(starts(escape) ? escape.utf8.count + 1 : 1)
        }
        blank(close.utf8.count)
    }
}
