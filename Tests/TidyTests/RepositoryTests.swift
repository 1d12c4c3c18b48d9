import Testing

/// The rules, held against every file of the repository.
@Suite struct RepositoryTests {
    @Test func findsTheRepository() {
        #expect(Repository.files.contains { $0.path == "Package.swift" })
        #expect(Repository.swift.count > 20)
        #expect(!Repository.kernels.isEmpty)
    }

    @Test func linesAreShort() {
        let findings = (Repository.swift + Repository.kernels).flatMap(SizeRules.lines)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func filesAreShort() {
        let findings = (Repository.swift + Repository.kernels).flatMap(SizeRules.length)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func functionsAreShort() {
        let findings =
            Repository.swift.flatMap(SizeRules.functions)
            + Repository.kernels.flatMap(SizeRules.kernelFunctions)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func filesAreSmall() {
        let findings = Repository.files.flatMap(SizeRules.bytes)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func nothingCallsWhatIsBanned() {
        let findings = Repository.swift.flatMap(BannedCalls.findings)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func resultsStandOnExactMath() {
        let findings = Repository.swift.flatMap(MathRules.findings)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func kernelsKeepToExactOperations() {
        // Declarations call nothing.
        let findings = Repository.kernels.filter {
            $0.path.hasPrefix("Kernels/") && $0.path != "Kernels/exact/builtins.cl"
        }.flatMap(KernelRules.findings)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func everyKernelIsEmbedded() {
        let paths = Repository.files.map(\.path).filter {
            $0.hasPrefix("Kernels/") && $0.hasSuffix(".cl")
        }
        let table = Repository.text("Kernels/kernels.c")
        let findings = KernelRules.missingFromTable(paths, table: table)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func importsAreDeclared() {
        let manifest = Manifest(parsing: Repository.text("Package.swift"))
        let findings = Repository.swift.flatMap { ModuleRules.undeclared($0, manifest) }
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func arrowsPointDown() {
        let manifest = Manifest(parsing: Repository.text("Package.swift"))
        #expect(manifest.targets.count > 20)
        let findings =
            ModuleRules.forbiddenEdges(manifest) + ModuleRules.upwardEdges(manifest)
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func wordsAreForTheReader() {
        let extensions = ["swift", "cl", "c", "h", "md", "py", "json", "yml", "yaml", ""]
        let findings = Repository.files.filter { file in
            let name = file.path.split(separator: "/").last ?? ""
            let suffix = name.split(separator: ".", omittingEmptySubsequences: false)
            return file.byteCount < SizeRules.fileBytesMax && !file.path.contains("/Generated/")
                && extensions.contains(suffix.count > 1 ? String(suffix[suffix.count - 1]) : "")
        }.flatMap { WordRules.findings(path: $0.path, text: Repository.text($0.path)) }
        #expect(findings.isEmpty, "\(report(findings))")
    }
}
