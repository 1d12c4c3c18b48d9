internal import Compute
internal import Core
internal import Digest
internal import Files
internal import Foundation
internal import HostProtocol
internal import Inference
internal import Rendering
internal import Toy
internal import Training

/// What the demo can buy. Each job lays its files into a folder and says what is to be computed.
struct DemoJob {
    /// The app, and the name by which `--apps` chooses the job.
    let app: String
    /// Whether help and messages name it.
    var isListed = true
    /// Whether a demo has it without being asked.
    let isShown: Bool
    /// - Parameter folder: an empty folder for the input files.
    let make: (_ folder: String) throws(Failure) -> TaskSpec

    /// The user's scene and model, where they are given, take the place of the shipped ones.
    private static func all(_ options: DemoJobOptions) -> [DemoJob] {
        [
            DemoJob(app: "hash", isListed: false, isShown: false) { (folder) throws(Failure) in
                try hash(folder, rounds: options.hashRounds)
            },
            DemoJob(app: "render", isShown: !options.isOwn || options.scene != nil) {
                (folder) throws(Failure) in try render(folder, options)
            },
            DemoJob(app: "infer", isShown: !options.isOwn || options.model != nil) {
                (folder) throws(Failure) in
                guard let model = options.model else { return try inferDigits(folder) }
                return try infer(folder, model, options)
            },
            DemoJob(app: "train", isShown: false) { (folder) throws(Failure) in
                try train(folder)
            },
        ]
    }

    /// The jobs that the options ask for.
    ///
    /// - Throws: ``Failure`` naming the job that does not exist.
    static func chosen(by options: DemoJobOptions) throws(Failure) -> [DemoJob] {
        let all = all(options)
        guard let apps = options.apps else { return all.filter(\.isShown) }
        let names = apps.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var chosen: [DemoJob] = []
        for name in names {
            guard let job = all.first(where: { $0.app == name }) else {
                let known = all.filter(\.isListed).map(\.app).joined(separator: ", ")
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

    private static func render(
        _ folder: String, _ options: DemoJobOptions
    ) throws(Failure) -> TaskSpec {
        let parameters = RenderParameters(
            width: options.size?.width ?? 320, height: options.size?.height ?? 180,
            samples: options.spp ?? 64)
        guard let own = options.scene else {
            try copyExample("scene/demo.glb", to: "\(folder)/demo.glb")
            return try RenderApp().specification(scene: "demo.glb", folder: folder, parameters)
        }
        let (source, scene) = parts(own)
        // Read once where it is, to learn which files belong to it.
        let moment = options.moment.moment
        let frames = options.moment.numbers.map { TaskSpec.Part(frame: $0) }
        let closure = try RenderApp().specification(
            scene: scene, folder: source, parameters, moment: moment, parts: frames)
        for path in closure.inputs.keys { try copy("\(source)/\(path)", to: "\(folder)/\(path)") }
        let environment = options.env.map { "environment/\(parts($0).name)" }
        if let environment, let from = options.env {
            try copy(from, to: "\(folder)/\(environment)")
        }
        return try RenderApp().specification(
            scene: scene, environment: environment, folder: folder, parameters, moment: moment,
            parts: frames)
    }

    /// Digits to classify, all in one batch.
    private static func inferDigits(_ folder: String) throws(Failure) -> TaskSpec {
        let pictures = ShippedExamples.paths.filter { $0.hasSuffix(".png") }
            .map { String($0.dropFirst("digits/".count)) }
        for name in pictures + ["digits.onnx", "labels.txt"] {
            try copyExample("digits/\(name)", to: "\(folder)/\(name)")
        }
        return try InferApp().specification(
            model: "digits.onnx", inputs: ["image": pictures], labels: "labels.txt", top: topCount,
            folder: folder, parts: [.init(items: 0..<pictures.count)])
    }

    /// A network that learns the digits.
    private static func train(_ folder: String) throws(Failure) -> TaskSpec {
        try copyExample("digits/digits.npz", to: "\(folder)/digits.npz")
        return try TrainApp().specification(
            .preset(.cnn), data: "digits.npz", .digits, folder: folder)
    }

    /// The user's model on the user's files, all in one task.
    private static func infer(
        _ folder: String, _ model: String, _ options: DemoJobOptions
    ) throws(Failure) -> TaskSpec {
        let name = parts(model).name
        try copy(model, to: "\(folder)/\(name)")
        var inputs: [String: [String]] = [:]
        var count = 0
        for (input, sources) in try options.inputs.files(of: try ModelLoader.load(path: model)) {
            for source in sources {
                var target = "input/\(count)-\(parts(source.path).name)"
                if case .member = source {
                    target = "input/\(count)-\(source.stem).npy"
                    try FileHash.writeDurably(try source.bytes(), to: "\(folder)/\(target)")
                } else {
                    try copy(source.path, to: "\(folder)/\(target)")
                }
                inputs[input.name, default: []].append(target)
                count += 1
            }
        }
        let labels = options.inputs.labels.map { _ in "labels.txt" }
        if let labels, let from = options.inputs.labels {
            try copy(from, to: "\(folder)/\(labels)")
        }
        return try InferApp().specification(
            model: name, inputs: inputs, mean: options.inputs.mean,
            deviation: options.inputs.std, labels: labels, top: topCount,
            seed: options.inputs.seed, folder: folder)
    }

    /// How many classes are named for each item.
    private static let topCount = 3

    // MARK: Files

    /// Folder and name.
    private static func parts(_ path: String) -> (folder: String, name: String) {
        let url = URL(fileURLWithPath: path)
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }

    private static func copy(_ source: String, to target: String) throws(Failure) {
        let files = FileManager.default
        do {
            try files.createDirectory(
                at: URL(fileURLWithPath: target).deletingLastPathComponent(),
                withIntermediateDirectories: true)
            try files.copyItem(
                at: URL(fileURLWithPath: source).resolvingSymlinksInPath(),
                to: URL(fileURLWithPath: target))
        } catch {
            throw Failure(
                .io, "\(source): cannot be copied to \(target): \(systemMessage(error))")
        }
    }

    /// Writes one of the shipped inputs, which are in the program.
    private static func copyExample(_ path: String, to target: String) throws(Failure) {
        try FileHash.writeDurably(try ShippedExamples.bytes(path), to: target)
    }
}
