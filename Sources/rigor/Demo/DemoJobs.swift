internal import Compute
internal import Core
internal import Digest
internal import Foundation
internal import HostProtocol
internal import Inference
internal import Rendering
internal import Toy

/// What the demo can buy. Each job lays its files into a folder and says what is to be computed.
struct DemoJob {
    /// The app, and the name by which `--apps` chooses the job.
    let app: String
    /// Whether a demo has it without being asked.
    let isShown: Bool
    /// - Parameter folder: an empty folder for the input files.
    let make: (_ folder: String) throws(Failure) -> TaskSpec

    static func all(hashRounds: Int) -> [DemoJob] {
        [
            DemoJob(app: "hash", isShown: false) { (folder) throws(Failure) in
                try hash(folder, rounds: hashRounds)
            },
            DemoJob(app: "render", isShown: true, make: render),
            DemoJob(app: "infer", isShown: true, make: infer),
        ]
    }

    /// - Throws: ``Failure`` naming the job that does not exist.
    static func named(_ names: [String], hashRounds: Int) throws(Failure) -> [DemoJob] {
        let all = all(hashRounds: hashRounds)
        guard !names.isEmpty else { return all.filter(\.isShown) }
        var chosen: [DemoJob] = []
        for name in names {
            guard let job = all.first(where: { $0.app == name }) else {
                let known = all.map(\.app).joined(separator: ", ")
                throw Failure(.unsupported, "--apps \(name): one of \(known) expected")
            }
            chosen.append(job)
        }
        return chosen
    }

    // MARK: Jobs

    /// A file of 64 KiB in 16 chunks, in two tasks.
    private static func hash(_ folder: String, rounds: Int) throws(Failure) -> TaskSpec {
        let content = Bytes((0..<65_536).map { UInt8(truncatingIfNeeded: $0 * 167 + $0 / 256) })
        try FileHash.writeDurably(content, to: "\(folder)/data")
        return TaskSpec(
            app: "hash", appVersion: HashApp().version,
            parameters: ["chunk_bytes": .int(4096), "rounds": .int(rounds)],
            inputs: [
                "data": .init(sha256: SHA256.hash(content), byteCount: content.count)
            ], parts: [.init(items: 0..<8), .init(items: 8..<16)])
    }

    private static func render(_ folder: String) throws(Failure) -> TaskSpec {
        try copyExample("scene/demo.glb", to: "\(folder)/demo.glb")
        return try RenderApp().specification(
            scene: "demo.glb", folder: folder,
            RenderParameters(width: 320, height: 180, samples: 64))
    }

    /// Digits to classify, all in one batch.
    private static func infer(_ folder: String) throws(Failure) -> TaskSpec {
        let digits = "\(try examples())/digits"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: digits)) ?? []
        let pictures = names.filter { $0.hasSuffix(".png") }.sorted()
        var inputs: [String: TaskSpec.ContentID] = [:]
        for name in pictures + ["digits.onnx"] {
            try copyExample("digits/\(name)", to: "\(folder)/\(name)")
            inputs[name] = try FileHash.sha256(path: "\(folder)/\(name)")
        }
        let labels = try FileHash.contents(path: "\(digits)/labels.txt", bytesMax: 1 << 16)
        return TaskSpec(
            app: "infer", appVersion: InferApp().version,
            parameters: [
                "model": .string("digits.onnx"),
                "input:image": .string(pictures.joined(separator: "\n")),
                "top": .int(3), "label_names": .bytes(labels),
            ], inputs: inputs, parts: [.init(items: 0..<pictures.count)])
    }

    /// Copies one of the shipped inputs.
    static func copyExample(_ path: String, to target: String) throws(Failure) {
        let source = "\(try examples())/\(path)"
        do {
            try FileManager.default.copyItem(atPath: source, toPath: target)
        } catch {
            throw Failure(.missing, "\(source): cannot be read; it is shipped with the project")
        }
    }

    /// The folder of shipped inputs: named by the environment, or beside the program's sources.
    private static func examples() throws(Failure) -> String {
        let files = FileManager.default
        var candidates: [String] = []
        if let named = ProcessInfo.processInfo.environment["RIGOR_EXAMPLES"] {
            candidates.append(named)
        }
        candidates.append("\(files.currentDirectoryPath)/Examples")
        var place = URL(fileURLWithPath: Executable.path)
        while place.path != "/" {
            place.deleteLastPathComponent()
            candidates.append(place.appendingPathComponent("Examples").path)
        }
        candidates.append("/usr/share/rigor/Examples")
        guard let found = candidates.first(where: { files.fileExists(atPath: "\($0)/scene") })
        else {
            throw Failure(
                .missing,
                "the folder Examples of the project is not near the program; name it by "
                    + "RIGOR_EXAMPLES")
        }
        return found
    }
}
