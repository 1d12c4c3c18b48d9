/// Who may know whom: the manifest's arrows, and those that must never be drawn.
enum ModuleRules {
    /// Parts of the toolchain, which every target may import.
    static let toolchain: Set<String> = [
        "Swift", "Foundation", "FoundationNetworking", "FoundationEssentials", "Dispatch",
        "Synchronization", "Testing", "Glibc",
    ]

    /// Keys, strangers' bytes and GPU drivers live in three kinds of process: whoever holds one
    /// never reaches another.
    static let forbidden: [(from: [String], to: [String])] = [
        (
            ["Agent", "Pool"],
            [
                "OpenCL", "Compute", "Rendering", "Inference", "Serving", "Kernels", "COpenCL",
            ]
        ),
        (
            ["PrepareHost", "DeviceHost"],
            ["Wallet", "Ledger", "Settlement", "Fleet", "Agent", "Pool", "GRDB"]
        ),
        (["PrepareHost"], ["Profiling", "Hardware"]),
        (["PrepareHost", "DeviceHost", "Serving"], ["NIOCore", "NIOPosix", "NIOHTTP1"]),
        (["Core"], ["COpenCL", "CHwloc", "CLibCrypto", "CNettle"]),
        (["Contribution", "Exact"], ["OpenCL", "GRDB"]),
    ]

    /// Imports that the target does not declare.
    static func undeclared(_ source: SourceText, _ manifest: Manifest) -> [Finding] {
        guard let target = manifest.targets.first(where: { $0.name == source.target }) else {
            return source.target.isEmpty
                ? []
                : [Finding(path: source.path, line: 1, message: "\(source.target): no such target")]
        }
        return imports(source).compactMap { name, line in
            let isKnown = toolchain.contains(name) || target.dependencies.contains(name)
            guard !isKnown, name != target.name else { return nil }
            return Finding(
                path: source.path, line: line,
                message: "import \(name): \(target.name) does not declare it in Package.swift")
        }
    }

    static func imports(_ source: SourceText) -> [(name: String, line: Int)] {
        let kinds = ["struct", "enum", "class", "protocol", "func", "typealias", "var", "let"]
        return source.tokens.indices.compactMap { index in
            guard source.text(index) == "import", source.text(index - 1) != "." else { return nil }
            let next = kinds.contains(source.text(index + 1)) ? index + 2 : index + 1
            return (source.text(next), source.tokens[index].line)
        }
    }

    /// Forbidden edges, however many steps they take.
    static func forbiddenEdges(_ manifest: Manifest) -> [Finding] {
        forbidden.flatMap { rule in
            rule.from.flatMap { from -> [Finding] in
                let reached = manifest.reachable(from: from)
                return rule.to.filter { reached.contains($0) }.map {
                    Finding(
                        path: "Package.swift", line: 1,
                        message: "\(from) reaches \($0), which it must never know")
                }
            }
        }
    }

    /// Dependencies stand above those who need them, so that the list reads from the ground up.
    static func upwardEdges(_ manifest: Manifest) -> [Finding] {
        var declared: Set<String> = []
        var findings: [Finding] = []
        let own = Set(manifest.targets.map(\.name))
        for target in manifest.targets {
            for name in target.dependencies where own.contains(name) && !declared.contains(name) {
                findings.append(
                    Finding(
                        path: "Package.swift", line: 1,
                        message: "\(target.name) needs \(name), which is listed below it"))
            }
            declared.insert(target.name)
        }
        return findings
    }
}
