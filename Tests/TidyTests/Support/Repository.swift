import Foundation

/// This repository's own files, found from this file's place.
struct Repository {
    struct File {
        let path: String
        let byteCount: Int
    }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Everything but what builds and runs leave behind, sorted by path.
    static let files: [File] = {
        let ignored = [".build", ".git", ".swiftpm", "demo", "Package.resolved", "__pycache__"]
        var found: [File] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let place = root.appendingPathComponent(folder).path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            for name in names where !ignored.contains(name) && !name.hasPrefix(".build-") {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                let full = root.appendingPathComponent(path).path
                let attributes = try? FileManager.default.attributesOfItem(atPath: full)
                switch attributes?[.type] as? FileAttributeType {
                case .typeDirectory: folders.append(path)
                case .typeRegular:
                    let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
                    found.append(File(path: path, byteCount: size))
                default: break
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }()

    static func text(_ path: String) -> String {
        let bytes = (try? Data(contentsOf: root.appendingPathComponent(path))) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Hand-written files with that extension; generated ones follow their generator's taste.
    static func sources(_ pathExtension: String) -> [SourceText] {
        files.filter {
            $0.path.hasSuffix(".\(pathExtension)") && !$0.path.contains("/Generated/")
        }.map { SourceText(path: $0.path, text: text($0.path)) }
    }

    static let swift = sources("swift")
    static let kernels = sources("cl")
}
