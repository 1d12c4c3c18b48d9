/// Calls that this project does without, each with what to write in its place.
enum BannedCalls {
    /// The program itself owns the terminal, the clock and the entropy of the machine.
    static let program = "Sources/rigor/"

    static func findings(_ source: SourceText) -> [Finding] {
        source.tokens.indices.compactMap { index in
            message(source, index).map {
                Finding(path: source.path, line: source.tokens[index].line, message: $0)
            }
        }
    }

    private static func message(_ source: SourceText, _ index: Int) -> String? {
        let next = source.text(index + 1)
        let isMember = source.text(index - 1) == "."
        let isDeclared = ["func", "var", "let", "case"].contains(source.text(index - 1))
        switch source.text(index) {
        case "print", "debugPrint", "dump", "NSLog":
            // Tests may speak: a seed, or why they skip.
            guard next == "(", !isMember, !isDeclared, source.path.hasPrefix("Sources/") else {
                return nil
            }
            return "\(source.text(index))(: say it through Console, or return it"
        case "try", "as":
            // `try !isDone` negates.
            guard next == "!", !source.tokens[index + 1].isSpaced else { return nil }
            return "\(source.text(index))!: throw a Failure, or #require it in a test"
        case "fatalError":
            guard next == "(", source.text(index + 2) == ")" else { return nil }
            return "fatalError without a reason: say what cannot be, or throw a Failure"
        case "Date":
            guard !source.path.hasPrefix(program) else { return nil }
            let isNow = next == "." && source.text(index + 2) == "now"
            let isEmpty = next == "(" && source.text(index + 2) == ")"
            return isNow || isEmpty ? "Date(): take any Clock" : nil
        case "SystemRandomNumberGenerator", "arc4random", "arc4random_uniform", "drand48":
            guard !source.path.hasPrefix(program) else { return nil }
            return "\(source.text(index)): take any Entropy, or a seeded generator in tests"
        case "random", "shuffled", "shuffle", "randomElement":
            guard isMember, next == "(", !source.path.hasPrefix(program) else { return nil }
            // A seed itself has to come from somewhere; it is printed then.
            let line = source.lines[source.tokens[index].line - 1]
            if source.path.hasPrefix("Tests/"), line.contains("let seed = ") { return nil }
            return isSeeded(source, index + 1) ? nil : "unseeded \(source.text(index)): add using:"
        default: return nil
        }
    }

    private static func isSeeded(_ source: SourceText, _ open: Int) -> Bool {
        guard let close = source.closing(open) else { return true }
        return source.tokens[open..<close].contains { $0.text == "using" }
    }
}

/// Mathematical functions of the system's library, whose last bits differ between machines.
enum MathRules {
    /// Modules whose values reach a result.
    static let modules: Set<String> = ["Exact", "Rendering", "Inference", "Training", "Compute"]

    static let functions: Set<String> = {
        let names = [
            "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh",
            "acosh", "atanh", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow",
            "cbrt", "hypot", "erf", "erfc", "tgamma", "lgamma", "fmod", "ldexp",
        ]
        return Set(names + names.map { $0 + "f" })
    }()

    static func findings(_ source: SourceText) -> [Finding] {
        guard source.path.hasPrefix("Sources/"), modules.contains(source.target) else { return [] }
        return source.tokens.indices.compactMap { index in
            message(source, index).map {
                Finding(path: source.path, line: source.tokens[index].line, message: $0)
            }
        }
    }

    private static func message(_ source: SourceText, _ index: Int) -> String? {
        let word = source.text(index)
        let libraries = ["Foundation", "Glibc", "Musl", "Darwin"]
        if word == "import", libraries.dropFirst().contains(source.text(index + 1)) {
            return "import \(source.text(index + 1)): use Exact in place of libm"
        }
        if source.target == "Exact" {
            // Without these imports no libm is in reach, and its own functions have libm's names.
            let isImport = word == "import" && source.text(index + 1) == "Foundation"
            return isImport ? "import Foundation: Exact stands on the language alone" : nil
        }
        guard functions.contains(word), source.text(index + 1) == "(" else { return nil }
        if source.text(index - 1) == "func" { return nil }
        if source.text(index - 1) == "." {
            let owner = source.text(index - 2)
            return libraries.contains(owner) ? "\(owner).\(word): use Exact.\(word)" : nil
        }
        return "\(word)(: use Exact.\(word)"
    }
}
