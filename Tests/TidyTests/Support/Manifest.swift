/// What `Package.swift` declares: each target and the modules it may import, in order.
struct Manifest {
    struct Target: Equatable {
        var name: String
        var dependencies: [String]
    }

    let targets: [Target]

    init(targets: [Target]) { self.targets = targets }

    /// Reads the manifest's text. It is Swift, so this knows only the forms it is written in:
    /// `module("Name", [...])`, `tests("Name", [...])`, `system("Name", ...)` and
    /// `.target(name: "Name", ..., dependencies: [...])` with its kin.
    init(parsing text: String) {
        var targets: [Target] = []
        var rest = text[...]
        // Products of other packages stand under the names of constants.
        let products = Self.products(text)
        while let call = Self.nextCall(&rest) {
            // The shorthands' own definitions have no plain name in quotes.
            guard let name = Self.quoted(call.arguments).first, !name.contains("\\") else {
                continue
            }
            let list = Self.list(call.arguments, plain: call.name != "target")
            let words = Self.words(list)
            let named = products.filter { words.contains($0.key) }.map(\.value)
            let suffix = call.name == "tests" ? "Tests" : ""
            targets.append(
                Target(name: name + suffix, dependencies: Self.quoted(list) + named.sorted()))
        }
        self.targets = targets
    }

    /// Everything below a target, itself left out.
    func reachable(from name: String) -> Set<String> {
        let byName = Dictionary(targets.map { ($0.name, $0.dependencies) }) { first, _ in first }
        var reached: Set<String> = []
        var pending = byName[name] ?? []
        while let next = pending.popLast() {
            if reached.insert(next).inserted { pending += byName[next] ?? [] }
        }
        return reached
    }

    // MARK: - Reading

    private struct Call {
        var name: String
        var arguments: Substring
    }

    private static let calls = [
        (" system(", "system"), (" module(", "module"), (" tests(", "tests"),
        (".target(", "target"), (".executableTarget(", "target"), (".testTarget(", "target"),
    ]

    private static func nextCall(_ rest: inout Substring) -> Call? {
        let found = calls.compactMap { opening, name in
            rest.firstRange(of: opening).map { (range: $0, name: name) }
        }.min { $0.range.lowerBound < $1.range.lowerBound }
        guard let found, let open = rest[found.range].firstIndex(of: "(") else { return nil }
        var depth = 0
        var end = open
        while end < rest.endIndex {
            if rest[end] == "(" { depth += 1 }
            if rest[end] == ")" { depth -= 1 }
            if depth == 0 { break }
            end = rest.index(after: end)
        }
        let arguments = rest[rest.index(after: open)..<end]
        rest = rest[end...]
        return Call(name: found.name, arguments: arguments)
    }

    /// The dependencies' brackets: the first ones, or those behind `dependencies:`.
    private static func list(_ arguments: Substring, plain: Bool) -> Substring {
        var rest = arguments
        if plain {
            // `exclude:` and other labelled lists are no dependencies.
            if let label = arguments.firstRange(of: ": [") { rest = rest[..<label.lowerBound] }
        } else {
            guard let label = arguments.firstRange(of: "dependencies:") else { return "" }
            rest = arguments[label.upperBound...]
        }
        guard let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]")
        else { return "" }
        return rest[open...close]
    }

    private static func quoted(_ text: Substring) -> [String] {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    }

    private static func words(_ text: Substring) -> Set<String> {
        Set(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
    }

    /// `let grdb: Target.Dependency = .product(name: "GRDB", ...)`, as `grdb` → `GRDB`.
    private static func products(_ text: String) -> [String: String] {
        var products: [String: String] = [:]
        for part in ("\n" + text).split(separator: "\nlet ") {
            guard let colon = part.firstIndex(of: ":"),
                part[colon...].hasPrefix(": Target.Dependency"),
                let name = quoted(part).first
            else { continue }
            products[String(part[..<colon])] = name
        }
        return products
    }
}
