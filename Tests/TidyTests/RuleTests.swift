import Testing

/// Each rule is fed what it forbids, and must say so; and what it allows, and must be silent.
@Suite struct RuleTests {
    private func swift(_ text: String, _ path: String = "Sources/Core/Sample.swift") -> SourceText {
        SourceText(path: path, text: text)
    }

    private func kernel(_ text: String) -> SourceText {
        SourceText(path: "Kernels/sample.cl", text: text)
    }

    @Test func longLine() {
        let line = String(repeating: "x", count: 100)
        #expect(SizeRules.lines(swift(line)).isEmpty)
        #expect(SizeRules.lines(swift("\n" + line + "x")).map(\.line) == [2])
        // Characters count, not bytes.
        #expect(SizeRules.lines(swift("// " + String(repeating: "−", count: 97))).isEmpty)
    }

    @Test func longFile() {
        let lines = String(repeating: "let x = 1\n", count: 500)
        #expect(SizeRules.length(swift(lines)).isEmpty)
        #expect(SizeRules.length(swift(lines + "let y = 1\n")).count == 1)
    }

    @Test func largeFile() {
        let limit = SizeRules.fileBytesMax
        #expect(SizeRules.bytes(Repository.File(path: "a.bin", byteCount: limit)).isEmpty)
        #expect(SizeRules.bytes(Repository.File(path: "a.bin", byteCount: limit + 1)).count == 1)
    }

    @Test(arguments: [
        "func f() throws(Failure) -> [Int] {", "init(\n    a: (Int) -> Void = { _ in }\n) {",
        "deinit {", "init?<T>(_ x: T) where T: P {",
    ])
    func longFunction(_ opening: String) {
        let extra = opening.filter { $0 == "\n" }.count
        func source(_ lines: Int) -> SourceText {
            let body = String(repeating: "    if x { y() }\n", count: lines - 2 - extra)
            return swift("struct S {\n\(opening)\n\(body)}\n}\n")
        }
        #expect(SizeRules.functions(source(70)).isEmpty)
        #expect(SizeRules.functions(source(71)).count == 1)
    }

    @Test func functionsWithoutBodyAreNotLong() {
        let filler = String(repeating: "// more\n", count: 80)
        let text = "protocol P {\n    func f() -> Int\n    var x: Int { get }\n}\n\(filler)let y\n"
        #expect(SizeRules.functions(swift(text)).isEmpty)
        #expect(SizeRules.functions(swift("let a = T.init(\n\(filler))\n{\n")).isEmpty)
    }

    @Test func longKernel() {
        func source(_ lines: Int) -> SourceText {
            let body = String(repeating: "    x += 1;\n", count: lines - 2)
            return kernel("kernel void f(int x) {\n\(body)}\nkernel void g(int x) { x; }\n")
        }
        #expect(SizeRules.kernelFunctions(source(70)).isEmpty)
        #expect(SizeRules.kernelFunctions(source(71)).count == 1)
    }

    @Test(arguments: [
        "print(x)", "let d = Date()", "let d = Date.now", "try! f()", "x as! Int",
        "fatalError()", "var g = SystemRandomNumberGenerator()", "Int.random(in: 0..<3)",
        "x.shuffled()", "debugPrint(x)",
    ])
    func bannedCall(_ code: String) {
        #expect(BannedCalls.findings(swift(code)).count == 1)
        #expect(BannedCalls.findings(swift("// \(code)\nlet s = \"\(code)\"")).isEmpty)
        let hidden = "/* /* */ \(code) */ let s = \"\"\"\n\(code)\n\"\"\""
        #expect(BannedCalls.findings(swift(hidden)).isEmpty)
    }

    @Test(arguments: [
        "console.print(x)", "func print(_ x: Int) {}", "Date(timeIntervalSince1970: 0)",
        "try f()", "try !f()",
        "fatalError(reason)", "Int.random(in: 0..<3, using: &generator)", "try? f()",
    ])
    func allowedCall(_ code: String) {
        #expect(BannedCalls.findings(swift(code)).isEmpty)
    }

    @Test func testsMaySpeakAndChooseTheirSeed() {
        let path = "Tests/CoreTests/A.swift"
        #expect(BannedCalls.findings(swift("print(seed)", path)).isEmpty)
        let seed = "let seed = UInt64.random(in: 0..<9)"
        #expect(BannedCalls.findings(swift(seed, path)).isEmpty)
        #expect(BannedCalls.findings(swift(seed)).count == 1)
        #expect(BannedCalls.findings(swift("let x = Int.random(in: 0..<9)", path)).count == 1)
    }

    @Test func theProgramOwnsTheClock() {
        let code = "let now = Date()"
        #expect(BannedCalls.findings(swift(code, "Sources/rigor/Clock.swift")).isEmpty)
        #expect(BannedCalls.findings(swift(code, "Sources/Agent/Clock.swift")).count == 1)
    }

    @Test(arguments: ["let y = sin(x)", "Foundation.exp(x)", "import Glibc", "powf(a, b)"])
    func libraryMath(_ code: String) {
        #expect(MathRules.findings(swift(code, "Sources/Rendering/A.swift")).count == 1)
        #expect(MathRules.findings(swift(code, "Sources/Agent/A.swift")).isEmpty)
    }

    @Test func exactStandsAlone() {
        let path = "Sources/Exact/A.swift"
        #expect(MathRules.findings(swift("import Foundation", path)).count == 1)
        #expect(MathRules.findings(swift("let y = exp(x)", path)).isEmpty)
        #expect(MathRules.findings(swift("Exact.sin(x)", "Sources/Rendering/A.swift")).isEmpty)
    }

    @Test(arguments: [
        "float y = exp(x);", "y = native_sin(x);", "y = half_exp(x);", "y = mad(a, b, c);",
        "i = mad24(a, b, c);", "y = sqrt(x);", "float y = 1.0f / n;", "float y; z = n / y;",
        "float4 v; z = v.x / n;", "z = n / 2.0f;", "z = ex_exp(x) / n;", "z = (float)n / m;",
        "global const float *p; z = p[i] / n;", "float a, b; z = n / b;", "float b; b /= n;",
        "float s; z = s->t / n; float t;", "d = dot(a, b);", "read_only image2d_t picture",
        "z = n / 0x1.8p+1f;", "z = n / (float)(m);", "float x; z = (x + 1) / n;",
        "static float f(float x) { return x; }",
    ])
    func inexactKernel(_ code: String) {
        #expect(KernelRules.findings(kernel(code)).count == 1, "\(code)")
        #expect(KernelRules.findings(kernel("// \(code)\n")).isEmpty)
    }

    @Test(arguments: [
        "int y = n / 2;", "uint half_width = 3; f(half_width);", "float y = ex_div(a, b);",
        "float y = fma(a, b, c);", "int row = get_global_id(0) / width;",
        "#ifdef EXACT_NATIVE\nfloat y; y = a / b;\n#else\n#endif", "float y = ex_exp(x);",
        "uint n = (width + 31) / 32; float y = 1.0f;",
    ])
    func exactKernel(_ code: String) {
        let findings = KernelRules.findings(kernel(code))
        #expect(findings.isEmpty, "\(report(findings))")
    }

    @Test func theOtherBranchIsNotProved() {
        let code = "float y;\n#ifdef EXACT_NATIVE\n#else\ny = y / n;\n#endif"
        #expect(KernelRules.findings(kernel(code)).map(\.line) == [4])
    }

    @Test func kernelOutsideTheTable() {
        let table = "#embed \"a/b.cl\" suffix(, 0)\nFILE_ENTRY(\"a/b.cl\", a_b),"
        #expect(KernelRules.missingFromTable(["Kernels/a/b.cl"], table: table).isEmpty)
        #expect(KernelRules.missingFromTable(["Kernels/a/c.cl"], table: table).count == 2)
    }

    private static let manifest = Manifest(
        parsing: """
            let grdb: Target.Dependency = .product(
                name: "GRDB", package: "GRDB.swift")
            func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
                .target(name: name, dependencies: dependencies)
            }
            func tests(_ name: String) -> Target { .testTarget(name: "\\(name)Tests") }
            let package = Package(targets: [
                system("COpenCL", pkgConfig: "OpenCL", apt: "x"),
                .target(name: "Shims", dependencies: ["CLib"]),
                module("Core"),
                module(
                    "OpenCL",
                    ["Core", "COpenCL"]),
                module("Agent", [
                    "Core", "Middle", grdb,
                ]),
                module("Middle", ["OpenCL"]),
                .executableTarget(name: "rigor", dependencies: ["Agent", grdb]),
                tests("Core", ["Core"], exclude: ["Fixtures"]),
            ])
            """)

    @Test func readsTheManifest() {
        let targets = Self.manifest.targets
        #expect(
            targets.map(\.name) == [
                "COpenCL", "Shims", "Core", "OpenCL", "Agent", "Middle", "rigor", "CoreTests",
            ])
        #expect(
            targets.map(\.dependencies) == [
                [], ["CLib"], [], ["Core", "COpenCL"], ["Core", "Middle", "GRDB"], ["OpenCL"],
                ["Agent", "GRDB"], ["Core"],
            ])
    }

    @Test func undeclaredImport() {
        let code = "import Core\npublic import OpenCL\nimport struct GRDB.Row\nimport Foundation\n"
        let agent = swift(code, "Sources/Agent/A.swift")
        #expect(ModuleRules.undeclared(agent, Self.manifest).map(\.line) == [2])
        let lost = swift("import Core", "Sources/Lost/A.swift")
        #expect(ModuleRules.undeclared(lost, Self.manifest).count == 1)
    }

    @Test func forbiddenAndUpwardArrows() {
        let forbidden = ModuleRules.forbiddenEdges(Self.manifest).map(\.message)
        #expect(forbidden.contains { $0.hasPrefix("Agent reaches OpenCL") })
        let upward = ModuleRules.upwardEdges(Self.manifest).map(\.message)
        #expect(upward == ["Agent needs Middle, which is listed below it"])
    }

    @Test(arguments: [
        "let path = \"/ho" + "me/anna/x\"", "see is" + "sue #12", "// TO" + "DO: later",
    ])
    func leakedWord(_ line: String) {
        #expect(WordRules.findings(path: "a.swift", text: line).count == 1)
    }

    @Test(arguments: ["$HOME/work/x", "https://a.b/work/", "Kernels/root/x", "photo doing"])
    func plainWord(_ line: String) {
        #expect(WordRules.findings(path: "a.swift", text: line).isEmpty)
    }
}
