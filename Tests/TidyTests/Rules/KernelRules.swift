/// What OpenCL C may not hold here, because devices answer it differently (docs/exactness.md).
enum KernelRules {
    static let builtIns: [String: String] = {
        let own = [
            "sin", "cos", "tan", "acos", "atan2", "exp", "exp2", "log", "log2", "pow", "rsqrt",
            "sqrt", "erf", "tanh",
        ]
        let banned = [
            "asin", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "exp10", "expm1", "log10",
            "log1p", "powr", "pown", "rootn", "cbrt", "hypot", "erfc", "tgamma", "lgamma",
            "sincos", "sinpi", "cospi", "tanpi", "dot", "cross", "length", "distance", "normalize",
            "fast_length", "fast_distance", "fast_normalize", "mix", "smoothstep", "degrees",
            "radians", "modf", "remquo", "remainder",
        ]
        var replacements = ["mad": "fma", "mad24": "* and + on int", "mul24": "* on int"]
        for name in own { replacements[name] = "ex_\(name)" }
        for name in banned { replacements[name] = "+ - * fma and Kernels/exact" }
        return replacements
    }()

    static let floatTypes: Set<String> = Set(
        ["float", "double", "half"].flatMap { type in
            ["", "2", "3", "4", "8", "16"].map { type + $0 }
        })

    /// Under this macro the certificate has proved the device's own division and root.
    static let provedMacro = "EXACT_NATIVE"

    static func findings(_ source: SourceText) -> [Finding] {
        let floats = floatNames(source)
        let proved = provedLines(source)
        return source.tokens.indices.compactMap { index in
            let line = source.tokens[index].line
            if proved.contains(line), ["/", "sqrt"].contains(source.text(index)) { return nil }
            return message(source, index, floats).map {
                Finding(path: source.path, line: line, message: $0)
            }
        }
    }

    private static func message(
        _ source: SourceText, _ index: Int, _ floats: Set<String>
    ) -> String? {
        let word = source.text(index)
        if source.text(index + 1) == "(" {
            if word.hasPrefix("native_") || word.hasPrefix("half_") {
                return "\(word): accuracy is the implementation's choice, use Kernels/exact"
            }
            if let replacement = builtIns[word] {
                return "\(word): not the same bits everywhere, use \(replacement)"
            }
        }
        if ["image1d_t", "image2d_t", "image3d_t", "sampler_t"].contains(word) {
            return "\(word): filtering differs between devices, use a buffer"
        }
        if word == "static", !source.path.hasSuffix("exact/prelude.cl") {
            return "static: use EX_INLINE or EX_APART, not all devices get calls right"
        }
        guard word == "/" else { return nil }
        let before = operand(source, endingAt: index - 1)
        let skip = source.text(index + 1) == "=" ? 2 : 1
        let after = operand(source, startingAt: index + skip)
        guard isFloat(before, floats) || isFloat(after, floats) else { return nil }
        return "/ on floats: use ex_div"
    }

    // MARK: - Types, by names

    /// Names declared with a floating-point type anywhere in the file, functions among them.
    private static func floatNames(_ source: SourceText) -> Set<String> {
        var names: Set<String> = []
        for index in source.tokens.indices where floatTypes.contains(source.text(index)) {
            var next = index + 1
            while ["*", "const", "restrict", "__restrict"].contains(source.text(next)) { next += 1 }
            guard let first = source.text(next).first, first.isLetter || first == "_" else {
                continue
            }
            names.insert(source.text(next))
            // Further names of the same declaration, up to its end.
            var depth = 0
            while next < source.tokens.count, source.text(next) != ";" {
                switch source.text(next) {
                case "(", "[", "{": depth += 1
                case ")", "]", "}": depth -= 1
                case "," where depth == 0 && !isParameter(source, next):
                    names.insert(source.text(next + 1))
                default: break
                }
                if depth < 0 { break }
                next += 1
            }
        }
        return names
    }

    /// In a parameter list the word behind a comma is a type, followed by a name.
    private static func isParameter(_ source: SourceText, _ comma: Int) -> Bool {
        let next = source.text(comma + 2)
        return !["=", ",", ";", "["].contains(next)
    }

    /// The name or literal that an operand ends with: `a[i].x` gives `a`, `f(x)` gives `f`.
    private static func operand(_ source: SourceText, endingAt end: Int) -> String {
        var index = end
        while index > 0 {
            switch source.text(index) {
            case ")", "]":
                guard let open = opening(source, index) else { return "" }
                index = open - 1
                // Parentheses alone: look at what they hold.
                let first = source.text(index).first ?? "("
                if !first.isLetter, first != "_", first != "]" { return source.text(open + 1) }
            default:
                let isMember = [".", ">"].contains(source.text(index - 1))
                guard isMember else { return cast(source, before: index) ?? source.text(index) }
                if isNumber(source.text(index - 2)) { return source.text(index - 2) + "." }
                index -= source.text(index - 1) == "." ? 2 : 3
            }
        }
        return ""
    }

    /// The type in `(float)x`, for the index of `x`.
    private static func cast(_ source: SourceText, before index: Int) -> String? {
        let type = source.text(index - 2)
        let isCast = source.text(index - 1) == ")" && source.text(index - 3) == "("
        return isCast && floatTypes.contains(type) ? type : nil
    }

    private static func operand(_ source: SourceText, startingAt start: Int) -> String {
        var index = start
        while ["(", "-", "+"].contains(source.text(index)) { index += 1 }
        let word = source.text(index)
        let isDecimal = isNumber(word) && source.text(index + 1) == "."
        return isDecimal ? word + "." : word
    }

    private static func opening(_ source: SourceText, _ close: Int) -> Int? {
        (0..<close).last { source.closing($0) == close }
    }

    private static func isNumber(_ word: String) -> Bool { word.first?.isNumber == true }

    private static func isFloat(_ operand: String, _ floats: Set<String>) -> Bool {
        if floats.contains(operand) || floatTypes.contains(operand) { return true }
        if operand.hasPrefix("ex_"), !operand.hasPrefix("ex_half") { return true }
        guard isNumber(operand) else { return false }
        if operand.hasSuffix(".") { return true }
        return operand.hasPrefix("0x") ? operand.contains("p") : operand.hasSuffix("f")
    }

    // MARK: - Proved on the device

    private static func provedLines(_ source: SourceText) -> Set<Int> {
        var lines: Set<Int> = []
        var stack: [Bool] = []
        for (offset, line) in source.lines.enumerated() {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("#if") {
                stack.append(text.contains(provedMacro) && !text.hasPrefix("#ifndef"))
            } else if text.hasPrefix("#el") {
                if !stack.isEmpty { stack[stack.count - 1] = false }
            } else if text.hasPrefix("#endif") {
                _ = stack.popLast()
            }
            if stack.contains(true) { lines.insert(offset + 1) }
        }
        return lines
    }

    /// Every `.cl` file stands in the table of `kernels.c`: embedded, and under its own path.
    static func missingFromTable(_ paths: [String], table: String) -> [Finding] {
        paths.flatMap { path -> [Finding] in
            let name = String(path.dropFirst("Kernels/".count))
            let expected = ["#embed \"\(name)\"", "\"\(name)\","]
            return expected.filter { !table.contains($0) }.map {
                Finding(path: path, line: 1, message: "not in Kernels/kernels.c, expected \($0)")
            }
        }
    }
}
