/// How long things may be: what does not fit on a screen is not read whole.
enum SizeRules {
    static let lineCharactersMax = 100
    static let functionLinesMax = 70
    static let fileLinesMax = 500
    static let fileBytesMax = 1 << 20

    static func lines(_ source: SourceText) -> [Finding] {
        source.lines.enumerated().compactMap { offset, line in
            guard line.utf8.count > lineCharactersMax, line.count > lineCharactersMax else {
                return nil
            }
            return Finding(
                path: source.path, line: offset + 1,
                message: "\(line.count) characters, expected at most \(lineCharactersMax)")
        }
    }

    static func length(_ source: SourceText) -> [Finding] {
        let count = source.lines.count - (source.lines.last?.isEmpty == true ? 1 : 0)
        guard count > fileLinesMax else { return [] }
        return [
            Finding(
                path: source.path, line: count,
                message: "\(count) lines, expected at most \(fileLinesMax): split it by concern")
        ]
    }

    static func bytes(_ file: Repository.File) -> [Finding] {
        guard file.byteCount > fileBytesMax else { return [] }
        return [
            Finding(
                path: file.path, line: 1,
                message: "\(file.byteCount) bytes, expected at most \(fileBytesMax)")
        ]
    }

    /// Functions, initialisers and deinitialisers, from their keyword to their closing brace.
    static func functions(_ source: SourceText) -> [Finding] {
        source.tokens.indices.compactMap { index in
            guard let open = bodyOpening(source, index), let close = source.closing(open) else {
                return nil
            }
            let lines = source.tokens[close].line - source.tokens[index].line + 1
            guard lines > functionLinesMax else { return nil }
            let name = source.text(index) == "func" ? source.text(index + 1) : source.text(index)
            return Finding(
                path: source.path, line: source.tokens[index].line,
                message: "\(name) has \(lines) lines, expected at most \(functionLinesMax)")
        }
    }

    /// In OpenCL C, where a function's brackets stand outside all others.
    static func kernelFunctions(_ source: SourceText) -> [Finding] {
        var findings: [Finding] = []
        var index = 0
        while index < source.tokens.count {
            if source.text(index) == "{", let close = source.closing(index) {
                let lines = source.tokens[close].line - source.tokens[index].line + 1
                if lines > functionLinesMax, source.text(index - 1) == ")" {
                    findings.append(
                        Finding(
                            path: source.path, line: source.tokens[index].line,
                            message: "a function has \(lines) lines, "
                                + "expected at most \(functionLinesMax)"))
                }
                index = close
            }
            index += 1
        }
        return findings
    }

    /// Where the body of the function that `index` declares begins; nil for anything else.
    private static func bodyOpening(_ source: SourceText, _ index: Int) -> Int? {
        switch source.text(index) {
        case "deinit": return source.text(index + 1) == "{" ? index + 1 : nil
        case "init": guard source.text(index - 1) != "." else { return nil }
        case "func": break
        default: return nil
        }
        var next = index + 1
        while next < source.tokens.count, source.text(next) != "(" { next += 1 }
        guard let close = source.closing(next) else { return nil }
        // What may stand between parameters and body: effects, a result, requirements.
        for position in (close + 1)..<min(close + 120, source.tokens.count) {
            switch source.text(position) {
            case "{": return position
            case "(", "[": continue
            case "}", "func", "var", "let", "init", "static", "public", "@": return nil
            default: continue
            }
        }
        return nil
    }
}
