public import Compute
public import Core
internal import Digest
internal import Files
internal import Foundation
public import Inference

/// Training on a market: a model and a data set in, the loss of each step and the trained weights
/// out. A task is one part: what is trained cannot be cut.
///
/// Parameters: `data`, the path of an `.npz` archive (see ``DataSet/read(_:_:)``); `model`, an ONNX
/// file's path, or `preset`, a network's name; and those of ``TrainingOptions``.
public struct TrainApp: App {
    public let id = "train"
    public let version = "0.1"

    /// Where the network comes from.
    public enum Source: Hashable, Sendable {
        /// An ONNX file's path.
        case model(String)
        case preset(Preset)
    }

    public init() {}

    /// What to train, from files in a folder.
    ///
    /// - Throws: ``Failure`` when a file cannot be read or an option is out of its range.
    public func specification(
        _ source: Source, data: String, _ options: TrainingOptions, folder: String
    ) throws(Failure) -> TaskSpec {
        try options.check()
        var parameters = options.parameters
        var paths = [data]
        parameters["data"] = .string(data)
        switch source {
        case .model(let path):
            parameters["model"] = .string(path)
            paths.append(path)
        case .preset(let preset): parameters["preset"] = .string(preset.rawValue)
        }
        var spec = TaskSpec(
            app: id, appVersion: version, parameters: parameters, inputs: [:], parts: [.init()])
        for path in paths {
            let bytes = try FileBytes.read(
                "\(folder)/\(path)", byteCountMax: ModelLoader.byteCountMax)
            spec.inputs[path] = .init(sha256: SHA256.hash(bytes), byteCount: bytes.count)
        }
        return spec
    }

    // MARK: Prepare

    public func prepare(
        _ spec: TaskSpec, frame: Int, inputs: String
    ) throws(Failure) -> Bytes {
        let options = try TrainingOptions(
            spec.parameters.filter { !["data", "model", "preset"].contains($0.key) })
        let path = try path("data", of: spec)
        let source: Source
        if case .string(let name)? = spec.parameters["preset"] {
            guard let preset = Preset(rawValue: name) else {
                throw Failure(.malformed, "train: preset \(name.printable) is not known")
            }
            source = .preset(preset)
        } else {
            source = .model("\(inputs)/\(try self.path("model", of: spec))")
        }
        return try Self.task(source, data: "\(inputs)/\(path)", options).task.encoded
    }

    private func path(_ name: String, of spec: TaskSpec) throws(Failure) -> String {
        guard case .string(let path) = spec.parameters[name], spec.inputs[path] != nil else {
            throw Failure(
                .malformed, "train: parameter \(name): the path of an input file expected")
        }
        return path
    }

    /// A task from files, and the model that its weights go into.
    ///
    /// - Throws: ``Failure`` naming the file and what was expected.
    public static func task(
        _ source: Source, data path: String, _ options: TrainingOptions
    ) throws(Failure) -> (task: TrainingTask, model: Model) {
        let bytes = Bytes(try FileBytes.read(path, byteCountMax: ModelLoader.byteCountMax))
        return try task(source, data: bytes, named: path, options)
    }

    /// The same with the archive's bytes.
    public static func task(
        _ source: Source, data bytes: Bytes, named path: String, _ options: TrainingOptions
    ) throws(Failure) -> (task: TrainingTask, model: Model) {
        try options.check()
        let name = (path as NSString).lastPathComponent
        let data: (train: DataSet, test: DataSet?)
        do throws(Failure) {
            data = try DataSet.read(bytes, options)
        } catch {
            throw error.at(name)
        }
        switch source {
        case .model(let path):
            let model = try ModelLoader.load(path: path)
            do throws(Failure) {
                let task = try TrainingTask(model, train: data.train, test: data.test, options)
                return (task, model)
            } catch {
                throw error.at((path as NSString).lastPathComponent)
            }
        case .preset(let preset):
            let labels = data.train.labels + (data.test?.labels ?? [])
            let classes = max(2, (labels.max() ?? 0) + 1)
            guard classes <= classesMax else {
                throw Failure(
                    .limit, "\(name): label \(classes - 1); below \(classesMax) expected")
            }
            var options = options
            options.isFresh = true
            let model = try preset.model(item: data.train.item, classes: classes)
            return (
                try TrainingTask(model, train: data.train, test: data.test, options), model
            )
        }
    }

    /// Of presets.
    private static let classesMax = 10_000

    // MARK: Run

    public func run(
        _ run: AppRun, on device: any ComputeDevice, observer: any AppObserver
    ) throws(Failure) -> AppSeconds {
        let start = run.clock.monotonicSeconds
        let trainer = try Trainer(try TrainingTask(decoding: run.blob), on: device)
        var last = run.clock.monotonicSeconds
        while !trainer.isDone {
            try trainer.advance()
            let now = run.clock.monotonicSeconds
            guard now - last >= run.sliceSeconds || trainer.isDone else { continue }
            last = now
            try observer.advance(Double(trainer.step) / Double(trainer.task.steps))
        }
        for leaf in try trainer.leaves() { try observer.leaf(leaf) }
        let compile = trainer.compileSeconds
        return AppSeconds(
            compile: compile, compute: max(0, run.clock.monotonicSeconds - start - compile))
    }

    // MARK: Present

    public func present(
        _ spec: TaskSpec, leaves: [[Leaf]], folder: String
    ) throws(Failure) -> [String] {
        var weights: [(name: String, tensor: Tensor)] = []
        var curve = "step,loss\n"
        for leaf in leaves.joined() {
            let tensor = try InferenceLeaves.tensor(leaf.bytes)
            if leaf.name == "loss" {
                for (step, loss) in (tensor.floats ?? []).enumerated() {
                    curve += "\(step + 1),\(loss)\n"
                }
            } else if leaf.name.hasPrefix("weight/") {
                weights.append((String(leaf.name.dropFirst("weight/".count)), tensor))
            }
        }
        let archive = "\(folder)/weights.npz"
        try FileBytes.write(
            try Archive.npz(weights.map { ($0.name.replacing("/", with: "."), $0.tensor) }),
            to: archive)
        let path = "\(folder)/loss.csv"
        try FileBytes.write(Bytes(curve.utf8), to: path)
        return [archive, path]
    }
}
