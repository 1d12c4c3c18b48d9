public import Core
internal import Digest
internal import Kernels

/// The OpenCL C files embedded in the program, by their path below `Kernels/`.
public enum KernelFiles {
    /// First in every program.
    public static let prelude = "exact/prelude.cl"
    /// Files that stand before every program's own.
    static let common = [prelude, "exact/builtins.cl", "exact/fma.cl"]

    private static let texts: [String: String] = {
        var count = 0
        guard let files = rigor_kernel_files(&count) else { return [:] }
        var texts: [String: String] = [:]
        for file in UnsafeBufferPointer(start: files, count: count) {
            texts[String(cString: file.name)] = String(cString: file.text)
        }
        return texts
    }()

    /// Every path, sorted.
    public static var paths: [String] { texts.keys.sorted() }

    public static func text(_ path: String) throws(Failure) -> String {
        guard let text = texts[path] else {
            throw Failure(.missing, "kernel file \(path): not among the embedded ones")
        }
        return text
    }

    /// SHA-256 over every path and text: what a receipt names as the kernels' version.
    public static let hash: Hash256 = {
        var hasher = SHA256.Hasher()
        for (path, text) in texts.sorted(by: { $0.key < $1.key }) {
            hasher.update(Bytes(path.utf8) + [0])
            hasher.update(SHA256.hash(Bytes(text.utf8)).bytes)
        }
        return hasher.finalize()
    }()
}

extension ProgramSource {
    /// The whole text: what stands before all, then the files in order, each once.
    package func text() throws(Failure) -> String {
        if let customText { return customText }
        var text = ""
        var seen: Set<String> = []
        for file in KernelFiles.common + files where seen.insert(file).inserted {
            text += "\n#line 1 \"\(file)\"\n"
            text += try KernelFiles.text(file)
        }
        return text
    }

    /// Compiler options: nothing but the language version and definitions reaches a compiler from
    /// here (rule 6 of bit-exactness: each other option may change bits), sorted so that equal
    /// programs have equal options.
    func options(adding extra: [String: String]) throws(Failure) -> String {
        var options = "-cl-std=CL1.2"
        let all = defines.merging(extra) { own, _ in own }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            guard Self.isIdentifier(name), value.isEmpty || Self.isPlain(value) else {
                throw Failure(
                    .unsupported,
                    "program \(self.name): -D\(name)=\(value): identifiers and integers only"
                )
            }
            options += value.isEmpty ? " -D\(name)" : " -D\(name)=\(value)"
        }
        return options
    }

    private static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return isPlain(text) && !text.hasPrefix("-")
    }

    /// Letters, digits, underscores, and a sign in front.
    private static func isPlain(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return !digits.isEmpty
            && digits.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
                default: false
                }
            }
    }
}
